"""RULE001: a rule names a field that no schema has.

The cluster takes such a rule without a word: a query for an unknown field matches nothing, so the rule stays silent for
ever. Fields are those of the `schema` documents, under their own names and under their ECS names.

Bad:

    query: 'category:authentication AND outcome.state:failure'

Good:

    query: 'category:authentication AND outcome.status:failure'

To mend it, correct the name, or give the schema a field for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner import querystring
from provisioner.lints._view import groups, measured, queries
from provisioner.model import Document, Finding, Path
from provisioner.schema import suggest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.lints import View

CODE = "RULE001"
EACH = True
_OWN = frozenset({"_id", "_index", "_exists_"})


def check(view: View) -> Iterator[Finding]:
    """A finding for each unknown field in a rule's queries, groups, sums and counts."""
    known, open_ = view.types, view.open
    if not known:
        return
    for rule in view.rules:
        for field, path, searched in _used(rule):
            if field in known or (searched and (field in _OWN or field.startswith(open_))):
                continue
            if field.startswith(open_):
                message = f"OpenSearch can't group or sum by {field!r}: it is no field, but a name inside of one"
                yield Finding(CODE, message, rule.at(path), "give the schema a field for it")
            else:
                yield Finding(
                    CODE, f"no schema has the field {field!r}", rule.at(path), suggest(field, known, "fields")
                )


def _used(rule: Document) -> Iterator[tuple[str, Path, bool]]:
    """Field, place, and whether it is only searched in, not grouped or summed by."""
    for path, query in queries(rule):
        for field in querystring.fields(query):
            yield field, path, True
    for path, field in groups(rule):
        yield field, path, False
    for path, field, _ in measured(rule):
        yield field, path, False
