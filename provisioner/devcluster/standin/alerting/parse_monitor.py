"""Reading a monitor that a client sent into the form in which the plugin stores and shows it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import orjson

from provisioner.devcluster.standin.alerting.errors import (
    JAVA_NAMES,
    broken,
    invalid,
    refusal,
    unparsable,
    unset,
)
from provisioner.devcluster.standin.alerting.forms import search_source
from provisioner.devcluster.standin.alerting.model import BUCKET, CLUSTER, DOC, QUERY, Json, data_sources, text_of
from provisioner.devcluster.standin.alerting.parse_trigger import trigger_form
from provisioner.devcluster.standin.alerting.reading import wrong_token
from provisioner.devcluster.standin.alerting.schedule import schedule_form
from provisioner.devcluster.standin.node import Node

TRIGGER_OF = {
    QUERY: "query_level_trigger",
    BUCKET: "bucket_level_trigger",
    DOC: "document_level_trigger",
    CLUSTER: "query_level_trigger",
}
TYPE_PATTERN = re.compile(r"[a-zA-Z0-9_]{5,25}")
BAD_QUERY_NAME = re.compile(r"^[_+-]|\.\.|[\^*?<>|#]")
BAD_TAG = set(" []{}()")
NOWHERE = "/.provisioner-parses-only-*/_search"  # no index matches: the node parses the body and runs nothing


async def monitor_form(sent: Mapping[str, Any], node: Node, now: int) -> Json:
    """A monitor in the stored form, its queries in the form of the server.

    `now`: milliseconds, for `enabled_time` and `last_update_time`.

    Raises:
        OpenSearchError: 400 or 500 with the plugin's reason; queries are judged by the node itself.
    """
    kind = text_of(sent.get("monitor_type", QUERY))
    if not TYPE_PATTERN.fullmatch(kind):
        raise broken(f"Monitor type should follow pattern {TYPE_PATTERN.pattern}")
    schedule = schedule_form(sent["schedule"]) if "schedule" in sent else None
    inputs = [await _input(item, node) for item in _list(sent.get("inputs", []))]
    triggers = [trigger_form(item) for item in _list(sent.get("triggers", []))]
    enabled = bool(sent.get("enabled", True))
    if sent.get("name") is None:
        raise invalid("Monitor name is null")
    if schedule is None:
        raise invalid("Monitor schedule is null")
    form: Json = {
        "type": "monitor",
        "schema_version": 0,
        "name": text_of(sent["name"]),
        "monitor_type": kind,
        "enabled": enabled,
        "enabled_time": (sent.get("enabled_time") or now) if enabled else None,
        "schedule": schedule,
        "inputs": inputs,
        "triggers": triggers,
        "last_update_time": now,
    }
    if sent.get("ui_metadata"):
        form["ui_metadata"] = sent["ui_metadata"]
    _check(form)
    _check_data_sources(sent.get("data_sources"))
    return form | {
        "data_sources": data_sources(),
        "delete_query_index_in_every_run": bool(sent.get("delete_query_index_in_every_run") or False),
        "should_create_single_alert_for_findings": bool(sent.get("should_create_single_alert_for_findings") or False),
        "owner": text_of(sent.get("owner") or "alerting"),
    }


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise wrong_token("START_ARRAY", value)
    return value


def _check(form: Json) -> None:
    """What the plugin checks of a whole monitor."""
    wanted = TRIGGER_OF.get(form["monitor_type"])
    seen: set[str] = set()
    for trigger in form["triggers"]:
        [(kind, body)] = trigger.items()
        if body["id"] in seen:
            raise invalid(f"Duplicate trigger id: {body['id']}. Trigger ids must be unique.")
        seen.add(body["id"])
        if wanted and kind != wanted:
            raise invalid(f"Incompatible trigger [{body['id']}] for monitor type [{form['monitor_type']}]")
    if len(form["inputs"]) > 1:
        raise invalid("Monitors can only have 1 search input.")
    for item in form["inputs"]:
        [(kind, body)] = item.items()
        if form["monitor_type"] == BUCKET:
            if kind != "search":
                raise invalid(f"Unsupported input [{kind}] for Monitor")
            if not body["query"].get("aggregations"):
                raise invalid(f"At least one aggregation is required for the input [{_search_input_text(body)}]")
        if form["monitor_type"] == DOC and kind == "doc_level_input":
            _check_query_names(body)


def _search_input_text(body: Json) -> str:
    return f"SearchInput(indices=[{', '.join(body['indices'])}], query={orjson.dumps(body['query']).decode()})"


def _check_query_names(body: Json) -> None:
    for item in body["queries"]:
        if BAD_QUERY_NAME.search(item["name"]):
            raise invalid("Doc level query name may not start with [_, +, -], contain '..', or contain: ^*?<>|#")


def _check_data_sources(sent: Any) -> None:
    if not isinstance(sent, Mapping):
        return
    ours = data_sources()
    if any(sent.get(key, ours[key]) != ours[key] for key in ("query_index", "findings_index", "alerts_index")):
        raise invalid("Custom Data Sources are not allowed.")


async def _input(sent: Mapping[str, Any], node: Node) -> Json:
    [(kind, body)] = list(sent.items())[:1] or [("", {})]
    if kind == "search":
        return {"search": await _search_input(body, node)}
    if kind == "doc_level_input":
        return {"doc_level_input": _doc_input(body)}
    if kind == "uri":
        return {"uri": _uri_input(body)}
    raise refusal(500, f"unknown field [{kind}]", "org.opensearch.core.xcontent.NamedObjectNotFoundException")


async def _search_input(sent: Mapping[str, Any], node: Node) -> Json:
    indices = [text_of(index) for index in _list(sent.get("indices", []))]
    query = sent.get("query")
    if query is None:
        raise unset("searchSourceBuilder")
    if not isinstance(query, Mapping):
        # The plugin's parser runs into the end of the object that should have been the query.
        raise unparsable("Expected [START_OBJECT] but found [END_OBJECT]")
    await check_source(query, node)
    return {"indices": indices, "query": search_source(query)}


async def check_source(query: Mapping[str, Any], node: Node) -> None:
    """Let the node parse a search body without running it.

    Raises:
        OpenSearchError: 500 with the node's reason, which is what the plugin makes of it.
    """
    params = {"ignore_unavailable": True, "allow_no_indices": True}
    reply = await node.request("POST", quote(NOWHERE, safe="/*"), params=params, body=dict(query))
    if reply.ok:
        return
    error = reply.body["error"] if isinstance(reply.body, dict) else {}
    root = (error.get("root_cause") or [error])[0]
    # Aggregation paths are checked by the search action, not by the parser: the plugin finds those when it runs.
    if error.get("type") == "action_request_validation_exception":
        return
    raise refusal(500, str(root.get("reason")), JAVA_NAMES.get(root.get("type"), str(root.get("type"))))


def _doc_input(sent: Mapping[str, Any]) -> Json:
    return {
        "description": text_of(sent.get("description", "")),
        "indices": [text_of(index) for index in _list(sent.get("indices", []))],
        "queries": [_doc_query(item) for item in _list(sent.get("queries", []))],
        "fan_out_enabled": sent.get("fan_out_enabled") is not False,
    }


def _doc_query(sent: Mapping[str, Any]) -> Json:
    for tag in sent.get("tags", []):
        if BAD_TAG & set(text_of(tag)):
            raise invalid(f"The query tag, {tag}, contains an invalid character: [' ','[',']','{{','}}','(',')']")
    for key in ("name", "query"):
        if sent.get(key) is None:
            raise unset(key)
    name = text_of(sent["name"])
    if not 1 <= len(name) <= 256:
        raise invalid(f"The query name, {name}, should be between 1 - 256 characters.")
    return {
        "id": text_of(sent["id"]) if "id" in sent else str(uuid.uuid4()),
        "name": name,
        "fields": [text_of(field) for field in sent.get("fields", [])],
        "query": text_of(sent["query"]),
        "tags": [text_of(tag) for tag in sent.get("tags", [])],
        "query_field_names": [text_of(field) for field in sent.get("query_field_names", [])],
    }


def _uri_input(sent: Mapping[str, Any]) -> Json:
    """A cluster metrics input. The plugin shows `localhost:9200`, whatever port the node has."""
    path, params = text_of(sent.get("path", "")), text_of(sent.get("path_params", ""))
    url = text_of(sent.get("url") or "") or f"http://localhost:9200/{path}{'/' + params if params else ''}"
    return {
        "api_type": text_of(sent.get("api_type", "")),
        "path": path,
        "path_params": params,
        "url": url,
        "clusters": sent.get("clusters", []),
    }
