"""At which of a monitor's runs something may have changed, and how runs are asked about together. Pure.

A monitor runs once in each interval of its schedule: 43,200 times in 30 days at 1m. What it finds can only change where
an event comes into its sight, leaves it, or crosses one of the borders that the rule's type has inside (where a
baseline ends, how long a silence must last). The runs between find what the one before found.
"""

from __future__ import annotations

from array import array
from itertools import accumulate
from typing import TYPE_CHECKING

from provisioner import durations

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from provisioner.model import Body

_EVENTS = 10_000
"""Events that one search over several runs looks at, at most, where a single run does not see more."""
_RUNS = 512
_TYPES = frozenset({"threshold", "distinct", "new_value", "absence", "ratio", "spike", "sequence"})


def borders(body: Body, lookback: int) -> set[int]:
    """How old an event is (milliseconds) when it may change what a rule finds."""
    block = body.get(str(body.get("type")))
    given = [_ms(value) for value in block.values()] if isinstance(block, dict) else []
    delay = _ms(body.get("delay", "1m"))
    ages = {0, lookback} | ({delay, lookback - sum(given)} if given else set())
    for each in filter(None, given):
        ages |= {each, each + delay, lookback - each, lookback - each - delay}
    return {age for age in ages if 0 <= age <= lookback}


def _ms(value: object) -> int:
    try:
        return durations.ms(value) if isinstance(value, str) else 0
    except ValueError:
        return 0


class Steps:
    """The runs from `begin` to `end` (milliseconds), one in each `step`, and the events that they can see.

    A byte for each run and eight for each interval: a year at 1m takes 5 MB.
    """

    def __init__(self, begin: int, end: int, step: int, lookback: int) -> None:
        self.step, self.lookback = step, lookback
        self._first = begin // step
        self._oldest = (begin - lookback) // step
        self._decisive = bytearray(max(end // step - self._first + 1, 1))
        self._decisive[0] = self._decisive[-1] = 1
        self._events = array("q", bytes(8 * (end // step - self._oldest + 2)))

    @property
    def all(self) -> int:
        """How many runs there are."""
        return len(self._decisive)

    def every(self) -> None:
        """All runs decide: it is not known what they see."""
        self._decisive = bytearray(b"\1" * len(self._decisive))

    def seen(self, buckets: Mapping[int, int], ages: Collection[int]) -> None:
        """Take events: how many there are in each interval of the schedule, by its begin."""
        for begin, count in buckets.items():
            self._events[begin // self.step - self._oldest] += count
            for age in ages:
                run = -(-(begin + age) // self.step) - self._first
                for each in (run, run + 1):  # events at the interval's edge, and those inside it
                    if 0 <= each < len(self._decisive):
                        self._decisive[each] = 1

    def decisive(self) -> Iterator[int]:
        """When the runs that decide end, in order."""
        return ((self._first + at) * self.step for at, decides in enumerate(self._decisive) if decides)

    def spans(self, monotone: bool) -> Iterator[tuple[int, ...]]:
        """The same, several together where one search can rule them all out: as many as see a bounded number of events.

        That is so where more events never lower what a rule measures: who does not fire over all that these runs see
        does not in any of them.
        """
        total = array("q", accumulate(self._events))
        span: list[int] = []
        for end in self.decisive():
            if span and (not monotone or len(span) >= _RUNS or self._between(total, span[0], end) > _EVENTS):
                yield tuple(span)
                span = []
            span.append(end)
        if span:
            yield tuple(span)

    def _between(self, total: Sequence[int], first: int, last: int) -> int:
        begin = (first - self.lookback) // self.step - self._oldest
        return total[last // self.step - self._oldest] - (total[begin - 1] if begin > 0 else 0)
