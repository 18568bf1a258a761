"""YAML text into plain values, with the place of every key and value.

Follows YAML 1.2's core schema, so that `on`, `no`, `0755`, `12:30` and `2026-05-11` stay the text that they look like;
YAML 1.1, PyYAML's default, would turn them into booleans, numbers and dates. `.inf` stays text too: JSON has none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from provisioner.model import Finding, Origin, Path

if TYPE_CHECKING:
    from collections.abc import Iterator

try:
    from yaml import CSafeLoader as _BaseLoader
except ImportError:  # a PyYAML built without libyaml: slower, same answers
    from yaml import SafeLoader as _BaseLoader  # type: ignore[assignment]

MAX_NODES = 500_000
"""Aliases unfold; a few lines of them can unfold to billions of nodes ("billion laughs")."""


class _CoreLoader(_BaseLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (PyYAML's own attribute)


for _tag, _pattern, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("int", r"^[-+]?[0-9]+$|^0o[0-7]+$|^0x[0-9a-fA-F]+$", "-+0123456789"),
    (
        "float",
        r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$",
        "-+0123456789.",
    ),
    ("merge", r"^<<$", "<"),
):
    _CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


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


def read(text: str, file: str) -> tuple[list[YamlDocument], list[Finding]]:
    """All documents of a file; a finding (YAML001) where it is no YAML, has a key twice, or unfolds without end.

    Documents before a syntax error are not given: a file is read whole or not at all. Empty documents are left out.
    """
    try:
        return [_Reader(file).document(node) for node in yaml.compose_all(text, Loader=_CoreLoader)], []
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = " ".join(filter(None, (error.problem, error.context))) or "not valid YAML"
        return [], [Finding("YAML001", f"not valid YAML: {message}", _origin(file, mark), _hint(error.problem or ""))]
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - (text.rfind("\n", 0, error.position) + 1) + 1
        return [], [
            Finding(
                "YAML001",
                f"not valid YAML: {error.reason}",
                Origin(file, line, column),
                "remove the character, or write it as an escape in double quotes",
            )
        ]
    except _RefusedError as problem:
        return [], [Finding("YAML001", str(problem), _origin(file, problem.mark), problem.hint)]
    except RecursionError:
        return [], [Finding("YAML001", "nested too deeply", Origin(file), "flatten the document")]


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
        self.origins: dict[Path, Origin] = {}
        self.key_origins: dict[Path, Origin] = {}

    def document(self, node: yaml.Node) -> YamlDocument:
        return YamlDocument(self.value(node, ()), self.origins, self.key_origins)

    def value(self, node: yaml.Node, path: Path) -> Any:
        if len(self.origins) > MAX_NODES:
            raise _RefusedError("aliases unfold to more than 500,000 values", node.start_mark, "write the values out")
        self.origins[path] = _origin(self.file, node.start_mark)
        if isinstance(node, yaml.MappingNode):
            return {key: self.value(child, (*path, key)) for key, child in self.pairs(node, path)}
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, (*path, index)) for index, child in enumerate(node.value)]
        return self.scalar(node)

    def pairs(self, node: yaml.MappingNode, path: Path) -> Iterator[tuple[str, yaml.Node]]:
        """A mapping's own pairs after those that it merges in by `<<`; own keys win, a key twice is an error."""
        merged: dict[str, yaml.Node] = {}
        own: dict[str, yaml.Node] = {}
        for key_node, child in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                sources = child.value if isinstance(child, yaml.SequenceNode) else [child]
                for source in sources:
                    if not isinstance(source, yaml.MappingNode):
                        raise _RefusedError("'<<' takes a mapping", source.start_mark, "point the alias at a mapping")
                    merged.update((k, c) for k, c in self.pairs(source, path) if k not in merged)
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                raise _RefusedError("a key must be text", key_node.start_mark, "quote the key")
            key = key_node.value
            if key in own:
                raise _RefusedError(
                    f"the key {key!r} stands twice in this mapping", key_node.start_mark, "remove one of the two"
                )
            own[key] = child
            self.key_origins[*path, key] = _origin(self.file, key_node.start_mark)
        yield from ({**merged, **own}).items()

    def scalar(self, node: yaml.Node) -> Any:
        kind = node.tag.rpartition(":")[2]
        if kind == "null":
            return None
        if kind == "bool":
            return node.value.lower() == "true"
        if kind == "int":
            return self.integer(node.value, node.start_mark)
        if kind == "float":
            return float(node.value)
        if kind == "str":
            return node.value
        raise _RefusedError(f"the tag {node.tag!r} is not known here", node.start_mark, "write a plain value")

    def integer(self, text: str, mark: Any) -> int:
        try:
            return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
        except ValueError:  # Python's own limit of 4,300 digits
            raise _RefusedError("the number has too many digits", mark, "quote it, or shorten it") from None
