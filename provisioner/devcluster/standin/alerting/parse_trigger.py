"""Reading triggers and actions that a client sent into the form in which the plugin stores them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from provisioner.devcluster.standin.alerting.errors import broken, invalid, unparsable, unset
from provisioner.devcluster.standin.alerting.forms.aggregations import buckets_path_map
from provisioner.devcluster.standin.alerting.forms.table import script
from provisioner.devcluster.standin.alerting.model import Json, new_id, text_of
from provisioner.devcluster.standin.alerting.reading import wrong_token
from provisioner.devcluster.standin.located import token_of

CATEGORIES = ("DEDUPED", "NEW", "COMPLETED")
MAX_THROTTLE_MINUTES = 24 * 60
ACTION_KEYS = {
    "id", "name", "destination_id", "subject_template", "message_template", "throttle_enabled", "throttle",
    "action_execution_policy",
}  # fmt: skip
BUCKET_CONDITION_KEYS = {"buckets_path", "parent_bucket_path", "script", "gap_policy", "filter", "composite_agg_filter"}


def trigger_form(sent: Any) -> Json:
    """`{kind: trigger}` in the stored form; a trigger without its kind is a query-level one, as in old versions.

    Raises:
        OpenSearchError: 400 or 500 with the plugin's reason.
    """
    if not isinstance(sent, Mapping):
        raise wrong_token("START_OBJECT", sent)
    kind = next(iter(sent), "")
    if kind in CONDITIONS:
        return {kind: _trigger(sent[kind], CONDITIONS[kind])}
    return {"query_level_trigger": _trigger(sent, CONDITIONS["query_level_trigger"])}


def _trigger(sent: Mapping[str, Any], condition: Callable[[str, Any], Json]) -> Json:
    id_ = text_of(sent["id"]) if sent.get("id") is not None else new_id()
    checked = condition(id_, sent["condition"]) if "condition" in sent else None
    actions = [action_form(action) for action in sent.get("actions") or []]
    for name in ("name", "severity"):
        if sent.get(name) is None:
            raise unset(name)
    if checked is None:
        raise unset("bucketSelector" if condition is _bucket_condition else "condition")
    return {
        "id": id_,
        "name": text_of(sent["name"]),
        "severity": text_of(sent["severity"]),
        "condition": checked,
        "actions": actions,
    }


def _script_condition(_id: str, sent: Mapping[str, Any]) -> Json:
    form = script(sent["script"])
    if form.get("lang", "painless") != "painless":
        raise invalid("Invalid script language. Allowed languages are [painless]")
    return {"script": form}


def _bucket_condition(id_: str, sent: Mapping[str, Any]) -> Json:
    """The condition of a bucket-level trigger, a `bucket_selector` on `parent_bucket_path`."""
    for key, value in sent.items():
        if key not in BUCKET_CONDITION_KEYS:
            token = token_of(value)
            if token in ("VALUE_STRING", "START_ARRAY", "START_OBJECT"):
                raise unparsable(f"Unknown key for a {token} in [{id_}]: [{key}].")
            raise unparsable(f"Unexpected token {token} in [{id_}].")
    for key in ("buckets_path", "script", "parent_bucket_path"):
        if key not in sent:
            raise unparsable(f"Missing required field [{key}] for bucket_selector aggregation [{id_}]")
    form: Json = {
        "buckets_path": {name: text_of(path) for name, path in buckets_path_map(sent["buckets_path"]).items()},
        "parent_bucket_path": text_of(sent["parent_bucket_path"]),
        "script": script(sent["script"]),
        "gap_policy": text_of(sent.get("gap_policy", "skip")).lower(),
    }
    return form | {key: sent[key] for key in ("filter", "composite_agg_filter") if key in sent}


CONDITIONS: dict[str, Callable[[str, Any], Json]] = {
    "query_level_trigger": _script_condition,
    "bucket_level_trigger": _bucket_condition,
    "document_level_trigger": _script_condition,
    "chained_alert_trigger": _script_condition,
}


def action_form(sent: Mapping[str, Any]) -> Json:
    """One action in the stored form; an action refuses keys that it does not know."""
    for key in sent:
        if key not in ACTION_KEYS:
            raise broken(f"Unexpected field: {key}, while parsing action")
    templates = {key: _template(sent[key]) for key in ("subject_template", "message_template") if sent.get(key)}
    throttle = _throttle(sent["throttle"]) if sent.get("throttle") else None
    policy = _policy(sent["action_execution_policy"]) if sent.get("action_execution_policy") else None
    if sent.get("throttle_enabled") and throttle is None:
        raise invalid("Action throttle enabled but not set throttle value")
    for key, name in (("name", "name"), ("destination_id", "destinationId"), ("message_template", "messageTemplate")):
        if sent.get(key) is None:
            raise unset(name)
    for key, template in templates.items():
        if template["lang"] != "mustache":
            raise invalid(f"{key} must be a mustache script")
    if throttle is not None and policy is not None and "per_execution" in policy["action_execution_scope"]:
        raise invalid("Throttle is currently not supported for per execution action scope")
    form: Json = {
        "id": text_of(sent["id"]) if sent.get("id") is not None else new_id(),
        "name": text_of(sent["name"]),
        "destination_id": text_of(sent["destination_id"]),
        "message_template": templates["message_template"],
        "throttle_enabled": bool(sent.get("throttle_enabled", False)),
    }
    optional = {
        "subject_template": templates.get("subject_template"),
        "throttle": throttle,
        "action_execution_policy": policy,
    }
    return form | {key: value for key, value in optional.items() if value is not None}


def _template(sent: Any) -> Json:
    if isinstance(sent, str):
        return {"source": sent, "lang": "mustache"}
    return {"source": text_of(sent.get("source", "")), "lang": text_of(sent.get("lang", "mustache"))}


def _throttle(sent: Mapping[str, Any]) -> Json:
    unit, value = text_of(sent.get("unit", "MINUTES")).upper(), sent.get("value", 0)
    if unit != "MINUTES":
        raise invalid("Only support MINUTES throttle unit currently")
    if value is None:
        raise invalid("Throttle value can't be null")
    if int(value) <= 0:
        raise invalid("Can only set positive throttle period")
    return {"value": int(value), "unit": unit}


def _policy(sent: Mapping[str, Any]) -> Json:
    scope = sent.get("action_execution_scope")
    if not scope:
        raise unset("actionExecutionScope")
    kind, body = next(iter(scope.items()))
    if kind == "per_execution":
        return {"action_execution_scope": {"per_execution": {}}}
    if kind != "per_alert":
        raise invalid(f"Invalid field [{kind}] found in action execution scope.")
    wanted = body.get("actionable_alerts", [])
    for category in wanted:
        if category not in CATEGORIES:
            raise broken(f"Actionable alerts should be one of [{', '.join(CATEGORIES)}]")
    return {"action_execution_scope": {"per_alert": {"actionable_alerts": list(dict.fromkeys(wanted))}}}


def check_throttles(triggers: list[Json]) -> None:
    """A throttle is at most a day. Raises 400."""
    for trigger in triggers:
        for body in trigger.values():
            for action in body["actions"]:
                if action.get("throttle", {}).get("value", 0) > MAX_THROTTLE_MINUTES:
                    raise invalid("Can only set throttle period less than or equal to 1d")
