"""From runs of genuine records and bad lines to what was done to a log. Pure; the words are in `verdict`.

The judge walks through a stream's files in order and knows at each place which record must come next. A gap stays open
until the end, because its records may turn up elsewhere: then they were moved, not deleted. Lines that are no genuine
records are told apart by what is missing around them: as many as records are missing were edited, the others inserted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.integrity import merkle, notes
from provisioner.integrity.format import first_prev
from provisioner.integrity.gaps import Gap, rest
from provisioner.integrity.scan import Bad, Run
from provisioner.integrity.verdict import FileResult, Kind, Problem, StreamResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provisioner.integrity.scan import Note, Part

_NEAR = 16
"""So many lines behind a torn one stands the record that explains it, at most."""


class Judge:
    """One stream, file by file; then `end`."""

    def __init__(self, stream: str, *, partial: bool = False, known_keys: Sequence[str] = ()) -> None:
        """`partial`: the first records may be missing."""
        self.result = StreamResult(stream, [])
        self.range: list[merkle.Node] | None = []
        self.cuts: dict[int, tuple[str, bytes | None]] = {}
        self.notes: list[Note] = []
        self._stream, self._partial, self._known = stream, partial, known_keys
        self._next, self._prev, self._key = 0, first_prev(stream).decode(), ""
        self._started = False
        self._pending: list[tuple[str, Bad]] = []
        self._gaps: list[Gap] = []
        self._last_file, self._open_line = "", 0

    def file(self, name: str, part: Part, foreign: str = "") -> None:
        """The next file. `foreign` says what it is, where it is another one than was written here."""
        self.result.files.append(FileResult(name, part.lines, part.bytes, part.good))
        if foreign:
            self._problem(Kind.REPLACED, name, 1, -1, -1, foreign)
            return
        self.notes += [note for note in part.notes if note.stream == self._stream]
        explained = {
            (note.labels.get("torn_bytes"), note.labels.get("torn_sha256"), note.line)
            for note in part.notes
            if note.action == notes.RECOVERED
        }
        by_seq = {note.seq: note for note in part.notes if note.stream == self._stream}
        for found in part.found:
            if isinstance(found, Bad):
                if any(_explains(each, found) for each in explained):
                    self.result.torn += 1
                    self.result.notes.append(
                        f"{name}:{found.line}: a torn line of {found.size} bytes, as the writer recorded"
                    )
                else:
                    self._pending.append((name, found))
            elif found.stream != self._stream:
                self._problem(Kind.SPLICED, name, found.line, found.seq, found.last_seq, f"of stream {found.stream}")
            else:
                self._run(name, found, by_seq)
        self._last_file, self._open_line = name, part.lines if part.open_end else 0

    def _run(self, name: str, run: Run, by_seq: dict[int, Note]) -> None:
        self._count(run)
        if not self._started and self._partial and not self._pending:
            self._next, self._prev, self._key = run.seq, run.prev, run.key
            self.range = None if run.seq else []
        if run.seq < self._next and self._started:
            self._settle(0)
            self._back(name, run, min(run.last_seq, self._next - 1))
            if run.last_seq >= self._next:  # it was there up to here, and goes on
                self._next, self._prev, self._key, self.range = run.last_seq + 1, run.mac, run.key, None
            return
        missing = run.seq - self._next
        left = self._settle(missing, run.prev)
        if left:
            self._gaps += [Gap(first, last, run, name, run.line) for first, last in left]
        if not missing and run.prev != self._prev:
            words = "it was written behind another record than this one: someone with the key signed one of them anew"
            self._problem(Kind.REWRITTEN, name, run.line, max(run.seq - 1, 0), run.seq, words)
        self._epoch(name, run, missing, by_seq)
        self._grow(run, bool(missing))
        self._started = True
        self._next, self._prev, self._key = run.last_seq + 1, run.mac, run.key

    def _count(self, run: Run) -> None:
        result = self.result
        result.records += run.last_seq - run.seq + 1
        result.first = run.seq if result.first < 0 else min(result.first, run.seq)
        result.last = max(result.last, run.last_seq)
        id_, _, epoch = run.key.rpartition(".")
        low, high = result.keys.get(id_, (int(epoch), int(epoch)))
        result.keys[id_] = (min(low, int(epoch)), max(high, int(epoch)))

    def _epoch(self, name: str, run: Run, missing: int, by_seq: dict[int, Note]) -> None:
        """A key changes only behind a record of the old key that names the new one: a log that was cut back to an
        earlier key can't be continued with a later one."""
        if run.key == self._key or missing or (not self._key and run.seq):
            return
        if not self._key:
            if run.key.endswith(".0"):
                return
            words = f"the first record is signed with {run.key}, an evolved key"
            self._problem(Kind.TRUNCATED, name, run.line, run.seq, run.seq, words)
            return
        note = by_seq.get(run.seq - 1) or next((n for n in reversed(self.notes) if n.seq == run.seq - 1), None)
        if note is None or note.action != notes.KEY_CHANGED or note.labels.get("next_key") != run.key:
            cut = "the log was cut and continued with a later key"
            words = f"{run.key} follows {self._key}, whose last records are missing: {cut}"
            self._problem(Kind.TRUNCATED, name, run.line, run.seq, run.seq, words)

    def _grow(self, run: Run, missing: bool) -> None:
        """The Merkle range and what checkpoints will be compared with."""
        if missing:
            self.range = None
        for count, (mac, before) in run.cuts.items():
            root = None
            if self.range is not None:
                whole = list(self.range)
                merkle.join(whole, before)
                root = merkle.root(whole)
            self.cuts[count] = (mac, root)
        if self.range is not None:
            merkle.join(self.range, run.range)

    def _settle(self, missing: int, after: str = "") -> list[tuple[int, int]]:
        """Tell what the bad lines before this place are, `missing` records being missing there; what is missing still.

        `after` is the MAC that the next genuine record names.
        """
        first, pending, self._pending = self._next, self._pending, []
        if not pending:
            return [(first, first + missing - 1)] if missing else []
        claims: dict[int, int] = {}
        for place, (_, bad) in enumerate(pending):
            said = bad.link
            if said is not None and said.stream == self._stream and first <= said.seq < first + missing:
                claims.setdefault(said.seq, place)
        taken = {place: seq for seq, place in claims.items()}
        open_ = iter([seq for seq in range(first, first + min(missing, len(pending) * 2)) if seq not in claims])
        for place, (name, bad) in enumerate(pending):
            seq = taken.get(place)
            if seq is None and bad.why != "unknown_key":
                seq = next(open_, None)
                if seq is not None:
                    claims[seq] = place
            before = self._prev if place == 0 else _mac(pending[place - 1][1])
            behind = after if place == len(pending) - 1 else _prev(pending[place + 1][1])
            linked = bad.link is not None and bad.link.seq == seq and (bad.link.prev, bad.link.mac) == (before, behind)
            self._bad(name, bad, seq, linked)
        return rest(first, first + missing - 1, sorted(claims))

    def _bad(self, name: str, bad: Bad, seq: int | None, linked: bool = False) -> None:
        """`linked`: the records around it name its MAC, and it theirs: what is wrong is its content alone."""
        if bad.why == "unknown_key" and bad.link is not None:
            self._problem(Kind.WRONG_KEY, name, bad.line, bad.link.seq, bad.link.seq, f"signed with {bad.link.key}")
        elif seq is None:
            self._problem(Kind.INSERTED, name, bad.line, bad.link.seq if bad.link else -1, -1, _WHY[bad.why])
        elif bad.redacted and linked:
            self._problem(Kind.REDACTED, name, bad.line, seq, seq, "values were replaced by markers after signing")
        else:
            self._problem(Kind.EDITED, name, bad.line, seq, seq, _WHY[bad.why])

    def _back(self, name: str, run: Run, end: int) -> None:
        """Records up to `end` that belong further up:

        where they were missing they were moved, else they are there twice.
        """
        first = run.seq
        while first <= end:
            gap = next((each for each in self._gaps if each.first <= first <= each.last), None)
            if gap is None:
                later = [each.first for each in self._gaps if each.first > first]
                last = min([end, *(each - 1 for each in later)])
                words = f"they were at another place already; here they stand behind record {self._next - 1}"
                self._problem(Kind.DUPLICATED, name, run.line + first - run.seq, first, last, words)
            else:
                last = min(end, gap.last)
                self._moved(name, run, first, last, gap)
            first = last + 1

    def _moved(self, name: str, run: Run, first: int, last: int, gap: Gap) -> None:
        self._gaps.remove(gap)
        jumped = gap.run.last_seq - gap.run.seq + 1
        if (first, last) == (gap.first, gap.last) and jumped < last - first + 1:
            words = f"they stand before record {first}"
            self._problem(Kind.REORDERED, gap.file, gap.line, gap.run.seq, gap.run.last_seq, words)
            return
        for low, high in ((gap.first, first - 1), (last + 1, gap.last)):
            if low <= high:
                self._gaps.append(Gap(low, high, gap.run, gap.file, gap.line))
        words = f"they stand behind record {self._next - 1}"
        self._problem(Kind.REORDERED, name, run.line + first - run.seq, first, last, words)

    def end(self) -> StreamResult:
        """All that is known without checkpoints."""
        tail, self._pending = self._pending, []
        self.result.head = self._prev if self._started else ""
        if (
            tail
            and tail[-1][1].why == "unreadable"
            and tail[-1][0] == self._last_file
            and tail[-1][1].line == self._open_line
        ):
            self.result.notes.append(f"{self._last_file}:{self._open_line}: the last line is not finished")
            tail.pop()
        for place, (name, bad) in enumerate(tail):
            said = bad.link
            follows = said is not None and said.stream == self._stream and said.seq == self._next
            if follows or (place == 0 and self._started and said is None and bad.why == "unreadable"):
                linked = said is not None and said.prev == self._prev
                self._bad(name, bad, self._next, linked)
                self._next, self._prev = self._next + 1, _mac(bad) or self._prev
                self.range = None
            else:
                self._bad(name, bad, None)
        for gap in self._gaps:
            self._problem(
                Kind.DELETED, gap.file, gap.line, gap.first, gap.last, "missing before this line" + self._said(gap)
            )
        self._open_rotation()
        self._collapse()
        result = self.result
        result.root = merkle.root(self.range).hex() if self.range else ""
        result.problems.sort(key=lambda each: (self._place(each.file), each.line, each.seq))
        return result

    def _said(self, gap: Gap) -> str:
        """What the writer itself recorded of a gap."""
        for note in self.notes:
            first, last = (note.labels.get(name, "") for name in ("missing_from", "missing_to"))
            known = note.action == notes.RECOVERED and first.isdecimal() and last.isdecimal()
            if known and int(first) <= gap.first and gap.last <= int(last):
                return f"; the writer found them missing itself and recorded it in record {note.seq}"
        return ""

    def _open_rotation(self) -> None:
        last = self.notes[-1] if self.notes else None
        if last is not None and last.action == notes.ROTATED and last.seq == self.result.last and not self._partial:
            words = f"the last record says that the log goes on in {last.labels.get('next_file')}"
            self._problem(Kind.TRUNCATED, self._last_file, last.line, last.seq, last.seq, words)

    def _collapse(self) -> None:
        """Where a key that was given has signed nothing at all, it is the wrong key: said once, not of each record."""
        problems = self.result.problems
        if self.result.records or len(problems) < 2:
            return
        bad = [each for each in problems if each.kind in (Kind.EDITED, Kind.INSERTED)]
        if len(bad) > 1:
            first, last = bad[0], bad[-1]
            words = f"none of {len(bad)} records verifies: the key is another one, or the whole file is"
            kept = [each for each in problems if each not in bad]
            made = Problem(
                Kind.WRONG_KEY, self._stream, first.file, first.line, max(first.seq, 0), max(last.seq, 0), words
            )
            self.result.problems = [*kept, made]

    def _place(self, file: str) -> int:
        return next(
            (place for place, each in enumerate(self.result.files) if each.name == file), len(self.result.files)
        )

    def _problem(self, kind: Kind, file: str, line: int, seq: int, last: int, detail: str) -> None:
        self.result.problems.append(Problem(kind, self._stream, file, line, seq, last, detail))

    @property
    def next(self) -> int:
        """How many records there should be at least, by what was found."""
        return self._next


_WHY = {
    "unreadable": "the line is no JSON object",
    "unsigned": "the line has no signature",
    "mac": "what it says does not agree with its signature",
    "unknown_key": "signed with a key that was not given",
}


def _mac(bad: Bad) -> str:
    return bad.link.mac if bad.link is not None else ""


def _prev(bad: Bad) -> str:
    return bad.link.prev if bad.link is not None else ""


def _explains(said: tuple[str | None, str | None, int], bad: Bad) -> bool:
    size, digest, line = said
    return bad.why == "unreadable" and (size, digest) == (str(bad.size), bad.sha256) and 0 < line - bad.line <= _NEAR
