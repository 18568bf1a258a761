"""YAML text into plain values, with the place of every key and value.

Follows YAML 1.2's core schema, so that `on`, `no`, `0755`, `12:30` and `2026-05-11` stay the text that they look like;
YAML 1.1, PyYAML's default, would turn them into booleans, numbers and dates. `.inf` stays text too: JSON has none.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from provisioner.model import Finding, Origin, Path

if TYPE_CHECKING:
    from collections.abc import Iterable

try:
    from yaml import CSafeLoader as _BaseLoader
except ImportError:  # a PyYAML built without libyaml: slower, same answers
    from yaml import SafeLoader as _BaseLoader  # type: ignore[assignment]

MAX_NODES = 250_000
"""Aliases unfold; a few lines of them can unfold to billions of nodes ("billion laughs")."""

MAX_DEPTH = 100
"""Levels of nesting. libyaml composes recursively, in C: 200,000 brackets would end the process itself."""

_INTEGERS = range(-(2**63), 2**64)
"""What JSON's readers and OpenSearch's long and unsigned_long take."""

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _CoreLoader(_BaseLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (PyYAML's own attribute)


IMPLICIT: tuple[tuple[str, re.Pattern[str], list[str]], ...] = tuple(
    (tag, re.compile(pattern), list(first))
    for tag, pattern, first in (
        ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
        ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
        ("int", r"^[-+]?[0-9]+$|^0o[0-7]+$|^0x[0-9a-fA-F]+$", "-+0123456789"),
        (
            "float",
            r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$",
            "-+0123456789.",
        ),
        ("merge", r"^<<$", "<"),
    )
)
"""What plain text is taken for: tag, form, and the characters that it can begin with."""

for _tag, _pattern, _first in IMPLICIT:
    _CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _pattern, _first)


Stretch = tuple[int, int]
"""Part of a text: the positions of its first character and of the one behind its last."""

_WHOLE = "print whole values: {{ 'a ' ~ b }} instead of a {{ b }}"
_COLLECTIONS = frozenset({"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """One document of a file: its value, and the origin of every value and key by path."""

    value: Any
    origins: dict[Path, Origin]
    key_origins: dict[Path, Origin]


class _RefusedError(Exception):
    def __init__(self, message: str, mark: Any, hint: str) -> None:
        super().__init__(message)
        self.mark = mark
        self.hint = hint


def read(text: str, file: str, values: Iterable[Stretch] = ()) -> tuple[list[YamlDocument], list[Finding]]:
    """All documents of a file; a finding (YAML001) where it is no YAML, has a key twice, or unfolds without end.

    Documents before a syntax error are not given: a file is read whole or not at all. Empty documents are left out.
    Each of `values` must be a whole value or key, or lie in a block scalar (`|`) or a comment: a finding else.
    """
    if unprintable := _UNPRINTABLE.search(text):
        return [], [_unreadable(text, unprintable.start(), file)]
    try:
        _scan(text, values)
        return [_Reader(file).document(node) for node in yaml.compose_all(text, Loader=_CoreLoader)], []
    except yaml.MarkedYAMLError as error:
        message = " ".join(filter(None, (error.problem, error.context))) or "not valid YAML"
        return [], [
            Finding("YAML001", f"not valid YAML: {message}", _place(error, text, file), _hint(error.problem or ""))
        ]
    except _RefusedError as problem:
        return [], [Finding("YAML001", str(problem), _origin(file, problem.mark), problem.hint)]


def _place(error: yaml.MarkedYAMLError, text: str, file: str) -> Origin:
    """Where a syntax error stands; where it is only seen at the end of the file, what was begun and never ended."""
    end = len(text.rstrip())
    marks = [mark for mark in (error.problem_mark, error.context_mark) if mark]
    mark = next((mark for mark in marks if mark.index < end), None)
    return _origin(file, mark) if mark else Origin(file, text.count("\n", 0, end) + 1, end - text.rfind("\n", 0, end))


def _unreadable(text: str, position: int, file: str) -> Finding:
    line = text.count("\n", 0, position) + 1
    return Finding(
        "YAML001",
        f"not valid YAML: the character U+{ord(text[position]):04X} is not allowed",
        Origin(file, line, position - text.rfind("\n", 0, position)),
        "remove the character, or write it as an escape in double quotes",
    )


def _scan(text: str, values: Iterable[Stretch]) -> None:
    """Raises _RefusedError where anything is nested too deeply, or where one of `values` is none.

    Reads events one by one, so depth costs it nothing.
    """
    begun: list[int] = []
    whole: set[Stretch] = set()
    scalars: list[Any] = []
    for event in yaml.parse(text, Loader=_CoreLoader):
        start, end = _index(event.start_mark), _index(event.end_mark)
        if isinstance(event, yaml.CollectionStartEvent):
            begun.append(start)
            if len(begun) > MAX_DEPTH:
                raise _too_deep(event.start_mark)
        elif isinstance(event, yaml.CollectionEndEvent):
            whole.add((begun.pop(), end))
        elif isinstance(event, yaml.ScalarEvent):
            whole.add((start, end))
            scalars.append(event)
    for start, end in values:
        # Scalars come in their order, so the last one that begins before the end is the only one that can cross it.
        at = bisect_left(scalars, end, key=lambda scalar: scalar.start_mark.index) - 1
        crossed = at >= 0 and scalars[at].end_mark.index > start
        if crossed and (start, end) not in whole and scalars[at].style not in ("|", ">"):
            raise _RefusedError("a value stands in quotes or beside other text", scalars[at].start_mark, _WHOLE)


def _index(mark: Any) -> int:
    return int(mark.index)


def _too_deep(mark: Any) -> _RefusedError:
    return _RefusedError(f"nested too deeply (more than {MAX_DEPTH} levels)", mark, "flatten the document")


def _hint(problem: str) -> str:
    if "cannot start any token" in problem:
        return "indent with spaces, not tabs, and quote text that begins with @, `, % or a tab"
    if "mapping values are not allowed" in problem:
        return "quote text that holds a colon and a space"
    if "could not find expected ':'" in problem:
        return "put a colon and a space behind the key"
    return "check indentation, brackets and quotes on this line and the one before"


def _origin(file: str, mark: Any) -> Origin:
    return Origin(file, mark.line + 1, mark.column + 1) if mark else Origin(file)


class _Reader:
    """Walks the node graph of one document."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.visited = 0
        self.origins: dict[Path, Origin] = {}
        self.key_origins: dict[Path, Origin] = {}

    def document(self, node: yaml.Node) -> YamlDocument:
        return YamlDocument(self.value(node, ()), self.origins, self.key_origins)

    def visit(self, node: yaml.Node, depth: int) -> None:
        """Count a value that is read, once for each alias that leads to it, since aliases can also lead in circles."""
        self.visited += 1
        if self.visited > MAX_NODES:
            raise _RefusedError(
                f"aliases unfold to more than {MAX_NODES:,} values", node.start_mark, "write the values out"
            )
        if depth > MAX_DEPTH:
            raise _too_deep(node.start_mark)

    def value(self, node: yaml.Node, path: Path) -> Any:
        self.visit(node, len(path))
        self.origins[path] = _origin(self.file, node.start_mark)
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node)
        if node.tag not in _COLLECTIONS:
            raise _unknown_tag(node)
        if isinstance(node, yaml.MappingNode):
            pairs = self.pairs(node, len(path))
            for key, (key_node, _) in pairs.items():
                self.key_origins[*path, key] = _origin(self.file, key_node.start_mark)
            return {key: self.value(child, (*path, key)) for key, (_, child) in pairs.items()}
        return [self.value(child, (*path, index)) for index, child in enumerate(node.value)]

    def pairs(self, node: yaml.MappingNode, depth: int) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """Key to its node and its value's: those merged in by `<<`, then the mapping's own, which win.

        A key twice is an error.
        """
        merged: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        own: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key_node, child in node.value:
            self.visit(key_node, depth)
            if key_node.tag == "tag:yaml.org,2002:merge":
                for source in child.value if isinstance(child, yaml.SequenceNode) else [child]:
                    if not isinstance(source, yaml.MappingNode):
                        raise _RefusedError("'<<' takes a mapping", source.start_mark, "point the alias at a mapping")
                    merged.update((k, v) for k, v in self.pairs(source, depth + 1).items() if k not in merged)
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                raise _RefusedError("a key must be text", key_node.start_mark, "quote the key")
            if key_node.value in own:
                raise _RefusedError(
                    f"the key {key_node.value!r} stands twice in this mapping",
                    key_node.start_mark,
                    "remove one of the two",
                )
            own[key_node.value] = (key_node, child)
        return {**merged, **own}

    def scalar(self, node: yaml.ScalarNode) -> Any:
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


def _unknown_tag(node: yaml.Node) -> _RefusedError:
    return _RefusedError(f"the tag {node.tag!r} is not known here", node.start_mark, "write a plain value")


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
        raise _RefusedError(f"the number {shown} can't be held in 64 bits", node.start_mark, "quote it, or correct it")
    return number
