"""What a scan found: counts by data stream, field and detector, with the ids of some documents; never a value."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from dataclasses import field as made
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provisioner.redaction import Found

EXAMPLES = 5
"""Documents that are named for each leak."""


@dataclass(slots=True)
class Leak:
    """One detector's finds in one field: `values` in `documents`, of which a few are named as index/id."""

    stream: str
    field: str
    detector: str
    values: int = 0
    documents: int = 0
    examples: list[str] = made(default_factory=list)


@dataclass(slots=True)
class Tally:
    """One data stream or index: `documents` there are in the time asked for, how many were `seen`, and how many of
    those hold something (`leaking`)."""

    stream: str
    documents: int
    seen: int = 0
    leaking: int = 0
    leaks: dict[tuple[str, str], Leak] = made(default_factory=dict)

    def add(self, place: str, found: Iterable[Found]) -> None:
        """Count a document, `place` being its index/id."""
        self.seen += 1
        leaked = False
        for each in found:
            leaked = True
            leak = self.leaks.setdefault((each.field, each.detector), Leak(self.stream, each.field, each.detector))
            leak.values += each.count
            leak.documents += 1
            if len(leak.examples) < EXAMPLES:
                leak.examples.append(place)
        self.leaking += leaked


def leaks(tallies: Iterable[Tally]) -> list[Leak]:
    """All leaks, those in the most documents first."""
    found = [leak for tally in tallies for leak in tally.leaks.values()]
    return sorted(found, key=lambda leak: (-leak.documents, leak.stream, leak.field, leak.detector))


def by_detector(tallies: Iterable[Tally]) -> Counter[str]:
    """How many values each detector found."""
    found: Counter[str] = Counter()
    for leak in leaks(tallies):
        found[leak.detector] += leak.values
    return found
