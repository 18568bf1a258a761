"""RULE007: the rule can't tell in time.

A severity promises a response time. A rule that runs every half hour, or waits so long for late events or for a
silence, may tell of something only when that time is over. Counted are the schedule, the delay with which events may
arrive, and the silence of an absence rule. A threshold's window is not: the rule fires as soon as its count is
reached.

Bad:

    severity: critical         # response_time: 5m
    schedule: 30m

Good:

    severity: critical
    schedule: 1m

To mend it, run it more often, wait less long for late events, or give it a severity with more time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.lints._view import duration, times
from provisioner.model import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.lints import View

CODE = "RULE007"
EACH = True


def check(view: View) -> Iterator[Finding]:
    """A finding for each rule that needs longer than its severity's response time."""
    allowed = {severity.id: severity.body.get("response_time") for severity in view.source.of_kind("severity")}
    for rule in view.rules:
        limit = duration(allowed.get(str(rule.body.get("severity"))))
        schedule = duration(rule.body.get("schedule"))
        if not limit or not schedule:
            continue
        windows = any(isinstance(value, dict) for value in rule.body.values())
        delay = duration(rule.body.get("delay", "1m" if windows else None)) or 0
        silence = max((length for path, _, length in times(rule, {"for"}) if path[0] == "absence"), default=0)
        needed = schedule + delay + silence
        if needed > limit:
            parts = ["schedule", *["delay"] * bool(delay), *["silence"] * bool(silence)]
            severity = rule.body["severity"]
            message = (
                f"it may take {needed / 60_000:g} minutes to tell ({' + '.join(parts)}), "
                f"and severity {severity!r} has a response time of {allowed[severity]}"
            )
            hint = "run it more often, or give it a severity with more time"
            yield Finding(CODE, message, rule.at(("schedule",)), hint, Severity.WARNING)
