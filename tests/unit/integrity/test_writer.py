"""The writer: several at once, what killed ones leave behind, durability, keys that are gone."""

import json
import os
import subprocess
import sys
import threading

import lab
import orjson
import pytest

from provisioner.errors import ProvisionerError
from provisioner.integrity import Chain, KeyRing, Options, keystate
from provisioner.integrity.verdict import Kind
from provisioner.integrity.verify import verify

QUICK = Options(fsync="never")


def chain(folder, **options):
    return Chain(folder / "a.jsonl", lab.KEYS, stream="web1", options=Options(**{"fsync": "never", **options}))


def run(program, folder):
    arguments = [sys.executable, "-c", program, folder / "a.jsonl"]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)


def records(folder, name="a.jsonl"):
    return [orjson.loads(line) for line in (folder / name).read_bytes().splitlines()]


def actions(folder):
    return [each["action"] for each in records(folder)]


def intact(folder):
    result = verify([folder], lab.KEYS)
    assert result.intact, result.problems
    return result.streams[0]


def test_a_record_is_the_event_with_its_place(tmp_path):
    with chain(tmp_path) as log:
        first, second = log.append(lab.event(1)), log.append(lab.event(2))
    assert first["message"] == "export 1"
    assert first["integrity"].keys() == {"v", "stream", "seq", "prev", "key", "mac"}
    assert second["integrity"]["prev"] == first["integrity"]["mac"]
    assert [first, second] == records(tmp_path)
    assert intact(tmp_path).records == 2


def test_what_was_given_is_not_changed_and_nothing_is_lost_for_its_form(tmp_path):
    given = {
        "message": "x",
        "n": float("nan"),
        7: "number",
        "bytes": b"\xff",
        "s": {"\ud800"},
        "big": 2**70,
        "t": (1, 2),
    }
    before = dict(given)
    with chain(tmp_path) as log:
        record = log.append(given)
    assert given == before
    assert record["big"] == str(2**70)
    assert record["7"] == "number"
    assert record["s"] == ["\ufffd"]
    assert record["t"] == [1, 2]
    assert intact(tmp_path).records == 1


def test_redaction_comes_before_signing(tmp_path):
    options = Options(fsync="never", redact=lambda event: {**event, "message": "[password_REDACTED]"})
    with Chain(tmp_path / "a.jsonl", lab.KEYS, options=options) as log:
        log.append({"message": "password=hunter2"})
    assert b"hunter2" not in (tmp_path / "a.jsonl").read_bytes()
    assert intact(tmp_path).records == 1


def test_threads_share_a_chain(tmp_path):
    with chain(tmp_path, rotate_bytes=20_000, evolve_records=50) as log:
        threads = [
            threading.Thread(target=lambda n=n: [log.append(lab.event(n * 100 + m)) for m in range(50)])
            for n in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    result = intact(tmp_path)
    assert result.records > 200
    assert len(result.files) > 2


def test_two_writers_of_one_file_take_turns(tmp_path):
    with chain(tmp_path) as one, chain(tmp_path, evolve_records=3) as two:
        for number in range(20):
            (one if number % 3 else two).append(lab.event(number))
        one.rotate()
        two.append(lab.event(99))
    assert intact(tmp_path).records > 22


def test_a_forked_child_writes_too(tmp_path):
    program = """
import os, sys
from provisioner.integrity import Chain, KeyRing, Options
chain = Chain(sys.argv[1], KeyRing({"k1": bytes(range(32))}), stream="web1", options=Options(fsync="never"))
chain.append({"message": "parent"})
children = []
for n in range(3):
    child = os.fork()
    if not child:
        for m in range(30): chain.append({"message": f"child {n} {m}"})
        os._exit(0)
    children.append(child)
for m in range(30): chain.append({"message": f"parent {m}"})
assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
chain.append({"message": "end"})
"""
    done = run(program, tmp_path)
    assert done.returncode == 0, done.stderr
    assert intact(tmp_path).records == 122


# What killed writers leave behind


def test_a_torn_line_is_recorded(tmp_path):
    with chain(tmp_path) as log:
        log.append(lab.event(1))
    with (tmp_path / "a.jsonl").open("ab") as file:
        file.write(b'{"@timestamp":"2026-05')
    before = verify([tmp_path], lab.KEYS)
    assert before.intact
    assert "not finished" in before.streams[0].notes[0]
    with chain(tmp_path) as log:
        log.append(lab.event(2))
    result = intact(tmp_path)
    assert (result.torn, result.records) == (1, 3)
    lines = (tmp_path / "a.jsonl").read_bytes().splitlines()
    assert lines[1] == b'{"@timestamp":"2026-05'
    assert orjson.loads(lines[2])["labels"]["torn_bytes"] == "22"


def test_a_writer_that_is_killed_while_it_records_a_torn_line(tmp_path):
    with chain(tmp_path) as log:
        log.append(lab.event(1))
    with (tmp_path / "a.jsonl").open("ab") as file:
        file.write(b'{"torn\n{"@times')
    with chain(tmp_path) as log:
        log.append(lab.event(2))
    assert intact(tmp_path).torn == 2


def test_a_line_that_lacks_only_its_end_counts(tmp_path):
    with chain(tmp_path) as log:
        log.append(lab.event(1))
        log.append(lab.event(2))
    file = tmp_path / "a.jsonl"
    file.write_bytes(file.read_bytes()[:-1])
    with chain(tmp_path) as log:
        log.append(lab.event(3))
    assert [each["integrity"]["seq"] for each in records(tmp_path)] == [0, 1, 2]
    intact(tmp_path)


def test_a_writer_that_was_killed_before_it_told_the_others(tmp_path):
    with chain(tmp_path) as log:
        log.append(lab.event(1))
        lock = (tmp_path / "a.jsonl.lock").read_bytes()
        log.append(lab.event(2))
    (tmp_path / "a.jsonl.lock").write_bytes(lock)
    with chain(tmp_path) as log:
        assert log.append(lab.event(3))["integrity"]["seq"] == 2
    intact(tmp_path)


@pytest.mark.parametrize("lost", ["lock", "state after an epoch"])
def test_what_lies_beside_the_log_may_be_lost(tmp_path, lost):
    with chain(tmp_path, evolve_records=3) as log:
        for number in range(7):
            log.append(lab.event(number))
    (tmp_path / "a.jsonl.lock").unlink()
    if lost != "lock":
        state = keystate.load(tmp_path / "a.jsonl.state")
        assert state.key.epoch == 2
    with chain(tmp_path) as log:
        log.append(lab.event(9))
    intact(tmp_path)


@pytest.mark.parametrize("stage", ["said", "renamed"])
def test_a_rotation_that_was_cut_short_is_finished(tmp_path, stage):
    with chain(tmp_path) as log:
        log.append(lab.event(1))
        log.rotate()
    first, second = tmp_path / "a.jsonl.000001", tmp_path / "a.jsonl"
    second.unlink()
    (tmp_path / "a.jsonl.lock").unlink()
    if stage == "said":
        first.rename(second)
    with chain(tmp_path) as log:
        log.append(lab.event(2))
    assert actions(tmp_path)[0] == "log_continued"
    assert len(intact(tmp_path).files) == 2


def test_a_key_change_that_was_cut_short_is_finished(tmp_path):
    with chain(tmp_path, evolve_records=3) as log:
        for number in range(3):
            log.append(lab.event(number))
        state = (tmp_path / "a.jsonl.state").read_bytes()
        log.append(lab.event(3))
    lines = (tmp_path / "a.jsonl").read_bytes().splitlines(keepends=True)
    assert orjson.loads(lines[-2])["action"] == "log_key_changed"
    (tmp_path / "a.jsonl").write_bytes(b"".join(lines[:-1]))
    (tmp_path / "a.jsonl.state").write_bytes(state)
    (tmp_path / "a.jsonl.lock").unlink()
    with chain(tmp_path) as log:
        assert log.append(lab.event(4))["integrity"]["key"] == "k1.1"
    intact(tmp_path)


def test_records_that_the_file_lost_are_recorded_and_never_given_again(tmp_path):
    with chain(tmp_path) as log:
        for number in range(5):
            log.append(lab.event(number))
        lines = (tmp_path / "a.jsonl").read_bytes().splitlines(keepends=True)
        os.truncate(tmp_path / "a.jsonl", sum(map(len, lines[:3])))
        assert log.append(lab.event(5))["integrity"]["seq"] == 6
    problems = verify([tmp_path], lab.KEYS).problems
    assert [(each.kind, each.seq, each.last_seq) for each in problems] == [(Kind.DELETED, 3, 4)]
    assert "the writer found them missing itself" in problems[0].detail


def test_a_file_that_was_removed_under_the_writer(tmp_path):
    with chain(tmp_path) as log:
        log.append(lab.event(1))
        (tmp_path / "a.jsonl").unlink()
        log.append(lab.event(2))
    problems = verify([tmp_path], lab.KEYS).problems
    assert [(each.kind, each.seq, each.last_seq) for each in problems] == [(Kind.DELETED, 0, 0)]


def test_a_full_disk_ends_an_append_and_the_chain_goes_on(tmp_path):
    program = """
import resource, signal, sys
from provisioner.integrity import Chain, KeyRing, Options
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
chain = Chain(sys.argv[1], KeyRing({"k1": bytes(range(32))}), stream="web1", options=Options(fsync="never"))
chain.append({"message": "before"})
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
try:
    chain.append({"message": "x" * 2000})
except OSError as error:
    print(error.errno)
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
chain.append({"message": "after"})
"""
    done = run(program, tmp_path)
    assert (done.returncode, done.stdout) == (0, "27\n"), done.stderr
    result = intact(tmp_path)
    assert (result.torn, result.records) == (1, 3)


# Durability and keys


@pytest.mark.parametrize(("policy", "least", "most"), [("always", 10, 30), ("interval", 0, 6), ("never", 0, 5)])
def test_fsync_policies(tmp_path, monkeypatch, policy, least, most):
    calls = []
    real = os.fsync
    monkeypatch.setattr("os.fsync", lambda descriptor: (calls.append(descriptor), real(descriptor))[1])
    with chain(tmp_path, fsync=policy, fsync_seconds=30.0) as log:
        calls.clear()
        for number in range(10):
            log.append(lab.event(number))
        assert least <= len(calls) <= most
        before = len(calls)
    assert len(calls) - before == (0 if policy in ("never", "always") else 1)


def test_an_interval_is_kept_when_nothing_more_is_written(tmp_path, monkeypatch):
    done = threading.Event()
    with chain(tmp_path, fsync="interval", fsync_seconds=0.05) as log:
        monkeypatch.setattr("os.fsync", lambda _: done.set())
        log.append(lab.event(1))
        assert done.wait(5)


def test_the_old_key_is_erased_and_old_records_cannot_be_signed_by_what_is_left(tmp_path):
    with chain(tmp_path) as log:
        log.append(lab.event(1))
        old = (tmp_path / "a.jsonl.state").open("rb")
        first = json.loads(old.read())
        log.options = Options(fsync="never", evolve_records=1)
        log.append(lab.event(2))
    with old:
        old.seek(0)
        assert first["chain"].encode() not in old.read()  # the old file's own bytes, though it has no name any more
    left = (tmp_path / "a.jsonl.state").read_text(encoding="ascii")
    assert first["chain"] not in left
    assert json.loads(left)["key"] == "k1.1"
    assert (tmp_path / "a.jsonl.state").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "a.jsonl.state.new").exists()


def test_the_root_key_is_needed_once(tmp_path):
    with pytest.raises(ProvisionerError, match="no key yet"):
        Chain(tmp_path / "a.jsonl")
    with chain(tmp_path) as log:
        log.append(lab.event(1))
    with Chain(tmp_path / "a.jsonl", options=QUICK) as log:
        log.append(lab.event(2))
    assert intact(tmp_path).records == 2


def test_another_key_takes_over(tmp_path):
    both = KeyRing({"k1": lab.ROOT, "k2": b"2" * 32})
    with chain(tmp_path) as log:
        log.append(lab.event(1))
    with Chain(tmp_path / "a.jsonl", KeyRing({"k2": b"2" * 32}), options=QUICK) as log:
        assert log.append(lab.event(2))["integrity"]["key"] == "k2.0"
    assert verify([tmp_path], both).intact
    kinds = {each.kind for each in verify([tmp_path], lab.KEYS).problems}
    assert kinds == {Kind.WRONG_KEY}
    with chain(tmp_path) as log:  # somebody who has not heard of the new key
        assert log.append(lab.event(3))["integrity"]["key"] == "k2.0"
    assert verify([tmp_path], both).intact


def test_a_closed_chain_takes_nothing(tmp_path):
    with chain(tmp_path) as log:
        log.append(lab.event(1))
    log.close()
    log.sync()
    with pytest.raises(ValueError, match="closed"):
        log.append(lab.event(2))
    assert intact(tmp_path).records == 1


@pytest.mark.parametrize(
    ("setting", "words"),
    [({"stream": "-x"}, "no stream id"), ({"stream": "other"}, "is the stream web1")],
)
def test_what_cannot_be_is_refused(tmp_path, setting, words):
    with chain(tmp_path) as log:
        log.append(lab.event(1))
    with pytest.raises(ProvisionerError, match=words):
        Chain(tmp_path / "a.jsonl", lab.KEYS, **setting)
    (tmp_path / "a.jsonl.state").write_text("{}", encoding="ascii")
    with pytest.raises(ProvisionerError, match="no key state"):
        Chain(tmp_path / "a.jsonl", lab.KEYS)


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "target").touch()
    (tmp_path / "a.jsonl").symlink_to(tmp_path / "target")
    with pytest.raises(ProvisionerError, match="can't be written"):
        chain(tmp_path)
