"""RULE005: the rule looks back further than its logs are kept.

What retention has deleted can't be counted: a baseline of 90 days over logs that are kept for 30 is one of 30 days,
and an event that was last seen before that looks new.

Bad:

    log_type: network          # kept for 30 days: retention's `cold: 30d`
    new_value: {baseline: 90d}

Good:

    log_type: network
    new_value: {baseline: 14d}

To mend it, look back less far, or keep the logs for longer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.lints._view import duration, times
from provisioner.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.lints import View

CODE = "RULE005"
EACH = True
_WINDOWS = frozenset({"within", "for", "seen_within", "baseline"})


def check(view: View) -> Iterator[Finding]:
    """A finding for each window that is longer than the retention of the rule's log type."""
    kept: dict[str, int] = {}
    for retention in view.source.of_kind("retention"):
        term = duration(retention.body.get("cold"))
        log_type = retention.body.get("log_type")
        if term and isinstance(log_type, str):
            kept[log_type] = min(term, kept.get(log_type, term))
    for rule in view.rules:
        log_type = rule.body.get("log_type")
        term = kept.get(log_type) if isinstance(log_type, str) else None
        if term is None:
            continue
        for path, text, length in times(rule, _WINDOWS):
            if length > term:
                message = f"{path[-1]!r} looks back {text}, and {log_type} logs are kept for {term / 86_400_000:g} days"
                yield Finding(CODE, message, rule.at(path), "look back less far, or keep the logs for longer")
