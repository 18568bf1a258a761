"""RULE002: Alerting can't run this query for single documents, so the rule would stay silent for ever.

A match rule becomes a document-level monitor. For it Alerting gives every field a longer name, in its own index as in
the text of the query, by replacing `field:` wherever that stands (DocLevelMonitorQueries.doIndexAllQueries); a query
that then names something else is dropped, and only the server's log tells. So every term needs a field of the schema,
in full and directly before its colon; fields below a `flat_object` can't be searched; and a phrase must not hold a
field and a colon.

Bad:

    type: match
    query: 'lockout AND action :account_lockout AND labels.team:red AND details.*:root'

Good:

    type: match
    query: 'message:lockout AND action:account_lockout'

To mend it, name each field in full, or make it a threshold rule with `count: 1`: that one searches as usual.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.model import Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from provisioner.lints import View
    from provisioner.querystring import Term

CODE = "RULE002"
EACH = True
_PHRASES = frozenset({'"', "/"})


def check(view: View) -> Iterator[Finding]:
    """A finding for each term of a match rule's query that a document-level monitor can't look for."""
    plain = {name for name in view.types if not name.startswith(view.open) and "*" not in name and "?" not in name}
    plain.discard("_exists_")
    for rule in view.rules:
        query = rule.body.get("query")
        if rule.body.get("type") != "match" or not isinstance(query, str):
            continue
        odd = (t for t in view.terms(query) if t.field not in plain or t.spaced or t.text[:1] in _PHRASES)
        for message, hint in _wrong(odd, view.types, view.open):
            yield Finding(CODE, message, rule.at(("query",)), hint)


def _wrong(terms: Iterable[Term], known: Collection[str], open_: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for term in terms:
        field = term.text if term.field == "_exists_" else term.field
        if field is None:
            yield f"{term.text!r} is looked for in no field", f"name one: `message:{term.text}`"
        elif term.spaced:
            yield f"a space stands before the colon of {field!r}", f"write `{field}:` without it"
        elif (field, term.text) != ("*", "*") and ("*" in field or "?" in field):
            yield f"{field!r} stands for several fields", "name each of them, with OR between"
        elif field.startswith(open_):
            yield _below(field)
        if term.text[:1] in _PHRASES and (named := _named_in(term, known)):
            hint = "leave that part of the phrase out, or use a threshold rule with `count: 1`"
            yield f"the phrase {term.text} holds a field and a colon, `{named}:`", hint


def _below(field: str) -> tuple[str, str]:
    hint = "use a threshold rule with `count: 1`, or give the schema a field for it"
    return f"a match rule can't look into {field.partition('.')[0]!r}, where {field!r} is", hint


def _named_in(term: Term, known: Collection[str]) -> str | None:
    if ":" not in term.text:
        return None
    return next((name for name in sorted(known) if f"{name}:" in term.text), None)
