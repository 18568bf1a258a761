"""Work in shares: the same for many documents, some of them at a time. Who does the shares is said by the caller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_T = TypeVar("_T")
_A = TypeVar("_A")

FEW = 200
"""Documents that are no trouble to share out."""
SHARES = 24


class Doer(Protocol):
    """Who does the work: the results are as those of `alone`."""

    def __call__(self, work: Callable[[int], _T], count: int) -> list[_T]:
        """What `work` gives for each number below `count`, in this order; what one call changes, others may not see."""


@dataclass(frozen=True, slots=True)
class Work(Generic[_T]):
    """Shares of work: `do` gives the result of each number below `count`."""

    do: Callable[[int], _T]
    count: int


class Besides(Generic[_T]):
    """A doer that does more work along with the first that it is given: less waiting for the last share of each.

    `found`: the results of the work that came along; None before it was done.
    """

    def __init__(self, doer: Doer, more: Work[_T]) -> None:
        self._doer, self._more = doer, more
        self.found: list[_T] | None = None

    def __call__(self, work: Callable[[int], _A], count: int) -> list[_A]:
        """As a doer does."""
        if self.found is not None:
            return self._doer(work, count)

        def both(number: int) -> Any:
            return work(number) if number < count else self._more.do(number - count)

        results = self._doer(both, count + self._more.count)
        self.found = results[count:]
        return results[:count]


def alone(work: Callable[[int], _T], count: int) -> list[_T]:
    """One after the other, here."""
    return [work(number) for number in range(count)]


def cut(items: Sequence[_A], weight: Callable[[_A], int] = lambda _: 1) -> list[Sequence[_A]]:
    """The items in order: one share where they weigh less than `FEW` documents, else shares of about one weight."""
    whole = sum(map(weight, items))
    return list(_cut(items, weight, whole / SHARES)) if whole >= FEW else [items]


def _cut(items: Sequence[_A], weight: Callable[[_A], int], most: float) -> Iterator[Sequence[_A]]:
    begin, weighed = 0, 0
    for number, item in enumerate(items, 1):
        weighed += weight(item)
        if weighed >= most or number == len(items):
            yield items[begin:number]
            begin, weighed = number, 0
