"""RULE001: a rule names a field that no schema has.

The cluster takes such a rule without a word: a query for an unknown field matches nothing, so the rule stays silent for
ever. Fields are those of the `schema` documents, under their own names and under their ECS names.

    query: 'category:authentication AND outcome.state:failure'   # there is no outcome.state
    query: 'category:authentication AND outcome.status:failure'
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from provisioner.model import Document, Finding, Origin
from provisioner.schema import suggest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from provisioner.source import Source

CODE = "RULE001"
_OWN = frozenset({"_id", "_index", "_exists_"})
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|/(?:[^/\\]|\\.)*/|(?P<word>(?:\\.|[\w@.])(?:\\.|[\w@.\-])*)(?P<colon>\s*:)?|\S')
_FIELD = re.compile(r"[A-Za-z_@][\w@.\-]*")  # neither the hour in a range's date nor a wildcard
_EXISTS = re.compile(r"\s*([A-Za-z_@][\w@.\-]*)")


def check(source: Source) -> Iterator[Finding]:
    """A finding for each unknown field in a rule's `query`, `group_by` and `threshold.of`."""
    known, open_ = _fields(source)
    if not known:
        return
    for rule in source.of_kind("rule"):
        for field, origin in _used(rule):
            if field not in known and field not in _OWN and not field.startswith(open_):
                yield Finding(CODE, f"no schema has the field {field!r}", origin, suggest(field, known, "fields"))


def _fields(source: Source) -> tuple[set[str], tuple[str, ...]]:
    """All names a field has, and the beginnings of those below a field that holds names of its own."""
    known: set[str] = set()
    open_: list[str] = []
    for schema in source.of_kind("schema"):
        fields = schema.body.get("fields")
        for name, about in fields.items() if isinstance(fields, dict) else ():
            known.add(name)
            if isinstance(about, dict):
                known.update(filter(None, [about.get("ecs")]))
                if about.get("type") in ("flat_object", "object", "nested"):
                    open_.append(f"{name}.")
    return known, tuple(open_)


def _used(rule: Document) -> Iterator[tuple[str, Origin]]:
    query = rule.body.get("query")
    if isinstance(query, str):
        for field in query_fields(query):
            yield field, rule.at(("query",))
    group_by = rule.body.get("group_by")
    for index, field in enumerate(group_by if isinstance(group_by, list) else ()):
        if isinstance(field, str):
            yield field, rule.at(("group_by", index))
    threshold = rule.body.get("threshold")
    if isinstance(threshold, dict) and isinstance(threshold.get("of"), str):
        yield threshold["of"], rule.at(("threshold", "of"))


def query_fields(query: str) -> Collection[str]:
    """The fields that a query string names (`field:`, `_exists_:field`); quoted text and regexes are skipped."""
    found: dict[str, None] = {}
    for match in _TOKEN.finditer(query):
        field = match["word"] if match["colon"] and _FIELD.fullmatch(match["word"]) else None
        if field == "_exists_":
            named = _EXISTS.match(query, match.end())
            field = named[1] if named else None
        if field:
            found[field] = None
    return found
