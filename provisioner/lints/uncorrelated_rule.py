"""RULE012: a correlation runs what has no monitor for it.

A correlation becomes a workflow, which runs a monitor for each of its rules. A match rule shares its monitor with
others, and fires only in the one run that finds the event; a correlation is no monitor; a raw monitor is no rule. The
apply would end when it comes to the workflow.

Bad:

    {kind: rule, id: log-cleared, type: match, query: 'action:log_cleared'}
    ---
    {kind: rule, id: both, type: correlation, correlation: {rules: [password-spraying, log-cleared]}}

Good:

    {kind: rule, id: log-cleared, type: threshold, query: 'action:log_cleared', threshold: {count: 1, within: 15m}}
    ---
    {kind: rule, id: both, type: correlation, correlation: {rules: [password-spraying, log-cleared]}}

To mend it, make the rule a threshold of one event: `within` says for how long it then counts. A correlation of
correlations names all their rules itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.mentions import mentions
from provisioner.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.lints import View

CODE = "RULE012"


def check(view: View) -> Iterator[Finding]:
    """A finding at each rule of a correlation that no monitor stands for."""
    made = {resource.ref for resource in view.resources}
    for resource in view.resources:
        if resource.kind != "workflow" or resource.document is None or resource.document.kind != "rule":
            continue
        rule = resource.document
        missing = {name for kind, name in mentions("workflow", resource.body) - made if kind == "monitor"}
        for index, id_ in enumerate(rule.body.get("correlation", {}).get("rules", ())):
            if f"{resource.key}-{id_}" in missing:
                message = f"{rule.id!r} can't run {id_!r}: it {_why(view, id_)}"
                hint = "make it a threshold rule with `count: 1`, which fires for as long as `within` says"
                yield Finding(CODE, message, rule.at(("correlation", "rules", index)), hint)


def _why(view: View, id_: str) -> str:
    rule = view.source.documents.get(("rule", id_))
    type_ = rule.body.get("type") if rule else "raw"
    return {"match": "shares its monitor with other match rules", "correlation": "is a correlation itself"}.get(
        str(type_), "has no monitor of a rule"
    )
