"""An engine that goes back on its choices, as those of the servers do, and counts its steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.regexes.automaton import ACCEPT, OUTSIDE, START

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provisioner.regexes.automaton import Automaton


def steps(machine: Automaton, word: Sequence[int], most: int) -> int:
    """Steps until every match in a text is found, as by `replaceAll`; `most` where it takes more."""
    taken, begin = 0, 0
    while begin <= len(word):
        end, taken = _match(machine, word, begin, taken, most)
        if taken >= most:
            return most
        begin = begin + 1 if end is None or end == begin else end
    return taken


def _match(machine: Automaton, word: Sequence[int], begin: int, taken: int, most: int) -> tuple[int | None, int]:
    """Where the match that begins at a place ends, or None, and the steps taken."""
    stack = [(START, begin, frozenset[int]())]
    while stack and taken < most:
        state, at, way = stack.pop()
        taken += 1
        if state == ACCEPT:
            return at, taken
        symbol = word[at] if at < len(word) else OUTSIDE
        last = word[at - 1] if at else OUTSIDE
        read = machine.reads.get(state)
        if read is not None and symbol != OUTSIDE and machine.symbols[symbol] & read[0]:
            stack.append((read[1], at + 1, frozenset()))
        for target, guard in reversed(machine.free.get(state, ())):
            if target not in way and machine.holds(guard, last, symbol):
                stack.append((target, at, way | {target}))
    return None, taken
