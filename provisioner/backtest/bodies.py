"""What is asked of the cluster: a monitor's query at one run or over several, and its events by time. Pure."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from provisioner import durations
from provisioner.ruletest import searches

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provisioner.model import Body

PAGE = 5_000
"""Groups of one page; Alerting turns smaller ones, and as many."""
TIMES = "provisioner_times"
TOP = 10
_BACK = re.compile(r"\{\{period_end\}\}\|\|-([1-9]\d*[smhdwy])")


def lookback(query: Body) -> int | None:
    """How far a monitor's query looks back, in milliseconds; None where it does not say so in one way."""
    found = {durations.ms(each) for each in _BACK.findall(json.dumps(query))}
    return found.pop() if len(found) == 1 else None


def over(query: Body, first: int, last: int, step: int) -> Body:
    """The query with all in sight that runs ending from `first` to `last` see; for one run both are the same."""
    if first == last:
        return searches.at(query, last, step)
    text = _BACK.sub(lambda match: str(first - durations.ms(match[1])), json.dumps(query))
    return searches.at(json.loads(text), last, step)


def select(body: Body, way: Sequence[str], condition: Mapping[str, Any]) -> Body:
    """Only groups that the trigger lets pass, in large pages."""
    place = body
    for name in way:
        place = (place.get("aggregations") or place["aggs"])[name]
    if "composite" in place:
        place["composite"]["size"] = PAGE
    searches.select(body, way, condition)
    return body


def after(body: Body, way: Sequence[str], key: Any) -> Body:
    """The search for the page that follows; the search given is changed."""
    place = body
    for name in way:
        place = (place.get("aggregations") or place["aggs"])[name]
    place["composite"]["after"] = key
    return body


def following(answer: Mapping[str, Any], way: Sequence[str]) -> Any:
    """Where the next page of groups begins; None where there is none.

    The server names a last key even where nothing follows, so a page for few events is known to be the only one: a
    group takes an event, and no event has more than ten values of its keys.
    """
    place = answer["aggregations"]
    for name in way:
        place = place[name]
    total = answer["hits"].get("total", {"relation": "gte"})
    if total["relation"] == "eq" and total["value"] * 10 <= PAGE:
        return None
    return place.get("after_key")


def times(query: Any, step: int, fields: Sequence[str] = ()) -> Body:
    """How many events a query finds in each interval; with `fields` the most frequent values of each of them."""
    histogram = {"field": "@timestamp", "fixed_interval": f"{step}ms", "min_doc_count": 1}
    top = {field: {"terms": {"field": field, "size": TOP * 10}} for field in fields}
    return {"size": 0, "track_total_hits": False, "query": query, "aggs": {TIMES: {"date_histogram": histogram}, **top}}


def matching(query: Mapping[str, Any], begin: int, end: int) -> Body:
    """The events of a doc-level query in a time, the end not included."""
    text = {"query": query["query"]} | ({"fields": query["fields"]} if query.get("fields") else {})
    within = {"range": {"@timestamp": {"gte": begin, "lt": end, "format": "epoch_millis"}}}
    return {"bool": {"filter": [{"query_string": text}, within]}}
