"""Where in a JSON text a value stands: OpenSearch's parsers name line and column of an unexpected token."""

from __future__ import annotations

import json
from typing import Any

from provisioner.devcluster.standin.errors import OpenSearchError

Path = tuple[str | int, ...]

_WHITESPACE = " \t\n\r"
_decoder = json.JSONDecoder()


class UnexpectedTokenError(Exception):
    """At `path` stands another kind of JSON value than `expected` (a token's name: START_OBJECT, START_ARRAY, …)."""

    def __init__(self, expected: str, found: Any, path: Path) -> None:
        super().__init__(f"expected {expected} at {path}")
        self.expected = expected
        self.found = found
        self.path = path

    def as_error(self, text: str) -> OpenSearchError:
        """The parsing_exception (400) that `XContentParserUtils.ensureExpectedToken` gives for this JSON text."""
        line, col = locate(text, self.path)
        reason = f"Failed to parse object: expecting token of type [{self.expected}] but found [{token_of(self.found)}]"
        return OpenSearchError(400, "parsing_exception", reason, line=line, col=col)


def token_of(value: Any) -> str:
    """The name of the parser token with which a JSON value starts."""
    match value:
        case None:
            return "VALUE_NULL"
        case bool():
            return "VALUE_BOOLEAN"
        case str():
            return "VALUE_STRING"
        case dict():
            return "START_OBJECT"
        case list():
            return "START_ARRAY"
        case _:
            return "VALUE_NUMBER"


def expect_object(value: Any, path: Path) -> dict[str, Any]:
    """The value as an object. Raises UnexpectedTokenError when it is none."""
    if not isinstance(value, dict):
        raise UnexpectedTokenError("START_OBJECT", value, path)
    return value


def expect_array(value: Any, path: Path) -> list[Any]:
    """The value as an array. Raises UnexpectedTokenError when it is none."""
    if not isinstance(value, list):
        raise UnexpectedTokenError("START_ARRAY", value, path)
    return value


def locate(text: str, path: Path) -> tuple[int, int]:
    """Line and column, both from 1, where the value at `path` starts in a valid JSON text."""
    at = _skip(text, 0)
    for step in path:
        at = _child(text, at, step)
    line = text.count("\n", 0, at) + 1
    return line, at - (text.rfind("\n", 0, at) + 1) + 1


def _child(text: str, at: int, step: str | int) -> int:
    """The start of one member of the object or array that starts at `at`."""
    number = 0
    at = _skip(text, at + 1)
    while text[at] not in "]}":
        key: str | int = number
        if isinstance(step, str):
            key, at = _decoder.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)
        if key == step:
            return at
        _, at = _decoder.raw_decode(text, at)
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)
        number += 1
    raise KeyError(step)


def _skip(text: str, at: int) -> int:
    while text[at] in _WHITESPACE:
        at += 1
    return at
