"""Correlation rules: a workflow over the monitors of other rules, written, found again, and fired."""

from __future__ import annotations

import time
from typing import Any

import pytest
from clusters import Repository
from test_ownership import apply, plan

from provisioner.client import path

RULES = """\
kind: rule
id: one
title: One
severity: low
log_type: authentication
type: threshold
query: 'action:login_failed'
threshold: {count: 1, within: 1d}
schedule: 2s
runbook: https://example.org/one
---
kind: rule
id: two
title: Two
severity: low
log_type: authentication
type: threshold
query: 'action:login_succeeded'
threshold: {count: 1, within: 1d}
schedule: 2s
runbook: https://example.org/two
---
kind: rule
id: both
title: Both
severity: low
log_type: authentication
type: correlation
correlation: {rules: [one, two]}
schedule: 2s
runbook: https://example.org/both
"""
MONITORS = "/_plugins/_alerting/monitors"


@pytest.fixture
def correlated(repository: Repository) -> Repository:
    """The starter pack's streams with three rules instead of its own."""
    repository.remove("rules/detections")
    repository.write({"rules/detections/both.yml": RULES})
    return repository


def names(repository: Repository) -> dict[str, str]:
    query = {"size": 1000, "query": {"match_all": {}}}
    hits = repository.client.request("POST", f"{MONITORS}/_search", query)["hits"]["hits"]
    found = {
        hit["_source"].get("monitor", hit["_source"].get("workflow", hit["_source"]))["name"]: hit["_id"]
        for hit in hits
    }
    return {name: id_ for name, id_ in found.items() if name.startswith(repository.owner)}


def chained(repository: Repository, workflow: str) -> list[dict[str, Any]]:
    answer = repository.client.get("/_plugins/_alerting/workflows/alerts", params={"workflowIds": workflow})
    return [alert for alert in answer["alerts"] if alert["workflow_id"] == workflow]


def test_a_workflow_is_written_fires_and_goes_before_its_monitors(correlated: Repository) -> None:
    owner, client = correlated.owner, correlated.client
    apply(correlated)
    assert plan(correlated) == {}
    ids = names(correlated)
    stored = client.request("GET", path("_plugins", "_alerting", "workflows", ids[f"{owner}-both"]))["workflow"]
    (trigger,) = stored["triggers"]
    condition = trigger["chained_alert_trigger"]["condition"]["script"]["source"]
    assert condition == f"monitor[id={ids[f'{owner}-one']}] && monitor[id={ids[f'{owner}-two']}]"

    event = {"@timestamp": int(time.time() * 1000), "category": "authentication", "severity": "info", "message": "x"}
    stream = path(f"logs-authentication-{correlated.namespace}", "_doc")
    client.request("POST", stream, {**event, "action": "login_failed"}, {"refresh": "true"})
    time.sleep(6)
    assert chained(correlated, ids[f"{owner}-both"]) == []
    client.request("POST", stream, {**event, "action": "login_succeeded"}, {"refresh": "true"})
    end = time.monotonic() + 30
    while not (found := chained(correlated, ids[f"{owner}-both"])) and time.monotonic() < end:
        time.sleep(0.5)
    assert found[0]["trigger_id"] == f"{owner}:both"

    # A monitor that was made anew has another id: the workflow would wait for the old one for ever.
    client.request("DELETE", path("_plugins", "_alerting", "workflows", ids[f"{owner}-both"]))
    client.request("DELETE", f"{MONITORS}/{ids[f'{owner}-one']}")
    found_changes = plan(correlated)
    assert found_changes[f"monitor {owner}-one"][0] == "create"
    assert found_changes[f"workflow {owner}-both"][0] == "create"
    apply(correlated)
    assert plan(correlated) == {}

    correlated.remove("rules/detections")
    assert "3 deleted" in apply(correlated, "--prune", "--force", "deletes")
    assert names(correlated) == {}


def test_a_match_rule_has_no_monitor_of_its_own_to_correlate(correlated: Repository) -> None:
    correlated.edit(
        "rules/detections/both.yml",
        "threshold: {count: 1, within: 1d}\nschedule: 2s\nrunbook: https://example.org/one",
        "schedule: 2s\nrunbook: https://example.org/one",
    )
    correlated.edit(
        "rules/detections/both.yml",
        "type: threshold\nquery: 'action:login_failed'",
        "type: match\nquery: 'action:login_failed'",
    )
    done = correlated.run("validate")
    assert done.code == 1
    assert "the rule 'one' shares its monitor with others" in done.text
