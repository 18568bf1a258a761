"""The conditions of chained alert triggers, `monitor[id=a] && !monitor[id=b]`, as Alerting reads them. Pure.

`!` binds strongest. `&&` and `||` bind alike and are taken from left to right: `a || b && c` is `(a || b) && c`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_TOKEN = re.compile(r"\s*(?:(?P<sign>\(|\)|&&|\|\||!)|monitor\[id=(?P<monitor>[^\]]+)\])\s*")


def holds(condition: str, raised: Collection[str]) -> bool:
    """Whether it holds when these monitors raised alerts. Raises ValueError where it can't be read."""
    tokens = [*_tokens(condition), ""]
    value = _chain(tokens, raised)
    if tokens != [""]:
        raise ValueError(f"unexpected {tokens[0].removeprefix('@')!r} in the condition {condition!r}")
    return value


def _tokens(condition: str) -> Iterator[str]:
    """Signs as they are, monitors with an `@`."""
    at = 0
    while at < len(condition):
        match = _TOKEN.match(condition, at)
        if match is None:
            raise ValueError(f"can't read {condition[at:]!r} in the condition {condition!r}")
        yield match["sign"] or f"@{match['monitor'].strip()}"
        at = match.end()


def _chain(tokens: list[str], raised: Collection[str]) -> bool:
    value = _one(tokens, raised)
    while tokens[0] in ("&&", "||"):
        both = tokens.pop(0) == "&&"
        other = _one(tokens, raised)
        value = (value and other) if both else (value or other)
    return value


def _one(tokens: list[str], raised: Collection[str]) -> bool:
    first = tokens.pop(0) if tokens[0] else ""
    if first == "!":
        return not _one(tokens, raised)
    if first == "(":
        value = _chain(tokens, raised)
        if tokens.pop(0) != ")":
            raise ValueError("a parenthesis of the condition is not closed")
        return value
    if not first.startswith("@"):
        raise ValueError(f"the condition has no monitor before {first or 'its end'!r}")
    return first[1:] in raised
