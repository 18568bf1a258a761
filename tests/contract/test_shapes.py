"""No rule's body uses anything that the real Alerting plugin was not seen, or read, to take.

Seen: in the recordings, in requests that it accepted, and of its own keys only those that its answer showed again (it
drops what it does not know in silence). Read or measured otherwise: known_shapes.yml. What else a body uses fails here
by its path: look into the plugin's source, and write into the table why it is accepted, or change the body template.
Scripts and query strings are the server's own languages, and the tests on a real node run them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from fnmatch import fnmatchcase
from typing import Any

import everyrule
import pytest
import yaml
from replay import HERE, RECORDINGS, load
from shapes import of_job, of_search

FILES = ("alerting.jsonl", "core.jsonl", "email.jsonl", "ism.jsonl", "messages.jsonl", "notifications.jsonl")


def recorded() -> set[str]:
    """All shapes that the real plugin was seen to take."""
    seen: set[str] = set()
    for recording in (recording for name in FILES for recording in load(name)):
        body, answer = recording.body, recording.response
        if recording.status >= 300 or not recording.path.startswith("/_plugins/_alerting/") or not _is_job(body):
            continue
        shown = next((answer[key] for key in ("monitor", "workflow") if key in answer), None)
        own = _own_keys(shown) if shown else set()
        seen |= {shape for shape in of_job(body) if shape in own or not _is_own_key(shape)}
    for line in (RECORDINGS / "query-rewrites.jsonl").read_text().splitlines():
        query = json.loads(line)
        if query["got"]:
            seen |= of_search(query["sent"])
            if query["idempotent"]:  # the server's form was sent in turn
                seen |= of_search(query["got"])
    return seen


def _is_job(body: Any) -> bool:
    return isinstance(body, dict) and ("triggers" in body or "inputs" in body)


def _own_keys(shown: dict[str, Any]) -> set[str]:
    return {shape for shape in of_job(shown) if _is_own_key(shape)}


def _is_own_key(shape: str) -> bool:
    """A key of the plugin itself, not of a search or message."""
    return "_monitor: " in shape or shape.startswith("composite: ")


def table() -> list[str]:
    """The shapes of known_shapes.yml, each entry of which says why."""
    entries = yaml.safe_load((HERE / "known_shapes.yml").read_text())
    assert all("fact" in entry or {"source", "why"} <= entry.keys() for entry in entries)
    return [shape for entry in entries for shape in entry["shapes"]]


@pytest.fixture(scope="module")
def bodies(tmp_path_factory: pytest.TempPathFactory) -> everyrule.Bodies:
    return {**everyrule.shipped(), **everyrule.every_type(tmp_path_factory.mktemp("types"))}


def test_every_shape_of_every_rule_is_recorded_or_known(bodies: everyrule.Bodies) -> None:
    seen, known = recorded(), table()
    unknown: dict[str, list[str]] = defaultdict(list)
    used: set[str] = set()
    for name, body in bodies.items():
        for shape in of_job(body) - seen:
            matching = [pattern for pattern in known if _matches(shape, pattern)]
            used.update(matching)
            if not matching:
                unknown[shape].append(name)
    assert {shape: names[0] for shape, names in unknown.items()} == {}
    assert set(known) - used == set()  # nothing stands in the table for nobody
    assert len(bodies) > 200


def _matches(shape: str, pattern: str) -> bool:
    return fnmatchcase(shape, pattern.replace("[", "[[]"))


def test_every_rule_type_is_there(bodies: everyrule.Bodies) -> None:
    kinds = {body.get("monitor_type") or body["workflow_type"] for body in bodies.values()}
    assert kinds == {"bucket_level_monitor", "composite", "doc_level_monitor", "query_level_monitor"}
    files = [*everyrule.TYPES.glob("*.yml"), *(everyrule.ROOT / "rules").rglob("*.yml")]
    shown = {line for file in files for line in file.read_text().splitlines() if line.startswith("type: ")}
    assert {f"type: {type_}" for type_ in everyrule.types()} <= shown


MONITOR = {
    "monitor_type": "bucket_level_monitor",
    "inputs": [{"search": {"query": {"aggs": {"a": {"composite": {"sources": [{"u": {"terms": {"field": "u"}}}]}}}}}}],
    "triggers": [{"bucket_level_trigger": {"condition": {"buckets_path": {"x": "_count"}, "gap_policy": "skip"}}}],
}


@pytest.mark.parametrize(
    ("changed", "new"),
    [
        ({"monitor_tipe": 1}, "bucket_level_monitor: monitor_tipe"),
        ({"triggers": [{"bucket_level_trigger": {"condition": {"buckets_path": {"x": "p.value"}}}}]}, "<name>.value"),
        ({"inputs": [{"search": {"query": {"aggs": {"a": {"rare_terms": {"field": "u"}}}}}}]}, "rare_terms > field"),
        ({"inputs": [{"search": {"query": {"query": {"bool": {"filter": [{"geo": {}}]}}}}}]}, "query: geo"),
        ({"inputs": [{"search": {"query": {"query": {"range": {"t": {"ge": 1}}}}}}]}, "query: range > <field> > ge"),
        ({"schedule": {"period": {"unit": "WEEKS"}}}, "schedule > period > unit = WEEKS"),
        ({"x": [{"message_template": {"source": "{{#ctx.some}}{{/ctx.some}}"}}]}, "message: {{#ctx.some}}"),
        ({"x": [{"condition": {"script": {"lang": "painless", "options": {}}}}]}, "script > options"),
    ],
)
def test_what_is_new_in_a_body_is_seen(changed: dict[str, Any], new: str) -> None:
    found = of_job({**MONITOR, **changed}) - of_job(MONITOR)
    assert [shape for shape in found if shape.endswith(new)]
