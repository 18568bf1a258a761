"""Whether a hostile text makes a failing match take time beyond linear, and such a text.

An engine that goes back on its choices tries every way in which a text can be read, before it says no. Ways that
multiply with each repetition of a piece of text make time exponential: a state that is left and reached again by the
same piece in two ways. Ways whose number grows with the length make it polynomial: a first loop, a second one behind
it, and a piece that the first reads, the second reads, and that leads from one to the other (Weideman et al.,
"Analyzing matching time behavior of backtracking regular expression matchers by using ambiguity of NFA", 2016). The
search for a place to begin is such a first loop.

A way on which the expression matches ends the search, so only pieces count after which nothing has matched. Not looked
at: what a back-reference repeats, what an atomic group drops (but for one around a single repetition, or a possessive
repetition of a single character), looks behind at more than a character. Java remembers some failures, and is faster.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provisioner.regexes import charsets as sets
from provisioner.regexes import paths
from provisioner.regexes.automaton import ANY, OUTSIDE, SEARCH, Automaton, build
from provisioner.regexes.paths import Look
from provisioner.regexes.trial import steps

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

    from provisioner.regexes.paths import Core, Cores
    from provisioner.regexes.tree import Node

_PIECES = 20
_MOST = 20_000


@dataclass(frozen=True, slots=True)
class Attack:
    """A text that takes long: `before`, `piece` over and over, `behind`."""

    exponential: bool
    before: str
    piece: str
    behind: str

    def text(self, times: int) -> str:
        """The text with so many pieces."""
        return self.before + self.piece * times + self.behind


def attack(tree: Node, *, everywhere: bool) -> Attack | None:
    """The worst text that is found, or None. `everywhere`: all matches in a text are looked for (gsub), so that time
    can also be lost before each of many short ones. Raises TooLargeError where the expression is too large to tell."""
    machine = build(tree)
    for strict in (True, False) if everywhere else (True,):
        look = Look(machine, strict)
        cores = paths.reachable(look)
        loops = paths.loops(cores)
        for loop in loops:
            for core, word in _twice(look, loop, cores):
                if found := _attack(look, cores, loop, core, word, exponential=True):
                    return found
        for second in loops:
            leading = paths.leading(cores, second)
            for first in (each for each in loops if each is not second and each & leading):
                for core, word in _one_then_other(look, first, second, leading):
                    if found := _attack(look, cores, first, core, word, exponential=False):
                        return found
    return None


def _twice(look: Look, loop: frozenset[Core], cores: Cores) -> Iterator[tuple[Core, list[int]]]:
    """Cores of a loop to which a word leads back in two ways, with the word."""
    if SEARCH in {state for state, _ in loop}:
        return
    for core in loop:
        for other, symbol, ways in cores.leads[core]:
            if ways > 1 and other in loop and (back := paths.way(cores, loop, other, core)) is not None:
                yield core, [symbol, *back]
                return
    for core in loop:
        start = (core[0], core[0], core[1])
        came: dict[Hashable, tuple[Hashable, int] | None] = {start: None}
        queue = deque([start])
        while queue:
            one, two, last = state = queue.popleft()
            for symbol in range(len(look.machine.symbols)):
                firsts, seconds = (look.after(each, last, symbol, inside=True) for each in (one, two))
                marks = {each: (each, look.machine.mark(symbol, each)) for each in (*firsts, *seconds)}
                for a, b in ((a, b) for a in firsts for b in seconds):
                    if marks[a] not in loop or marks[b] not in loop or (a == b and one == two):
                        continue
                    new = (a, b, look.machine.mark(symbol, a, b))
                    if a == b and (back := paths.way(cores, loop, marks[a], core)) is not None:
                        yield core, [*paths.word(came, state), symbol, *back]
                        return
                    if new not in came:
                        came[new] = (state, symbol)
                        queue.append(new)


def _one_then_other(
    look: Look, first: frozenset[Core], second: frozenset[Core], leading: frozenset[Core]
) -> Iterator[tuple[Core, list[int]]]:
    """Cores of the first loop from which a word leads back, and to a core of the second from which it leads back."""
    for p, last in sorted(first):
        for q, also in sorted(second):
            if (last == also or ANY in (last, also)) and (
                word := _triple(look, (p, q, max(last, also)), first, second, leading)
            ):
                yield (p, last), word


def _triple(
    look: Look,
    goal: tuple[int, int, int],
    first: frozenset[Core],
    second: frozenset[Core],
    leading: frozenset[Core],
) -> list[int]:
    p, q, last = goal
    last = look.machine.mark(last, p, q)
    start, end = (p, p, q, last), (p, q, q, last)
    came: dict[Hashable, tuple[Hashable, int] | None] = {start: None}
    queue = deque([start])
    while queue:
        one, two, three, before = state = queue.popleft()
        for symbol in range(len(look.machine.symbols)):
            threes = look.after(three, before, symbol, inside=True)
            threes = [c for c in threes if (c, look.machine.mark(symbol, c)) in second]  # type: ignore[assignment]
            if not threes:
                continue
            ones = [a for a in look.after(one, before, symbol) if (a, look.machine.mark(symbol, a)) in first]
            twos = [b for b in look.after(two, before, symbol) if (b, look.machine.mark(symbol, b)) in leading]
            for new in ((a, b, c, look.machine.mark(symbol, a, b, c)) for a in ones for b in twos for c in threes):
                if new not in came:
                    came[new] = (state, symbol)
                    if new == end:
                        return paths.word(came, end)
                    queue.append(new)
    return []


def _attack(
    look: Look, cores: Cores, loop: frozenset[Core], core: Core, word: list[int], *, exponential: bool
) -> Attack | None:
    """The text, where something can stand before and behind it so that nothing matches, or that little does."""
    for entry in (core, *sorted(loop - {core})):
        before = [*paths.word(cores.came, entry), *(paths.way(cores, loop, entry, core) or ())]  # type: ignore[arg-type]
        behind = _failing(look.machine, [*before, *word * 3]) if look.strict else _slow(look, before, word)
        if behind is not None:
            return Attack(exponential, *(_text(look.machine, each) for each in (before, word, behind)))
    return None


def _slow(look: Look, before: list[int], word: list[int]) -> list[int] | None:
    """What can stand behind a text so that twice as many pieces take nearly four times as many steps."""
    symbols = reversed(range(len(look.machine.symbols)))
    ends = [symbol for symbol in symbols if _is_end(look.machine, symbol)]
    others = [symbol for symbol in range(len(look.machine.symbols)) if symbol not in ends]
    for behind in ([], *([other] for other in others), *([end, other] for end in ends for other in others)):
        if look.trials <= 0:
            return None
        look.trials -= 1
        few, many = (
            steps(look.machine, [*before, *word * pieces, *behind], _MOST) for pieces in (_PIECES, 2 * _PIECES)
        )
        if many > 3 * few or few >= _MOST:
            return behind
    return None


def _failing(machine: Automaton, word: Iterable[int]) -> list[int] | None:
    """What can stand behind a text so that nothing in it matches: at most two symbols; None: nothing can."""
    states, last = frozenset({SEARCH}), OUTSIDE
    for symbol in word:
        after = _follow(machine, states, last, symbol)
        if after is None:
            return None
        states, last = after, symbol
    tried = [(states, last, list[int]())]
    for states, last, behind in tried:
        # `$` also stands before a line's end that is the text's last character.
        if not _is_end(machine, last) and _follow(machine, states, last, OUTSIDE) is not None:
            return behind
        if len(behind) < 2:
            for symbol in reversed(range(len(machine.symbols))):
                after = _follow(machine, states, last, symbol)
                if after is not None:
                    tried.append((after, symbol, [*behind, symbol]))
    return None


def _is_end(machine: Automaton, symbol: int) -> bool:
    """Whether it ends a line."""
    return symbol >= 0 and sets.sample(machine.symbols[symbol]) in "\n\r"


def _follow(machine: Automaton, states: frozenset[int], last: int, symbol: int) -> frozenset[int] | None:
    """All states that a symbol leads to; None where the expression has matched before it."""
    following: set[int] = set()
    for state in states:
        targets, matched = machine.after(state, last, symbol)
        if matched:
            return None
        following.update(targets)
    return frozenset(following)


def _text(machine: Automaton, word: Iterable[int]) -> str:
    return "".join(sets.sample(machine.symbols[symbol]) for symbol in word)
