"""Checkpoints against what was found in a log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provisioner.integrity import checkpoint, notes
from provisioner.integrity.verdict import Kind, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from provisioner.integrity.checkpoint import Checkpoint
    from provisioner.integrity.judge import Judge

_ZEROS = "0" * 64


@dataclass(frozen=True, slots=True)
class Placed:
    """A checkpoint and where it was read; None with `wrong` saying why it is none."""

    file: str
    line: int
    made: Checkpoint | None
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """All that were read, from any number of places, and the keys that may have signed them."""

    placed: Sequence[Placed]
    keys: Sequence[Ed25519PublicKey]

    @property
    def counts(self) -> tuple[int, ...]:
        """The counts that they are about, ascending."""
        return tuple(sorted({each.made.count for each in self.placed if each.made is not None}))

    def genuine(self, made: Checkpoint) -> bool:
        """Whether one of the keys signed it."""
        return any(checkpoint.genuine(made, key) for key in self.keys)


def check(judged: Judge, checkpoints: Checkpoints, *, partial: bool = False) -> None:
    """Add what the checkpoints of this stream say to its result."""
    result = judged.result
    own = [each for each in checkpoints.placed if each.made is None or each.made.stream == result.stream]
    good: list[tuple[Placed, Checkpoint]] = []
    for each in own:
        if each.made is None or not checkpoints.genuine(each.made):
            words = each.wrong or "its signature is not by the key that was given"
            _add(judged, Kind.FORGED_CHECKPOINT, each, -1, -1, words)
        else:
            good.append((each, each.made))
    good.sort(key=lambda pair: (pair[1].number, pair[1].count))
    _chain(judged, good)
    for each, made in good:
        _compare(judged, each, made, partial=partial)
    _mentioned(judged, {made.sha256(): made for _, made in good})
    if not good:
        result.notes.append("no checkpoint is about this stream")


def _chain(judged: Judge, good: Sequence[tuple[Placed, Checkpoint]]) -> None:
    """Numbers without gaps, each naming the one before; the same one may have been read twice."""
    before: Checkpoint | None = None
    for each, made in good:
        if before is not None and made == before:
            continue
        number = before.number + 1 if before is not None else 0
        previous = before.sha256() if before is not None else _ZEROS
        if before is not None and made.number == before.number:
            _add(judged, Kind.ROLLED_BACK, each, -1, -1, f"there are two checkpoints {made.number}, and they differ")
        elif made.number != number:
            words = (
                f"checkpoint {number}" if made.number == number + 1 else f"checkpoints {number} to {made.number - 1}"
            )
            _add(judged, Kind.ROLLED_BACK, each, -1, -1, f"missing before this one: {words}")
        elif made.previous != previous:
            _add(
                judged,
                Kind.ROLLED_BACK,
                each,
                -1,
                -1,
                f"checkpoint {made.number} follows another one than the one before it",
            )
        if before is not None and made.count < before.count:
            words = f"checkpoint {made.number} has fewer records ({made.count}) than the one before ({before.count})"
            _add(judged, Kind.ROLLED_BACK, each, -1, -1, words)
        before = made


def _compare(judged: Judge, each: Placed, made: Checkpoint, *, partial: bool) -> None:
    result = judged.result
    if made.count == 0:
        return
    if made.count > judged.next:
        first = judged.next
        if not partial and not any(p.kind is Kind.TRUNCATED and p.seq == first for p in result.problems):
            last = result.files[-1]
            words = f"checkpoint {made.number} of {made.time} covers them"
            found = Problem(Kind.TRUNCATED, result.stream, last.name, last.lines, first, made.count - 1, words)
            result.problems.append(found)
        return
    mac, root = judged.cuts.get(made.count, ("", None))
    if not mac:  # the record itself is bad or missing: told already
        return
    if mac != made.head or (root is not None and root.hex() != made.root):
        what = "record" if mac != made.head else "Merkle root"
        words = f"the {what} is another one than in checkpoint {made.number} of {made.time}"
        _add(judged, Kind.REWRITTEN, each, _sure(judged), made.count - 1, words)
        return
    if root is None:
        why = "its root can't be worked out, since records before are missing or changed"
        result.notes.append(f"checkpoint {made.number}: the last MAC agrees; {why}")
        return
    result.checkpoints += 1
    result.covered = max(result.covered, made.count)


def _sure(judged: Judge) -> int:
    """The first record behind all that checkpoints prove so far."""
    return judged.result.covered


def _mentioned(judged: Judge, known: dict[str, Checkpoint]) -> None:
    """Every checkpoint that the log mentions must be there."""
    missing = [
        note
        for note in judged.notes
        if note.action == notes.CHECKPOINTED and note.labels.get("checkpoint_sha256") not in known
    ]
    for note in missing:
        words = f"record {note.seq} mentions checkpoint {note.labels.get('number')}, which is not among those given"
        judged.result.problems.append(Problem(Kind.ROLLED_BACK, judged.result.stream, "", 0, note.seq, note.seq, words))


def _add(judged: Judge, kind: Kind, each: Placed, first: int, last: int, words: str) -> None:
    judged.result.problems.append(Problem(kind, judged.result.stream, each.file, each.line, first, last, words))
