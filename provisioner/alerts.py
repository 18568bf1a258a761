"""Alerts of our rules, and their acknowledgement by the Alerting plugin. An edge: it asks a client.

One list holds the alerts of monitors and of workflows. Only an active one can be acknowledged; an acknowledged one
sends nothing more until its condition is over, and then completes by itself.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provisioner.client import path
from provisioner.errors import ApiError
from provisioner.marks import triggers
from provisioner.values import each

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from provisioner.client import Client
    from provisioner.model import Body

_MOST = 10_000
"""The largest size that the list takes."""
_AT_ONCE = 500
_GONE = "its monitor is gone"


@dataclass(frozen=True, slots=True)
class Alert:
    """An active alert. `of` is the id of its monitor, or with `chained` of its workflow; `started` milliseconds since
    1970; `about` the values that its rule groups by, or the documents that it found."""

    id: str
    rule: str
    of: str
    chained: bool
    severity: str
    started: int
    about: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an alert: acknowledged where there is no `error`, the plugin's words."""

    alert: Alert
    error: str = ""


def active(client: Client, owner: str) -> tuple[list[Alert], bool]:
    """The active alerts of an owner's rules, the oldest first, and whether there may be more than one answer holds."""
    params = {"alertState": "ACTIVE", "size": _MOST, "sortString": "start_time", "sortOrder": "asc"}
    answer = client.request("GET", path("_plugins", "_alerting", "monitors", "alerts"), params=params)
    listed = each(answer.get("alerts"))
    made = (_alert(shown) for shown in listed if str(shown.get("trigger_id", "")).startswith(f"{owner}:"))
    return list(made), len(listed) >= _MOST


def _alert(shown: Body) -> Alert:
    bucket: dict[str, Any] = shown.get("agg_alert_content") or {}
    about = bucket.get("bucket_keys") or shown.get("related_doc_ids") or ()
    return Alert(
        shown["id"],
        shown["trigger_id"].partition(":")[2],
        shown["monitor_id"] or shown["workflow_id"],
        not shown["monitor_id"],
        str(shown["severity"]),
        int(shown["start_time"]),
        tuple(map(str, about)),
    )


def rules(client: Client, owner: str) -> set[str]:
    """The ids of all rules that an owner has in the cluster, by their triggers."""
    query = {"size": _MOST, "query": {"match_all": {}}}
    answer = client.request("POST", path("_plugins", "_alerting", "monitors", "_search"), query, safe=True)
    bodies = (hit["_source"] for hit in answer["hits"]["hits"])
    monitors = (body.get("monitor") or body.get("workflow") or body for body in bodies)
    found = (mark.partition(":") for monitor in monitors for mark in triggers(monitor))
    return {rule for whose, _, rule in found if whose == owner}


def acknowledge(client: Client, alerts: Iterable[Alert]) -> Iterator[list[Answer]]:
    """Acknowledge them, those of one monitor at once; what became of each. Twice does no harm.

    Raises ProvisionerError: what was given before it is done.
    """
    groups: dict[tuple[str, bool], list[Alert]] = defaultdict(list)
    for alert in alerts:
        groups[alert.of, alert.chained].append(alert)
    for (id_, chained), group in groups.items():
        for begin in range(0, len(group), _AT_ONCE):
            yield _acknowledged(client, id_, chained, group[begin : begin + _AT_ONCE])


def _acknowledged(client: Client, id_: str, chained: bool, alerts: list[Alert]) -> list[Answer]:
    url = path("_plugins", "_alerting", "workflows" if chained else "monitors", id_, "_acknowledge", "alerts")
    try:
        answer = client.request("POST", url, {"alerts": [alert.id for alert in alerts]})
    except ApiError as error:
        if error.status != 404:
            raise
        return [Answer(alert, _GONE) for alert in alerts]
    failed = {name: said["failed_reason"] for entry in answer["failed"] for name, said in entry.items()}
    done = set(answer["success"])
    return [
        Answer(alert, "" if alert.id in done else failed.get(alert.id, "the plugin says nothing of it"))
        for alert in alerts
    ]
