"""What message templates and trigger scripts see as `ctx`."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from provisioner.devcluster.standin.alerting.alerts import Alert
from provisioner.devcluster.standin.alerting.model import Job, Json, Period, Trigger, instant


def script_context(job: Job, trigger: Trigger, results: Sequence[Json], period: Period, alert: Alert | None) -> Json:
    """`ctx` of a trigger script; the period is in milliseconds, which the script's prelude converts."""
    return {
        "monitor": monitor_arg(job),
        "trigger": trigger_arg(trigger),
        "results": list(results),
        "periodStart": period.start,
        "periodEnd": period.end,
        "alert": alert.template_arg() if alert else None,
        "error": None,
    }


def template_context(
    job: Job, trigger: Trigger, results: Sequence[Json], period: Period, error: str | None, **more: object
) -> Json:
    """`ctx` of a message template; `more` are the alerts, under the names that the kind of monitor has for them."""
    return {
        "monitor": monitor_arg(job),
        "results": list(results),
        "periodStart": instant(period.start),
        "periodEnd": instant(period.end),
        "error": error,
        "trigger": trigger_arg(trigger),
        **more,
    }


def monitor_arg(job: Job) -> Json:
    """`ctx.monitor`."""
    body = job.body
    return {
        "_id": job.id,
        "_version": job.version,
        "name": job.name,
        "enabled": job.enabled,
        "monitor_type": job.monitor_type,
        "enabled_time": body["enabled_time"],
        "last_update_time": body["last_update_time"],
        "schedule": body["schedule"],
        "inputs": [{kind: _input_arg(kind, item)} for kind, item in job.inputs],
    }


def _input_arg(kind: str, body: Json) -> Json:
    return {**body, "query": orjson.dumps(body["query"]).decode()} if kind == "search" else body


def trigger_arg(trigger: Trigger) -> Json:
    """`ctx.trigger`."""
    arg: Json = {
        "id": trigger.id,
        "name": trigger.name,
        "severity": trigger.severity,
        "actions": [
            {key: action[key] for key in ("id", "name", "destination_id", "throttle_enabled")}
            for action in trigger.actions
        ],
    }
    if trigger.kind == "bucket_level_trigger":
        arg["parentBucketPath"] = trigger.body["condition"]["parent_bucket_path"]
    script = trigger.script
    arg["condition"] = {"script": {"source": script.get("source"), "lang": script.get("lang")}}
    return arg


def alert_arg(alert: Alert, **more: object) -> Json:
    """An alert in a template, with its sample documents or queries where there are some."""
    return {**alert.template_arg(), **{key: value for key, value in more.items() if value is not None}}
