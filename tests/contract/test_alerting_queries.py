"""query-rewrites.jsonl: searches as they were sent to the real plugin, and as it showed them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
from alerting_replay import assemble
from replay import RECORDINGS
from serving import serve

from provisioner.devcluster.standin.alerting.forms import search_source

MONITORS = "/_plugins/_alerting/monitors"


def monitor(query: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "monitor",
        "name": "rewrite",
        "enabled": False,
        "schedule": {"period": {"interval": 1, "unit": "MINUTES"}},
        "inputs": [{"search": {"indices": ["nothing-*"], "query": query}}],
        "triggers": [],
    }


def shown(answer: httpx.Response) -> dict[str, Any]:
    query: dict[str, Any] = answer.raise_for_status().json()["monitor"]["inputs"][0]["search"]["query"]
    return query


def test_searches_are_shown_as_the_real_plugin_shows_them(
    empty_node: str, count: Callable[[str, int, int], None]
) -> None:
    cases = [json.loads(line) for line in (RECORDINGS / "query-rewrites.jsonl").read_text().splitlines()]
    with serve(empty_node, assemble) as served, httpx.Client(base_url=served.url, timeout=60) as client:
        made = client.post(MONITORS, json=monitor({"query": {"match_all": {}}})).json()["_id"]
        for case in cases:
            assert shown(client.post(MONITORS, json=monitor(case["sent"]))) == case["got"], case["sent"]
            assert case["idempotent"]
            assert search_source(case["got"]) == case["got"], case["sent"]
        assert shown(client.put(f"{MONITORS}/{made}", json=monitor(cases[0]["got"]))) == cases[0]["got"]
        assert shown(client.get(f"{MONITORS}/{made}")) == cases[0]["got"]
    count("query-rewrites.jsonl", len(cases), 0)
