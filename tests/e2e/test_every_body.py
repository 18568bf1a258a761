"""Every shipped rule, and an example of every rule type: taken by Alerting, and run dry on events without any error.

That their bodies use nothing which the real plugin would not take, tests/contract/test_shapes.py says.
"""

from __future__ import annotations

import shutil
from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import Any

import manyrules
import pytest
from clusters import ROOT, Repository

from provisioner import repository as compiled
from provisioner.source import Source

ALERTING = "/_plugins/_alerting"
DRY = {"dryrun": "true"}


def event(about: dict[str, Any], id_: str) -> dict[str, Any]:
    """An event of the catalogue, with what rules group by and count."""
    return {
        "@timestamp": datetime.now(UTC).isoformat(),
        "action": id_,
        "category": about["category"],
        "severity": about["severity"],
        "message": f"An event of the catalogue: {id_}",
        "actor": {"username": "alice", "session_id": "s-1"},
        "source": {"ip": "203.0.113.42", "country": "DE"},
        "destination": {"ip": "198.51.100.7", "port": 443, "host": "files"},
        "host": {"name": "web-1"},
        "outcome": {"status": "failure", "reason": "unknown"},
        "context": {"application": "shop", "environment": "test"},
        "details": {"records_count": 100_000, "resource": "customers", "result_count": 50_000, "destination": "usb"},
        "network": {"bytes": 10**10},
    }


def store(repository: Repository, source: Source) -> None:
    """Every event of the catalogue, twenty times; each one is among the last of its log type."""
    by_type: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for document in source.of_kind("event"):
        by_type[document.body["log_type"]].append(event(document.body, document.id))
    for log_type, events in by_type.items():
        manyrules.store(repository.client, f"logs-{log_type}-{repository.namespace}", events * 20)


def errors(answer: dict[str, Any]) -> list[Any]:
    """What went wrong in a run: in itself, its search, a trigger or an action."""
    said = [answer.get("error"), answer.get("input_results", {}).get("error")]
    for trigger in answer["trigger_results"].values():
        said.append(trigger.get("error"))
        for results in trigger.get("action_results", {}).values():
            actions = [results] if "name" in results else results.values()
            said += [action["error"] for action in actions]
    return [each for each in said if each]


@pytest.mark.usefixtures("many_templates")
def test_every_rule_is_taken_and_its_dry_run_has_no_error(repository: Repository) -> None:
    shutil.copytree(ROOT / "tests/e2e/rule_types", repository.root / "rules/types")
    repository.settings(schedule="12h")
    done = repository.run("apply")
    assert done.code == 0, done.text
    client, loaded = repository.client, compiled.load(repository.root).checked()
    store(repository, loaded.source)

    wrong: dict[str, list[Any]] = {}
    fired: Counter[str] = Counter()
    monitors = [resource for resource in loaded.resources if resource.kind == "monitor"]
    for resource in monitors:
        answer = client.request("POST", f"{ALERTING}/monitors/_execute", resource.body, DRY)
        wrong[resource.key] = errors(answer)
        fired[resource.body["monitor_type"]] += any(
            trigger.get("triggered") or trigger.get("agg_result_buckets") or trigger.get("triggeredDocs")
            for trigger in answer["trigger_results"].values()
        )
    query = {"size": 1000, "query": {"match_all": {}}}
    hits = client.request("POST", f"{ALERTING}/monitors/_search", query)["hits"]["hits"]
    ids = {hit["_source"].get("workflow", hit["_source"])["name"]: hit["_id"] for hit in hits}
    workflows = [resource.key for resource in loaded.resources if resource.kind == "workflow"]
    for key in workflows:
        wrong[key] = errors(client.request("POST", f"{ALERTING}/workflows/{ids[key]}/_execute", params=DRY))
    assert {key: said for key, said in wrong.items() if said} == {}
    assert workflows
    # The dry runs were about something: triggers fired, and so their messages were rendered.
    assert fired["bucket_level_monitor"] >= 10
    assert fired["doc_level_monitor"] >= 1  # it looks at the last ten documents only
