"""A regular expression as a machine that reads a text, one symbol after the other, with all the ways in which it can.

A symbol stands for all characters that no set of the expression tells apart. A state is a place in the expression; what
stands between two characters (`^`, `\\b`, a look at one character) depends on the symbols before and behind it, so a
step is asked for with both. A search that may begin anywhere is the state `SEARCH`, which reads everything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from provisioner.regexes import charsets as sets
from provisioner.regexes.tree import At, Chars, Choice, Group, Look, Mode, Place, Repeat, Sequence

if TYPE_CHECKING:
    from collections.abc import Callable

    from provisioner.regexes.tree import Node

LARGEST = 4_000
COPIES = 3
"""Bounded repetitions are written out up to this: whether a text has endless ways depends on endless ones alone."""
ENDLESS = 1_000
"""A bound from which on a repetition is taken for an endless one."""
_SEEN = 400
OUTSIDE = -1
"""The symbol before the text and behind it."""
ANY = -2
"""Whatever symbol came before: nothing depends on it."""
SEARCH, START, ACCEPT = 0, 1, 2
_WORD, _NEWLINE = sets.WORD.may, sets.NEWLINE.may


class TooLargeError(ValueError):
    """More states than are worth looking at."""


Guard = tuple[str, int]
"""("at", place), ("next", set), ("not next", set), ("last", set), ("not last", set)."""


@dataclass(slots=True)
class Automaton:
    """`symbols` are sets of characters, no two of which overlap; steps are asked for by `after`, and `work` is what
    they took."""

    symbols: tuple[int, ...]
    reads: dict[int, tuple[int, int]]
    free: dict[int, list[tuple[int, Guard | None]]]
    work: int = 0
    _known: dict[tuple[int, int, int], tuple[dict[int, int], bool]] = field(default_factory=dict)
    _marks: dict[int, bool] = field(default_factory=dict)

    def mark(self, symbol: int, *states: int) -> int:
        """The symbol by which states were reached, where what follows depends on it; else `ANY`."""
        return symbol if any(self._looks_back(state) for state in states) else ANY

    def _looks_back(self, state: int) -> bool:
        if state not in self._marks:
            seen, stack, found = {state}, [state], False
            while stack:
                for target, guard in self.free.get(stack.pop(), ()):
                    found = found or (guard is not None and not guard[0].endswith("next"))
                    if target not in seen:
                        seen.add(target)
                        stack.append(target)
            self._marks[state] = found
        return self._marks[state]

    def after(self, state: int, last: int, symbol: int) -> tuple[dict[int, int], bool]:
        """Where a symbol leads from a state that was reached by another one, and in how many ways (2: several); and
        whether the expression may have matched before it. `OUTSIDE` as the symbol: at the end."""
        key = (state, last, symbol)
        if key not in self._known:
            self._known[key] = self._after(state, last, symbol)
        return self._known[key]

    def _after(self, state: int, last: int, symbol: int) -> tuple[dict[int, int], bool]:
        found: dict[int, int] = {}
        matched = False
        seen: dict[int, int] = {}
        stack = [(state, frozenset({state}))]
        bits = 0 if symbol == OUTSIDE else self.symbols[symbol]
        while stack:
            at, way = stack.pop()
            self.work += 1
            seen[at] = seen.get(at, 0) + 1
            if at == ACCEPT:
                matched = True
            if at in self.reads and bits & self.reads[at][0]:
                target = self.reads[at][1]
                found[target] = min(found.get(target, 0) + 1, 2)
            for target, guard in self.free.get(at, ()):
                if target not in way and seen.get(target, 0) < 2 and self.holds(guard, last, symbol):
                    stack.append((target, way | {target} if len(way) < _SEEN else way))
        return found, matched

    def holds(self, guard: Guard | None, last: int, symbol: int) -> bool:
        """Whether what stands between two symbols is as the guard says."""
        if guard is None:
            return True
        kind, about = guard
        before = 0 if last < 0 else self.symbols[last]
        behind = 0 if symbol == OUTSIDE else self.symbols[symbol]
        if kind == "at":
            return _PLACES[about](before, behind)
        side = behind if kind.endswith("next") else before
        return bool(side & about) != kind.startswith("not")


_AT = list(At)
_PLACES: dict[int, Callable[[int, int], bool]] = {
    _AT.index(At.BEGIN): lambda before, behind: not before,
    _AT.index(At.END): lambda before, behind: not behind,
    _AT.index(At.LAST_END): lambda before, behind: not behind,
    _AT.index(At.LINE_BEGIN): lambda before, behind: not before or bool(before & _NEWLINE),
    _AT.index(At.LINE_END): lambda before, behind: not behind or bool(behind & _NEWLINE),
    _AT.index(At.WORD): lambda before, behind: bool(before & _WORD) != bool(behind & _WORD),
    _AT.index(At.NO_WORD): lambda before, behind: bool(before & _WORD) == bool(behind & _WORD),
}


def build(tree: Node) -> Automaton:
    """The machine. Raises TooLargeError."""
    made = _Builder()
    begin, end = made.add(tree)
    made.link(START, begin)
    made.link(end, ACCEPT)
    made.link(SEARCH, START)
    symbols = _symbols(tree)
    loop = made.state()
    made.link(SEARCH, loop)
    made.reads[loop] = (sets.EVERY, SEARCH)
    return Automaton(symbols, made.reads, made.free)


class _Builder:
    def __init__(self) -> None:
        self.count = 3
        self.reads: dict[int, tuple[int, int]] = {}
        self.free: dict[int, list[tuple[int, Guard | None]]] = {}

    def state(self) -> int:
        if self.count >= LARGEST:
            raise TooLargeError
        self.count += 1
        return self.count - 1

    def link(self, first: int, second: int, guard: Guard | None = None) -> None:
        self.free.setdefault(first, []).append((second, guard))

    def add(self, node: Node) -> tuple[int, int]:
        """The states where a part begins and ends."""
        begin, end = self.state(), self.state()
        if isinstance(node, Chars):
            self.reads[begin] = (node.set.may, end)
        elif isinstance(node, Sequence):
            self._sequence(node, begin, end)
        elif isinstance(node, Choice):
            for option in node.options:
                first, last = self.add(option)
                self.link(begin, first)
                self.link(last, end)
        elif isinstance(node, Repeat):
            self._repeat(node, begin, end)
        elif isinstance(node, Look):
            self._look(node, begin, end)
        elif isinstance(node, Place):
            self.link(begin, end, ("at", _AT.index(node.at)))
        elif isinstance(node, Group):
            inner = node.inner
            if node.atomic and isinstance(inner, Repeat) and inner.mode is Mode.GREEDY:
                inner = Repeat(inner.inner, inner.least, inner.most, Mode.POSSESSIVE)
            first, last = self.add(inner)
            self.link(begin, first)
            self.link(last, end)
        else:
            self.link(begin, end)
        return begin, end

    def _sequence(self, node: Sequence, begin: int, end: int) -> None:
        at = begin
        for item in node.items:
            first, last = self.add(item)
            self.link(at, first)
            at = last
        self.link(at, end)

    def _repeat(self, node: Repeat, begin: int, end: int) -> None:
        # What never gives back goes on as long as it can: it ends only where no further turn can begin.
        single = node.inner.inner if isinstance(node.inner, Group) else node.inner
        stop: Guard | None = None
        if node.mode is Mode.POSSESSIVE and isinstance(single, Chars) and node.most is None:
            stop = ("not next", single.set.must)
        at = begin
        for _ in range(min(node.least, COPIES)):
            first, last = self.add(node.inner)
            self.link(at, first)
            at = last
        if node.most is None or node.most >= ENDLESS:
            # A turn that reads nothing is the last one in both engines: a way goes through `first` once.
            first, last = self.add(node.inner)
            for before in (at, last):
                self._either(before, first, end, node.mode, stop)
            return
        for _ in range(min(node.most - node.least, COPIES)):
            first, last = self.add(node.inner)
            self._either(at, first, end, node.mode, None)
            at = last
        self.link(at, end)

    def _either(self, at: int, first: int, end: int, mode: Mode, stop: Guard | None) -> None:
        """One more turn, or none; what is tried first comes first."""
        ways: list[tuple[int, Guard | None]] = [(first, None), (end, stop)]
        self.free.setdefault(at, []).extend(reversed(ways) if mode is Mode.LAZY else ways)

    def _look(self, node: Look, begin: int, end: int) -> None:
        inner = node.inner.inner if isinstance(node.inner, Group) else node.inner
        if isinstance(inner, Choice) and all(isinstance(option, Chars) for option in inner.options):
            both = sets.Charset(0, 0)
            for option in inner.options:
                both |= option.set if isinstance(option, Chars) else both
            inner = Chars(both)
        if isinstance(inner, Chars):
            side = "next" if node.ahead else "last"
            about = inner.set.must if node.negative else inner.set.may
            self.link(begin, end, (f"not {side}" if node.negative else side, about))
            return
        self.link(begin, end)
        if node.ahead:  # it is looked through, and then reading goes on from where it began
            first, _ = self.add(node.inner)
            self.link(begin, first)


def _symbols(tree: Node) -> tuple[int, ...]:
    """The classes of characters that no set of the tree tells apart, word characters and line ends told apart too."""
    found = [sets.EVERY]
    for each in {_WORD, _NEWLINE, *_sets(tree)}:
        found = [part for old in found for part in (old & each, old & ~each) if part]
    return tuple(found)


def _sets(node: Node) -> set[int]:
    if isinstance(node, Chars):
        return {node.set.may, node.set.must}
    if isinstance(node, Sequence | Choice):
        children = node.items if isinstance(node, Sequence) else node.options
        return set().union(*map(_sets, children)) if children else set()
    if isinstance(node, Group | Repeat | Look):
        return _sets(node.inner)
    return set()
