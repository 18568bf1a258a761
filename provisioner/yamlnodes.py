"""The nodes that libyaml composes, into plain values."""

from __future__ import annotations

import math
from bisect import bisect_left
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import yaml

from provisioner.model import Origin

if TYPE_CHECKING:
    from collections.abc import Iterable

Stretch = tuple[int, int]
"""Part of a text: the positions of its first character and of the one behind its last."""

MAX_NODES = 250_000
"""Aliases unfold; a few lines of them can unfold to billions of nodes ("billion laughs")."""

MAX_DEPTH = 100
"""Levels of nesting. libyaml composes recursively, in C: 200,000 brackets would end the process itself."""

_INTEGERS = range(-(2**63), 2**64)
"""What JSON's readers and OpenSearch's long and unsigned_long take."""

_WHOLE = "print whole values: {{ 'a ' ~ b }} instead of a {{ b }}"
_MERGE = "tag:yaml.org,2002:merge"
_STR = "tag:yaml.org,2002:str"
_COLLECTIONS = frozenset({"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})


class RefusedError(Exception):
    """Why a document is not taken: `mark` is the place, `hint` what to do."""

    def __init__(self, message: str, mark: Any, hint: str) -> None:
        super().__init__(message)
        self.mark = mark
        self.hint = hint


def too_deep(mark: Any) -> RefusedError:
    """The refusal of what is nested further than MAX_DEPTH."""
    return RefusedError(f"nested too deeply (more than {MAX_DEPTH} levels)", mark, "flatten the document")


def place(file: str, mark: Any) -> Origin:
    """PyYAML's mark as a place in the file; the file alone where there is none."""
    return Origin(file, mark.line + 1, mark.column + 1) if mark else Origin(file)


class Walk:
    """What every walk over the node graph of a document shares."""

    def __init__(self) -> None:
        self.visited = 0

    def visit(self, node: yaml.Node, depth: int) -> None:
        """Count a value that is read, once for each alias that leads to it, since aliases can also lead in circles."""
        self.visited += 1
        if self.visited > MAX_NODES:
            raise RefusedError(
                f"aliases unfold to more than {MAX_NODES:,} values", node.start_mark, "write the values out"
            )
        if depth > MAX_DEPTH or (depth == MAX_DEPTH and not isinstance(node, yaml.ScalarNode)):
            raise too_deep(node.start_mark)

    def pairs(self, node: yaml.Node, depth: int) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """Key to its node and its value's: those merged in by `<<`, then the mapping's own, which win.

        A key twice is an error.
        """
        merged: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        own: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key_node, child in node.value:
            self.visit(key_node, depth)
            if key_node.tag == _MERGE:
                for source in child.value if isinstance(child, yaml.SequenceNode) else [child]:
                    if not isinstance(source, yaml.MappingNode):
                        raise RefusedError("'<<' takes a mapping", source.start_mark, "point the alias at a mapping")
                    merged.update((k, v) for k, v in self.pairs(source, depth + 1).items() if k not in merged)
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                raise RefusedError("a key must be text", key_node.start_mark, "quote the key")
            if key_node.value in own:
                raise RefusedError(
                    f"the key {key_node.value!r} stands twice in this mapping",
                    key_node.start_mark,
                    "remove one of the two",
                )
            own[key_node.value] = (key_node, child)
        return {**merged, **own} if merged else own

    def scalar(self, node: yaml.ScalarNode) -> Any:
        """What JSON has for it. Raises RefusedError."""
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if kind == "null":
            return None
        if kind == "bool":
            return node.value.lower() == "true"
        if kind in ("int", "float"):
            return _number(node, kind)
        if kind == "str":
            return node.value
        raise _unknown_tag(node)


class Values(Walk):
    """The values of one document, without their places."""

    def value(self, node: yaml.Node, depth: int = 0) -> Any:
        """The node's value. Raises RefusedError."""
        self.visit(node, depth)
        return self._visited(node, depth)

    def _visited(self, node: yaml.Node, depth: int) -> Any:
        """The value of a node that is counted."""
        if isinstance(node, yaml.ScalarNode):
            return node.value if node.tag == _STR else self.scalar(node)
        if depth == MAX_DEPTH:
            raise too_deep(node.start_mark)
        if node.tag not in _COLLECTIONS:
            raise _unknown_tag(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, depth + 1) for child in node.value]
        if (simple := self._simple(node)) is not None:
            return {
                key: child.value
                if type(child) is yaml.ScalarNode and child.tag == _STR
                else self._visited(child, depth + 1)
                for key, child in simple.items()
            }
        return {key: self.value(child, depth + 1) for key, (_, child) in self.pairs(node, depth).items()}

    def _simple(self, node: yaml.Node) -> dict[str, yaml.Node] | None:
        """What `pairs` gives for nearly all mappings, faster, and all of it counted; None for one that merges, that has
        a wrong key or one twice, or that is too many."""
        found = {key.value: child for key, child in node.value if type(key) is yaml.ScalarNode and key.tag != _MERGE}
        if len(found) < len(node.value) or self.visited + 2 * len(found) > MAX_NODES:
            return None
        self.visited += 2 * len(found)
        return found


class Plain(Walk):
    """Documents without places, and where whole values and scalars stand in the text."""

    def __init__(self) -> None:
        super().__init__()
        self.whole: set[Stretch] = set()
        self.scalars: list[tuple[int, int, yaml.ScalarNode]] = []

    def document(self, node: yaml.Node) -> Any:
        """The value of a document with this node at its top."""
        self.visited = 0
        return self.value(node, 0)

    def value(self, node: yaml.Node, depth: int) -> Any:
        """The node's value; where it and its scalars stand is noted. Raises RefusedError."""
        self.visit(node, depth)
        if isinstance(node, yaml.ScalarNode):
            self.seen(node)
            return self.scalar(node)
        if node.tag not in _COLLECTIONS:
            raise _unknown_tag(node)
        self.whole.add((node.start_mark.index, node.end_mark.index))
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, depth + 1) for child in node.value]
        pairs = self.pairs(node, depth)
        for key_node, child in node.value:
            self.seen(key_node)
            if key_node.tag == _MERGE:
                self.value(child, depth + 1)  # for what is seen there
        return {key: self.value(child, depth + 1) for key, (_, child) in pairs.items()}

    def seen(self, node: yaml.ScalarNode) -> None:
        """Note where a scalar stands."""
        stretch = (node.start_mark.index, node.end_mark.index)
        self.whole.add(stretch)
        self.scalars.append((*stretch, node))

    def check(self, values: Iterable[Stretch]) -> None:
        """Raises RefusedError where one of these is no whole value."""
        scalars = sorted(self.scalars, key=itemgetter(0, 1))
        for start, end in values:
            # The last scalar that begins before the end is the only one that can cross it.
            at = bisect_left(scalars, end, key=itemgetter(0)) - 1
            crossed = at >= 0 and scalars[at][1] > start
            if crossed and (start, end) not in self.whole and scalars[at][2].style not in ("|", ">"):
                raise RefusedError("a value stands in quotes or beside other text", scalars[at][2].start_mark, _WHOLE)


def _unknown_tag(node: yaml.Node) -> RefusedError:
    return RefusedError(f"the tag {node.tag!r} is not known here", node.start_mark, "write a plain value")


def _number(node: yaml.ScalarNode, kind: str) -> int | float:
    """A number that JSON can hold; it has no infinity and, as OpenSearch reads it, no integer beyond 64 bits."""
    text = node.value
    try:
        if kind == "float":
            number: int | float = float(text)
            fits = math.isfinite(number)
        else:
            number = int(text, 0) if text[:2] in ("0o", "0x") else int(text)
            fits = number in _INTEGERS
    except ValueError:  # an explicit tag (`!!int x`), or Python's own limit of 4,300 digits
        fits = False
    if not fits:
        shown = text if len(text) <= 40 else text[:37] + "..."
        raise RefusedError(f"the number {shown} can't be held in 64 bits", node.start_mark, "quote it, or correct it")
    return number
