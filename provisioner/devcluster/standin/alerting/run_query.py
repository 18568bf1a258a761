"""Query-level and cluster metrics monitors: one answer, a script for each trigger, one alert for each trigger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from provisioner.devcluster.standin.alerting.actions import Actions, Outcome
from provisioner.devcluster.standin.alerting.alert_store import AlertStore
from provisioner.devcluster.standin.alerting.alerts import ACKNOWLEDGED, Alert, RunOf, after_query_run
from provisioner.devcluster.standin.alerting.clock import Clock
from provisioner.devcluster.standin.alerting.configs import Configs
from provisioner.devcluster.standin.alerting.context import alert_arg, script_context, template_context
from provisioner.devcluster.standin.alerting.findings import Findings
from provisioner.devcluster.standin.alerting.inputs import InputError, cluster_metrics, search
from provisioner.devcluster.standin.alerting.model import CLUSTER, Job, Json, Period, Trigger
from provisioner.devcluster.standin.alerting.painless import ScriptFailure, evaluate
from provisioner.devcluster.standin.node import Node


@dataclass(frozen=True)
class Tools:
    """What every runner works with."""

    node: Node
    configs: Configs
    alerts: AlertStore
    actions: Actions
    findings: Findings
    clock: Clock


@dataclass(frozen=True)
class Run:
    """One execution of a monitor."""

    job: Job
    period: Period
    dryrun: bool
    of: RunOf

    @property
    def keeps(self) -> bool:
        """Whether alerts are read and written: not for dry runs, not for monitors that are not stored."""
        return not self.dryrun and bool(self.job.id)

    def result(self, inputs: Json, triggers: Json, error: str | None = None) -> Json:
        """The run result in the plugin's form."""
        return {
            "monitor_name": self.job.name,
            "period_start": self.period.start,
            "period_end": self.period.end,
            "error": error,
            "input_results": inputs,
            "trigger_results": triggers,
        }


@dataclass(frozen=True)
class Inputs:
    """What the inputs gave, or why they gave nothing."""

    results: list[Json]
    failure: InputError | None = None


async def run_query_monitor(run: Run, tools: Tools) -> Json:
    """Run a query-level or cluster metrics monitor."""
    current = await tools.alerts.current(run.job.id, run.of.workflow_id) if run.job.id else []
    by_trigger = {alert.trigger_id: alert for alert in reversed(current)}
    inputs = await _collect(run, tools.node)
    shown: Json = {}
    changed: list[Alert] = []
    for trigger in run.job.triggers:
        alert = by_trigger.get(trigger.id)
        shown[trigger.id], after = await _run_trigger(run, tools, trigger, alert, inputs)
        if after is not None:
            changed.append(after)
    if run.keeps and changed:
        await tools.alerts.save(changed)
    return run.result({"results": inputs.results, "error": inputs.failure.shown if inputs.failure else None}, shown)


async def _collect(run: Run, node: Node) -> Inputs:
    try:
        return Inputs([await _one_input(run, node, kind, body) for kind, body in run.job.inputs])
    except InputError as failure:
        return Inputs([], failure)


async def _one_input(run: Run, node: Node, kind: str, body: Json) -> Json:
    if kind == "search":
        return await search(node, body["indices"], body["query"], run.period)
    if kind == "uri":
        return await cluster_metrics(node, body)
    raise InputError(f"Unsupported input type: {kind}.")


async def _run_trigger(
    run: Run, tools: Tools, trigger: Trigger, alert: Alert | None, inputs: Inputs
) -> tuple[Json, Alert | None]:
    """The trigger's part of the run result, and its alert when that changed."""
    results, failure = inputs.results, inputs.failure
    held = await evaluate(tools.node, trigger.script, script_context(run.job, trigger, results, run.period, alert))
    broken = held if isinstance(held, ScriptFailure) else None
    # A condition that fails must not go unnoticed: it counts as met.
    triggered = True if isinstance(held, ScriptFailure) else held
    error = failure.shown if failure else broken.shown if broken else None
    outcomes: dict[str, Outcome] = {}
    acknowledged = alert is not None and alert.state == ACKNOWLEDGED and error is None
    if triggered and not acknowledged and not run.of.audit:
        arg = alert_arg(alert) if alert else None
        ctx = template_context(run.job, trigger, results, run.period, error, alert=arg)
        for action in trigger.actions:
            held_back = tools.actions.throttled(action, alert)
            outcomes[action["id"]] = held_back or await tools.actions.run(action, ctx, dryrun=run.dryrun)
    actions = {action_id: outcome.shown for action_id, outcome in outcomes.items()}
    shown: Json = {"name": trigger.name, "triggered": triggered, "action_results": actions}
    if run.job.monitor_type == CLUSTER:
        shown["cluster_results"] = await _cluster_results(tools.node, triggered)
    shown["error"] = broken.shown if broken else None
    message = _alert_message(failure, broken, outcomes)
    after = after_query_run(
        run.of, trigger, alert, triggered=triggered, error=message, results=actions, now=tools.clock.now()
    )
    return shown, after


def _alert_message(
    failure: InputError | None, broken: ScriptFailure | None, outcomes: dict[str, Outcome]
) -> str | None:
    """What an alert in state ERROR says: the inputs' failure first, then the script's, then an action's."""
    if failure is not None:
        return failure.alert_message
    if broken is not None:
        return f"Failed evaluating trigger:\n{broken.message}"
    return next((outcome.alert_message for outcome in outcomes.values() if outcome.alert_message), None)


async def _cluster_results(node: Node, triggered: bool) -> list[Any]:
    if not triggered:
        return []
    body = (await node.request("GET", "/")).body
    return [{body["cluster_name"]: {"triggered": True}}]
