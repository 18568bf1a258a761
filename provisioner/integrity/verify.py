"""Verification: files in pieces, pieces to workers, what they found to the judge, and checkpoints over it all."""

from __future__ import annotations

import contextlib
import hashlib
import multiprocessing
import pathlib
import sys
import threading
import time
from collections import Counter, deque
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from provisioner.integrity import headfile, merkle, sources
from provisioner.integrity.checking import Checkpoints, check
from provisioner.integrity.judge import Judge
from provisioner.integrity.scan import Bad, Part, Run, Scanner, Wanted
from provisioner.integrity.verdict import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from provisioner.integrity.keys import KeyRing
    from provisioner.integrity.sources import Piece
    from provisioner.integrity.verdict import StreamResult

_SMALL = 8 << 20
"""Below so many bytes the processes cost more than they save."""


@dataclass(slots=True)
class Input:
    """One file with what was found in it."""

    name: str
    base: str
    part: Part = field(default_factory=Part)
    stream: str = ""


def verify(
    paths: Sequence[pathlib.Path],
    keys: KeyRing,
    checkpoints: Checkpoints | None = None,
    *,
    jobs: int = 1,
    partial: bool = False,
    advance: Callable[[int], None] | None = None,
) -> Result:
    """Verify the logs in these files and folders; `-` is standard input. Raises ProvisionerError.

    With an empty key ring checkpoints alone prove what they cover: for an auditor who must not be able to sign.

    `jobs` processes share the work. `partial`: the first and the last records may be missing. `advance` is told of
    bytes.
    """
    started = time.monotonic()
    own = {pathlib.Path(each.file).resolve() for each in (checkpoints.placed if checkpoints is not None else ())}
    found = [path for path in sources.files(paths) if path.resolve() not in own]  # they may lie in the same folder
    heads = {sources.base(path): line for path in found if (line := headfile.beside(path)) is not None}
    wanted = Wanted(keys, checkpoints is not None, checkpoints.counts if checkpoints is not None else ())
    inputs = [Input(str(path), sources.base(path)) for path in found]
    with _workers(jobs if _bytes(found) > _SMALL else 1, wanted) as submit:
        _read(found, inputs, submit, advance)
    streams = judge(inputs, keys, heads, checkpoints, partial=partial)
    return Result(streams, time.monotonic() - started, sum(each.part.bytes for each in inputs))


def hash_files(result: Result) -> None:
    """Add the SHA-256 of each file's bytes, for a report that says which files it is about."""
    for stream in result.streams:
        for each in stream.files:
            if pathlib.Path(each.name).is_file():
                with pathlib.Path(each.name).open("rb") as file:
                    each.sha256 = hashlib.file_digest(file, "sha256").hexdigest()


def _bytes(found: Iterable[pathlib.Path]) -> int:
    return sum(path.stat().st_size if str(path) != sources.STDIN else _SMALL * 2 for path in found)


# Workers

_scan: Wanted | None = None


def _begin(wanted: Wanted) -> None:
    global _scan  # noqa: PLW0603 (what each task of a worker process needs)
    _scan = wanted


def scan(work: Piece | bytes, wanted: Wanted | None = None) -> Part:
    """One piece's part."""
    wanted = wanted or _scan
    assert wanted is not None  # noqa: S101 (for the type)
    scanner = Scanner(wanted)
    for block in [work] if isinstance(work, bytes) else sources.blocks(work):
        scanner.feed(block)
    return scanner.end()


@contextlib.contextmanager
def _workers(jobs: int, wanted: Wanted) -> Iterator[Callable[[Iterable[Piece | bytes]], Iterator[Part]]]:
    """A function that gives the parts of some work in its order, with only a little of it under way."""
    if jobs < 2:
        yield lambda work: (scan(each, wanted) for each in work)
        return
    forked = sys.platform == "linux" and threading.active_count() == 1
    context = multiprocessing.get_context("fork" if forked else "spawn")
    with ProcessPoolExecutor(jobs, context, _begin, (wanted,)) as pool:

        def submit(work: Iterable[Piece | bytes]) -> Iterator[Part]:
            under_way: deque[object] = deque()
            for each in work:
                under_way.append(pool.submit(scan, each))
                if len(under_way) > jobs * 2:
                    yield under_way.popleft().result()  # type: ignore[attr-defined]
            while under_way:
                yield under_way.popleft().result()  # type: ignore[attr-defined]

        yield submit


def _read(
    paths: Sequence[pathlib.Path],
    inputs: Sequence[Input],
    submit: Callable[[Iterable[Piece | bytes]], Iterator[Part]],
    advance: Callable[[int], None] | None,
) -> None:
    owners: deque[Input] = deque()

    def work() -> Iterator[Piece | bytes]:
        for path, each in zip(paths, inputs, strict=True):
            if each.name == sources.STDIN:
                for block in sources.aligned(iter(lambda: sys.stdin.buffer.read(sources.BLOCK * 4), b"")):
                    owners.append(each)
                    yield block
                continue
            for piece in sources.pieces(path):
                owners.append(each)
                yield piece

    for part in submit(work()):
        extend(owners.popleft().part, part)
        if advance is not None:
            advance(part.bytes)


def extend(whole: Part, more: Part) -> None:
    """Add the part that follows, in place; runs that go on become one."""
    base = whole.lines
    for note in more.notes:
        note.line += base
    for found in more.found:
        found.line += base
        if isinstance(found, Run):
            found.last_line += base
    whole.notes += more.notes
    first = more.found[0] if more.found else None
    last = whole.found[-1] if whole.found else None
    if isinstance(first, Run) and isinstance(last, Run) and _goes_on(last, first):
        for count, (mac, range_) in first.cuts.items():
            before = list(last.range)
            merkle.join(before, range_)
            last.cuts[count] = (mac, before)
        merkle.join(last.range, first.range)
        last.last_line, last.last_seq, last.mac = first.last_line, first.last_seq, first.mac
        more.found = more.found[1:]
    whole.found += more.found
    whole.lines, whole.bytes, whole.good = base + more.lines, whole.bytes + more.bytes, whole.good + more.good
    whole.open_end = more.open_end


def _goes_on(last: Run, first: Run) -> bool:
    return (last.stream, last.key, last.last_seq + 1, last.mac) == (first.stream, first.key, first.seq, first.prev)


# Streams


def judge(
    inputs: Sequence[Input],
    keys: KeyRing,
    heads: dict[str, bytes] | None = None,
    checkpoints: Checkpoints | None = None,
    *,
    partial: bool = False,
) -> list[StreamResult]:
    """The inputs by streams, each judged."""
    results = []
    for stream, members in _streams(inputs).items():
        judged = Judge(stream, partial=partial)
        for place, each in enumerate(members):
            judged.file(each.name, each.part, _foreign(place, members, stream))
        result = judged.end()
        result.keyless = not keys
        if checkpoints is not None:  # before the head: what they say of the end is proven
            check(judged, checkpoints, partial=partial)
        if not partial:
            headfile.check(judged, keys, [heads[b] for b in {each.base for each in members} if heads and b in heads])
        results.append(result)
    return results


def _streams(inputs: Sequence[Input]) -> dict[str, list[Input]]:
    """Files of one log, by their names, belong to the stream that most of its records are of."""
    by_base: dict[str, list[Input]] = {}
    for each in inputs:
        each.stream = _stream(each.part)
        by_base.setdefault(each.base, []).append(each)
    streams: dict[str, list[Input]] = {}
    for members in by_base.values():
        counted: Counter[str] = Counter()
        for each in members:
            for found in each.part.found:
                if isinstance(found, Run):
                    counted[found.stream] += found.last_seq - found.seq + 1
        stream = (
            counted.most_common(1)[0][0]
            if counted
            else next((each.stream for each in members if each.stream), "unknown")
        )
        streams.setdefault(stream, []).extend(members)
    for members in streams.values():
        if len({each.base for each in members}) > 1:
            members.sort(key=_first)
    return streams


def _stream(part: Part) -> str:
    """The stream that most lines are of, or claim to be."""
    counted: Counter[str] = Counter()
    for found in part.found:
        if isinstance(found, Run):
            counted[found.stream] += found.last_seq - found.seq + 1
    if not counted:
        counted.update(found.link.stream for found in part.found if isinstance(found, Bad) and found.link is not None)
    return counted.most_common(1)[0][0] if counted else ""


def _first(each: Input) -> int:
    """Where the longest run of a file begins."""
    runs = [found for found in each.part.found if isinstance(found, Run)]
    return max(runs, key=lambda run: run.last_seq - run.seq).seq if runs else 0


def _foreign(place: int, members: Sequence[Input], stream: str) -> str:
    """What a file is, where it took the place of another one; nothing where it is genuine."""
    each = members[place]
    own = _runs(each, stream)
    if each.part.lines and not own:
        if each.part.good:
            return f"it holds records of {each.stream}"
        if any(other.part.good for other in members):
            return "none of its lines is a record of this stream"
    begin = own[0].seq if own else 0
    before = next((_runs(other, stream)[-1].last_seq + 1 for other in members[:place][::-1] if _runs(other, stream)), 0)
    for other in members:
        if other is not each and own and begin != before and _same(own, _runs(other, stream)):
            return f"it is a copy of {other.name}"
    return ""


def _runs(each: Input, stream: str) -> list[Run]:
    return [found for found in each.part.found if isinstance(found, Run) and found.stream == stream]


def _same(one: Sequence[Run], other: Sequence[Run]) -> bool:
    return [(run.seq, run.last_seq, run.mac) for run in one] == [(run.seq, run.last_seq, run.mac) for run in other]
