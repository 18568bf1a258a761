"""What a body uses of the Alerting plugin and of the search language, as short lines. Pure.

    "bucket_level_monitor: triggers[] > bucket_level_trigger > condition > gap_policy = skip"
    "query: range > <field> > gte"
    "aggregation: composite > sources[] > <name> > terms > field"
    "doc_level_monitor, message: {{#ctx.alerts}}"

Names that people choose (aggregations, fields, params) become `<name>` and `<field>`; of values only those count that
the plugin has a closed list of. So a body uses nothing new if all its shapes were seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

CLOSED = {
    "type", "monitor_type", "workflow_type", "unit", "lang", "gap_policy", "format", "throttle_enabled",
    "actionable_alerts",
}  # fmt: skip
"""Keys whose values come from a closed list."""
BY_FIELD = {"range", "term", "terms", "match", "match_phrase", "prefix", "wildcard", "regexp", "fuzzy"}
"""Queries whose first key is a field's name."""
QUERIES = {"must", "must_not", "should", "filter", "query", "queries", "positive", "negative"}
"""Keys of a query that hold queries."""
_TAG = re.compile(r"\{\{(\{|&)?\s*([#/^]?)([^{}]+?)\s*\}?\}\}")


def of_job(body: Mapping[str, Any]) -> set[str]:
    """The shapes of a monitor or workflow."""
    kind = str(body.get("monitor_type") or body.get("workflow_type") or "query_level_monitor")
    return set(_job(body, kind, ""))


def of_search(body: Mapping[str, Any]) -> set[str]:
    """The shapes of a search."""
    return set(_search(body))


def _job(value: Any, kind: str, where: str) -> Iterator[str]:
    """The plugin's own keys, down to searches, scripts and messages."""
    for key, inner in value.items():
        path = f"{where} > {key}" if where else key
        if key == "query" and where.endswith("> search"):
            yield f"{kind}: {path}"
            yield from _search(inner)
        elif key in ("message_template", "subject_template"):
            yield from (f"{kind}: {path} > {part}" for part in inner)
            yield from (f"{kind}, message: {tag}" for tag in _tags(inner["source"]))
        elif key == "script":
            yield from (f"{kind}: {path} > {part}" for part in inner)
            yield f"{kind}: {path} > lang = {inner.get('lang')}"
            yield from _expression(kind, str(inner.get("source", "")))
        elif key == "buckets_path":
            yield from (f"{kind}: {path} > <name> = {_buckets_path(v)}" for v in inner.values())
        elif key in ("ui_metadata", "metadata"):
            yield f"{kind}: {path}"
        else:
            yield from _inside(key, inner, kind, path)


def _inside(key: str, value: Any, kind: str, path: str) -> Iterator[str]:
    yield f"{kind}: {path}"
    if isinstance(value, dict):
        yield from _job(value, kind, path)
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                yield from _job(item, kind, f"{path}[]")
            elif key in CLOSED:
                yield f"{kind}: {path}[] = {item}"
    elif key in CLOSED:
        yield f"{kind}: {path} = {value}"


def _buckets_path(value: Any) -> str:
    return value if value == "_count" else re.sub(r"^\w+", "<name>", str(value))


def _expression(kind: str, source: str) -> Iterator[str]:
    """The little languages of doc-level and chained triggers; all others are Painless, which the server compiles."""
    if kind in ("doc_level_monitor", "composite"):
        # What stands in brackets is a name that people chose, but for its first word.
        yield from (f"{kind}, condition: {word}" for word in re.findall(r"\w+\[\w+=|&&|\|\||!|\(", source))


def _tags(text: str) -> Iterator[str]:
    for escape, sign, name in _TAG.findall(text):
        if sign != "/":
            yield "{{" + sign + name + "}}"
        if escape:
            yield "three braces"


def _search(body: Mapping[str, Any]) -> Iterator[str]:
    for key, value in body.items():
        name = "aggregations" if key == "aggs" else key
        yield f"search: {name}"
        if name == "query":
            yield from _query(value)
        elif name == "aggregations":
            yield from _aggregations(value)


def _query(query: Any) -> Iterator[str]:
    if isinstance(query, list):
        for each in query:
            yield from _query(each)
        return
    for name, about in query.items():
        yield f"query: {name}"
        if not isinstance(about, dict):
            continue
        for key, value in about.items():
            if name in BY_FIELD and key not in ("boost", "_name"):
                options = value if isinstance(value, dict) else {}
                yield from (f"query: {name} > <field> > {option}" for option in options)
            else:
                yield f"query: {name} > {key}"
                # a bool's `filter`, a constant_score's; a query_string's `query` is a text
                if key in QUERIES and isinstance(value, dict | list):
                    yield from _query(value)


def _aggregations(aggregations: Mapping[str, Any]) -> Iterator[str]:
    for about in aggregations.values():
        for name, value in about.items():
            if name in ("aggs", "aggregations"):
                yield from ("aggregation: within another" for _ in value)
                yield from _aggregations(value)
            elif name == "filter":
                yield "aggregation: filter"
                yield from _query(value)
            elif name == "composite":
                yield from (f"aggregation: composite > {key}" for key in value)
                yield from _sources(value.get("sources", []))
            else:
                yield f"aggregation: {name}"
                yield from (f"aggregation: {name} > {key}" for key in value)


def _sources(sources: list[Mapping[str, Any]]) -> Iterator[str]:
    for source in sources:
        for about in source.values():
            for name, options in about.items():
                yield from (f"aggregation: composite > sources[] > <name> > {name} > {key}" for key in options)
                yield from (f"script: {key}" for key in options.get("script", {}))
