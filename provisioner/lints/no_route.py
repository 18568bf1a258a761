"""SEV001: alerts of a high severity are sent nowhere.

Without `channels` alerts are seen in Dashboards only, by somebody who looks. For the two highest levels, whose response
times are minutes, that is hardly meant.

Bad:

    kind: severity
    id: critical
    level: "1"
    channels: []

Good:

    kind: severity
    id: critical
    level: "1"
    channels: [pagerduty]

To mend it, name a channel, or give it a lower level.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.model import Finding, Severity
from provisioner.schema import show, suggest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.lints import View

CODE = "SEV001"


def check(view: View) -> Iterator[Finding]:
    """A finding for each severity of level 1 or 2 without channels, and for each channel that does not exist."""
    known = {channel.id for channel in view.source.of_kind("channel")}
    known |= {raw.id for raw in view.source.of_kind("raw") if raw.body.get("resource") == "channel"}
    used = {rule.body.get("severity") for rule in view.rules if isinstance(rule.body.get("severity"), str)}
    for severity in view.source.of_kind("severity"):
        channels = severity.body.get("channels")
        if channels == [] and severity.body.get("level") in ("1", "2"):
            message = f"alerts of severity {severity.id!r}, level {severity.body['level']}, are sent nowhere"
            yield Finding(CODE, message, severity.at(("channels",)), "name a channel", Severity.WARNING)
        for index, channel in enumerate(channels if isinstance(channels, list) else ()):
            # A rule that uses the severity says it as REF001.
            if isinstance(channel, str) and channel not in known and severity.id not in used:
                message = f"there is no channel {show(channel)}"
                yield Finding(CODE, message, severity.at(("channels", index)), suggest(channel, known, "there are"))
