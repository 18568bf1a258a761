"""EVT001: an event of the catalogue that no rule watches.

Systems go to the trouble of logging it, with a severity that says that it matters, and nobody is told when it happens.
An event is watched by a rule whose query names it as `action`. Events of severity info are logged for the record.

Bad:

    kind: event
    id: log_cleared            # no rule has `action:log_cleared`
    severity: critical

Good:

    kind: event
    id: session_limit_reached
    severity: low
    watch: none
    description: Happens every day; it is looked up after other alerts.

To mend it, write a rule, or say `watch: none` and why in its description.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner import watching
from provisioner.model import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.lints import View

CODE = "EVT001"
ALL = True


def check(view: View) -> Iterator[Finding]:
    """A finding for each event that matters and that no rule looks for; none where there are no rules at all."""
    rules = [rule for rule in view.rules if isinstance(rule.body.get("log_type"), str)]
    events = [event for event in view.source.of_kind("event") if isinstance(event.body.get("log_type"), str)]
    for event in watching.unwatched(rules, events) if rules else ():
        if event.body.get("severity") != "info":
            hint = f"write a rule with `action:{event.id}`, or say `watch: none` and why"
            yield Finding(CODE, f"no rule watches the event {event.id!r}", event.origin, hint, Severity.WARNING)
    for event in view.source.of_kind("event"):
        if event.body.get("watch") == "none" and not event.body.get("description"):
            message = f"the event {event.id!r} says `watch: none`, and not why"
            yield Finding(CODE, message, event.at(("watch",)), "say it in its description", Severity.WARNING)
