"""A changed retention reaches the indices that exist: by the real command line, verified by ISM's explain."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from clusters import Repository

from provisioner.errors import ApiError

TIER = "ilm/audit.yml"


_INTERVAL = "plugins.index_state_management.job_interval"


@pytest.fixture
def patience(repository: Repository) -> Iterator[float]:
    """Let ISM run often: every second, which the stand-in takes; the plugin itself takes whole minutes only."""
    client = repository.client

    def set_to(minutes: float | None) -> None:
        client.request("PUT", "/_cluster/settings", {"persistent": {_INTERVAL: minutes}})

    try:
        set_to(1 / 60)
        seconds = 30.0
    except ApiError:
        set_to(1)
        seconds = 300.0
    yield seconds
    set_to(None)


@pytest.fixture
def audit(repository: Repository, patience: float) -> Repository:
    """The starter pack with the log type audit alone, without rules, channels and shippers."""
    files = [f for folder in ("ilm", "templates/index") for f in (repository.root / folder).glob("*.yml")]
    kept = ("audit.yml", "common.yml")
    repository.remove(*(f.relative_to(repository.root).as_posix() for f in files if f.name not in kept))
    repository.remove("rules/detections", "rules/channels.yml", "rules/severities.yml", "templates/shippers")
    return repository


def policy(repository: Repository) -> dict[str, Any]:
    answer = repository.client.request("GET", f"/_plugins/_ism/policies/{repository.owner}-audit")
    assert isinstance(answer, dict)
    return answer


def copies(repository: Repository) -> dict[str, int | None]:
    """The version of the policy that each index holds; None before ISM has run on it."""
    answer = repository.client.request("GET", f"/_plugins/_ism/explain/logs-audit-{repository.namespace}")
    return {name: shown.get("policy_seq_no") for name, shown in answer.items() if isinstance(shown, dict)}


def until_all_hold(repository: Repository, version: int, patience: float) -> None:
    end = time.monotonic() + patience
    while set(copies(repository).values()) != {version}:
        assert time.monotonic() < end, copies(repository)
        time.sleep(0.5)


def plan(repository: Repository) -> list[tuple[str, str, str]]:
    done = repository.run("plan", "-o", "json")
    assert done.code == 0, done.text
    changes = json.loads(done.out)["changes"]
    return [(c["kind"], c["action"], c["why"]) for c in changes if c["action"] != "no-op"]


def test_a_changed_term_reaches_the_indices_that_exist(audit: Repository, patience: float) -> None:
    assert audit.run("apply").code == 0
    audit.client.request("POST", f"/logs-audit-{audit.namespace}/_rollover")
    first = policy(audit)["_seq_no"]
    until_all_hold(audit, first, patience)
    assert len(copies(audit)) == 2

    audit.edit(TIER, "hot: 1y", "hot: 2y")
    assert plan(audit) == [("ism_policy", "update", "changed")]
    done = audit.run("apply")
    assert done.code == 0, done.text
    second = policy(audit)["_seq_no"]
    assert second > first
    assert plan(audit) == []  # whether ISM has run by now or not: it was told
    until_all_hold(audit, second, patience)
    assert plan(audit) == []


def test_a_rollout_that_never_happened_is_made_up_for(audit: Repository, patience: float) -> None:
    """As after a run that was killed between the write of the policy and `change_policy`."""
    assert audit.run("apply").code == 0
    written = policy(audit)
    until_all_hold(audit, written["_seq_no"], patience)
    body = {k: v for k, v in written["policy"].items() if k not in ("policy_id", "last_updated_time", "schema_version")}
    tokens = {"if_seq_no": written["_seq_no"], "if_primary_term": written["_primary_term"]}
    audit.client.request("PUT", f"/_plugins/_ism/policies/{audit.owner}-audit", {"policy": body}, tokens)
    newest = policy(audit)["_seq_no"]
    time.sleep(3)
    assert newest not in copies(audit).values()

    assert plan(audit) == [("ism_policy", "update", "an older copy is held by 1 index")]
    done = audit.run("apply")
    assert done.code == 0, done.text
    assert policy(audit)["_seq_no"] == newest  # told only, not written again
    until_all_hold(audit, newest, patience)
    assert plan(audit) == []


def test_a_policy_that_somebody_deleted_reaches_its_indices_when_it_is_made_anew(
    audit: Repository, patience: float
) -> None:
    assert audit.run("apply").code == 0
    until_all_hold(audit, policy(audit)["_seq_no"], patience)
    audit.client.request("DELETE", f"/_plugins/_ism/policies/{audit.owner}-audit")
    audit.edit(TIER, "hot: 1y", "hot: 2y")
    done = audit.run("apply")
    assert done.code == 0, done.text
    until_all_hold(audit, policy(audit)["_seq_no"], patience)
    assert plan(audit) == []
