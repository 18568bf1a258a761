"""Records that did not come where they should."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provisioner.integrity.scan import Run


@dataclass(slots=True)
class Gap:
    """Records that did not come where they should: from, to; the run that came instead, and where."""

    first: int
    last: int
    run: Run
    file: str
    line: int


def rest(first: int, last: int, taken: Sequence[int]) -> list[tuple[int, int]]:
    """What of a range is not taken, as ranges."""
    left, at = [], first
    for each in taken:
        if at < each:
            left.append((at, each - 1))
        at = each + 1
    if at <= last:
        left.append((at, last))
    return left
