"""The attack matrix: every attack, at every place, by every attacker, with and without checkpoints.

What is promised stands in `promised`; the verifier must do exactly that. The table in docs/integrity-attacks.md is made
of the same run: `UPDATE_DOCS=1 pytest tests/unit/integrity/test_attacks.py` writes it.
"""

import os
import pathlib

import lab
import pytest
from attacks import ATTACKS, KINDS, WHERE

from provisioner.integrity.checking import Checkpoints
from provisioner.integrity.places import from_file
from provisioner.integrity.verdict import Kind
from provisioner.integrity.verify import verify

DOCS = pathlib.Path(__file__).parents[3] / "docs" / "integrity-attacks.md"
WHO = {
    "outsider": "no key",
    "thief": "the current key, stolen",
    "owner": "everything but the checkpoints",
}
APPENDS = {("appended", where) for where in WHERE} | {("duplicated", "last")}
"""A record twice at the end is a record appended."""


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    made = lab.build(tmp_path_factory.mktemp("log"))
    assert len(made.files) == 3
    assert made.records[-1]["integrity"]["key"] == "k1.6"
    return made


def places(log):
    """Where an attack is made; appending has but one place."""
    return [(name, where) for name in ATTACKS for where in WHERE if name != "appended" or where == "last"]


def promised(log, name, where, attacker, checkpoints):
    """Whether it is detected whatever the attacker chooses, and if not, why it can't be (a number of REASONS)."""
    at = lab.place(log, where)
    at = {"reordered": min(at, len(log.lines) - 2)}.get(name, at)
    if name == "replaced" and attacker == "thief":
        return 0  # the thief can sign nothing that a whole file would need
    signable = {
        "outsider": False,
        "thief": log.records[at]["integrity"]["key"] == log.records[-1]["integrity"]["key"],
        "owner": True,
    }[attacker]
    if (name, where) in APPENDS:
        return 2 if attacker != "outsider" else 0
    if checkpoints:
        return 0
    if name == "truncated" or (name, where) == ("deleted", "last"):
        if where == "first":
            return 4 if attacker == "owner" else 0
        return 1
    if not signable:
        return 0
    return 3 if attacker == "thief" else 4


REASONS = {
    1: "A log that was cut off is a shorter log: only something outside of it can know that there was more. (The file "
    "`LOG.lock` beside it does, unless it is cut back as well.)",
    2: "Records behind the last checkpoint can be written by whoever has the current key, as by the writer itself.",
    3: "Records of the current epoch can be signed anew with the stolen key. Those of earlier epochs can't.",
    4: "Whoever has every key can write any history. This is what checkpoints are for.",
}


def outcome(log, name, where, attacker, checkpoints, folder):
    """For each log that the attacker may leave behind, the verdict."""
    found = []
    for number, attacked in enumerate(ATTACKS[name](log, lab.place(log, where), attacker)):
        found.append(lab.judged(attacked, folder / f"{number}", checkpoints=checkpoints))
    assert found
    return found


@pytest.fixture(scope="module")
def matrix(log, tmp_path_factory):
    cells = {}
    for name, where in places(log):
        for attacker in lab.ATTACKERS:
            for checkpoints in (False, True):
                folder = tmp_path_factory.mktemp("attacked")
                cells[name, where, attacker, checkpoints] = outcome(log, name, where, attacker, checkpoints, folder)
    return cells


def test_what_was_not_attacked_is_intact(log, tmp_path):
    for checkpoints in (False, True):
        result = lab.judged(log, tmp_path / str(checkpoints), checkpoints=checkpoints)
        assert result.intact, result.problems
        assert result.records == len(log.lines)
    assert result.streams[0].covered == len(log.lines)
    assert result.streams[0].checkpoints == 2


def test_every_attack_is_detected_but_where_it_cannot_be(log, matrix):
    wrong = {
        cell: [sorted({p.kind.value for p in result.problems}) for result in found]
        for cell, found in matrix.items()
        if all(not result.intact for result in found) != (promised(log, *cell) == 0)
    }
    assert wrong == {}


def test_an_outsiders_attack_is_called_by_its_name_and_place(log, matrix):
    for (name, where, attacker, checkpoints), found in matrix.items():
        if attacker != "outsider" or checkpoints:
            continue
        for result in found:
            if result.intact or not result.records:
                continue
            kinds = {problem.kind for problem in result.problems}
            expected = KINDS[name] | (
                {Kind.REPLACED, Kind.DELETED, Kind.TRUNCATED} if name in ("replaced", "wrong-key") else set()
            )
            assert kinds & KINDS[name] or kinds <= expected, (name, where, kinds)
            assert kinds <= expected, (name, where, kinds)
            if name in ("edited", "inserted", "duplicated", "spliced"):
                _at_its_place(log, name, where, result.problems[0])
                assert len(result.problems) == 1 or (name, where) == ("spliced", "across files")


def _at_its_place(log, name, where, problem):
    at = lab.place(log, where)
    file, line = at, 0
    for file_name, lines in log.files:
        if at < len(lines):
            file, line = file_name, at + 1
            break
        at -= len(lines)
    if name == "edited":
        assert (pathlib.Path(problem.file).name, problem.line, problem.seq) == (file, line, lab.place(log, where))
    elif where in ("first", "middle"):
        assert pathlib.Path(problem.file).name == file
        assert problem.line in (line, line + 1)


def _cell(log, cell, found):
    reason = promised(log, *cell)
    if reason:
        return f"no <sup>{reason}</sup>"
    kinds = [sorted({p.kind.value for p in result.problems}) for result in found]
    return "; ".join(sorted({", ".join(each) if each else "no record left" for each in kinds}))


def _table(log, matrix):
    head = ["Attack", "Place"]
    for attacker in lab.ATTACKERS:
        head += [f"{WHO[attacker]}: without checkpoints", "with"]
    rows = [head, ["---"] * len(head)]
    for name, where in places(log):
        cells = [
            _cell(log, cell, matrix[cell])
            for a in lab.ATTACKERS
            for c in (False, True)
            for cell in [(name, where, a, c)]
        ]
        rows.append([name, "" if name == "appended" else where, *cells])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _docs(log, matrix):
    reasons = "\n".join(f"{number}. {text}" for number, text in REASONS.items())
    return f"""# What the verifier detects

Made by `tests/unit/integrity/test_attacks.py`, which makes every attack on a real log of {len(log.lines)} records in
three files and seven epochs, and lets the verifier judge it. A cell says what the verifier called it; where an
attacker has a choice, each outcome stands behind a semicolon, and *no* means that one of them is not detected. Nothing
of this was called intact but the cells with *no*; nothing honest was called anything else.

- **no key**: can write all files of the log, and knows other logs and keys of its own.
- **the current key, stolen**: has a copy of the key state besides, and signs what it likes with it.
- **everything but the checkpoints**: has every key that the stream ever had, the root key as well.

{_table(log, matrix)}

{reasons}

The last place is the last record that a checkpoint covers. What is done to checkpoints stands in
[Integrity](integrity.md).
"""


def test_the_table_in_the_docs_is_this_one(log, matrix):
    text = _docs(log, matrix)
    if os.environ.get("UPDATE_DOCS"):
        DOCS.write_text(text, encoding="utf-8")
    assert DOCS.read_text(encoding="utf-8") == text


# Checkpoints themselves


def checked(log, folder, lines):
    place = folder / "checkpoints"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"".join(line + b"\n" for line in lines))
    signed = Checkpoints(from_file(place), [lab.SIGNING.public_key()])
    return verify([lab.write(log, folder / "log")], lab.KEYS, signed)


def test_a_checkpoint_that_is_missing_before_another_one_is_told(log, tmp_path):
    lines = log.checkpoints.read_bytes().splitlines()
    result = checked(log, tmp_path, lines[1:])
    assert [problem.kind for problem in result.problems] == [Kind.ROLLED_BACK]
    assert "checkpoint 0" in result.problems[0].detail


def test_a_checkpoint_that_was_changed_is_forged(log, tmp_path):
    lines = log.checkpoints.read_bytes().splitlines()
    result = checked(log, tmp_path, [lines[0].replace(b'"count":2', b'"count":1'), lines[1]])
    assert Kind.FORGED_CHECKPOINT in {problem.kind for problem in result.problems}


def test_checkpoints_that_were_cut_back_are_told_where_the_log_mentions_them(tmp_path):
    from provisioner.integrity import Chain, Options
    from provisioner.integrity.checkpointing import Checkpointer
    from provisioner.integrity.places import FilePlace

    place = tmp_path / "cp"
    maker = Checkpointer(lab.SIGNING, [FilePlace(place)])
    options = Options(fsync="never", checkpoint_records=5)
    with Chain(tmp_path / "l" / "a.jsonl", lab.KEYS, checkpointer=maker, options=options) as chain:
        for number in range(20):
            chain.append(lab.event(number))
    lines = place.read_bytes().splitlines()
    assert len(lines) == 4
    read = from_file(place)
    assert verify([tmp_path / "l"], lab.KEYS, Checkpoints(read, [lab.SIGNING.public_key()])).intact
    result = verify([tmp_path / "l"], lab.KEYS, Checkpoints(read[:-1], [lab.SIGNING.public_key()]))
    assert [problem.kind for problem in result.problems] == [Kind.ROLLED_BACK]
    twice = verify([tmp_path / "l"], lab.KEYS, Checkpoints([*read, *read], [lab.SIGNING.public_key()]))
    assert twice.intact, twice.problems


def test_two_checkpoints_of_one_number_that_differ_are_told(log, tmp_path):
    from dataclasses import replace

    from provisioner.integrity import checkpoint

    lines = log.checkpoints.read_bytes().splitlines()
    made = from_file(log.checkpoints)[1].made
    other = checkpoint.sign(replace(made, root="0" * 64), lab.SIGNING)
    result = checked(log, tmp_path, [*lines, other.line()])
    assert {problem.kind for problem in result.problems} == {Kind.ROLLED_BACK, Kind.REWRITTEN}


def test_an_empty_log_is_not_intact(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b"")
    assert not verify([tmp_path], lab.KEYS).intact


def test_a_tail_that_was_cut_off_is_told_by_the_head_beside_the_log(tmp_path):
    made = lab.build(tmp_path / "a", checkpoint=False)
    file = tmp_path / "a" / "a.jsonl"
    file.write_bytes(b"".join(line + b"\n" for line in made.files[-1][1][:-3]))
    result = verify([tmp_path / "a"], lab.KEYS)
    assert [(problem.kind, problem.last_seq - problem.seq) for problem in result.problems] == [(Kind.TRUNCATED, 2)]


def test_an_end_that_checkpoint_and_head_both_name_is_one_problem(tmp_path):
    """The checkpoint proves part of it; the head beside the log, which is weaker, knows of more."""
    from provisioner.integrity import Chain, Options
    from provisioner.integrity.checkpointing import Checkpointer
    from provisioner.integrity.places import FilePlace

    place, log = tmp_path / "cp", tmp_path / "l" / "a.jsonl"
    maker = Checkpointer(lab.SIGNING, [FilePlace(place)])
    with Chain(log, lab.KEYS, checkpointer=maker, options=Options(fsync="never")) as chain:
        chain.append_all([lab.event(number) for number in range(10)])
        chain.checkpoint()
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:6]))
    (found,) = verify([log], lab.KEYS, Checkpoints(from_file(place), [lab.SIGNING.public_key()])).problems
    assert (found.kind, found.seq, found.last_seq) == (Kind.TRUNCATED, 6, 10)
    assert found.detail.startswith("checkpoint 0 of ")
    assert found.detail.endswith(" covers 6 to 9; the head beside the log, all")
    (found,) = verify([log], lab.KEYS).problems
    assert (found.seq, found.last_seq, found.detail) == (6, 10, "the head beside the log names them")
