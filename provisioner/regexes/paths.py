"""What a machine reaches, and its loops."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provisioner.regexes.automaton import OUTSIDE, SEARCH, Automaton, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Hashable

STEPS, WORK = 40_000, 200_000
"""Steps, and states passed in them, after which an expression is let go: nothing is said of it."""
_TRIALS = 16
Core = tuple[int, int]
"""A state, and the symbol by which it was reached, where anything depends on that."""


@dataclass(slots=True)
class Look:
    """One look at a machine. `strict`: a way ends where the expression may have matched; else only a loop does."""

    machine: Automaton
    strict: bool
    left: int = STEPS
    trials: int = _TRIALS

    def after(self, state: int, last: int, symbol: int, *, inside: bool = False) -> dict[int, int]:
        """Where a symbol leads; `inside`: the step is one of a loop that has to fail."""
        self.left -= 1
        if self.left < 0 or self.machine.work > WORK:
            raise TooLargeError
        targets, matched = self.machine.after(state, last, symbol)
        return {} if matched and (self.strict or inside) else targets


@dataclass(slots=True)
class Cores:
    """What can be reached: from where, by which symbol; where each core leads, by which symbol, in how many ways."""

    came: dict[Core, tuple[Core, int] | None]
    leads: dict[Core, list[tuple[Core, int, int]]]


def reachable(look: Look) -> Cores:
    """All that a search can come to."""
    start = (SEARCH, OUTSIDE)
    came: dict[Core, tuple[Core, int] | None] = {start: None}
    leads: dict[Core, list[tuple[Core, int, int]]] = {}
    queue = deque([start])
    while queue:
        core = queue.popleft()
        leads[core] = []
        for symbol in range(len(look.machine.symbols)):
            for target, ways in look.after(*core, symbol).items():
                other = (target, look.machine.mark(symbol, target))
                leads[core].append((other, symbol, ways))
                if other not in came:
                    came[other] = (core, symbol)
                    queue.append(other)
    return Cores(came, leads)


def loops(cores: Cores) -> list[frozenset[Core]]:
    """The strongly connected parts that have a loop (Tarjan's algorithm, without calling itself)."""
    order: dict[Core, int] = {}
    low: dict[Core, int] = {}
    on: set[Core] = set()
    stack: list[Core] = []
    found: list[frozenset[Core]] = []
    for root in cores.leads:
        if root in order:
            continue
        work = [(root, iter(cores.leads[root]))]
        order[root] = low[root] = len(order)
        stack.append(root)
        on.add(root)
        while work:
            core, rest = work[-1]
            for other, _, _ in rest:
                if other not in order:
                    order[other] = low[other] = len(order)
                    stack.append(other)
                    on.add(other)
                    work.append((other, iter(cores.leads[other])))
                    break
                if other in on:
                    low[core] = min(low[core], order[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[core])
                if low[core] == order[core]:
                    part = frozenset(stack[stack.index(core) :])
                    del stack[stack.index(core) :]
                    on -= part
                    if len(part) > 1 or any(other == core for other, _, _ in cores.leads[core]):
                        found.append(part)
    return found


def leading(cores: Cores, loop: frozenset[Core]) -> frozenset[Core]:
    """The cores that lead to a loop, itself among them."""
    before: dict[Core, list[Core]] = {}
    for core, leads in cores.leads.items():
        for other, _, _ in leads:
            before.setdefault(other, []).append(core)
    found, stack = set(loop), list(loop)
    while stack:
        for core in before.get(stack.pop(), ()):
            if core not in found:
                found.add(core)
                stack.append(core)
    return frozenset(found)


def way(cores: Cores, loop: frozenset[Core], start: Core, end: Core) -> list[int] | None:
    """Symbols that lead from one core of a loop to another."""
    came: dict[Hashable, tuple[Hashable, int] | None] = {start: None}
    queue = deque([start])
    while queue:
        core = queue.popleft()
        if core == end:
            return word(came, end)
        for other, symbol, _ in cores.leads[core]:
            if other in loop and other not in came:
                came[other] = (core, symbol)
                queue.append(other)
    return None


def word(came: dict[Hashable, tuple[Hashable, int] | None], end: Hashable) -> list[int]:
    """The symbols that led to an end, by the steps that were noted."""
    word = []
    while (step := came[end]) is not None:
        end = step[0]
        word.append(step[1])
    return word[::-1]
