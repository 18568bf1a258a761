"""Holds on a real cluster: what retention would delete stays, whatever is applied, until the hold is released."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
from clusters import Repository
from test_audit import chain
from test_plan_apply import applied, eventually
from test_rollout import patience

from provisioner.client import path
from provisioner.errors import ClusterError

__all__ = ["patience"]
REASON = ("--reason", "lawsuit 4 Ob 17/26")


def policy(repository: Repository, age: str) -> str:
    """Every index of the stream is deleted at this age, but for the one that is written: OpenSearch refuses that."""
    body = {
        "description": f"provisioner owner={repository.owner}",
        "default_state": "hot",
        "states": [
            {
                "name": "hot",
                "actions": [],
                "transitions": [{"state_name": "gone", "conditions": {"min_index_age": age}}],
            },
            {"name": "gone", "actions": [{"delete": {}}], "transitions": []},
        ],
        "ism_template": [{"index_patterns": [stream(repository)], "priority": 900}],
    }
    name = f"{repository.owner}-short"
    return json.dumps({"kind": "raw", "id": "short", "resource": "ism_policy", "name": name, "body": body})


def raw(kind: str, name: str, body: dict[str, Any]) -> str:
    return json.dumps({"kind": "raw", "id": kind.replace("_", "-"), "resource": kind, "name": name, "body": body})


def stream(repository: Repository) -> str:
    return f"logs-evidence-{repository.namespace}"


@pytest.fixture
def short(repository: Repository) -> Repository:
    """A data stream of its own under a policy that deletes after an hour: applied, with three events."""
    repository.remove("rules", "templates", "ilm")
    template = {
        "index_patterns": [stream(repository)],
        "data_stream": {},
        "priority": 900,
        "template": {"settings": {"number_of_replicas": 0}},
        "_meta": {"managed_by": "provisioner", "owner": repository.owner},
    }
    repository.write(
        {
            "ilm/short.yml": policy(repository, "1h"),
            "templates/template.yml": raw("index_template", f"{repository.owner}-evidence", template),
            "templates/stream.yml": raw("data_stream", stream(repository), {}),
        }
    )
    applied(repository)
    logged(repository, 3)
    return repository


def logged(repository: Repository, number: int) -> None:
    url = path(stream(repository), "_doc")
    for _ in range(number):
        repository.client.request("POST", url, {"@timestamp": "2026-05-11T14:23:45Z"}, {"refresh": "true"})


def backing(repository: Repository) -> list[str]:
    (shown,) = repository.client.request("GET", path("_data_stream", stream(repository)))["data_streams"]
    return [each["index_name"] for each in shown["indices"]]


def managed(repository: Repository, index: str) -> str | None:
    shown = repository.client.request("GET", path("_plugins", "_ism", "explain", index))[index]
    found: str | None = shown.get("policy_id")
    return found


def ran(repository: Repository, code: int, *arguments: str) -> str:
    done = repository.run(*arguments)
    assert done.code == code, done.text
    return done.text


def test_what_is_held_outlives_its_retention_and_every_apply(short: Repository, patience: float) -> None:
    (first,) = backing(short)
    eventually(lambda: managed(short, first))
    ran(short, 0, "hold", "add", "inc-1", stream(short), *REASON, "--yes")
    assert backing(short)[0] == first
    assert len(backing(short)) == 2  # rolled over: what is written goes on elsewhere
    logged(short, 1)
    assert managed(short, first) is None
    with pytest.raises(ClusterError, match='"deleted":0'):
        short.client.request("POST", path(first, "_delete_by_query"), {"query": {"match_all": {}}})
    assert short.client.request("GET", path(first, "_count"))["count"] == 3

    second = backing(short)[1]
    short.client.request("POST", path(stream(short), "_rollover"))
    short.write({"ilm/short.yml": policy(short, "1s")})  # what would delete it at once
    ran(short, 0, "apply", "--yes", "--force", "data-loss")
    eventually(lambda: second not in backing(short), patience)  # so it goes to an index that is not held
    assert first in backing(short)
    assert managed(short, first) is None
    assert "inc-1" in ran(short, 0, "hold", "list")

    said = json.loads(short.run("hold", "release", "inc-1", "--reason", "settled", "-o", "json").out)["holds"]
    assert (said[0]["released"]["reason"], said[0]["wrong"]) == ("settled", {})
    eventually(lambda: first not in backing(short), patience)  # its retention went on
    assert "Nothing is held." in ran(short, 0, "hold", "list")
    assert "settled" in ran(short, 0, "hold", "list", "--all")
    _recorded(short)


def _recorded(repository: Repository) -> None:
    found = [each for each in chain(repository) if each["action"].startswith("provisioner_hold")]
    assert [(each["labels"]["hold_action"], each["outcome"]["status"]) for each in found] == [
        ("add", "unknown"),
        ("add", "success"),
        ("release", "unknown"),
        ("release", "success"),
    ]
    assert found[0]["labels"]["reason"] == REASON[1]
    assert found[1]["details"]["result_count"] == 1


def test_a_plan_that_would_delete_what_is_held_is_refused(short: Repository) -> None:
    first = backing(short)[0]
    ran(short, 0, "hold", "add", "inc-1", stream(short), *REASON)
    short.remove("templates/stream.yml")
    forced = ("--prune", "--force", "data-loss", "--force", "deletes", "--force", "changes")
    said = ran(short, 1, "apply", *forced)
    assert f"hold: {first} would be deleted, held by inc-1" in said
    assert "--force hold" not in said
    assert first in backing(short)
    assert ran(short, 2, "apply", "--prune", "--force", "hold")
    ran(short, 0, "hold", "release", "inc-1", "--reason", "over")
    ran(short, 0, "apply", *forced)
    assert short.client.get(path("_data_stream", stream(short))) is None


def test_a_hold_that_somebody_broke_is_told_and_mended(short: Repository) -> None:
    first = backing(short)[0]
    eventually(lambda: managed(short, first))
    ran(short, 0, "hold", "add", "inc-1", stream(short), *REASON)
    short.client.request("PUT", path(first, "_settings"), {"index.blocks.write": False})
    short.client.request("POST", path("_plugins", "_ism", "add", first), {"policy_id": f"{short.owner}-short"})
    eventually(lambda: managed(short, first))
    assert "manages it" in ran(short, 1, "hold", "list")
    logged(short, 1)
    said = json.loads(ran(short, 0, "hold", "add", "inc-1", stream(short), *REASON, "-o", "json"))["holds"][0]
    assert [each["index"] for each in said["indices"]] == sorted(backing(short)[:2])  # and what came since
    assert said["wrong"] == {}
    ran(short, 0, "hold", "list")

    ran(short, 0, "hold", "add", "inc-2", first, "--reason", "another")  # one's end leaves what the other holds
    ran(short, 0, "hold", "release", "inc-1", "--reason", "over")
    assert managed(short, first) is None
    assert "inc-2" in ran(short, 0, "hold", "list")
    ran(short, 0, "hold", "release", "inc-2", "--reason", "over")
    assert eventually(lambda: managed(short, first)) == f"{short.owner}-short"
    ran(short, 0, "hold", "add", "inc-3", stream(short), "--reason", "x")
    short.client.request("PUT", path(first, "_settings"), {"index.blocks.write": False})
    assert "it takes writes" in ran(short, 1, "hold", "list")
    short.client.request("DELETE", path(first))
    assert "it is gone" in ran(short, 1, "hold", "list")


def test_what_cannot_be_held_is_refused_in_words(short: Repository, tmp_path: pathlib.Path) -> None:
    (first,) = backing(short)
    assert "is written to" in ran(short, 2, "hold", "add", "inc-1", first, *REASON)
    assert "there is no data stream or index 'nothing'" in ran(short, 2, "hold", "add", "inc-1", "nothing", *REASON)
    assert ran(short, 2, "hold", "add", "inc-1", "*", *REASON)
    assert "is no id" in ran(short, 2, "hold", "add", "INC 1", "x", *REASON)
    assert ran(short, 2, "hold", "add", "inc-1", stream(short))  # without a reason
    assert "there is no hold 'inc-1'" in ran(short, 2, "hold", "release", "inc-1", "--reason", "x")
    (tmp_path / "audit.jsonl").mkdir()
    short.settings(audit={"file": str(tmp_path / "audit.jsonl")})
    assert "can't be written" in ran(short, 1, "hold", "add", "inc-1", stream(short), *REASON)
    assert backing(short) == [first]
