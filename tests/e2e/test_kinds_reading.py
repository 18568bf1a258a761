"""What the kinds read on a real cluster: `live`, `all` and `shown` give one form and nothing that was not asked for."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from clusters import Cluster

from provisioner.client import Client
from provisioner.errors import ProvisionerError
from provisioner.kinds import all_kinds

KINDS = all_kinds()
OURS = {"managed_by": "provisioner", "owner": "acme"}


def monitor(name: str, trigger: str = "t") -> dict[str, Any]:
    condition = {"script": {"source": "ctx.results[0].hits.total.value > 0", "lang": "painless"}}
    return {
        "type": "monitor",
        "monitor_type": "query_level_monitor",
        "name": name,
        "enabled": False,
        "schedule": {"period": {"interval": 5, "unit": "MINUTES"}},
        "inputs": [{"search": {"indices": ["nothing-*"], "query": {"query": {"range": {"x": {"gte": 3}}}}}}],
        "triggers": [
            {
                "query_level_trigger": {
                    "id": trigger,
                    "name": "t",
                    "severity": "1",
                    "condition": condition,
                    "actions": [],
                }
            }
        ],
    }


def bodies(tag: str) -> dict[str, dict[str, Any]]:
    """One body of each kind that takes no other object but the template of its name."""
    return {
        "component_template": {"template": {"settings": {"number_of_replicas": 0}}, "_meta": OURS},
        "index_template": {"index_patterns": [f"{tag}-*"], "data_stream": {}, "_meta": OURS},
        "data_stream": {},
        "ingest_pipeline": {
            "description": "x (provisioner owner=acme)",
            "processors": [{"set": {"field": "a", "value": 1}}],
        },
        "channel": {
            "name": "x",
            "description": "provisioner owner=acme",
            "config_type": "slack",
            "is_enabled": True,
            "slack": {"url": "https://hooks.slack.com/services/a/b/c"},
        },
        "monitor": monitor("x", "acme:x"),
    }


@pytest.fixture
def client(cluster: Cluster) -> Client:
    return cluster.client()


@pytest.fixture
def tag(client: Client) -> Iterator[str]:
    """A prefix of the test's own; all that bears it is removed at the end, data streams before their templates."""
    made = f"read{secrets.token_hex(4)}"
    yield made
    for name in ("monitor", "data_stream", "index_template", "component_template", "ingest_pipeline", "channel"):
        kind = KINDS[name]
        for live in kind.all(client):
            if live.key.startswith(made):
                kind.delete(client, live)


@pytest.mark.parametrize("name", list(bodies("")))
def test_all_and_shown_give_what_live_gives(client: Client, tag: str, name: str) -> None:
    kind, keys = KINDS[name], [f"{tag}-a", f"{tag}-b", f"{tag}-gone"]
    if name == "data_stream":
        KINDS["index_template"].create(client, tag, bodies(tag)["index_template"])
    ids = {}
    for number, key in enumerate(keys):
        body = bodies(f"{tag}{number}" if name == "index_template" else tag)[name]
        ids[key] = kind.create(client, key, monitor(key, f"acme:{key}") if name == "monitor" else body)
    every = {live.key: live for live in kind.all(client)}
    kind.delete(client, every[keys[2]])

    live = {live.key: live for live in kind.live(client, dict.fromkeys([*keys, f"{tag}-never"]))}
    assert sorted(live) == keys[:2]
    assert {each.owner for each in live.values()} == {"acme"}
    assert {key: every[key] for key in live} == live
    assert {each.key: each for each in kind.shown(client, ids)} == live
    assert kind.shown(client, {keys[0]: ids[keys[0]]}) == [live[keys[0]]]
    assert kind.shown(client, {keys[2]: ids[keys[2]]}) == []
    if name == "monitor":
        assert live[keys[0]].token.keys() == {"if_seq_no", "if_primary_term"}


def test_what_the_server_keeps_for_itself_is_found_by_name_but_not_listed(client: Client, tag: str) -> None:
    for name in ("component_template", "ingest_pipeline"):
        kind, key = KINDS[name], f".{tag}"
        kind.create(client, key, bodies(tag)[name])
        try:
            (live,) = kind.live(client, {key: None})
            assert live.key == key
            assert key not in {each.key for each in kind.all(client)}
        finally:
            kind.delete(client, live)


def test_a_monitor_is_found_by_id_then_mark_then_name(client: Client, tag: str) -> None:
    kind = KINDS["monitor"]
    named = kind.create(client, "", monitor(f"{tag}-a"))
    marked = kind.create(client, "", monitor(f"{tag}-other", f"{tag}:a"))
    known = kind.create(client, "", monitor(f"{tag}-a", f"{tag}:a"))

    def found(wanted: dict[str, str | None]) -> dict[str, str]:
        return {live.key: live.server_id for live in kind.live(client, wanted)}

    assert found({f"{tag}-a": known}) == {f"{tag}-a": known}
    # One that another key's id stands for is not taken for its name or its mark.
    assert found({f"{tag}-a": None, "b": known}) == {f"{tag}-a": marked, "b": known}
    assert found({f"{tag}-a": None, "b": known, "c": marked}) == {f"{tag}-a": named, "b": known, "c": marked}


def test_a_copy_that_somebody_renamed_is_no_duplicate_of_ours(client: Client, tag: str) -> None:
    kind, key = KINDS["monitor"], f"{tag}-a"
    ours = kind.create(client, "", monitor(key, f"{tag}:a"))
    again = kind.create(client, "", monitor(key, f"{tag}:a"))
    kind.create(client, "", monitor(f"{tag}-a copy", f"{tag}:a"))
    (live,) = kind.live(client, {key: ours})
    assert (live.server_id, live.duplicates) == (ours, (again,))
    (found,) = kind.live(client, {key: None})
    assert {found.server_id, *found.duplicates} == {ours, again}


def test_two_monitors_of_one_name_are_told_apart_by_id_or_by_nobody(client: Client, tag: str) -> None:
    kind, key = KINDS["monitor"], f"{tag}-twice"
    first = kind.create(client, "", monitor(key))
    second = kind.create(client, "", monitor(key) | {"schedule": {"period": {"interval": 9, "unit": "MINUTES"}}})
    with pytest.raises(ProvisionerError) as error:
        kind.live(client, {key: None})
    assert first in error.value.message
    assert second in error.value.message
    assert error.value.hint == "rename or delete one of them in the cluster"
    (live,) = kind.live(client, {key: first})
    assert (live.server_id, live.duplicates) == (first, ())
    assert kind.live(client, {"another": None}) == []


def test_a_second_one_without_marks_that_is_alike_is_a_duplicate(client: Client, tag: str) -> None:
    """As after a POST of a raw document that took effect twice; the server made the triggers' ids."""
    kind, key = KINDS["monitor"], f"{tag}-alike"
    body = monitor(key, "x")
    for trigger in body["triggers"]:
        del trigger["query_level_trigger"]["id"]
    first, second = (kind.create(client, "", body) for _ in range(2))
    marked = kind.create(client, "", monitor(key, f"{tag}:other"))  # alike but for its mark: somebody's own
    (live,) = kind.live(client, {key: second})
    assert (live.server_id, live.duplicates) == (second, (first,))
    kind.delete(client, replace(live, server_id=marked, duplicates=()))
    (live,) = kind.live(client, {key: None})
    assert (live.server_id, *live.duplicates) == tuple(sorted([first, second]))


def test_duplicates_go_first(client: Client, tag: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill in between leaves the one that the state knows."""
    kind, key = KINDS["monitor"], f"{tag}-a"
    first, second = (kind.create(client, "", monitor(key, f"{tag}:a")) for _ in range(2))
    (live,) = kind.live(client, {key: first})
    asked: list[str] = []
    request = client.request

    def noted(method: str, path: str, *rest: Any, **more: Any) -> Any:
        asked.append(f"{method} {path.rsplit('/', 1)[-1]}")
        return request(method, path, *rest, **more)

    monkeypatch.setattr(client, "request", noted)
    kind.delete(client, live)
    assert asked == [f"DELETE {second}", f"DELETE {first}"]
    assert kind.live(client, {key: first}) == []
