"""Alerts: their form, and how one run's outcome changes the alert of the run before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from provisioner.devcluster.standin.alerting.model import Job, Json, Trigger

ACTIVE, ACKNOWLEDGED, COMPLETED, ERROR, DELETED, AUDIT = (
    "ACTIVE",
    "ACKNOWLEDGED",
    "COMPLETED",
    "ERROR",
    "DELETED",
    "AUDIT",
)
SCHEMA_VERSION = 5
MAX_HISTORY = 10
TIMES = ("start_time", "last_notification_time", "end_time", "acknowledged_time")


@dataclass(frozen=True)
class Alert:
    """One alert. Times are milliseconds since 1970; `id` is empty until it is stored, `version` is -1 until then."""

    monitor_id: str
    monitor_name: str
    monitor_version: int
    trigger_id: str
    trigger_name: str
    severity: str
    state: str
    start_time: int
    execution_id: str
    id: str = ""
    version: int = -1
    workflow_id: str = ""
    workflow_name: str = ""
    associated_alert_ids: list[str] = field(default_factory=list)
    schema_version: int = SCHEMA_VERSION
    finding_ids: list[str] = field(default_factory=list)
    related_doc_ids: list[str] = field(default_factory=list)
    error_message: str | None = None
    alert_history: list[Json] = field(default_factory=list)
    action_execution_results: list[Json] = field(default_factory=list)
    last_notification_time: int | None = None
    end_time: int | None = None
    acknowledged_time: int | None = None
    agg_alert_content: Json | None = None

    @property
    def key(self) -> str:
        """The bucket's keys joined by `#`: what tells one bucket alert of a trigger from another."""
        return "#".join(self.agg_alert_content["bucket_keys"]) if self.agg_alert_content else ""

    def shown(self) -> Json:
        """The form that the alerts API shows."""
        form = {name: getattr(self, name) for name in SHOWN}
        if self.agg_alert_content is not None:
            form["agg_alert_content"] = self.agg_alert_content
        return form

    def source(self) -> Json:
        """The stored document."""
        return {name: value for name, value in self.shown().items() if name not in ("id", "version")}

    def template_arg(self) -> Json:
        """What a message template sees of the alert; lists are joined by commas, as the plugin joins them."""
        content = self.agg_alert_content
        return {
            "acknowledged_time": self.acknowledged_time,
            "id": self.id,
            "version": self.version,
            "end_time": self.end_time,
            "error_message": self.error_message,
            "execution_id": self.execution_id,
            "workflow_id": self.workflow_id,
            "workflow_name": self.workflow_name,
            "associated_alert_ids": self.associated_alert_ids,
            "last_notification_time": self.last_notification_time,
            "severity": self.severity,
            "start_time": self.start_time,
            "state": self.state,
            "bucket_keys": ",".join(content["bucket_keys"]) if content else None,
            "parent_bucket_path": content["parent_bucket_path"] if content else None,
            "finding_ids": ",".join(self.finding_ids),
            "related_doc_ids": ",".join(self.related_doc_ids),
            "clusters": None,
        }

    @classmethod
    def of_hit(cls, hit: Mapping[str, Any]) -> Alert:
        """A stored alert as a search found it."""
        source = {name: value for name, value in hit["_source"].items() if name in STORED}
        return cls(**{**source, "id": hit["_id"], "version": hit["_version"]})


SHOWN = (
    "id", "version", "monitor_id", "workflow_id", "workflow_name", "associated_alert_ids", "schema_version",
    "monitor_version", "monitor_name", "execution_id", "trigger_id", "trigger_name", "finding_ids", "related_doc_ids",
    "state", "error_message", "alert_history", "severity", "action_execution_results", *TIMES,
)  # fmt: skip
STORED = {*SHOWN, "agg_alert_content"}


@dataclass(frozen=True)
class RunOf:
    """Whose run an alert comes from: the monitor, the execution, and the workflow that ran it, if one did."""

    monitor: Job
    execution_id: str
    workflow_id: str = ""
    audit: bool = False

    def alert(self, trigger: Trigger, now: int, **fields: Any) -> Alert:
        """A new alert of this run."""
        state = AUDIT if self.audit else fields.pop("state", ACTIVE)
        fields.pop("state", None)
        return Alert(
            monitor_id=self.monitor.id,
            monitor_name=self.monitor.name,
            monitor_version=self.monitor.version,
            trigger_id=trigger.id,
            trigger_name=trigger.name,
            severity=trigger.severity,
            state=state,
            start_time=now,
            last_notification_time=now,
            execution_id=self.execution_id,
            workflow_id=self.workflow_id,
            **fields,
        )


def history(previous: list[Json], error: str | None, now: int) -> list[Json]:
    """The newest errors first, ten at most."""
    return previous if error is None else [{"timestamp": now, "message": error}, *previous][:MAX_HISTORY]


def executed(previous: list[Json], results: Mapping[str, Json]) -> list[Json]:
    """`action_execution_results` after a run: `results` are the run's action results by action id."""
    updated: list[Json] = []
    for entry in previous:
        result = results.get(entry["action_id"])
        if result is None:
            updated.append(entry)
        elif result["throttled"]:
            updated.append({**entry, "throttled_count": entry["throttled_count"] + 1})
        else:
            updated.append({**entry, "last_execution_time": result["executionTime"]})
    known = {entry["action_id"] for entry in previous}
    for action_id, result in results.items():
        if action_id not in known:
            count = 1 if result["throttled"] else 0
            updated.append(
                {"action_id": action_id, "last_execution_time": result["executionTime"], "throttled_count": count}
            )
    return updated


def after_query_run(
    run: RunOf,
    trigger: Trigger,
    current: Alert | None,
    *,
    triggered: bool,
    error: str | None,
    results: Mapping[str, Json],
    now: int,
) -> Alert | None:
    """The alert of a query-level trigger after a run; None when there is nothing to write."""
    if current is None:
        if not triggered and error is None:
            return None
        return run.alert(
            trigger,
            now,
            state=ACTIVE if error is None else ERROR,
            error_message=error,
            alert_history=history([], error, now),
            action_execution_results=executed([], results),
        )
    done = executed(current.action_execution_results, results)
    errors = history(current.alert_history, error, now)
    if error is None and not triggered:
        return replace(
            current,
            state=COMPLETED,
            end_time=now,
            error_message=None,
            alert_history=errors,
            action_execution_results=done,
        )
    if error is None and current.state == ACKNOWLEDGED:
        return None
    return replace(
        current,
        state=ACTIVE if error is None else ERROR,
        last_notification_time=now,
        error_message=error,
        alert_history=errors,
        action_execution_results=done,
    )


def after_bucket_actions(alert: Alert, results: Mapping[str, Json], error: str | None, now: int) -> Alert:
    """A bucket alert after its actions ran."""
    changed = replace(
        alert,
        last_notification_time=now,
        alert_history=history(alert.alert_history, error, now),
        action_execution_results=executed(alert.action_execution_results, results),
    )
    return changed if error is None else replace(changed, state=ERROR, error_message=error)


def completed(alert: Alert, now: int) -> Alert:
    """A bucket alert whose bucket is no longer there."""
    return replace(alert, state=COMPLETED, end_time=now, error_message=None)
