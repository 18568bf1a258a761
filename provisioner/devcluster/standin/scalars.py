"""Scalars as OpenSearch's parsers take them from JSON: numbers and booleans may be written as strings."""

from __future__ import annotations

import re
from typing import Any

from provisioner.devcluster.standin.errors import OpenSearchError, illegal_argument
from provisioner.devcluster.standin.located import token_of


def text(value: Any) -> str:
    """`parser.text()`. Raises 500 illegal_state_exception for an object, an array or null."""
    match value:
        case str():
            return value
        case bool():
            return str(value).lower()
        case dict() | list() | None:
            reason = f"Can't get text on a {token_of(value)} at 1:1"
            raise OpenSearchError(500, "illegal_state_exception", reason)
        case _:
            return str(value)


def boolean(value: Any) -> bool:
    """`parser.booleanValue()`. Raises 400 for anything but true and false."""
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise illegal_argument(f"Failed to parse value [{text(value)}] as only [true] or [false] are allowed.")


def integer(value: Any) -> int:
    """`parser.intValue()`. Raises 400 for what is no whole number."""
    written = text(value)
    if not re.fullmatch(r"[+-]?[0-9]+(\.0+)?", written):
        raise illegal_argument(f'For input string: "{written}"')
    return int(float(written)) if "." in written else int(written)
