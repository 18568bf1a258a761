"""The end of a log file, as a writer finds it: the last record that is genuine, and what stands behind it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from provisioner.integrity.format import Link, body, link

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_FIRST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Tail:
    """The last genuine record and its link (None: there is none), whether it lacks its line end, the lines behind it
    that are no JSON, and whether the last of them has no end.

    There is more than one where a writer was killed while it recorded another one's torn line.
    """

    record: dict[str, Any] | None
    link: Link | None
    open_end: bool = False
    torn: tuple[bytes, ...] = ()
    open_line: bool = False


def read(descriptor: int, genuine: Callable[[dict[str, Any], Link], bool]) -> Tail:
    """Look back from the end of a file, as far as needed."""
    size = os.fstat(descriptor).st_size
    want = _FIRST
    while True:
        start = max(size - want, 0)
        data = _read(descriptor, start, size - start)
        lines = data.split(b"\n")
        if start:
            lines[0] = b""  # the rest of a line
        rest = lines.pop()
        if rest and (found := _record(rest, genuine)):
            return Tail(*found, open_end=True)
        torn = [rest] if rest else []
        for place in range(len(lines) - 1, -1, -1):
            if lines[place] and (found := _record(lines[place], genuine)):
                return Tail(*found, torn=tuple(torn), open_line=bool(rest))
            if not _is_json(lines[place]) and (lines[place] or not start or place):
                torn.insert(0, lines[place])
        if not start:
            return Tail(None, None, torn=tuple(torn), open_line=bool(rest))
        want *= 4


def last(lines: Iterable[bytes], genuine: Callable[[dict[str, Any], Link], bool]) -> Link | None:
    """The link of the last one of these lines that is a genuine record."""
    found = [each for line in lines if (each := _record(line, genuine))]
    return found[-1][1] if found else None


def _read(descriptor: int, start: int, count: int) -> bytes:
    parts = []
    while count:
        part = os.pread(descriptor, count, start)
        if not part:
            break
        parts.append(part)
        start, count = start + len(part), count - len(part)
    return b"".join(parts)


def _is_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except ValueError:
        return False
    return True


def _record(line: bytes, genuine: Callable[[dict[str, Any], Link], bool]) -> tuple[dict[str, Any], Link] | None:
    try:
        record = orjson.loads(line)
    except ValueError:
        return None
    found = link(record)
    return (record, found) if found is not None and genuine(record, found) else None


def body_of(record: dict[str, Any]) -> bytes:
    """The authenticated bytes; empty where it can't be a record."""
    try:
        return body(record)
    except ValueError:
        return b""
