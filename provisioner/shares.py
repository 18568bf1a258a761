"""Work in shares: the same for many documents, some of them at a time. Who does the shares is said by the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_T = TypeVar("_T")
_A = TypeVar("_A")

FEW = 500
"""Documents that are no trouble to share out."""
SHARES = 24


class Doer(Protocol):
    """Who does the work: the results are as those of `alone`."""

    def __call__(self, work: Callable[[int], _T], count: int) -> list[_T]:
        """What `work` gives for each number below `count`, in this order; what one call changes, others may not see."""


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
