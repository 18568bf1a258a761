"""Bucket-level triggers on the node: which buckets of an aggregation satisfy a trigger's condition.

The plugin adds an aggregation of its own for each trigger, which reports the indices of the buckets that pass. The bare
node has only `bucket_selector`, which removes the others. So each trigger's aggregation goes along a second time, under
the trigger's id, with the condition as `bucket_selector` inside; the indices are those of the buckets that came back.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

from provisioner.devcluster.standin.alerting.inputs import InputError
from provisioner.devcluster.standin.alerting.model import Json, Trigger

SELECTOR = "__provisioner_selected"


def with_selectors(query: Mapping[str, Any], triggers: list[Trigger], after: Mapping[str, Any]) -> Json:
    """The search with a second, selecting aggregation for each trigger; `after`: key of the last page by trigger id.

    Raises:
        InputError: a trigger's parent path names no aggregation.
    """
    body = copy.deepcopy(dict(query))
    selecting: Json = {}
    for trigger in triggers:
        path = _path(trigger)
        parent = _aggregation(body["aggregations"], path, trigger)
        if after.get(trigger.id) is not None:
            parent["composite"]["after"] = after[trigger.id]
        twin = copy.deepcopy(body["aggregations"][path[0]])
        condition = trigger.body["condition"]
        inner = _aggregation({path[0]: twin}, path, trigger).setdefault("aggregations", {})
        _check_paths(trigger, inner)
        inner[SELECTOR] = {
            "bucket_selector": {
                key: condition[key] for key in ("buckets_path", "script", "gap_policy") if key in condition
            }
        }
        selecting[trigger.id] = twin
    body["aggregations"] = {**selecting, **body["aggregations"]}
    return body


def _check_paths(trigger: Trigger, aggregations: Mapping[str, Any]) -> None:
    """The plugin resolves a trigger's paths only when it has buckets, and then fails without a word."""
    for path in trigger.body["condition"]["buckets_path"].values():
        name = re.split(r"[>.\[]", path)[0]
        if not name.startswith("_") and name not in aggregations:
            raise InputError("", f"Cannot find an aggregation named [{name}]")


def with_sample_documents(query: Mapping[str, Any], trigger: Trigger) -> Json | None:
    """The search with the five first and five last documents of every bucket; None where the plugin finds none either.

    The plugin sorts them by the fields of the metrics beside them, and fails on a metric with anything but plain fields
    (a scripted metric, say): then there are no samples. It looks for them only under the name `composite_agg`.
    """
    body = copy.deepcopy(dict(query))
    if (
        trigger.body["condition"]["parent_bucket_path"] != "composite_agg"
        or "composite_agg" not in body["aggregations"]
    ):
        return None
    factory = body["aggregations"]["composite_agg"]
    subs = factory.setdefault("aggregations", {})
    metrics = [metric for name, metric in subs.items() if not any("buckets_path" in how for how in metric.values())]
    fields = [value for metric in metrics for how in metric.values() for value in how.values()]
    if any(not isinstance(field, str) for field in fields):
        return None
    fields = fields or ["_score"]
    tags = _source_fields(trigger)
    for name, order in (("low_hits", "asc"), ("top_hits", "desc")):
        hits: Json = {"size": 5, "sort": [{field: {"order": order}} for field in fields]}
        if tags:
            hits["_source"] = {"includes": tags, "excludes": []}
        subs[name] = {"top_hits": hits}
    return body


def sample_documents(answer: Mapping[str, Any]) -> dict[str, list[Json]]:
    """Documents by bucket key, newest first, none twice."""
    found: dict[str, list[Json]] = {}
    for bucket in answer["aggregations"]["composite_agg"]["buckets"]:
        hits = bucket["top_hits"]["hits"]["hits"] + bucket["low_hits"]["hits"]["hits"][::-1]
        found["#".join(_keys(bucket))] = list({hit["_id"]: hit for hit in hits}.values())
    return found


def prints_samples(trigger: Trigger) -> bool:
    """Whether a message of the trigger shows documents."""
    tags = ("{{ctx}}", "{{ctx.newAlerts}}", "sample_documents")
    return any(tag in action["message_template"]["source"] for action in trigger.actions for tag in tags)


def _source_fields(trigger: Trigger) -> list[str]:
    """The fields of documents that the messages show."""
    blocks = [
        block
        for action in trigger.actions
        for block in re.findall(
            r"{{#sample_documents}}(.*?){{/sample_documents}}", action["message_template"]["source"], re.S
        )
    ]
    tags = [tag.strip() for block in blocks for tag in re.findall(r"{{([^{}]+)}}", block)]
    return list(dict.fromkeys(tag.removeprefix("_source.") for tag in tags if tag.startswith("_source.")))


def selected(answer: Json, trigger: Trigger) -> tuple[list[Json], Any]:
    """The trigger's buckets of one page, and the page's after key.

    The selecting twin in `answer` gives way to what the plugin shows: parent path and indices.
    """
    path = _path(trigger)
    passed = _result({path[0]: answer["aggregations"].pop(trigger.id)}, path)
    everything = _result(answer["aggregations"], path)
    wanted = {_identity(bucket) for bucket in passed["buckets"]}
    wanted &= {_identity(bucket) for bucket in everything["buckets"] if _accepted(trigger, bucket)}
    indices = [index for index, bucket in enumerate(everything["buckets"]) if _identity(bucket) in wanted]
    parent_path = trigger.body["condition"]["parent_bucket_path"]
    shown = {"parent_bucket_path": parent_path, "bucket_indices": indices}
    answer["aggregations"] = {trigger.id: shown, **answer["aggregations"]}
    buckets = [everything["buckets"][index] for index in indices]
    contents = [
        {"parent_bucket_path": parent_path, "bucket_keys": _keys(bucket), "bucket": bucket} for bucket in buckets
    ]
    return contents, everything.get("after_key")


def _path(trigger: Trigger) -> list[str]:
    return str(trigger.body["condition"]["parent_bucket_path"]).split(">")


def _aggregation(aggregations: Json, path: list[str], trigger: Trigger) -> Json:
    found: Json = {"aggregations": aggregations}
    for name in path:
        found = found.get("aggregations", {}).get(name)
        if found is None:
            where = trigger.body["condition"]["parent_bucket_path"]
            raise InputError(f"Validation Failed: 1: No aggregation found for path [{where}];")
    return found


def _result(aggregations: Json, path: list[str]) -> Json:
    found = aggregations
    for name in path:
        found = found[name]
    return found


def _identity(bucket: Mapping[str, Any]) -> str:
    return repr(bucket["key"])


def _keys(bucket: Mapping[str, Any]) -> list[str]:
    """A bucket's keys as text."""
    key = bucket["key"]
    if isinstance(key, Mapping):
        return [_text(value) for value in key.values()]
    if isinstance(key, list):
        return [str(bucket["key_as_string"])]
    return [_text(key)]


def _text(value: Any) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _accepted(trigger: Trigger, bucket: Mapping[str, Any]) -> bool:
    """The trigger's `filter` (one key) or `composite_agg_filter` (by source): include and exclude."""
    condition = trigger.body["condition"]
    if "composite_agg_filter" in condition:
        filters = condition["composite_agg_filter"]
        return all(name in filters and _passes(filters[name], value) for name, value in bucket["key"].items())
    return _passes(condition["filter"], bucket["key"]) if "filter" in condition else True


def _passes(rule: Mapping[str, Any], value: Any) -> bool:
    def named(what: Any) -> bool:
        return value in what if isinstance(what, list) else re.fullmatch(str(what), str(value)) is not None

    return ("include" not in rule or named(rule["include"])) and ("exclude" not in rule or not named(rule["exclude"]))
