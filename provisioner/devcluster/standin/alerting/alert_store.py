"""Alerts on the node: current ones, and the history of those that ended.

Index names are the real plugin's. The history index is made once; it is not rolled over, and old alerts stay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from provisioner.devcluster.standin.alerting.alerts import (
    ACKNOWLEDGED,
    ACTIVE,
    AUDIT,
    COMPLETED,
    DELETED,
    ERROR,
    TIMES,
    Alert,
)
from provisioner.devcluster.standin.alerting.clock import Clock
from provisioner.devcluster.standin.alerting.model import Json, new_id
from provisioner.devcluster.standin.errors import StandInError
from provisioner.devcluster.standin.node import Node

ALERTS = ".opendistro-alerting-alerts"
HISTORY = ".opendistro-alerting-alert-history-write"
HISTORY_INDEX = ".opendistro-alerting-alert-history-"
EVERYWHERE = ".opendistro-alerting-alert*"
MAX_ALERTS = 500  # what the plugin loads of one bucket-level monitor
MOVED_AT_ONCE = 10  # the plugin moves a deleted monitor's alerts with a search of default size, once
_NAME = {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}}
_KEYWORDS = (
    "monitor_id", "workflow_id", "workflow_name", "execution_id", "trigger_id", "severity", "state", "finding_ids",
    "related_doc_ids", "associated_alert_ids",
)  # fmt: skip
# A run writes often: the translog is flushed every five seconds, not at every write.
SETTINGS: Json = {
    "index": {
        "hidden": True,
        "number_of_shards": 1,
        "auto_expand_replicas": "0-1",
        "translog": {"durability": "async"},
    }
}
MAPPINGS: Json = {
    "dynamic": False,
    "properties": {
        **{name: {"type": "keyword"} for name in _KEYWORDS},
        **{name: {"type": "date"} for name in TIMES},
        "monitor_name": _NAME,
        "trigger_name": _NAME,
        "monitor_version": {"type": "long"},
        "schema_version": {"type": "integer"},
        "error_message": {"type": "text"},
        "action_execution_results": {"type": "object", "enabled": False},
        "agg_alert_content": {"type": "object", "enabled": False},
        "alert_history": {"type": "object", "enabled": False},
    },
}


class AlertStore:
    """Searching, saving, moving and acknowledging alerts."""

    def __init__(self, node: Node, clock: Clock) -> None:
        self._node = node
        self._clock = clock
        self._made = False

    async def ensure(self) -> None:
        """Create both indexes when they are missing."""
        if self._made:
            return
        today = datetime.now(UTC).strftime("%Y.%m.%d")
        await make_index(self._node, ALERTS, {"settings": SETTINGS, "mappings": MAPPINGS})
        if not (await self._node.request("HEAD", f"/_alias/{HISTORY}")).ok:
            body = {"settings": SETTINGS, "mappings": MAPPINGS, "aliases": {HISTORY: {"is_write_index": True}}}
            await make_index(self._node, f"{HISTORY_INDEX}{today}-1", body)
        self._made = True

    async def search(self, body: Json, indices: str = EVERYWHERE) -> Json:
        """The node's answer to a search over alerts; none before the first alert."""
        params = {"ignore_unavailable": True, "expand_wildcards": "all", "version": True, "seq_no_primary_term": True}
        found: Json = (await self._node.search(indices, params=params, body=body)).checked().body
        return found

    async def current(self, monitor_id: str, workflow_id: str = "", size: int = MAX_ALERTS) -> list[Alert]:
        """The alerts of a monitor that have not ended; those made under a workflow are apart."""
        query = {
            "bool": {"filter": [{"term": {"monitor_id": monitor_id}}, {"term": {"workflow_id": workflow_id}}]},
        }
        found = await self.search({"size": size, "query": query}, ALERTS)
        return [Alert.of_hit(hit) for hit in found["hits"]["hits"]]

    async def save(self, alerts: Sequence[Alert]) -> list[Alert]:
        """Write alerts where their state belongs: ended and audit ones into the history. New ones get their id."""
        await self.ensure()
        named = [alert if alert.id else replace(alert, id=new_id()) for alert in alerts]
        lines: list[Any] = []
        for alert in named:
            # Ended by its time, not by its state: the error of a doc-level monitor that runs again.
            ended = alert.state == COMPLETED or (alert.state == ERROR and alert.end_time is not None)
            index = HISTORY if ended or alert.state == AUDIT else ALERTS
            lines += [{"index": {"_index": index, "_id": alert.id}}, alert.source()]
            if ended:
                lines.append({"delete": {"_index": ALERTS, "_id": alert.id}})
        await self._bulk(lines)
        return named

    async def _bulk(self, lines: list[Any]) -> None:
        if not lines:
            return
        reply = (await self._node.request("POST", "/_bulk", params={"refresh": True}, body=lines)).checked()
        for item in reply.body["items"]:
            [outcome] = item.values()
            if "error" in outcome:
                raise StandInError(outcome["status"], {"error": outcome["error"], "status": outcome["status"]})

    async def move_lost(self, field: str, job_id: str, kept_triggers: Sequence[str] | None) -> None:
        """End the alerts of a job that is gone (`kept_triggers` None) or of triggers that it no longer has.

        They go to the history in state DELETED, as the plugin moves them: ten at a time, the rest stay.
        `field`: `monitor_id` or `workflow_id`.
        """
        query: Json = {"bool": {"filter": [{"term": {field: job_id}}]}}
        if kept_triggers is not None:
            query["bool"]["must_not"] = [{"terms": {"trigger_id": list(kept_triggers)}}]
        found = await self.search({"size": MOVED_AT_ONCE, "query": query}, ALERTS)
        hits = found["hits"]["hits"]
        lines: list[Any] = []
        if hits:
            await self.ensure()
        for hit in hits:
            at = {"_id": hit["_id"], "version": hit["_version"], "version_type": "external_gte"}
            lines += [{"index": {"_index": HISTORY, **at}}, {**hit["_source"], "state": DELETED}]
            lines.append({"delete": {"_index": ALERTS, "_id": hit["_id"]}})
        await self._bulk(lines)

    async def acknowledge(self, monitor_id: str, ids: Sequence[str], field: str = "monitor_id") -> Json:
        """Acknowledge alerts; the answer lists successes, and failures with their reason."""
        query = {"bool": {"filter": [{"term": {field: monitor_id}}, {"terms": {"_id": list(ids)}}]}}
        found = await self.search({"size": len(ids), "query": query}, ALERTS)
        alerts = {hit["_id"]: Alert.of_hit(hit) for hit in found["hits"]["hits"]}
        active = [alert for alert in alerts.values() if alert.state == ACTIVE]
        lines: list[Any] = []
        for alert in active:
            acknowledged = replace(alert, state=ACKNOWLEDGED, acknowledged_time=self._clock.now())
            # A doc-level alert never changes again, so the plugin puts it into the history at once.
            index = HISTORY if alert.finding_ids else ALERTS
            lines += [{"index": {"_index": index, "_id": alert.id}}, acknowledged.source()]
            if alert.finding_ids:
                lines.append({"delete": {"_index": ALERTS, "_id": alert.id}})
        await self._bulk(lines)
        done = {alert.id for alert in active}
        failed = [
            {id_: {"failed_reason": _failed_reason(id_, alerts)}} for id_ in dict.fromkeys(ids) if id_ not in done
        ]
        return {"success": [alert.id for alert in active], "failed": failed}


def _failed_reason(id_: str, alerts: Mapping[str, Alert]) -> str:
    if id_ not in alerts:
        return f"Alert: {id_} does not exist (it may have already completed)."
    state = alerts[id_].state
    return {
        ACKNOWLEDGED: "Alert has already been acknowledged.",
        COMPLETED: "Alert has already completed.",
        DELETED: "Alert has already been deleted.",
    }.get(state, f"Alert state unknown ({state}). Consider reporting this error.")


async def make_index(node: Node, name: str, body: Json) -> None:
    """Create an index unless it is there."""
    reply = await node.request("PUT", f"/{name}", body=body)
    error = reply.body.get("error", {}) if isinstance(reply.body, dict) else {}
    if not reply.ok and error.get("type") != "resource_already_exists_exception":
        reply.checked()
