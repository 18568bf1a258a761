"""What the cluster itself found: alerts as the Alerting API shows them, and runs of a monitor over times gone by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from provisioner.client import path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from provisioner.client import Client
    from provisioner.demo.sshdlog import Pair

_ALERTS = path("_plugins", "_alerting", "monitors", "alerts")
_PAGE = 1000
_MOST = 10_000  # index.max_result_window
_KEYS = {"source.ip", "actor.username"}


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert.

    `monitor` names the rule. `pair` is the address and user of an alert about such a pair, None for others; `peak` the
    largest number of events inside one window that the latest run of its state saw; `started` is in milliseconds since
    1970; `about` is what it is about: an event, a group of events, or neither (something that is missing).
    """

    monitor: str
    state: str
    pair: Pair | None
    peak: int
    started: int
    error: str
    about: str = "alert"


@dataclass(slots=True)
class Runs:
    """What runs over times gone by found: the largest count of each pair, and what went wrong."""

    peaks: dict[Pair, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


def alerts(client: Client, monitor_id: str = "") -> list[Alert]:
    """Alerts, current and ended ones, of one monitor or of all: the oldest 10,000, for more can't be paged through."""
    chosen = {"monitorId": monitor_id} if monitor_id else {}
    found: list[Alert] = []
    while True:
        params = {**chosen, "size": _PAGE, "startIndex": len(found), "sortString": "start_time", "sortOrder": "asc"}
        page = client.request("GET", _ALERTS, params=params)["alerts"]
        found += [_alert(shown) for shown in page]
        if len(page) < _PAGE or len(found) >= _MOST:
            return found


def _alert(shown: dict[str, Any]) -> Alert:
    error = shown.get("error_message") or ""
    # Match rules share monitors: it is the trigger that tells the rule.
    rule = str(shown.get("trigger_id") or "").replace(":", "-", 1) if ":" in str(shown.get("trigger_id")) else ""
    name, started = rule or shown["monitor_name"], shown.get("start_time") or 0
    return Alert(name, shown["state"], _pair(shown), _peak(shown), started, error, _about(shown))


def _pair(shown: dict[str, Any]) -> Pair | None:
    """The pair that an alert, or a bucket of a run, is about; None where it is grouped otherwise."""
    key = _bucket(shown).get("key") or {}
    return (str(key["source.ip"]), str(key["actor.username"])) if key.keys() == _KEYS else None


def _peak(shown: dict[str, Any]) -> int:
    return int((_bucket(shown).get("peak") or {}).get("value") or 0)


def _about(shown: dict[str, Any]) -> str:
    return "group" if _bucket(shown) else "event" if shown.get("related_doc_ids") else "alert"


def _bucket(shown: dict[str, Any]) -> dict[str, Any]:
    return (shown.get("agg_alert_content") or {}).get("bucket") or {}


def pairs(found: Iterable[Alert]) -> dict[Pair, int]:
    """The pairs among alerts, each with the largest count that an alert shows."""
    peaks: dict[Pair, int] = {}
    for alert in found:
        if alert.pair and alert.state != "ERROR":
            peaks[alert.pair] = max(alert.peak, peaks.get(alert.pair, 0))
    return peaks


def run_times(client: Client, stream: str, query: str, step: int) -> list[int]:
    """When a monitor that runs every `step` milliseconds would have run right after an event that the query finds.

    Milliseconds since 1970, in order. At most 65,535 (the cluster's limit of buckets).
    """
    histogram = {"field": "@timestamp", "fixed_interval": f"{step}ms", "min_doc_count": 1}
    body = {
        "size": 0,
        "query": {"bool": {"filter": [{"query_string": {"query": query}}]}},
        "aggs": {"slots": {"date_histogram": histogram}},
    }
    answer = client.request("POST", path(stream, "_search"), body)
    return [bucket["key"] + step for bucket in answer["aggregations"]["slots"]["buckets"]]


def run_over(
    client: Client, monitor_id: str, times: Sequence[int], progress: Callable[[int], None] = lambda _: None
) -> Runs:
    """Run the monitor as if it were each of the times; alerts and notifications are real."""
    done = Runs()
    execute = path("_plugins", "_alerting", "monitors", monitor_id, "_execute")
    for number, at in enumerate(times, 1):
        ran = client.request("POST", execute, params={"period_end": f"{at}ms"})
        triggers = (ran.get("trigger_results") or {}).values()
        parts = [ran, ran.get("input_results") or {}, *triggers]
        done.errors += [str(part["error"]) for part in parts if part.get("error")]
        for trigger in triggers:
            for bucket in (trigger.get("agg_result_buckets") or {}).values():
                if pair := _pair(bucket):
                    done.peaks[pair] = max(_peak(bucket), done.peaks.get(pair, 0))
        progress(number)
    return done
