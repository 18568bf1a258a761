"""RULE013: a test's event names an event, a rule or a pipeline that is not there.

An event that the catalogue lacks is stored all the same, with that name as its action. So a test that expects silence
passes, whatever the rule does.

Bad:

    tests: [{name: a login is no lockout, events: [{event: login_suceeded}], expect: []}]

Good:

    tests: [{name: a login is no lockout, events: [{event: login_succeeded}], expect: []}]

To mend it, correct the id, or write the event into the catalogue. What nobody logs is `set: {action: x}`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provisioner.model import Finding, Severity
from provisioner.schema import suggest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.lints import View
    from provisioner.model import Path

CODE = "RULE013"
_KINDS = {"event": "event", "rule": "rule", "pipeline": "ingest_pipeline"}


def check(view: View) -> Iterator[Finding]:
    """A finding at each id in the events of a rule's tests that leads nowhere."""
    known = {key: [document.id for document in view.source.of_kind(kind)] for key, kind in _KINDS.items()}
    for rule in view.rules:
        for path, key, id_ in _named(rule.body.get("tests")):
            if id_ not in known[key]:
                kind = _KINDS[key].replace("_", " ")
                hint = suggest(id_, known[key], f"{kind}s")
                yield Finding(CODE, f"there is no {kind} {id_!r}", rule.at(path), hint, Severity.WARNING)


def _named(tests: Any) -> Iterator[tuple[Path, str, str]]:
    for number, test in enumerate(tests if isinstance(tests, list) else ()):
        events = test.get("events") if isinstance(test, dict) else None
        for place, event in enumerate(events if isinstance(events, list) else ()):
            for key in _KINDS.keys() & event.keys() if isinstance(event, dict) else ():
                if isinstance(event[key], str):
                    yield ("tests", number, "events", place, key), key, event[key]
