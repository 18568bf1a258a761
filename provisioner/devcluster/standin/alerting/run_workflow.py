"""Workflows: monitors run one after the other, and triggers over which of them raised alerts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from provisioner.devcluster.standin.alerting.alert_store import ALERTS, HISTORY
from provisioner.devcluster.standin.alerting.alerts import (
    ACKNOWLEDGED,
    ACTIVE,
    AUDIT,
    COMPLETED,
    Alert,
    RunOf,
    executed,
)
from provisioner.devcluster.standin.alerting.configs import delegates
from provisioner.devcluster.standin.alerting.expressions import ExpressionError, documents, operands
from provisioner.devcluster.standin.alerting.model import Job, Json, Period, Trigger, instant
from provisioner.devcluster.standin.alerting.run_query import Tools
from provisioner.devcluster.standin.alerting.runner import execution_id, run_monitor

HERE = "here"  # a chained alert's expression is about one thing only: this execution


async def run_workflow(workflow: Job, period: Period, tools: Tools, *, dryrun: bool) -> Json:
    """Run the delegates in order, then the chained-alert triggers; the run result in the plugin's form."""
    started = _timestamp(tools.clock.now())
    temporary = dryrun or not workflow.id
    execution = execution_id("" if temporary else workflow.id)
    if not temporary:
        await tools.alerts.ensure()
    audit = bool(workflow.body.get("audit_delegate_monitor_alerts", True))
    results: list[Json] = []
    error: str | None = None
    for monitor_id in delegates(workflow):
        found = await tools.configs.get("monitor", monitor_id)
        if found is None:
            error = f"Delegate monitors don't exist {monitor_id} for the workflow {workflow.id}"
            break
        of = RunOf(found[0], execution, workflow.id, audit)
        results.append(await run_monitor(found[0], period, tools, dryrun=dryrun, of=of))
    raised = await _raised(workflow, execution, tools)
    current = await _current(workflow, tools)
    triggers: Json = {}
    changed: list[Alert] = []
    for trigger in workflow.triggers:
        alert = current.get(trigger.id)
        run = Chain(workflow, trigger, alert, raised, execution, tools.clock.now())
        shown, after = await _run_trigger(run, period, tools, dryrun=dryrun)
        triggers[trigger.id] = shown
        changed += [after] if after else []
    if not temporary:
        await tools.alerts.save(changed)
    return {
        "workflow_name": workflow.name,
        "workflow_id": workflow.id,
        "execution_id": execution,
        "trigger_results": triggers,
        "monitor_run_results": results,
        "execution_start_time": started,
        "execution_end_time": _timestamp(tools.clock.now()),
        "error": error,
    }


def _timestamp(now: int) -> str:
    """A time as Java's `Instant` prints one with nanoseconds, which are always zero here."""
    return datetime.fromtimestamp(now / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"


async def _raised(workflow: Job, execution: str, tools: Tools) -> dict[str, list[str]]:
    """The alerts of this execution by monitor. With triggers they are audit alerts, which lie in the history."""
    index, state = (HISTORY, AUDIT) if workflow.triggers else (ALERTS, ACTIVE)
    filters = [{"term": {"execution_id": execution}}, {"term": {"state": state}}]
    query = {"bool": {"filter": filters, "must_not": [{"exists": {"field": "error_message"}}]}}
    hits = (await tools.alerts.search({"size": 9999, "query": query}, index))["hits"]["hits"]
    raised: dict[str, list[str]] = {}
    for hit in hits:
        raised.setdefault(hit["_source"]["monitor_id"], []).append(hit["_id"])
    return raised


async def _current(workflow: Job, tools: Tools) -> dict[str, Alert]:
    """The workflow's own alerts that have not ended, by trigger; they have no monitor."""
    alerts = await tools.alerts.current("", workflow.id) if workflow.id else []
    return {alert.trigger_id: alert for alert in alerts}


@dataclass(frozen=True)
class Chain:
    """One chained-alert trigger in one execution: its alert so far, and the alerts that the delegates raised."""

    workflow: Job
    trigger: Trigger
    alert: Alert | None
    raised: dict[str, list[str]]
    execution_id: str
    now: int


async def _run_trigger(run: Chain, period: Period, tools: Tools, *, dryrun: bool) -> tuple[Json, Alert | None]:
    """The trigger's part of the run result, and its alert when that changed."""
    trigger, alert, raised = run.trigger, run.alert, run.raised
    condition = str(trigger.script.get("source", ""))
    error: str | None = None
    triggered = False
    try:
        triggered = bool(documents(condition, lambda text: {HERE} if _id(text) in raised else set(), {HERE}))
    except ExpressionError as broken:
        error = str(broken)
    outcomes: dict[str, Json] = {}
    acknowledged = alert is not None and alert.state == ACKNOWLEDGED
    if triggered and not acknowledged:
        ctx = _context(run.workflow, period, raised)
        for action in trigger.actions:
            done = tools.actions.throttled(action, alert) or await tools.actions.run(action, ctx, dryrun=dryrun)
            outcomes[action["id"]] = done.shown
    associated = (
        [id_ for monitor in map(_id, operands(condition)) for id_ in raised.get(monitor, [])] if triggered else []
    )
    after = _after(run, associated, outcomes, triggered=triggered)
    return {"name": trigger.name, "triggered": triggered, "action_results": outcomes, "error": error}, after


def _id(operand: str) -> str:
    """`id=abc` is about monitor abc."""
    return operand.partition("=")[2]


def _context(workflow: Job, period: Period, raised: dict[str, list[str]]) -> Json:
    """`ctx` of a chained alert's message."""
    return {
        "monitor": {
            "_id": workflow.id,
            "_version": workflow.version,
            "name": workflow.name,
            "enabled": workflow.enabled,
        },
        "periodStart": instant(period.start),
        "error": None,
        "alertGeneratingMonitors": list(raised),
        "monitorIdToAlertIdsMap": raised,
    }


def _after(run: Chain, associated: list[str], outcomes: dict[str, Json], *, triggered: bool) -> Alert | None:
    """The chained alert after a run; None when there is nothing to write."""
    workflow, trigger, alert, now = run.workflow, run.trigger, run.alert, run.now
    if alert is None:
        if not triggered:
            return None
        return Alert(
            monitor_id="",
            monitor_name="",
            monitor_version=-1,
            workflow_id=workflow.id,
            workflow_name=workflow.name,
            associated_alert_ids=associated,
            trigger_id=trigger.id,
            trigger_name=trigger.name,
            severity=trigger.severity,
            state=ACTIVE,
            start_time=now,
            last_notification_time=now,
            execution_id=run.execution_id,
            action_execution_results=executed([], outcomes),
        )
    done = executed(alert.action_execution_results, outcomes)
    if not triggered:
        return replace(alert, state=COMPLETED, end_time=now, error_message=None, action_execution_results=done)
    if alert.state == ACKNOWLEDGED:
        return None
    return replace(alert, state=ACTIVE, last_notification_time=now, action_execution_results=done)
