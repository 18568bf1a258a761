"""What a verification says: problems by their kinds, and of each stream how far it is proven."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What was done to a log."""

    EDITED = "edited"
    DELETED = "deleted"
    INSERTED = "inserted"
    REORDERED = "reordered"
    DUPLICATED = "duplicated"
    TRUNCATED = "truncated"
    REPLACED = "replaced"
    SPLICED = "spliced"
    WRONG_KEY = "wrong-key"
    REWRITTEN = "rewritten"
    ROLLED_BACK = "rolled-back"
    FORGED_CHECKPOINT = "forged-checkpoint"
    REDACTED = "redacted"


MEANING = {
    Kind.EDITED: "the record is not as it was signed",
    Kind.DELETED: "records are missing",
    Kind.INSERTED: "the line is no record of this log",
    Kind.REORDERED: "records stand elsewhere than they were written",
    Kind.DUPLICATED: "records occur once more",
    Kind.TRUNCATED: "the end is missing",
    Kind.REPLACED: "the file is another one than the one that was written",
    Kind.SPLICED: "records of another stream",
    Kind.WRONG_KEY: "no key that was given has signed this",
    Kind.REWRITTEN: "signed anew by someone who has the key: the history is another one than it was",
    Kind.ROLLED_BACK: "checkpoints are missing, or contradict each other",
    Kind.FORGED_CHECKPOINT: "the checkpoint is not signed by the key that was given",
    Kind.REDACTED: "the record holds markers of a redaction that came after signing; the rest can't be proven",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `line` is 0 where no line can be named; `seq` is -1 where no number can.

    `last_seq` closes a range of records. `detail` is a sentence.
    """

    kind: Kind
    stream: str
    file: str
    line: int
    seq: int
    last_seq: int
    detail: str

    @property
    def records(self) -> str:
        """`record 7`, `records 7 to 9`, or nothing."""
        if self.seq < 0:
            return ""
        return f"record {self.seq}" if self.last_seq <= self.seq else f"records {self.seq} to {self.last_seq}"


@dataclass(slots=True)
class FileResult:
    """One input: its lines, bytes, genuine records, and the SHA-256 of its bytes where it was asked for."""

    name: str
    lines: int
    bytes: int
    good: int
    sha256: str = ""


@dataclass(slots=True)
class StreamResult:
    """What holds of one stream. `first` and `last` are sequence numbers, -1 where there is no genuine record.

    `keyless`: MACs were not checked, so that only what checkpoints cover is proven. `checkpoints` were checked and
    agree; `covered` is how many records the last of them covers. `torn` lines are explained by a record of the writer.
    `keys` are the key ids with the epochs seen.
    """

    stream: str
    files: list[FileResult]
    records: int = 0
    first: int = -1
    last: int = -1
    head: str = ""
    root: str = ""
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)
    torn: int = 0
    checkpoints: int = 0
    covered: int = 0
    keyless: bool = False
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


@dataclass(slots=True)
class Result:
    """The whole verification."""

    streams: list[StreamResult]
    seconds: float = 0.0
    bytes: int = 0

    @property
    def problems(self) -> list[Problem]:
        """Of all streams."""
        return [problem for stream in self.streams for problem in stream.problems]

    @property
    def records(self) -> int:
        """Genuine records of all streams."""
        return sum(stream.records for stream in self.streams)

    @property
    def proven(self) -> bool:
        """Whether anything at all is:

        there are records, and without a key checkpoints that cover some of each stream.
        """
        return bool(self.records) and all(each.covered or not each.keyless for each in self.streams)

    @property
    def intact(self) -> bool:
        """Whether there is no problem, and anything is proven: an empty log proves nothing."""
        return self.proven and not self.problems
