"""RULE006: a throttle of more than a day.

Alerting refuses it (24 hours are the most), so that the monitor can't be made.

Bad:

    throttle: 48h

Good:

    throttle: 24h

To mend it, give 24 hours at most; an alert that was acknowledged is not told again anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provisioner.lints._view import duration
from provisioner.model import Finding
from provisioner.values import each, mapping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.lints import View
    from provisioner.model import Path

CODE = "RULE006"
_DAY = 86_400_000
_HINT = "give 24h at most"


def check(view: View) -> Iterator[Finding]:
    """A finding for each throttle that is too long, of rules, severities and raw monitors."""
    for document in (*view.rules, *view.source.of_kind("severity")):
        for key in ("throttle", "remind"):
            if (duration(document.body.get(key)) or 0) > _DAY:
                message = f"{key!r} is more than a day, and Alerting takes no more"
                yield Finding(CODE, message, document.at((key,)), _HINT)
    for document in view.source.of_kind("raw"):
        if document.body.get("resource") == "monitor":
            for path, minutes in _raw(mapping(document.body.get("body"))):
                message = f"the throttle of {minutes} minutes is more than a day, and Alerting takes no more"
                yield Finding(CODE, message, document.at(("body", *path)), "give 1440 minutes at most")


def _raw(body: dict[str, Any]) -> Iterator[tuple[Path, int]]:
    for index, trigger in enumerate(each(body.get("triggers"))):
        wrapped: list[tuple[Path, dict[str, Any]]] = [
            ((name,), mapping(value)) for name, value in trigger.items() if name.endswith("_trigger")
        ]
        for path, inner in wrapped or [((), trigger)]:
            for number, action in enumerate(each(inner.get("actions"))):
                minutes = mapping(action.get("throttle")).get("value")
                if isinstance(minutes, int) and minutes > _DAY // 60_000:
                    yield ("triggers", index, *path, "actions", number, "throttle", "value"), minutes
