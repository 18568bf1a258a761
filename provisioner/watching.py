"""Which events of the catalogue a rule watches: told by the values of `action` that its queries look for. Pure."""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING, Any

from provisioner import querystring

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from provisioner.model import Document

_FIELDS = frozenset({"action", "event.action"})
"""The field that names an event, and its name in ECS."""
_QUERIES = frozenset({"query", "of"})
_APART = frozenset({"tests", "description", "origin"})


def queries(rule: Document) -> Iterator[str]:
    """All query strings of a rule, whatever its type: its own, its steps', a ratio's, those in a raw body."""
    yield from _strings({key: value for key, value in rule.body.items() if key not in _APART})


def watched(rule: Document, events: Iterable[Document]) -> Iterator[Document]:
    """The events of the rule's log type whose action one of its queries asks for, by name, wildcard or regex.

    A query that names no action watches none: nobody meant that event when it was written.
    """
    patterns = _patterns(rule)
    for event in events:
        if event.body["log_type"] == rule.body["log_type"] and any(each.fullmatch(event.id) for each in patterns):
            yield event


def unwatched(rules: Iterable[Document], events: Collection[Document]) -> list[Document]:
    """The events that no rule watches, but for those whose document says `watch: none`."""
    seen = {event.id for rule in rules for event in watched(rule, events)}
    return [event for event in events if event.id not in seen and event.body.get("watch") != "none"]


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if isinstance(inner, dict | list):
                yield from _strings(inner)
            elif name in _QUERIES and isinstance(inner, str):
                yield inner
    elif isinstance(value, list):
        for inner in value:
            if isinstance(inner, dict | list):
                yield from _strings(inner)


def _patterns(rule: Document) -> list[re.Pattern[str]]:
    found = [_pattern(term.text) for query in queries(rule) for term in _terms(query)]
    return [each for each in found if each] + [re.compile(re.escape(value)) for value in _exact(rule.body)]


def _terms(query: str) -> Iterator[querystring.Term]:
    if "action" in query:  # few of thousands of queries do; taking one apart takes time
        yield from (term for term in querystring.terms(query) if term.field in _FIELDS and not term.negated)


def _pattern(text: str) -> re.Pattern[str] | None:
    """A term's value as a regular expression; None for what stands for any value, and for a regex we can't read."""
    if text[:1] == "/" and text[-1:] == "/":
        try:
            return re.compile(text[1:-1])
        except re.error:
            return None
    if text[:1] == '"':
        return re.compile(re.escape(text.strip('"').replace("\\", "")))
    if text.strip("*") == "":
        return None
    return re.compile(fnmatch.translate(text.replace("\\", "").replace("[", "[[]")))


def _exact(value: Any) -> Iterator[str]:
    """Values of `action` in the query DSL of a raw body: term, terms, match and match_phrase."""
    if isinstance(value, list):
        for inner in value:
            if isinstance(inner, dict | list):
                yield from _exact(inner)
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        if name in ("term", "terms", "match", "match_phrase") and isinstance(inner, dict):
            yield from _named(inner)
        elif isinstance(inner, dict | list) and name not in ("must_not", *_APART):
            yield from _exact(inner)


def _named(clause: Mapping[str, Any]) -> Iterator[str]:
    for field in _FIELDS & clause.keys():
        value = clause[field]
        if isinstance(value, dict):
            value = value.get("value", value.get("query"))
        yield from (str(each) for each in (value if isinstance(value, list) else [value]))
