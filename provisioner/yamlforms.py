"""A rendered text by its form: what a template prints around its values is mostly the same for many documents.

The form, holes in place of values, is parsed once; for each document the values are put into the holes. Whatever that
could get wrong (a hole within quotes or beside other text, a number beyond 64 bits, great depth) has no form here: the
text is then read as a whole, which also says what is wrong with it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from provisioner.yamlloader import LOADER

if TYPE_CHECKING:
    from collections.abc import Sequence

_HOLE = re.compile("\ufdd0([0-9]+)\ufdd1")
_OTHERWISE = re.compile(r"(?:^|[\s\[{,:?-])[&*!%]|<<")
"""What makes a form more than its nodes: anchors, aliases, tags, directives, merges."""
_OTHERWISE_IN_VALUES = re.compile(r"[0-9]{18}|\\u[dD]")
"""Numbers that may be beyond 64 bits, and halves of characters: reading the whole text refuses them."""
_DEPTH = 30
"""Levels of a form, of a value, and of a form within a form: together less than a document may have."""
_LONGEST_KEY = 1_000
"""YAML's own limit for a key on one line is 1,024."""
_MOST = 2_000
"""Forms that are remembered; a repository has a few for each of its templates."""


class UnfitError(Exception):
    """This text has no form, or these values don't fit into it."""


class Encoded(str):
    """JSON: what `tojson` gives. It is not encoded again when it is printed.

    Whatever is done with it (cutting, joining, replacing) gives plain text, which is encoded like any other.
    Jinja2's own Markup would keep its mark through all that, and values could break out.
    """

    __slots__ = ()


@dataclass(slots=True)
class Pieces:
    """A text taken apart: what stands `around` its values, one piece more than there are values. A value is plain,
    or encoded, or in pieces itself: something in brackets that a macro wrote."""

    around: list[str]
    values: list[Any]


@dataclass(frozen=True, slots=True)
class _Hole:
    number: int


@dataclass(frozen=True, slots=True)
class _Mapping:
    """A mapping with holes among its keys."""

    pairs: tuple[tuple[Any, Any], ...]


@dataclass(slots=True)
class Forms:
    """The forms of one repository's templates."""

    known: dict[str, Any] = field(default_factory=dict)

    def value(self, pieces: Pieces, within: int = 0) -> Any:
        """The value of a text. Raises UnfitError."""
        around = pieces.around
        text = "".join(f"{piece}\ufdd0{number}\ufdd1" for number, piece in enumerate(around[:-1])) + around[-1]
        if within > 1 or (within and "#" in text.rpartition("\n")[2]):  # a comment would go on behind it
            raise UnfitError
        if text not in self.known:
            if len(self.known) >= _MOST:
                self.known.clear()
            self.known[text] = self._form(text)
        form = self.known[text]
        if form is None:
            raise UnfitError
        values = [self.value(each, within + 1) if type(each) is Pieces else _value(each) for each in pieces.values]
        return _filled(form, values)

    def _form(self, text: str) -> Any:
        if _OTHERWISE.search(text):
            return None
        try:
            found = list(yaml.compose_all(text, Loader=LOADER))
            return _tree(found[0], 0) if len(found) == 1 else None
        except (yaml.YAMLError, UnfitError):
            return None


def _tree(node: yaml.Node, depth: int) -> Any:
    if depth > _DEPTH:
        raise UnfitError
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return [_tree(child, depth + 1) for child in node.value]
    pairs = tuple((_key(key), _tree(child, depth + 1)) for key, child in node.value)
    if any(isinstance(key, _Hole) for key, _ in pairs):
        return _Mapping(pairs)
    if len({key for key, _ in pairs}) < len(pairs):
        raise UnfitError
    return dict(pairs)


def _key(node: yaml.Node) -> Any:
    if not isinstance(node, yaml.ScalarNode):
        raise UnfitError
    found = _scalar(node)
    return found if isinstance(found, _Hole) else node.value


def _scalar(node: yaml.ScalarNode) -> Any:
    text = node.value
    if "\ufdd0" in text:
        hole = _HOLE.fullmatch(text)
        if hole is None or node.style:  # quoted, or a block
            raise UnfitError
        return _Hole(int(hole[1]))
    kind = node.tag.removeprefix("tag:yaml.org,2002:")
    if kind == "str":
        return text
    if kind == "bool":
        return text.lower() == "true"
    if kind == "null":
        return None
    if kind == "int" and text.isdecimal():
        return int(text)
    raise UnfitError


def _value(value: Any) -> Any:
    """A value that nobody else has. Raises UnfitError where reading it as YAML could give something else."""
    kind = type(value)
    if kind is list:
        return [_value(child) for child in value]
    if kind is dict:
        return {key: _value(child) for key, child in value.items()}
    return _decoded(value) if kind is Encoded else value


def _decoded(text: str) -> Any:
    if text[:1] == '"' and "\\" not in text:
        return text[1:-1]
    deep = text[:1] in ("[", "{") and text.count("[") + text.count("{") > _DEPTH
    if deep or _OTHERWISE_IN_VALUES.search(text):
        raise UnfitError
    return json.loads(text)


def _filled(form: Any, values: Sequence[Any]) -> Any:
    kind = type(form)
    if kind is dict:
        return {key: _filled(child, values) for key, child in form.items()}
    if kind is list:
        return [_filled(child, values) for child in form]
    if kind is _Hole:
        return values[form.number]
    if kind is not _Mapping:
        return form
    filled: dict[str, Any] = {}
    for key, child in form.pairs:
        name = values[key.number] if isinstance(key, _Hole) else key
        if not isinstance(name, str) or len(name) > _LONGEST_KEY or name in filled:
            raise UnfitError
        filled[name] = _filled(child, values)
    return filled
