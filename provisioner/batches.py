"""Many names in few requests: a request's first line may have 4 KB, and names stand in it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LONGEST = 3_000
"""Bytes of names, as a URL writes them: `http.max_initial_line_length` is 4,096 by default, and the rest needs some."""


def batches(names: Iterable[str], longest: int = LONGEST) -> Iterator[list[str]]:
    """The names in their order, as many at a time as fit; one that is too long by itself stands alone."""
    batch: list[str] = []
    size = 0
    for name in names:
        length = len(quote(name, safe="")) + 1
        if batch and size + length > longest:
            yield batch
            batch, size = [], 0
        batch.append(name)
        size += length
    if batch:
        yield batch
