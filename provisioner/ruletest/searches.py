"""What a monitor asks of the cluster at one time, as a search of its own that sees one test's events only. Pure.

The query is the rendered one, with the time in it that Alerting would put there. A bucket-level trigger becomes a
`bucket_selector` with its own script beside the metrics: the aggregation that Alerting's own one is made of.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from provisioner.model import Body
    from provisioner.ruletest.cases import Case, Part

_MOST = 10_000
FIRES = "provisioner_fires"
"""The name of the trigger among the aggregations."""


@dataclass(frozen=True, slots=True)
class Search:
    """One search: of which case and monitor of it, for which of its runs and triggers. `way` leads to the buckets."""

    case: Case
    part: Part
    run: int
    body: Body
    way: tuple[str, ...] = ()
    condition: Mapping[str, Any] | None = None


def searches(case: Case, base: int) -> Iterator[Search]:
    """All searches of a case; `base` is when its test begins (milliseconds since 1970)."""
    for part in case.parts:
        if part.monitor["monitor_type"] == "doc_level_monitor":
            yield from _documents(case, part)
        else:
            yield from _runs(case, part, base)


def _documents(case: Case, part: Part) -> Iterator[Search]:
    for query in doc_queries(part.monitor, case.rule.id):
        found = {"query_string": {"query": query["query"], "fields": query.get("fields") or None}}
        found["query_string"] = {key: value for key, value in found["query_string"].items() if value is not None}
        yield Search(case, part, 0, {"size": _MOST, "query": _only([found], case.ids())})


def _runs(case: Case, part: Part, base: int) -> Iterator[Search]:
    monitor = part.monitor
    for number, run in enumerate(case.runs):
        for trigger in monitor["triggers"]:
            ((kind, inner),) = trigger.items()
            body = at(monitor["inputs"][0]["search"]["query"], base + run.end, interval(monitor))
            body["query"] = _only([body.get("query", {"match_all": {}})], case.ids(run.visible))
            if kind == "bucket_level_trigger":
                way = tuple(inner["condition"]["parent_bucket_path"].split(">"))
                select(body, way, inner["condition"])
                yield Search(case, part, number, body, way)
            else:
                yield Search(case, part, number, body, (), inner["condition"]["script"])


def doc_queries(monitor: Body, rule: str) -> Sequence[Mapping[str, Any]]:
    """The queries of one rule in a doc-level monitor."""
    queries: list[dict[str, Any]] = monitor["inputs"][0]["doc_level_input"]["queries"]
    return [query for query in queries if query["id"] == rule] or queries


def _only(queries: list[Any], ids: Sequence[str]) -> Body:
    return {"bool": {"must": queries, "filter": [{"ids": {"values": list(ids)}}]}}


def interval(monitor: Body) -> int:
    """How often a monitor runs, in milliseconds."""
    period = monitor["schedule"].get("period", {"interval": 1, "unit": "MINUTES"})
    return (
        int(period["interval"])
        * {"SECONDS": 1_000, "MINUTES": 60_000, "HOURS": 3_600_000, "DAYS": 86_400_000}[period["unit"]]
    )


def at(query: Body, end: int, interval: int) -> Body:
    """The query with the run's times, as Alerting's mustache puts them in."""
    text = json.dumps(query).replace("{{period_end}}", str(end)).replace("{{period_start}}", str(end - interval))
    filled: Body = json.loads(text)
    return filled


def select(body: Body, way: Sequence[str], condition: Mapping[str, Any]) -> None:
    """Put a bucket-level trigger into a search: only groups that it lets pass are answered."""
    place: Body = body
    for name in way:
        aggregations = place.get("aggregations") or place["aggs"]
        place = aggregations[name]
    below = "aggs" if "aggs" in place else "aggregations"
    selector = {
        key: copy.deepcopy(condition[key]) for key in ("buckets_path", "script", "gap_policy") if key in condition
    }
    place.setdefault(below, {})[FIRES] = {"bucket_selector": selector}


def fired(search: Search, answer: Mapping[str, Any]) -> dict[tuple[str, ...], float]:
    """The groups that a bucket-level trigger lets pass, by their keys, with what the rule measured."""
    return groups(search.way, search.part.group_by, answer)


def groups(way: Sequence[str], names: Sequence[str], answer: Mapping[str, Any]) -> dict[tuple[str, ...], float]:
    """The groups of an answer by their keys: the values of the fields named, in this order."""
    place: Mapping[str, Any] = answer["aggregations"]
    for name in way:
        place = place[name]
    found: dict[tuple[str, ...], float] = {}
    for bucket in place["buckets"]:
        peak = bucket.get("peak", {}).get("value")
        found[_key(bucket["key"], names)] = bucket["doc_count"] if peak is None else peak
    return found


def _key(key: Any, names: Sequence[str]) -> tuple[str, ...]:
    if not isinstance(key, dict):
        return (str(key),)
    return tuple(str(key[name]) for name in names) if names else ()
