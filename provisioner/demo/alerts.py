"""What the cluster itself found: alerts as the Alerting API shows them, and runs of a monitor over times gone by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provisioner.client import path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from provisioner.client import Client
    from provisioner.demo.sshdlog import Pair

_ALERTS = path("_plugins", "_alerting", "monitors", "alerts")
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert; `pair` is the address and user of a brute-force alert, None for other rules; `peak` its count."""

    monitor: str
    state: str
    pair: Pair | None
    peak: int
    started: int  # milliseconds since 1970
    error: str


def alerts(client: Client, monitor_id: str = "") -> list[Alert]:
    """All alerts, current and ended ones, of one monitor or of all."""
    chosen = {"monitorId": monitor_id} if monitor_id else {}
    found: list[Alert] = []
    while True:
        params = {**chosen, "size": _PAGE, "startIndex": len(found), "sortString": "start_time", "sortOrder": "asc"}
        page = client.request("GET", _ALERTS, params=params)["alerts"]
        found += [_alert(shown) for shown in page]
        if len(page) < _PAGE:
            return found


def _alert(shown: dict[str, Any]) -> Alert:
    bucket = (shown.get("agg_alert_content") or {}).get("bucket") or {}
    key = bucket.get("key") or {}
    pair = (
        (str(key["source.ip"]), str(key["actor.username"])) if key.keys() == {"source.ip", "actor.username"} else None
    )
    peak = int((bucket.get("peak") or {}).get("value") or 0)
    error = shown.get("error_message") or ""
    return Alert(shown["monitor_name"], shown["state"], pair, peak, shown.get("start_time") or 0, error)


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
) -> list[str]:
    """Run the monitor as if it were each of the times; alerts and notifications are real. Gives what went wrong."""
    wrong: list[str] = []
    execute = path("_plugins", "_alerting", "monitors", monitor_id, "_execute")
    for done, at in enumerate(times, 1):
        ran = client.request("POST", execute, params={"period_end": f"{at}ms"})
        parts = [ran, ran.get("input_results") or {}, *(ran.get("trigger_results") or {}).values()]
        wrong += [str(part["error"]) for part in parts if part.get("error")]
        progress(done)
    return wrong
