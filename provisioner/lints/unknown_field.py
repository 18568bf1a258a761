"""RULE001: a rule names a field that no schema has.

The cluster takes such a rule without a word: a query for an unknown field matches nothing, so the rule stays silent for
ever. Fields are those of the `schema` documents, under their own names and under their ECS names.

    query: 'category:authentication AND outcome.state:failure'   # there is no outcome.state
    query: 'category:authentication AND outcome.status:failure'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner import querystring
from provisioner.model import Document, Finding, Origin
from provisioner.schema import suggest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.source import Source

CODE = "RULE001"
_OWN = frozenset({"_id", "_index", "_exists_"})


def check(source: Source) -> Iterator[Finding]:
    """A finding for each unknown field in a rule's `query`, `group_by` and `threshold.of`."""
    known, open_ = schema_fields(source)
    if not known:
        return
    for rule in source.of_kind("rule"):
        for field, origin, searched in _used(rule):
            if field in known or (searched and (field in _OWN or field.startswith(open_))):
                continue
            if field.startswith(open_):
                message = f"OpenSearch can't group or sum by {field!r}: it is no field, but a name inside of one"
                yield Finding(CODE, message, origin, "give the schema a field for it")
            else:
                yield Finding(CODE, f"no schema has the field {field!r}", origin, suggest(field, known, "fields"))


def schema_fields(source: Source) -> tuple[set[str], tuple[str, ...]]:
    """All names a field has, and the beginnings of those below a field that holds names of its own."""
    known: set[str] = set()
    open_: list[str] = []
    for schema in source.of_kind("schema"):
        fields = schema.body.get("fields")
        for name, about in fields.items() if isinstance(fields, dict) else ():
            known.add(str(name))
            if isinstance(about, dict):
                known.update(ecs for ecs in [about.get("ecs")] if isinstance(ecs, str))
                if about.get("type") in ("flat_object", "object", "nested"):
                    open_.append(f"{name}.")
    return known, tuple(open_)


def _used(rule: Document) -> Iterator[tuple[str, Origin, bool]]:
    """Field, place, and whether it is only searched in, not grouped or summed by."""
    query = rule.body.get("query")
    if isinstance(query, str):
        for field in querystring.fields(query):
            yield field, rule.at(("query",)), True
    group_by = rule.body.get("group_by")
    for index, field in enumerate(group_by if isinstance(group_by, list) else ()):
        if isinstance(field, str):
            yield field, rule.at(("group_by", index)), False
    threshold = rule.body.get("threshold")
    if isinstance(threshold, dict) and isinstance(threshold.get("of"), str):
        yield threshold["of"], rule.at(("threshold", "of")), False
