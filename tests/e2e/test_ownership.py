"""Whose an object is: pruning, adoption, a state that was lost."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from clusters import Repository

from provisioner.client import path

HOOK = """\
kind: channel
id: hook
title: A webhook
type: webhook
url: http://127.0.0.1:19792/hook
"""
PARTS = """\
kind: component_template
id: part
title: A part
template: {settings: {index: {number_of_shards: 1}}}
---
kind: component_template
id: other
title: Another part
template: {settings: {index: {refresh_interval: 5s}}}
"""
PIPELINES = """\
kind: ingest_pipeline
id: tail
title: The tail
processors: [{set: {field: a, value: b}}]
"""


def plan(repository: Repository, *options: str) -> dict[str, tuple[str, str]]:
    """All that a plan says: `kind name` to the action and why."""
    done = repository.run("plan", "-o", "json", *options)
    assert done.code == 0, done.text
    return {f"{c['kind']} {c['key']}": (c["action"], c["why"]) for c in json.loads(done.out)["changes"] if c["why"]}


def apply(repository: Repository, *options: str) -> str:
    done = repository.run("apply", "--yes", *options)
    assert done.code == 0, done.text
    return done.out


def recorded(repository: Repository) -> set[str]:
    return {f"{d['kind']} {d['key']}" for d in repository.state() if d["type"] == "resource"}


@pytest.fixture
def few(repository: Repository) -> Repository:
    """A webhook channel, two component templates, a pipeline: nothing that the starter pack brings."""
    repository.remove("rules", "ilm", "templates")
    repository.write({"rules/hook.yml": HOOK, "templates/parts.yml": PARTS, "templates/tail.yml": PIPELINES})
    repository.settings(catch=None)
    return repository


def test_pruning_deletes_in_reverse_and_leaves_what_others_use(few: Repository) -> None:
    apply(few)
    client, owner = few.client, few.owner
    monitor = {
        "type": "monitor",
        "name": f"theirs-{owner}",
        "monitor_type": "query_level_monitor",
        "enabled": False,
        "schedule": {"period": {"interval": 1, "unit": "DAYS"}},
        "inputs": [{"search": {"indices": [f"{owner}-none*"], "query": {"size": 0, "query": {"match_all": {}}}}}],
        "triggers": [
            {
                "query_level_trigger": {
                    "name": "t",
                    "severity": "1",
                    "condition": {"script": {"source": "return false", "lang": "painless"}},
                    "actions": [
                        {
                            "name": "a",
                            "destination_id": f"{owner}-hook",
                            "message_template": {"source": "m", "lang": "mustache"},
                        }
                    ],
                }
            }
        ],
    }
    theirs = client.request("POST", "/_plugins/_alerting/monitors", monitor)["_id"]
    template = {"index_patterns": [f"{owner}-theirs-*"], "composed_of": [f"{owner}-part"], "priority": 7}
    client.request("PUT", path("_index_template", f"theirs-{owner}"), template)
    try:
        few.remove("rules/hook.yml", "templates/parts.yml")
        stays = "no longer in the repository; apply --prune deletes it"
        assert plan(few) == {
            f"channel {owner}-hook": ("no-op", stays),
            f"component_template {owner}-other": ("no-op", stays),
            f"component_template {owner}-part": ("no-op", stays),
        }
        assert f"monitor theirs-{owner}" in plan(few, "--prune")[f"channel {owner}-hook"][1]
        said = apply(few, "--prune")
        assert "Applied: 0 created, 0 updated, 1 deleted." in said
        assert set(few.objects()) == {
            f"channel {owner}-hook",
            f"component_template {owner}-part",
            f"ingest_pipeline {owner}-tail",
        }
        kept = plan(few, "--prune")
        assert {name: action for name, (action, _) in kept.items()} == {
            f"channel {owner}-hook": "no-op",
            f"component_template {owner}-part": "no-op",
        }
        assert f"used by index_template theirs-{owner}" in kept[f"component_template {owner}-part"][1]
    finally:
        client.request("DELETE", path("_plugins", "_alerting", "monitors", theirs))
        client.request("DELETE", path("_index_template", f"theirs-{owner}"))
    assert "2 deleted" in apply(few, "--prune")
    assert recorded(few) == set(few.objects()) == {f"ingest_pipeline {owner}-tail"}


def test_a_whole_pack_is_pruned_in_an_order_that_the_server_takes(small: Repository) -> None:
    apply(small)
    assert len(small.objects()) > 5
    small.remove("rules/brute-force-login.yml", "templates/index/authentication.yml")
    done = small.run("apply", "--yes", "--prune")
    assert done.code == 0, done.text
    gone = [line.split()[1:3] for line in done.out.splitlines() if " deleted in " in line]
    assert [kind for kind, _ in gone] == ["monitor", "data_stream", "index_template"]
    assert recorded(small) == set(small.objects())


def test_what_was_removed_by_hand_leaves_the_state_as_well(few: Repository) -> None:
    apply(few)
    few.client.request("DELETE", path("_ingest", "pipeline", f"{few.owner}-tail"))
    few.remove("templates/tail.yml")
    apply(few, "--prune")
    assert recorded(few) == set(few.objects())
    assert plan(few, "--prune") == {}


def test_adoption_takes_over_what_bears_no_mark(few: Repository) -> None:
    client, owner = few.client, few.owner
    same: dict[str, Any] = {"description": "somebody's", "processors": [{"set": {"field": "a", "value": "b"}}]}
    client.request("PUT", path("_ingest", "pipeline", f"{owner}-tail"), same)
    foreign = {**same, "description": "theirs (provisioner owner=somebody)"}
    done = few.run("plan")
    assert done.code == 1
    assert "take them over with --adopt" in done.err

    assert plan(few, "--adopt")[f"ingest_pipeline {owner}-tail"] == ("update", "adopted, and changed")
    shown = few.run("plan", "--adopt").out
    assert "somebody's" in shown
    assert "The tail" in shown
    apply(few, "--adopt")
    assert recorded(few) == set(few.objects())
    assert plan(few) == {}

    client.request("PUT", path("_ingest", "pipeline", f"{owner}-tail"), foreign)
    done = few.run("apply", "--adopt", "--yes")
    assert done.code == 1
    assert "it bears the mark of somebody" in done.err
    assert client.request("GET", path("_ingest", "pipeline", f"{owner}-tail"))[f"{owner}-tail"] == foreign


def test_what_another_owner_adopted_is_not_adopted_again(few: Repository) -> None:
    """Such an object bears nobody's mark: only the other owner's state tells."""
    name = f"shared-{few.owner}"
    body: dict[str, Any] = {"processors": [{"set": {"field": "a", "value": "b"}}]}
    few.client.request("PUT", path("_ingest", "pipeline", name), body)
    raw = f"kind: raw\nid: shared\nresource: ingest_pipeline\nname: {name}\nbody: {json.dumps(body)}\n"
    few.write({"templates/shared.yml": raw})
    other = replace(few, root=few.root.parent / "other", owner=f"{few.owner}-b", namespace=f"{few.namespace}b")
    other.write({"templates/shared.yml": raw})
    other.settings(catch=None)
    try:
        assert "1 adopted" in apply(other, "--adopt")
        done = few.run("apply", "--adopt", "--yes")
        assert done.code == 1
        assert f"the state of {other.owner} records it" in done.err
        other.remove("templates/shared.yml")
        assert "1 deleted" in apply(other, "--prune", "--force", "empty")
    finally:
        few.client.request("DELETE", path(other.state_index))
    few.client.request("PUT", path("_ingest", "pipeline", name), body)
    assert "1 adopted" in apply(few, "--adopt")
    few.remove("templates/shared.yml")
    assert "1 deleted" in apply(few, "--prune")


def test_a_lost_state_is_made_anew_from_the_marks(small: Repository) -> None:
    apply(small)
    before = small.objects()
    small.client.request("DELETE", path(small.state_index))
    found = plan(small)
    assert set(found.values()) == {("update", "ours by its mark, unknown to the state")}
    assert set(found) == set(before)
    apply(small)  # the limit on changes does not count these
    assert recorded(small) == set(before)
    assert plan(small) == {}
    names = [name for name in before if name.startswith("monitor ")]
    assert [small.objects()[name]["_id"] for name in names] == [before[name]["_id"] for name in names]


def test_renaming_a_file_changes_nothing_and_a_new_title_updates_in_place(small: Repository) -> None:
    apply(small)
    before = small.objects()
    (small.root / "rules/brute-force-login.yml").rename(small.root / "rules/renamed.yml")
    assert plan(small) == {}
    small.edit("rules/renamed.yml", "title: Brute-force login", "title: Tried passwords")
    name = f"monitor {small.owner}-brute-force-login"
    assert plan(small) == {name: ("update", "changed")}
    shown = small.run("plan").out
    assert "- title: Brute-force login" in shown
    assert "+ title: Tried passwords" in shown
    assert "rules/renamed.yml:4:8" in shown
    apply(small)
    assert small.objects()[name]["_id"] == before[name]["_id"]


def test_nothing_of_the_rule_file_is_lost(small: Repository) -> None:
    """The state keeps the document as written: it is what a later diff compares with."""
    apply(small)
    texts = [d["text"] for d in small.state() if d["type"] == "blob"]
    assert any(json.loads(text).get("title") == "Brute-force login" for text in texts)


def test_what_a_killed_run_made_is_pruned_though_its_document_is_gone_by_now(few: Repository) -> None:
    apply(few)
    ours, bare = f"{few.owner}-late", f"{few.owner}-bare"
    marked = {"processors": [], "description": f"Late; provisioner owner={few.owner}"}
    few.client.request("PUT", path("_ingest", "pipeline", ours), marked)
    few.client.request("PUT", path("_ingest", "pipeline", bare), {"processors": []})
    document = few.client.request("GET", path(few.state_index, "_doc", "release:1"))["_source"]
    killed = {
        "number": 2,
        "outcome": "running",
        "manifest": None,
        "open": True,
        "intents": [["ingest_pipeline", ours], ["ingest_pipeline", bare], ["ingest_pipeline", "never-made"]],
    }
    few.client.request("PUT", path(few.state_index, "_doc", "release:2"), {**document, **killed}, {"refresh": "true"})

    assert plan(few)[f"ingest_pipeline {ours}"] == ("no-op", "no longer in the repository; apply --prune deletes it")
    assert plan(few, "--prune")[f"ingest_pipeline {ours}"] == ("delete", "no longer in the repository")
    assert "look whose it is" in plan(few, "--prune")[f"ingest_pipeline {bare}"][1]
    assert "1 deleted" in apply(few, "--prune")
    assert few.client.get(path("_ingest", "pipeline", ours)) is None
    assert few.client.get(path("_ingest", "pipeline", bare)) is not None  # nobody knows whose it is
    (left,) = [d for d in few.state() if d["type"] == "release" and d["open"]]
    assert (left["number"], left["intents"]) == (3, [["ingest_pipeline", bare]])
    few.client.request("DELETE", path("_ingest", "pipeline", bare))
    few.edit("templates/tail.yml", "value: b", "value: c")
    apply(few)
    assert [d for d in few.state() if d["type"] == "release" and d["open"]] == []
