"""Which step may begin next: asked by several workers at once. No I/O.

First comes that which the longest chain of others waits for, since the end of that chain is the end of all. Among
equals kinds take turns, as each keeps another part of the server busy.

The cluster manager makes changes of the cluster's state one at a time, and those that it deems urgent (data streams,
index templates) before others: a worker that sends more of them only waits, for up to seconds, and is missing
elsewhere. So a few are sent at once (`_AT_ONCE`), and the other workers take what is no change of that state.
"""

from __future__ import annotations

import heapq
import threading
from collections import Counter
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from provisioner.model import Ref

_AT_ONCE = 2
"""One is worked on, one waits to be."""
Urgency = tuple[int, int, str]


class Schedule:
    """The steps `wanted` of what depends on each other as `part` says (see `graph.edges`; without circles).

    `queued` tells of a kind whether the cluster manager makes its changes one at a time.
    """

    def __init__(
        self, part: Mapping[Ref, Collection[Ref]], wanted: Collection[Ref], queued: Callable[[str], bool]
    ) -> None:
        self._wanted, self._queued = frozenset(wanted), queued
        self._urgency = urgency(part)
        self._sorter: TopologicalSorter[Ref] = TopologicalSorter(part)
        self._sorter.prepare()
        self._ready: dict[bool, list[tuple[Urgency, Ref]]] = {True: [], False: []}
        self._sent = 0  # of those that are queued
        self._changed = threading.Condition()
        self._stopped = False
        self._find()

    def take(self) -> Ref | None:
        """The next one, as soon as one may begin; None where there will be none any more."""
        with self._changed:
            while True:
                if self._stopped or not self._sorter.is_active():
                    return None
                if (ref := self._next()) is not None:
                    return ref
                self._changed.wait()

    def done(self, ref: Ref) -> None:
        """It was made: what waits for it may begin."""
        with self._changed:
            self._sent -= self._queued(ref[0])
            self._sorter.done(ref)
            self._find()
            self._changed.notify_all()

    def stop(self) -> None:
        """Nothing more is to begin."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _next(self) -> Ref | None:
        full = self._sent >= _AT_ONCE
        heaps = [heap for queued, heap in self._ready.items() if heap and not (queued and full)]
        if not heaps:
            return None
        _, ref = heapq.heappop(min(heaps, key=lambda heap: heap[0]))
        self._sent += self._queued(ref[0])
        return ref

    def _find(self) -> None:
        """Note what is ready by now; what is not wanted is as good as made."""
        while ready := self._sorter.get_ready():
            for ref in ready:
                if ref in self._wanted:
                    heapq.heappush(self._ready[self._queued(ref[0])], (self._urgency[ref], ref))
                else:
                    self._sorter.done(ref)


def urgency(part: Mapping[Ref, Collection[Ref]]) -> dict[Ref, Urgency]:
    """How urgent each is: the smallest comes first."""
    order = list(TopologicalSorter(part).static_order())
    longest = dict.fromkeys(order, 0)
    for ref in reversed(order):
        for other in part.get(ref, ()):
            longest[other] = max(longest[other], longest[ref] + 1)
    turns: Counter[tuple[str, int]] = Counter()
    found = {}
    for ref in sorted(order):
        turn = ref[0], longest[ref]
        found[ref] = (-longest[ref], turns[turn], ref[0])
        turns[turn] += 1
    return found
