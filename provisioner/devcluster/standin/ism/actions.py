"""The actions of a state: what may stand in them, and the form in which GET shows them.

Rules and words are those of OpenSearch 3.4.0 (recordings: ism.jsonl).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from provisioner.devcluster.standin.errors import OpenSearchError, illegal_argument
from provisioner.devcluster.standin.ism.units import byte_count, byte_size, time_value
from provisioner.devcluster.standin.located import Path, UnexpectedTokenError, expect_array, expect_object
from provisioner.devcluster.standin.scalars import boolean, integer, text

_BACKOFF = "org.opensearch.indexmanagement.spi.indexstatemanagement.model.ActionRetry.Backoff"
# What an `alias` action's add and remove may hold besides the names.
_ALIAS_OPTIONS = ("filter", "routing", "index_routing", "search_routing", "is_write_index", "is_hidden", "must_exist")

Fields = Mapping[str, Callable[[Any], Any]]


def parse_action(value: Any, path: Path) -> dict[str, Any]:
    """Normalize one action: `{"timeout"?, "retry": {…}, <type>: {…}}`. Raises 400, or UnexpectedTokenError."""
    timeout: str | None = None
    retry: dict[str, Any] | None = {"count": 3, "backoff": "exponential", "delay": "1m"}
    found: tuple[str, dict[str, Any]] | None = None
    for name, inner in expect_object(value, path).items():
        if name == "timeout":
            timeout = time_value(text(inner), "timeout")
        elif name == "retry":
            retry = _retry(expect_object(inner, (*path, name)))
        else:
            body = expect_object(inner, (*path, name))
            if name not in _PARSERS:
                raise illegal_argument(f"Invalid field: [{name}] found in Actions.")
            found = name, _PARSERS[name](body, (*path, name))
    if found is None:
        raise illegal_argument("Action inside state is null")
    return {**({"timeout": timeout} if timeout else {}), "retry": retry, found[0]: found[1]}


def type_of(action: Mapping[str, Any]) -> str:
    """The type of a normalized action."""
    return next(name for name in action if name not in ("timeout", "retry"))


def template(value: Any, where: str) -> dict[str, Any]:
    """A message template: `{"source", "lang": "mustache"}`. Raises 400 for another language."""
    body = value if isinstance(value, dict) else {"source": text(value)}
    if body.get("source") is None:
        raise illegal_argument("must specify either [source] for an inline script or [id] for a stored script")
    made = {"source": text(body["source"]), "lang": text(body.get("lang", "mustache"))}
    if made["lang"] != "mustache":
        raise illegal_argument(f"{where} message template must be a mustache script")
    return made


def _retry(body: Mapping[str, Any]) -> dict[str, Any]:
    if body.get("count") is None:
        raise illegal_argument("ActionRetry count is null")
    backoff = text(body.get("backoff", "exponential"))
    if backoff.lower() not in ("exponential", "constant", "linear"):
        raise illegal_argument(f"No enum constant {_BACKOFF}.{backoff.upper()}")
    count = integer(body["count"])
    delay = time_value(text(body.get("delay", "1m")), "delay")
    if count < 0:
        raise illegal_argument("Count for ActionRetry must be a non-negative number")
    return {"count": count, "backoff": backoff.lower(), "delay": delay}


def _read(body: Mapping[str, Any], fields: Fields, where: str) -> dict[str, Any]:
    """Read the known fields in the order in which they were written. Raises 400 at the first unknown one."""
    made = {}
    for name, value in body.items():
        if name not in fields:
            raise illegal_argument(f"Invalid field: [{name}] found in {where}.")
        made[name] = fields[name](value)
    return made


def _size(name: str) -> Callable[[Any], str]:
    return lambda value: byte_size(text(value), name)


def _age(name: str) -> Callable[[Any], str]:
    return lambda value: time_value(text(value), name)


def _empty(body: Mapping[str, Any], path: Path) -> dict[str, Any]:
    if body:
        raise UnexpectedTokenError("END_OBJECT", "FIELD_NAME", path)
    return {}


def _rollover(body: Mapping[str, Any], _path: Path) -> dict[str, Any]:
    fields: Fields = {
        "min_size": _size("min_size"),
        "min_doc_count": integer,
        "min_index_age": _age("min_index_age"),
        "min_primary_shard_size": _size("min_primary_shard_size"),
        "copy_alias": boolean,
        "prevent_empty_rollover": boolean,
    }
    made = _read(body, fields, "RolloverAction")
    for name, called in (("min_size", "minSize"), ("min_primary_shard_size", "minPrimaryShardSize")):
        if name in made and byte_count(made[name]) <= 0:
            raise illegal_argument(f"RolloverAction {called} value must be greater than 0")
    if made.get("min_doc_count", 1) <= 0:
        raise illegal_argument("RolloverAction minDocs value must be greater than 0")
    made.setdefault("copy_alias", False)
    if not made.get("prevent_empty_rollover"):
        made.pop("prevent_empty_rollover", None)
    return made


def _replica_count(body: Mapping[str, Any], _path: Path) -> dict[str, Any]:
    made = _read(body, {"number_of_replicas": integer}, "ReplicaCountActionConfig")
    if "number_of_replicas" not in made:
        raise illegal_argument("ReplicaCountActionConfig number_of_replicas is null")
    if made["number_of_replicas"] < 0:
        raise illegal_argument("ReplicaCountAction number_of_replicas value must be a non-negative number")
    return made


def _force_merge(body: Mapping[str, Any], _path: Path) -> dict[str, Any]:
    made = _read(body, {"max_num_segments": integer}, "ForceMergeActionConfig")
    if "max_num_segments" not in made:
        raise illegal_argument("ForceMergeActionConfig maxNumSegments is null")
    if made["max_num_segments"] <= 0:
        raise illegal_argument("Force merge {max_num_segments} must be greater than 0")
    return made


def _index_priority(body: Mapping[str, Any], _path: Path) -> dict[str, Any]:
    made = _read(body, {"priority": integer}, "IndexPriorityActionConfig")
    if "priority" not in made:
        raise illegal_argument("IndexPriorityActionConfig priority is null")
    if made["priority"] < 0:
        raise illegal_argument("IndexPriorityAction index_priority value must be a non-negative number")
    return made


def _snapshot(body: Mapping[str, Any], _path: Path) -> dict[str, Any]:
    made = _read(body, {"repository": text, "snapshot": text}, "SnapshotAction")
    for needed in ("repository", "snapshot"):
        if needed not in made:
            raise illegal_argument(f"SnapshotAction {needed} must be specified")
    return made


def _notification(body: Mapping[str, Any], _path: Path) -> dict[str, Any]:
    fields: Fields = {
        "destination": _as_is,
        "channel": channel,
        "message_template": lambda value: template(value, "Notification"),
    }
    made = _read(body, fields, "NotificationAction")
    if "message_template" not in made:
        raise illegal_argument("NotificationAction message template is null")
    check_target(made, "Notification")
    return made


def channel(value: Any) -> dict[str, str]:
    """`{"id": …}` of a notification. Raises 400 without an id, 500 for anything else in it."""
    body = value if isinstance(value, dict) else {}
    for name in body:
        if name != "id":
            reason = f"Unexpected field: {name}, while parsing Channel destination"
            raise OpenSearchError(500, "illegal_state_exception", reason)
    if body.get("id") is None:
        raise illegal_argument("Channel ID is null")
    return {"id": text(body["id"])}


def check_target(body: Mapping[str, Any], what: str) -> None:
    """A notification goes to a channel or to a legacy destination. Raises 400 for none and for both."""
    if "destination" not in body and "channel" not in body:
        raise illegal_argument(f"{what} must contain a destination or channel")
    if "destination" in body and "channel" in body:
        raise illegal_argument(f"{what} can only contain a single destination or channel")


def _allocation(body: Mapping[str, Any], path: Path) -> dict[str, Any]:
    def attributes(name: str) -> Callable[[Any], dict[str, str]]:
        return lambda value: {k: text(v) for k, v in expect_object(value, (*path, name)).items()}

    kinds = ("require", "include", "exclude")
    made = _read(body, {**{k: attributes(k) for k in kinds}, "wait_for": boolean}, "AllocationAction")
    if not any(made.get(kind) for kind in kinds):
        raise illegal_argument("At least one allocation parameter need to be specified.")
    return {**{kind: made.get(kind, {}) for kind in kinds}, "wait_for": made.get("wait_for", False)}


def _alias(body: Mapping[str, Any], path: Path) -> dict[str, Any]:
    def read(value: Any) -> list[dict[str, Any]]:
        entries = enumerate(expect_array(value, (*path, "actions")))
        return [_alias_action(expect_object(entry, (*path, "actions", i))) for i, entry in entries]

    made = _read(body, {"actions": read}, "AliasAction")
    if not made.get("actions"):
        raise illegal_argument("At least one alias action needs to be specified.")
    return made


def _alias_action(entry: Mapping[str, Any]) -> dict[str, Any]:
    kind, body = next(iter(entry.items()), ("", {}))
    if kind not in ("add", "remove") or not isinstance(body, dict):
        raise illegal_argument("Only ADD and REMOVE actions are allowed.")
    names = body.get("aliases", [body["alias"]] if "alias" in body else [])
    if not names:
        raise illegal_argument("One of [alias] or [aliases] is required")
    options = {name: body[name] for name in _ALIAS_OPTIONS if name in body}
    return {kind: {"aliases": [text(n) for n in (names if isinstance(names, list) else [names])], **options}}


def _shrink(body: Mapping[str, Any], _path: Path) -> dict[str, Any]:
    fields: Fields = {
        "num_new_shards": integer,
        "max_shard_size": _size("max_shard_size"),
        "percentage_of_source_shards": float,
        "target_index_name_template": lambda value: template(value, "Target index name template"),
        "aliases": _as_is,
        "switch_aliases": boolean,
        "force_unsafe": boolean,
    }
    made = _read(body, fields, "ShrinkAction")
    ways = ("num_new_shards", "max_shard_size", "percentage_of_source_shards")
    if sum(way in made for way in ways) != 1:
        raise illegal_argument("Exactly one option specifying the number of shards to shrink to must be used.")
    made.setdefault("switch_aliases", False)
    return made


def _unknown_here(body: Mapping[str, Any], _path: Path) -> dict[str, Any]:
    """An action that the stand-in does not run: kept as it was sent, and its step fails when its turn comes."""
    return dict(body)


def _as_is(value: Any) -> Any:
    return value


_PARSERS: dict[str, Callable[[Mapping[str, Any], Path], dict[str, Any]]] = {
    "alias": _alias,
    "allocation": _allocation,
    "close": _empty,
    "delete": _empty,
    "force_merge": _force_merge,
    "index_priority": _index_priority,
    "notification": _notification,
    "open": _empty,
    "read_only": _empty,
    "read_write": _empty,
    "replica_count": _replica_count,
    "rollover": _rollover,
    "shrink": _shrink,
    "snapshot": _snapshot,
    "rollup": _unknown_here,
    "transform": _unknown_here,
    "stop_replication": _empty,
    "convert_index_to_remote": _unknown_here,
}
