"""Query strings (Lucene's syntax, as `query_string` takes it), taken apart as far as checks and templates need."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

# Runs of plain characters are taken at once, and never given back: rules by the thousand have a million of them.
_QUOTED = r'"(?:[^"\\]++|\\.)*+"|/(?:[^/\\]++|\\.)*+/'
_WORD = r"(?:\\.|[\w@.])(?:[\w@.\-]++|\\.)*+"
_NEXT_FIELD = re.compile(
    rf"(?:{_QUOTED}|{_WORD}(?!\s*:)|[^\w@.\\]|\\(?!.))*+(?:({_WORD})\s*:|\Z)"  # it finds the end at last, never nothing
)
_FIELD = re.compile(r"[A-Za-z_@][\w@.\-]*")  # neither the hour in a range's date nor a wildcard
_EXISTS = re.compile(r"\s*([A-Za-z_@][\w@.\-]*)")

_PART = re.compile(_QUOTED + r'|[\[{][^\]}]*[\]}]|[()]|(?:[^\s()\[\]{}"/\\]++|\\.|\\)++|\S')
_NAMED = re.compile(r"((?:\\.|[^:\\])+):(.*)")
_SIGNS = frozenset('+-!"/[{()}]^~:')
_JOINING = frozenset({"AND", "OR", "&&", "||"})
_OPERATORS = frozenset({"", "AND", "OR", "NOT", "&&", "||"})


@lru_cache(maxsize=16_384)
def fields(query: str) -> Collection[str]:
    """The fields that a query string names (`field:`, `_exists_:field`); quoted text and regexes are skipped."""
    found: dict[str, None] = {}
    for match in _NEXT_FIELD.finditer(query):
        field = match[1] if match[1] and _FIELD.fullmatch(match[1]) else None
        if field == "_exists_":
            named = _EXISTS.match(query, match.end())
            field = named[1] if named else None
        if field:
            found[field] = None
    return tuple(found)


class Term(NamedTuple):
    """One term: the text before its colon as written (None: it names no field), and what is looked for.

    Inside `field:(...)` every term has that field. `spaced`: a space stands before the colon. `negated`: a NOT, `-` or
    `!` stands before it, or before the group that it is in.
    """

    field: str | None
    text: str
    spaced: bool = False
    negated: bool = False


def terms(query: str) -> Iterator[Term]:
    """Every term in order; a field whose value is a group or in quotes comes with each of its values."""
    groups: list[tuple[str | None, bool]] = [(None, False)]
    field: str | None = None  # named, its value still to come
    negated = False  # said of what comes next
    parts = _PART.findall(query)
    for part, following in zip(parts, [*parts[1:], ""], strict=False):
        if part in _JOINING:
            continue
        if part[0] not in _SIGNS:  # most parts: the rest of the loop would say the same of them
            name, colon, value = part.partition(":")
            if value and "\\" not in name:
                yield Term(name, value, False, negated ^ groups[-1][1])
                negated = False
                continue
            if not colon and part != "NOT" and following[:1] != ":":
                yield Term(field or groups[-1][0], part, False, negated ^ groups[-1][1])
                field, negated = None, False
                continue
        word = part.lstrip("+-!")
        named = _NAMED.fullmatch(word) if ":" in word else None
        negated ^= part[0] in "-!" or word == "NOT"
        if part == "(":
            groups.append((field or groups[-1][0], negated ^ groups[-1][1]))
            field, negated = None, False
        elif part == ")":
            del groups[max(1, len(groups) - 1) :]
        elif word in _OPERATORS or word == ":":
            continue
        elif word[0] in "^~:":  # a boost, a distance; the value after a space and a colon
            field = None
        elif following.startswith(":") and not named:
            yield Term(word, following[1:], spaced=True, negated=negated ^ groups[-1][1])
            field = word
        elif named and not named[2] and part[0] not in '"/[{':
            field = named[1]
        elif named and part[0] not in '"/[{':
            yield Term(named[1], named[2], negated=negated ^ groups[-1][1])
            negated = False
        else:
            yield Term(field or groups[-1][0], word, negated=negated ^ groups[-1][1])
            field, negated = None, False
