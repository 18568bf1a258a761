"""Numbers for people: 12,345 and 1.2 GB."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provisioner.model import Index

_UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB", "EB")


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


def data(indices: Iterable[Index]) -> str:
    """What some indices hold: "12,345 documents, 1.2 GB in 3 indices"."""
    all_ = list(indices)
    documents = count(sum(index.documents for index in all_), "document")
    return f"{documents}, {size(sum(index.bytes for index in all_))} in {count(len(all_), 'index', 'indices')}"
