"""The verifier at work: in pieces and processes, on what stands in between, on parts of logs."""

import random
import shutil

import attacks
import campaign
import lab
import pytest

from provisioner.errors import ProvisionerError
from provisioner.integrity import KeyRing, sources, verify
from provisioner.integrity.checking import Checkpoints
from provisioner.integrity.places import from_file
from provisioner.integrity.verdict import Kind


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return lab.build(tmp_path_factory.mktemp("log"))


def told(result):
    return {(problem.kind, problem.file, problem.line, problem.seq, problem.last_seq) for problem in result.problems}


@pytest.mark.parametrize("size", [1, 300, 700, 5_000])
def test_pieces_of_any_size_find_the_same(log, tmp_path, monkeypatch, size):
    """A worker's part may begin anywhere: also between an inserted line and the record behind it."""
    for seed in range(60):
        _, attacked = campaign.tamper(log, random.Random(seed))
        whole = lab.judged(attacked, tmp_path / "log", checkpoints=True)
        with monkeypatch.context() as patched:
            patched.setattr(sources, "CHUNK", size)
            parts = lab.judged(attacked, tmp_path / "log", checkpoints=True)
        assert told(parts) == told(whole), seed
        assert parts.streams[0].root == whole.streams[0].root
        assert parts.records == whole.records
        shutil.rmtree(tmp_path / "log")


def test_processes_find_the_same(log, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "CHUNK", 3_000)
    monkeypatch.setattr(verify, "_SMALL", 0)
    signed = Checkpoints(from_file(log.checkpoints), [lab.SIGNING.public_key()])
    folder = lab.write(log, tmp_path / "log")
    seen = []
    result = verify.verify([folder], lab.KEYS, signed, jobs=2, advance=seen.append)
    assert result.intact, result.problems
    assert result.streams[0].covered == len(log.lines)
    assert sum(seen) == result.bytes
    lines = list(log.lines)
    lines[30] = lines[30].replace(b"export", b"import")
    folder = lab.write(log.with_lines(lines), tmp_path / "log")
    problems = verify.verify([folder], lab.KEYS, signed, jobs=2).problems
    assert [(problem.kind, problem.seq) for problem in problems] == [(Kind.EDITED, 30)]


def test_redacted_after_signing_is_told_apart_only_where_its_place_is_proven(log, tmp_path):
    def marked(line):
        return line.replace(b'"export ', b'"[password_REDACTED] ')

    lines = list(log.lines)
    lines[10:12] = map(marked, lines[10:12])
    result = lab.judged(log.with_lines(lines), tmp_path / "a")
    assert [(each.kind, each.seq) for each in result.problems] == [(Kind.REDACTED, 10), (Kind.REDACTED, 11)]
    mac = log.records[10]["integrity"]["mac"].encode()
    lines[10] = lines[10].replace(mac, b"0" * 64)
    result = lab.judged(log.with_lines(lines), tmp_path / "b")
    assert (Kind.EDITED, 10) in [(each.kind, each.seq) for each in result.problems]
    lines = list(log.lines)
    lines[-1] = marked(lines[-1])
    assert [each.kind for each in lab.judged(log.with_lines(lines), tmp_path / "c").problems] == [Kind.REDACTED]


def test_an_auditor_without_the_key(log, tmp_path):
    """By the public key alone: what checkpoints cover is proven, whatever was done to it."""
    signed = Checkpoints(from_file(log.checkpoints), [lab.SIGNING.public_key()])
    nobody = KeyRing({})
    result = verify.verify([lab.write(log, tmp_path / "log")], nobody, signed)
    assert result.intact, result.problems
    assert result.streams[0].covered == len(log.lines)
    assert not verify.verify([tmp_path / "log"], nobody).intact  # nothing proves anything
    for seed in range(150):
        name, attacked = campaign.tamper(log, random.Random(seed))
        shutil.rmtree(tmp_path / "log")
        result = verify.verify([lab.write(attacked, tmp_path / "log")], nobody, signed)
        same = campaign.all_json(attacked) and attacked.records == log.records
        assert result.intact == same, (seed, name)
    for attacked in attacks.edited(log, 20, "owner"):
        result = verify.verify([lab.write(attacked, tmp_path / "log")], nobody, signed)
        assert {problem.kind for problem in result.problems} == {Kind.REWRITTEN}


def test_the_mac_in_another_object_is_no_signature(tmp_path):
    """Data that looks like a signature, moved by somebody without a key: what stands at the top counts."""
    log = lab.build(tmp_path / "a", checkpoint=False)
    lines = list(log.lines)
    mac = log.records[5]["integrity"]["mac"]
    moved = lines[5].replace(b'"mac":"%b",' % mac.encode(), b"")
    fake = b'"details":{"integrity":{"key":"k1.0","mac":"%b"},' % mac.encode()
    lines[5] = moved.replace(b'"details":{', fake, 1)
    assert lab.judged(log.with_lines(lines), tmp_path / "b").problems[0].kind is Kind.EDITED


def test_a_name_twice_is_no_record(tmp_path):
    log = lab.build(tmp_path / "a", checkpoint=False)
    lines = list(log.lines)
    lines[5] = lines[5].replace(b'"message":', b'"message":"nothing happened","message":', 1)
    (problem,) = lab.judged(log.with_lines(lines), tmp_path / "b").problems
    assert (problem.kind, problem.seq) == (Kind.EDITED, 5)


def test_parts_of_a_log(log, tmp_path):
    folder = lab.write(log, tmp_path / "log")
    middle = folder / log.files[1][0]
    assert {problem.kind for problem in verify.verify([middle], lab.KEYS).problems} == {Kind.DELETED, Kind.TRUNCATED}
    result = verify.verify([middle], lab.KEYS, partial=True)
    assert result.intact, result.problems
    signed = Checkpoints(from_file(log.checkpoints), [lab.SIGNING.public_key()])
    result = verify.verify([middle, folder / log.files[2][0]], lab.KEYS, signed, partial=True)
    assert result.intact, result.problems
    assert "the last MAC agrees" in result.streams[0].notes[-1]


def test_files_under_other_names_are_put_in_order(log, tmp_path):
    folder = lab.write(log, tmp_path / "log")
    for (name, _), other in zip(log.files, ("c", "a", "b"), strict=True):
        (folder / name).rename(folder / f"evidence-{other}")
    result = verify.verify([folder], lab.KEYS)
    assert result.intact, result.problems
    assert [each.name[-1] for each in result.streams[0].files] == ["c", "a", "b"]


def test_two_logs_in_a_folder_are_two(log, tmp_path):
    folder = lab.write(log, tmp_path / "log")
    lab.build(tmp_path / "other", "db7", 5, checkpoint=False)
    (folder / "b.jsonl").write_bytes((tmp_path / "other" / "a.jsonl").read_bytes())
    result = verify.verify([folder], lab.KEYS)
    assert result.intact, result.problems
    assert {stream.stream for stream in result.streams} == {"web1", "db7"}


def test_files_that_changed_names_are_told(log, tmp_path):
    folder = lab.write(log, tmp_path / "log")
    one, two = folder / log.files[0][0], folder / log.files[1][0]
    kept = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(kept)
    assert {problem.kind for problem in verify.verify([folder], lab.KEYS).problems} == {Kind.REORDERED}


def test_checkpoints_in_the_same_folder_are_no_log(log, tmp_path):
    folder = lab.write(log, tmp_path / "log")
    place = folder / "checkpoints.jsonl"
    place.write_bytes(log.checkpoints.read_bytes())
    result = verify.verify([folder], lab.KEYS, Checkpoints(from_file(place), [lab.SIGNING.public_key()]))
    assert result.intact, result.problems
    assert len(result.streams) == 1


def test_a_file_that_is_missing_is_told(log, tmp_path):
    folder = lab.write(log, tmp_path / "log")
    (folder / log.files[1][0]).unlink()
    (problem,) = verify.verify([folder], lab.KEYS).problems
    assert (problem.kind, problem.seq) == (Kind.DELETED, len(log.files[0][1]))


def test_a_file_that_is_not_there_and_one_that_is_broken(tmp_path):
    with pytest.raises(ProvisionerError, match="no such file"):
        verify.verify([tmp_path / "nothing"], lab.KEYS)
    (tmp_path / "a.jsonl.000001.gz").write_bytes(b"\x1f\x8bno")
    with pytest.raises(ProvisionerError, match="can't be read"):
        verify.verify([tmp_path], lab.KEYS)


@pytest.mark.parametrize(
    "data", [b"\n" * 50, b"\x00" * 5_000, b"[" * 90_000, b'{"integrity":{}}\n' * 20, b"\xff\xfe\n"]
)
def test_whatever_a_file_holds_there_is_a_verdict(log, tmp_path, data):
    folder = lab.write(log, tmp_path / "log")
    file = folder / log.files[1][0]
    file.write_bytes(data + file.read_bytes())
    result = verify.verify([folder], lab.KEYS)
    assert not result.intact
    file.write_bytes(data)
    assert not verify.verify([folder], lab.KEYS).intact
    assert not verify.verify([file], lab.KEYS).intact
