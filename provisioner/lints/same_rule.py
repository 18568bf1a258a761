"""RULE010: two rules have the same title, or look for the same.

Two alerts with one title can't be told apart in a message. Two rules that differ in nothing but their names tell
everything twice, and when one is tuned the other one goes on firing.

Bad:

    {kind: rule, id: a, title: Account lockout, type: match, query: 'action:account_lockout'}
    ---
    {kind: rule, id: b, title: Account lockout, type: match, query: 'action:account_lockout'}

Good:

    {kind: rule, id: a, title: Account lockout, type: match, query: 'action:account_lockout'}

To mend it, give the later one another title, or take it out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provisioner.model import Finding, Severity
from provisioner.schema import show

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from provisioner.lints import View
    from provisioner.model import Document

CODE = "RULE010"
ALL = True
_NAMES = frozenset(
    {"title", "description", "tests", "runbook", "false_positives", "attack", "references", "tags", "severity"}
    | {"origin", "schedule", "enabled", "throttle", "remind", "delay"}
)
"""What does not decide which events a rule fires for."""


def check(view: View) -> Iterator[Finding]:
    """A finding at the later one of each two rules with one title, or with all that decides what they find."""
    titles: dict[str, Document] = {}
    found: dict[Hashable, Document] = {}
    for rule in view.rules:
        title = rule.body.get("title")
        if isinstance(title, str):
            first = titles.setdefault(title.casefold(), rule)
            if first is not rule:
                message = f"rule {first.id!r} at {first.origin} has the title {show(title)} already"
                yield Finding(CODE, message, rule.at(("title",)), "give one of them another title", Severity.WARNING)
        if not isinstance(rule.body.get("type"), str):
            continue
        essence = _frozen({key: value for key, value in rule.body.items() if key not in _NAMES})
        first = found.setdefault(essence, rule)
        if first is not rule:
            message = f"rule {first.id!r} at {first.origin} looks for the same"
            path = ("query",) if "query" in rule.body else ()
            yield Finding(CODE, message, rule.at(path), "take one of them out", Severity.WARNING)


def _frozen(value: Any) -> Hashable:
    if isinstance(value, dict):
        return frozenset((str(key), _frozen(child)) for key, child in value.items())
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    return " ".join(value.split()) if isinstance(value, str) else repr(value)
