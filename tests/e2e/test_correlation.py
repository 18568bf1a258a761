"""Correlation rules: a workflow over the monitors of other rules, written, found again, and fired."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from clusters import Repository
from test_ownership import apply, plan

from provisioner.client import path
from provisioner.demo.receivers import Receivers

RULES = """\
kind: rule
id: one
title: Rule one fires
severity: high
log_type: authentication
type: threshold
query: 'action:login_failed'
threshold: {count: 1, within: 1d}
schedule: 2s
runbook: https://example.org/one
---
kind: rule
id: two
title: Rule two fires
severity: high
log_type: authentication
type: threshold
query: 'action:login_succeeded'
threshold: {count: 1, within: 1d}
schedule: 2s
runbook: https://example.org/two
---
kind: rule
id: both
title: Both of them fire
severity: high
log_type: authentication
type: correlation
correlation: {rules: [one, two]}
schedule: 2s
runbook: https://example.org/both
"""
MONITORS = "/_plugins/_alerting/monitors"


@pytest.fixture
def receivers() -> Iterator[Receivers]:
    made = Receivers(19755, 19756)
    made.open()
    yield made
    made.close()


@pytest.fixture
def correlated(repository: Repository, receivers: Receivers) -> Iterator[Repository]:
    """The starter pack's streams with three rules instead of its own. A workflow goes before what it runs."""
    repository.remove("rules/detections")
    repository.write({"rules/detections/both.yml": RULES})
    repository.settings(catch={"http": receivers.http, "smtp": receivers.smtp})
    yield repository
    client = repository.client
    for name, id_ in names(repository).items():
        if name == f"{repository.owner}-both":
            client.request("DELETE", path("_plugins", "_alerting", "workflows", id_))


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


def event(action: str) -> dict[str, Any]:
    about = {"category": "authentication", "severity": "info", "message": "x"}
    return {"@timestamp": int(time.time() * 1000), **about, "action": action}


def test_a_workflow_is_written_fires_and_goes_before_its_monitors(correlated: Repository, receivers: Receivers) -> None:
    owner, client = correlated.owner, correlated.client
    apply(correlated)
    assert plan(correlated) == {}
    ids = names(correlated)
    stored = client.request("GET", path("_plugins", "_alerting", "workflows", ids[f"{owner}-both"]))["workflow"]
    (trigger,) = stored["triggers"]
    condition = trigger["chained_alert_trigger"]["condition"]["script"]["source"]
    assert condition == f"monitor[id={ids[f'{owner}-both-one']}] && monitor[id={ids[f'{owner}-both-two']}]"

    stream = path(f"logs-authentication-{correlated.namespace}", "_doc")
    client.request("POST", stream, event("login_failed"), {"refresh": "true"})
    time.sleep(6)
    assert chained(correlated, ids[f"{owner}-both"]) == []
    client.request("POST", stream, event("login_succeeded"), {"refresh": "true"})
    end = time.monotonic() + 30
    while not (found := chained(correlated, ids[f"{owner}-both"])) and time.monotonic() < end:
        time.sleep(0.5)
    assert found[0]["trigger_id"] == f"{owner}:both"
    time.sleep(8)  # four more runs of all three: each is told once, whichever of them runs which monitor
    told = [post.body for post in receivers.posts]
    assert [sum(title in body for body in told) for title in ("Rule one", "Rule two", "Both of them")] == [1, 1, 1]

    # What the workflow says is acknowledged as any alert is.
    done = correlated.run("ack", "both", "--yes", "-o", "json")
    assert done.code == 0, done.text
    assert [each["acknowledged"] for each in json.loads(done.out)["alerts"]] == [True]
    assert [each["state"] for each in chained(correlated, ids[f"{owner}-both"])] == ["ACKNOWLEDGED"]

    # A monitor that was made anew has another id: the workflow would wait for the old one for ever.
    client.request("DELETE", path("_plugins", "_alerting", "workflows", ids[f"{owner}-both"]))
    client.request("DELETE", f"{MONITORS}/{ids[f'{owner}-both-one']}")
    found_changes = plan(correlated)
    assert found_changes[f"monitor {owner}-both-one"][0] == "create"
    assert found_changes[f"workflow {owner}-both"][0] == "create"
    apply(correlated)
    assert plan(correlated) == {}

    correlated.remove("rules/detections")
    assert "5 deleted" in apply(correlated, "--prune", "--force", "deletes")
    assert names(correlated) == {}


def test_a_match_rule_has_no_monitor_of_its_own_to_correlate(correlated: Repository) -> None:
    correlated.edit(
        "rules/detections/both.yml",
        "type: threshold\nquery: 'action:login_failed'\nthreshold: {count: 1, within: 1d}",
        "type: match\nquery: 'action:login_failed'",
    )
    done = correlated.run("validate")
    assert done.code == 1
    assert "RULE012" in done.text
    assert "'both' can't run 'one': it shares its monitor with other match rules" in done.text


def test_what_its_tests_say_is_what_the_workflow_does(correlated: Repository) -> None:
    """The same events: `provisioner test` on one side, the workflow run by Alerting on the other."""
    wanted = [(), ("login_failed",), ("login_succeeded",), ("login_failed", "login_succeeded")]
    tests = [
        {
            "name": " and ".join(actions) or "nothing of the sort",
            "events": [{"set": {"action": action}} for action in actions or ("logout",)],
            "expect": [],
        }
        for actions in wanted
    ]
    for condition in ("all", "any"):
        rules = list(yaml.safe_load_all(RULES))
        rules[2] |= {"correlation": {"rules": ["one", "two"], "condition": condition}, "tests": tests}
        correlated.write({"rules/detections/both.yml": yaml.safe_dump_all(rules)})
        said = json.loads(correlated.run("test", "-k", "both", "-o", "json").out)["tests"]
        apply(correlated)
        flow = path("_plugins", "_alerting", "workflows", names(correlated)[f"{correlated.owner}-both"], "_execute")
        for actions, test in zip(wanted, said, strict=True):
            _only(correlated, actions or ("logout",))
            result = correlated.client.request("POST", flow)["trigger_results"][f"{correlated.owner}:both"]
            assert result["error"] is None
            assert bool(test["alerts"]) == result["triggered"], (condition, actions)
            assert result["triggered"] == {"all": len(actions) == 2, "any": bool(actions)}[condition]


def test_a_test_that_fails_says_which_of_the_rules_fired(correlated: Repository) -> None:
    rules = list(yaml.safe_load_all(RULES))
    events = [{"rule": "one"}, {"event": "login_succeeded", "after": "25h"}]
    rules[2]["tests"] = [{"name": "a day apart", "events": events, "expect": [{"count": 2}]}]
    correlated.write({"rules/detections/both.yml": yaml.safe_dump_all(rules)})
    done = correlated.run("test")
    assert done.code == 1
    assert "FAILED both: a day apart" in done.text
    assert "but the rule raised:\n    silence\n" in done.text
    assert "of 3 runs its rules fired: one in 1, two in 1" in done.text


def _only(repository: Repository, actions: tuple[str, ...]) -> None:
    """These events alone."""
    stream = path(f"logs-authentication-{repository.namespace}")
    query = {"query": {"match_all": {}}}
    repository.client.request("POST", f"{stream}/_delete_by_query", query, {"refresh": "true"})
    for action in actions:
        repository.client.request("POST", f"{stream}/_doc", event(action), {"refresh": "true"})
