"""Policies: what may stand in them, and the form in which GET shows them.

Rules and words are those of OpenSearch 3.4.0 (recordings: ism.jsonl).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from provisioner.devcluster.standin.errors import OpenSearchError, illegal_argument
from provisioner.devcluster.standin.ism.actions import channel, check_target, parse_action, template, type_of
from provisioner.devcluster.standin.ism.units import byte_count, byte_size, time_value
from provisioner.devcluster.standin.located import Path, UnexpectedTokenError, expect_array, expect_object
from provisioner.devcluster.standin.scalars import boolean, integer, text

# The version that the plugin writes into every policy, whatever the client sent.
SCHEMA_VERSION = 24


def parse_body(body: Any, policy_id: str, now: int) -> dict[str, Any]:
    """Read `{"policy": {…}}` into a normalized policy; the wrapper's one field may have any name, as in the plugin."""
    fields = list(expect_object(body, ()).items())
    if not fields:
        raise UnexpectedTokenError("FIELD_NAME", None, ())
    policy = parse_policy(fields[0][1], (fields[0][0],), policy_id, now)
    if len(fields) > 1:
        raise UnexpectedTokenError("END_OBJECT", fields[1][1], (fields[1][0],))
    return policy


def parse_policy(value: Any, path: Path, policy_id: str, now: int) -> dict[str, Any]:
    """Normalize one policy. `now` (ms) is its last_updated_time. Raises 400, or UnexpectedTokenError."""
    read: dict[str, Any] = {}
    for name, inner in expect_object(value, path).items():
        where = (*path, name)
        match name:
            case "description" | "default_state":
                read[name] = text(inner)
            case "schema_version":
                read[name] = integer(inner)
            case "error_notification":
                read[name] = None if inner is None else _error_notification(expect_object(inner, where))
            case "states":
                states = enumerate(expect_array(inner, where))
                read[name] = [_state(expect_object(state, (*where, i)), (*where, i)) for i, state in states]
            case "ism_template":
                read[name] = _templates(inner, where, now)
            case "policy_id" | "last_updated_time" | "user":
                pass
            case _:
                raise illegal_argument(f"Invalid field: [{name}] found in Policy.")
    for needed in ("description", "default_state"):
        if needed not in read:
            raise illegal_argument(f"{needed} is null")
    _check_states(read.get("states", []), read["default_state"])
    return {
        "policy_id": policy_id,
        "description": read["description"],
        "last_updated_time": now,
        "schema_version": read.get("schema_version", 1),
        "error_notification": read.get("error_notification"),
        "default_state": read["default_state"],
        "states": read["states"],
        "ism_template": read.get("ism_template"),
    }


def _check_states(states: list[dict[str, Any]], default_state: str) -> None:
    names = [state["name"] for state in states]
    if not states:
        raise illegal_argument("Policy must contain at least one State")
    if len(set(names)) != len(names):
        raise illegal_argument("Policy cannot have duplicate state names")
    if default_state not in names:
        raise illegal_argument("Policy must have a valid default state")
    for state in states:
        for transition in state["transitions"]:
            if transition["state_name"] not in names:
                reason = "Policy contains a transition in state="
                target = transition["state_name"]
                raise illegal_argument(f"{reason}{state['name']} pointing to a nonexistent state={target}")


def _state(body: Mapping[str, Any], path: Path) -> dict[str, Any]:
    made: dict[str, Any] = {"name": None, "actions": [], "transitions": []}
    for name, inner in body.items():
        where = (*path, name)
        if name == "name":
            made[name] = text(inner)
        elif name == "actions":
            made[name] = [parse_action(a, (*where, i)) for i, a in enumerate(expect_array(inner, where))]
        elif name == "transitions":
            made[name] = [
                _transition(expect_object(t, (*where, i)), (*where, i))
                for i, t in enumerate(expect_array(inner, where))
            ]
        else:
            raise illegal_argument(f"Invalid field: [{name}] found in State.")
    if made["name"] is None:
        raise illegal_argument("State name is null")
    if not made["name"].strip():
        raise illegal_argument("State must contain a valid name")
    types = [type_of(action) for action in made["actions"]]
    if "delete" in types[:-1]:
        raise illegal_argument(f"State={made['name']} must not contain an action after a delete action")
    if types[-1:] == ["delete"] and made["transitions"]:
        raise illegal_argument(f"State={made['name']} cannot contain transitions if using delete action")
    return made


def _transition(body: Mapping[str, Any], path: Path) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, inner in body.items():
        if name == "state_name":
            made[name] = text(inner)
        elif name == "conditions":
            made[name] = _conditions(expect_object(inner, (*path, name)), (*path, name))
        else:
            raise illegal_argument(f"Invalid field: [{name}] found in Transition.")
    if "state_name" not in made:
        raise illegal_argument("Transition state name is null")
    return made


def _conditions(body: Mapping[str, Any], path: Path) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, inner in body.items():
        match name:
            case "min_index_age" | "min_rollover_age" | "min_state_age":
                made[name] = time_value(text(inner), name)
            case "min_doc_count":
                made[name] = integer(inner)
            case "min_size":
                made[name] = byte_size(text(inner), name)
            case "no_alias":
                made[name] = boolean(inner)
            case "cron":
                made[name] = _cron(expect_object(inner, (*path, name)), (*path, name))
            case _:
                raise illegal_argument(f"Invalid field: [{name}] found in Conditions.")
    # 3.4.0 words it so for no condition, too.
    if len(made) != 1:
        raise illegal_argument("Cannot provide more than one Transition condition")
    if made.get("min_doc_count", 1) <= 0:
        raise illegal_argument("Transition doc count condition must be greater than 0")
    if "min_size" in made and byte_count(made["min_size"]) <= 0:
        raise illegal_argument("Transition size condition must be greater than 0")
    return made


def _cron(body: Mapping[str, Any], path: Path) -> dict[str, Any]:
    inner = expect_object(body.get("cron"), (*path, "cron"))
    expression, timezone = text(inner.get("expression")), text(inner.get("timezone"))
    parts = len(expression.split())
    if parts != 5:
        raise illegal_argument(f"Cron expression contains {parts} parts but we expect one of [5]")
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        raise OpenSearchError(500, "zone_rules_exception", f"Unknown time-zone ID: {timezone}") from None
    try:
        CronSim(expression, datetime.now(zone))
    except CronSimError as wrong:
        raise illegal_argument(f"Failed to parse cron expression '{expression}': {wrong}") from None
    return {"cron": {"expression": expression, "timezone": timezone}}


def _error_notification(body: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, inner in body.items():
        if name == "channel":
            made[name] = channel(inner)
        elif name == "destination":
            made[name] = inner
        elif name == "message_template":
            made[name] = template(inner, "ErrorNotification")
        else:
            raise illegal_argument(f"Invalid field: [{name}] found in ErrorNotification.")
    if "message_template" not in made:
        raise illegal_argument("ErrorNotification message template is null")
    check_target(made, "ErrorNotification")
    return made


def _templates(value: Any, path: Path, now: int) -> list[dict[str, Any]] | None:
    if value is None:
        return None
    if isinstance(value, dict):
        return [_template(value, path, now)]
    return [_template(expect_object(t, (*path, i)), (*path, i), now) for i, t in enumerate(expect_array(value, path))]


def _template(body: Mapping[str, Any], path: Path, now: int) -> dict[str, Any]:
    made: dict[str, Any] = {"index_patterns": [], "priority": 0, "last_updated_time": now}
    for name, inner in body.items():
        if name == "index_patterns":
            made[name] = [text(p) for p in expect_array(inner, (*path, name))]
        elif name == "priority":
            made[name] = 0 if inner is None else integer(inner)
        elif name == "last_updated_time":
            made[name] = integer(inner)
        else:
            raise illegal_argument(f"Invalid field: [{name}] found in ISMTemplate.")
    if made["priority"] < 0:
        raise illegal_argument("Requires priority to be >= 0")
    if not made["index_patterns"]:
        raise illegal_argument("Requires at least one index pattern")
    return made
