"""Reading a workflow that a client sent into its stored form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.devcluster.standin.alerting.model import Json, text_of
from provisioner.devcluster.standin.alerting.parse_trigger import trigger_form
from provisioner.devcluster.standin.alerting.schedule import schedule_form
from provisioner.devcluster.standin.errors import illegal_argument

MAX_DELEGATES = 25


def workflow_form(sent: Mapping[str, Any], now: int) -> Json:
    """A workflow in the stored form; unlike monitors it drops `ui_metadata`.

    Raises:
        OpenSearchError: 400 with the plugin's reason.
    """
    if text_of(sent.get("workflow_type", "composite")) != "composite":
        raise illegal_argument("Workflow type should be one of [composite]")
    schedule = schedule_form(sent["schedule"]) if "schedule" in sent else None
    inputs = [_input(item) for item in sent.get("inputs", [])]
    triggers = [trigger_form(item) for item in sent.get("triggers", [])]
    enabled = bool(sent.get("enabled", True))
    if sent.get("name") is None:
        raise illegal_argument("Workflow name is null")
    if schedule is None:
        raise illegal_argument("Workflow schedule is null")
    if len(inputs) > 1:
        raise illegal_argument("Workflows can only have 1 search input.")
    for trigger in triggers:
        [(kind, body)] = trigger.items()
        if kind != "chained_alert_trigger":
            raise illegal_argument(f"Incompatible trigger [{body['name']}] for workflow. ")
    return {
        "type": "workflow",
        "schema_version": 0,
        "name": text_of(sent["name"]),
        "workflow_type": "composite",
        "enabled": enabled,
        "enabled_time": (sent.get("enabled_time") or now) if enabled else None,
        "schedule": schedule,
        "inputs": inputs,
        "triggers": triggers,
        "last_update_time": now,
        "owner": text_of(sent.get("owner") or "alerting"),
        "audit_delegate_monitor_alerts": sent.get("audit_delegate_monitor_alerts") is not False,
    }


def _input(sent: Mapping[str, Any]) -> Json:
    if "composite_input" not in sent:
        raise illegal_argument(f"Unknown workflow input [{next(iter(sent), '')}]")
    delegates = [_delegate(item) for item in sent["composite_input"]["sequence"].get("delegates", [])]
    if not delegates:
        raise illegal_argument("Delegates list can not be empty.")
    if len(delegates) > MAX_DELEGATES:
        raise illegal_argument(f"Delegates list can not be larger then {MAX_DELEGATES}.")
    for key, what in (
        ("monitor_id", "Duplicate delegates not allowed"),
        ("order", "Sequence ordering of delegate monitor shouldn't contain duplicate order values"),
    ):
        if len({delegate[key] for delegate in delegates}) != len(delegates):
            raise illegal_argument(what)
    return {"composite_input": {"sequence": {"delegates": delegates}}}


def _delegate(sent: Mapping[str, Any]) -> Json:
    order, monitor_id = int(sent.get("order", 0)), text_of(sent.get("monitor_id", ""))
    if order <= 0:
        raise illegal_argument("Invalid delegate order")
    if not monitor_id:
        raise illegal_argument("Invalid characters in id")
    form: Json = {"order": order, "monitor_id": monitor_id}
    chained = sent.get("chained_monitor_findings")
    return {**form, "chained_monitor_findings": chained} if chained else form
