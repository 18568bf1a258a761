"""What uses an object that is to be deleted, on a real cluster."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from clusters import Cluster

from provisioner.client import Client, path
from provisioner.kinds import all_kinds
from provisioner.users import users

KINDS = all_kinds()


@pytest.fixture
def client(cluster: Cluster) -> Client:
    return cluster.client()


def monitor(name: str, channel: str, index: str) -> dict[str, Any]:
    action = {
        "name": "a",
        "destination_id": channel,
        "message_template": {"source": "x", "lang": "mustache"},
        "throttle_enabled": False,
    }
    condition = {"script": {"source": "true", "lang": "painless"}}
    trigger = {"id": f"{name}-t", "name": "t", "severity": "1", "condition": condition, "actions": [action]}
    return {
        "type": "monitor",
        "monitor_type": "query_level_monitor",
        "name": name,
        "enabled": False,
        "schedule": {"period": {"interval": 5, "unit": "MINUTES"}},
        "inputs": [{"search": {"indices": [index], "query": {"query": {"match_all": {}}}}}],
        "triggers": [{"query_level_trigger": trigger}],
    }


@pytest.fixture
def used(client: Client) -> Iterator[str]:
    """Objects that use each other, all with one prefix; `<tag>-theirs...` are those of somebody else."""
    tag = f"use{secrets.token_hex(4)}"

    def put(kind: str, name: str, body: dict[str, Any]) -> str:
        return KINDS[kind].create(client, f"{tag}-{name}", body)

    slack = {"config_type": "slack", "is_enabled": True, "slack": {"url": "https://hooks.slack.com/services/a/b/c"}}
    put("channel", "ops", {"name": "Ops", **slack})
    account = {"host": "mail.example", "port": 25, "method": "none", "from_address": "a@mail.example"}
    put("channel", "smtp", {"name": "Smtp", "config_type": "smtp_account", "is_enabled": True, "smtp_account": account})
    email = {"email_account_id": f"{tag}-smtp", "recipient_list": [{"recipient": "b@mail.example"}]}
    put("channel", "theirs-mail", {"name": "Their mail", "config_type": "email", "is_enabled": True, "email": email})
    put("ingest_pipeline", "inner", {"processors": [{"set": {"field": "a", "value": 1}}]})
    put("ingest_pipeline", "theirs-outer", {"processors": [{"pipeline": {"name": f"{tag}-inner"}}]})
    put("component_template", "part", {"template": {"settings": {"final_pipeline": f"{tag}-inner"}}})
    template = {"index_patterns": [f"{tag}-logs-*"], "data_stream": {}, "composed_of": [f"{tag}-part"], "priority": 501}
    put("index_template", "theirs-template", template)
    put("data_stream", "logs-x", {})
    client.request("PUT", path(f"{tag}-plain"), {"settings": {"default_pipeline": f"{tag}-inner", "hidden": True}})
    delete = {"name": "a", "actions": [{"delete": {}}], "transitions": []}
    pattern = {"index_patterns": [f"{tag}-managed"], "priority": 7}
    policy = {"description": "x", "default_state": "a", "states": [delete], "ism_template": [pattern]}
    put("ism_policy", "gone", policy)
    server_id = put("monitor", "theirs-m", monitor(f"{tag}-theirs-m", f"{tag}-ops", f"{tag}-logs-x"))
    delegates = [{"order": 1, "monitor_id": server_id}]
    workflow = {
        "type": "workflow",
        "workflow_type": "composite",
        "name": f"{tag}-flow",
        "enabled": False,
        "schedule": {"period": {"interval": 5, "unit": "MINUTES"}},
        "inputs": [{"composite_input": {"sequence": {"delegates": delegates}}}],
        "triggers": [],
    }
    flow = client.request("POST", "/_plugins/_alerting/workflows", workflow)["_id"]
    yield tag
    client.request("DELETE", path("_plugins", "_alerting", "workflows", flow))
    client.request("DELETE", path(f"{tag}-plain"))
    order = ("monitor", "data_stream", "index_template", "component_template", "ingest_pipeline", "channel")
    for name in (*order, "ism_policy"):
        for live in KINDS[name].all(client):
            if live.key.startswith(tag):
                KINDS[name].delete(client, live)


def test_who_uses_what(client: Client, used: str) -> None:
    tag = used
    (theirs,) = KINDS["monitor"].live(client, {f"{tag}-theirs-m": None})
    refs = [("channel", f"{tag}-{name}") for name in ("ops", "smtp", "theirs-mail")]
    refs += [("ingest_pipeline", f"{tag}-inner"), ("component_template", f"{tag}-part")]
    refs += [("index_template", f"{tag}-theirs-template"), ("data_stream", f"{tag}-logs-x")]
    refs += [("monitor", f"{tag}-theirs-m"), ("ism_policy", f"{tag}-gone")]

    found = users(client, KINDS, refs, [], {theirs.server_id: theirs.ref})
    assert {key.removeprefix(tag): [word.replace(tag, "") for word in words] for (_, key), words in found.items()} == {
        "-ops": ["monitor -theirs-m"],
        "-smtp": ["channel Their mail"],
        # Its data stream goes too: what its newest index asks for counts for nothing.
        "-inner": [
            "component_template -part",
            "index -plain (default_pipeline)",
            "ingest_pipeline -theirs-outer",
        ],
        "-part": ["index_template -theirs-template"],
        "-theirs-template": ["data_stream -logs-x"],
        "-logs-x": ["monitor -theirs-m"],
        "-theirs-m": ["workflow -flow"],
    }


def test_what_is_wanted_itself_counts_for_nothing_but_live_indices_do(client: Client, used: str) -> None:
    tag = used
    (ours,) = KINDS["monitor"].live(client, {f"{tag}-theirs-m": None})
    refs = [("channel", f"{tag}-ops"), ("ingest_pipeline", f"{tag}-inner"), ("data_stream", f"{tag}-never")]
    excluded = [*refs, ours.ref, ("component_template", f"{tag}-part"), ("data_stream", f"{tag}-logs-x")]
    excluded.append(("ingest_pipeline", f"{tag}-theirs-outer"))
    assert users(client, KINDS, refs, excluded, {ours.server_id: ours.ref}) == {
        ("ingest_pipeline", f"{tag}-inner"): (
            f"data_stream {tag}-logs-x (final_pipeline, until it rolls over)",
            f"index {tag}-plain (default_pipeline)",
        )
    }
    # A monitor of that name that is not the one we mean is somebody else's.
    assert users(client, KINDS, refs[:1], excluded, {}) == {refs[0]: (f"monitor {ours.key}",)}


def test_indices_that_a_policy_manages(client: Client, used: str) -> None:
    policy = ("ism_policy", f"{used}-gone")
    client.request("PUT", path(f"{used}-managed"))
    try:
        client.request("POST", path("_plugins", "_ism", "add", f"{used}-managed"), {"policy_id": policy[1]})
        assert users(client, KINDS, [policy], [policy], {}) == {policy: (f"index {used}-managed",)}
    finally:
        client.request("DELETE", path(f"{used}-managed"))


def test_nothing_is_read_for_kinds_that_nobody_asks_for(client: Client) -> None:
    asked: list[str] = []
    request = client.request
    client.request = lambda method, url, *rest, **named: asked.append(url) or request(method, url, *rest, **named)  # type: ignore[method-assign]
    users(client, KINDS, [("component_template", "never")], [], {})
    assert asked == ["/_index_template"]
