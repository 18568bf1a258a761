r"""What java.util.regex matches by calling itself, so that a long text overflows the stack and a node ends.

Measured with Java 17 and 25 and a thread of the server's size (1 MiB, `-Xss1m` in its jvm.options); see
tests/unit/regexes. A repetition of a single character, `x*`, is a loop. One of a group is a loop only where Java can
tell that each turn goes one way: no choice, no inner repetition of varying count, nothing atomic. Otherwise each turn
is a call within the last one's. What is a loop calls itself all the same where two turns match different lengths, and
characters beyond the Basic Multilingual Plane (emoji) are two units long: `(.)*` on such and others in turn. Possessive
repetitions are loops always. Bounded repetitions are calls as well: as deep as they may get.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.regexes.tree import Back, Chars, Choice, Group, Look, Mode, Place, Repeat, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.regexes.tree import Node

DEEPEST = 3_000
"""Calls that surely fit: with interpreted code 1 MiB holds about 8,000, and a server's thread has some before them."""
_TURN = 1
"""Calls of a turn besides those of its group."""


def overflow(tree: Node) -> str:
    """In words what makes it overflow; "" where nothing does."""
    for repeat in _repeats(tree):
        if repeat.mode is Mode.POSSESSIVE or repeat.most == 1:
            continue
        turns = repeat.most if repeat.most is not None else DEEPEST
        if _calls(repeat) and turns * (_depth(repeat.inner) + _TURN) > DEEPEST:
            return _why(repeat)
    return ""


def _why(repeat: Repeat) -> str:
    inner = repeat.inner
    if isinstance(inner, Group) and not inner.unit and not _one_way(inner.inner):
        return "it repeats a group that holds a choice or another repetition"
    if isinstance(inner, Group) and inner.unit:
        return "it repeats what may be one character or several"
    return "it repeats a group or a count of characters, of which some (emoji) take two places and others one"


def _calls(repeat: Repeat) -> bool:
    inner = repeat.inner
    if isinstance(inner, Chars):
        # `x*` and `x+` have a loop of their own; with braces a turn of another length calls.
        return repeat.mode is Mode.GREEDY and (repeat.least > 1 or repeat.most is not None) and inner.set.widths_vary
    if isinstance(inner, Group) and not inner.unit and not inner.atomic and not _one_way(inner.inner):
        return True
    return repeat.mode is Mode.GREEDY and _varies(inner)


def _one_way(node: Node) -> bool:
    """Whether Java takes it for deterministic (`Node.study`)."""
    if isinstance(node, Sequence):
        return all(map(_one_way, node.items))
    if isinstance(node, Choice):
        return False
    if isinstance(node, Group):
        return node.unit or (not node.atomic and _one_way(node.inner))
    if isinstance(node, Repeat):
        return node.least == node.most and _one_way(node.inner)
    return True


def _varies(node: Node) -> bool:
    """Whether two turns may match different lengths."""
    least, most = _length(node)
    return least != most


def _length(node: Node) -> tuple[int, float]:
    """The least and the most units of UTF-16."""
    if isinstance(node, Chars):
        return (1, 2) if node.set.widths_vary else (1, 1)
    if isinstance(node, Sequence | Choice):
        parts = [_length(child) for child in (node.items if isinstance(node, Sequence) else node.options)]
        if isinstance(node, Choice):
            return min(each[0] for each in parts), max(each[1] for each in parts)
        return sum(each[0] for each in parts), sum(each[1] for each in parts)
    if isinstance(node, Group):
        return _length(node.inner)
    if isinstance(node, Repeat):
        least, most = _length(node.inner)
        turns = float("inf") if node.most is None else node.most
        return least * node.least, most * turns if most and turns else 0
    return 0, 0


def _depth(node: Node) -> int:
    """Calls within each other while it is matched once."""
    if isinstance(node, Chars | Place | Back):
        return 1
    if isinstance(node, Sequence):
        return sum(map(_depth, node.items))
    if isinstance(node, Choice):
        return 2 + max(map(_depth, node.options))
    if isinstance(node, Group):
        return 2 + _depth(node.inner)
    if isinstance(node, Repeat):
        turns = 1 if not _calls(node) or node.mode is Mode.POSSESSIVE else (node.most or 1)
        return 1 + turns * (_depth(node.inner) + _TURN)
    return 1 + _depth(node.inner)


def _repeats(node: Node) -> Iterator[Repeat]:
    if isinstance(node, Repeat):
        yield node
    if isinstance(node, Sequence | Choice):
        for child in node.items if isinstance(node, Sequence) else node.options:
            yield from _repeats(child)
    elif isinstance(node, Group | Repeat | Look):
        yield from _repeats(node.inner)
