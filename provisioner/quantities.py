"""Numbers and times for people: 12,345 and 1.2 GB; and how many objects a run may touch, without what counts them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provisioner.model import Index

UNKNOWN = -1
"""The documents and bytes of an index that tells neither: it is never taken for an empty one."""

_UNKNOWN_SIZE = "closed or unavailable, size unknown"
_UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB", "EB")


@dataclass(frozen=True, slots=True)
class Shares:
    """How many of the owned objects one run may delete and change, in percent, once there are `from_objects`."""

    deletes: int = 30
    changes: int = 30
    from_objects: int = 10


def when(at: int) -> str:
    """A time in milliseconds since 1970: `2026-11-24T01:09:45Z`."""
    return datetime.fromtimestamp(at / 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def count(number: int, one: str = "", many: str = "") -> str:
    """The number with its thousands set apart, and what is counted: "1 index", "1,234 indices"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}" if one else f"{number:,}"


def size(number: int) -> str:
    """Bytes in the largest unit that leaves at least one, in steps of 1,000, with one decimal below ten."""
    value, unit = float(number), 0
    while round(value) >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    if unit == 0:
        return "1 byte" if number == 1 else f"{number} bytes"
    return f"{value:.1f} {_UNITS[unit]}" if round(value, 1) < 10 else f"{value:,.0f} {_UNITS[unit]}"


def content(index: Index) -> str:
    """What one index holds: "12 documents, 3.4 KB"."""
    if index.documents == UNKNOWN:
        return _UNKNOWN_SIZE
    return f"{count(index.documents, 'document')}, {size(index.bytes)}"


def volume(indices: Iterable[Index]) -> str:
    """The bytes of some indices: "1.2 GB", "1.2 GB and 2 closed or unavailable, size unknown"."""
    known, unknown = _known(indices)
    told = size(sum(index.bytes for index in known))
    if not unknown:
        return told
    return f"{told} and {count(unknown)} {_UNKNOWN_SIZE}" if known else _UNKNOWN_SIZE


def data(indices: Iterable[Index]) -> str:
    """What some indices hold: "12,345 documents, 1.2 GB in 3 indices"."""
    known, unknown = _known(indices)
    documents = count(sum(index.documents for index in known), "document")
    told = f"{documents}, {size(sum(index.bytes for index in known))} in {count(len(known), 'index', 'indices')}"
    if not unknown:
        return told
    closed = f"{count(unknown, 'index', 'indices')} ({_UNKNOWN_SIZE})"
    return f"{told} and {closed}" if known else closed


def _known(indices: Iterable[Index]) -> tuple[list[Index], int]:
    all_ = list(indices)
    known = [index for index in all_ if index.documents != UNKNOWN]
    return known, len(all_) - len(known)
