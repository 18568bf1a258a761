"""MON001: more monitors, or more triggers or queries in one, than Alerting can deal with.

Alerting takes 1,000 monitors (`plugins.alerting.monitor.max_monitors`) and ten triggers in each. An apply would end in
the middle, with some rules in place and others not. And up to OpenSearch 3.6 a run of a doc-level monitor reports the
documents of ten queries at most; what its other queries match in that run is lost without a word.

Bad:

    kind: raw
    resource: monitor
    body: {name: a, triggers: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]}   # eleven

Good:

    kind: raw
    resource: monitor
    body: {name: a, triggers: [1, 2, 3, 4, 5]}

To mend it, split the monitor. Rules of type match share monitors, so make rules over single events such; or raise the
server's limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.model import Finding, Severity
from provisioner.values import each, mapping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.lints import View
    from provisioner.model import Resource

CODE = "MON001"
MONITORS = 1_000
TRIGGERS = 10
QUERIES = 10


def check(view: View) -> Iterator[Finding]:
    """A finding at the first monitor too many, and one for each with too many triggers or queries."""
    monitors = [resource for resource in view.resources if resource.kind == "monitor"]
    if len(monitors) > MONITORS:
        message = f"{len(monitors):,} monitors are more than the {MONITORS:,} that Alerting takes, unless it is told to"
        hint = "raise plugins.alerting.monitor.max_monitors, or write match rules: those share monitors"
        yield Finding(CODE, message, monitors[MONITORS].origin, hint, Severity.WARNING)
    for monitor in monitors:
        triggers = monitor.body.get("triggers")
        if isinstance(triggers, list) and len(triggers) > TRIGGERS:
            place = monitor.document.at(("body", "triggers")) if monitor.document else monitor.origin
            message = f"monitor {monitor.key!r} has {len(triggers)} triggers, and Alerting takes {TRIGGERS}"
            yield Finding(CODE, message, place, "split it")
        yield from _queries(monitor)


def _queries(monitor: Resource) -> Iterator[Finding]:
    for number, entry in enumerate(each(monitor.body.get("inputs"))):
        queries = each(mapping(entry.get("doc_level_input")).get("queries"))
        if len(queries) > QUERIES:
            where = ("body", "inputs", number, "doc_level_input", "queries")
            place = monitor.document.at(where) if monitor.document else monitor.origin
            message = f"monitor {monitor.key!r} has {len(queries)} queries: of a run that matches more than {QUERIES}, "
            message += "Alerting loses the others (up to 3.6)"
            yield Finding(CODE, message, place, "split it, or write match rules", Severity.WARNING)
