"""Plan and apply on a real cluster, by the real command line."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from clusters import RULE_FILE, Repository, delete, failed_logins
from proxy import recording

from provisioner.client import path

RULE = "rules/brute-force-login.yml"


def changes(repository: Repository, **environment: str) -> dict[str, tuple[str, str]]:
    """What a plan would change: `kind name` to the action and why."""
    done = repository.run("plan", "-o", "json", **environment)
    assert done.code == 0, done.text
    found = json.loads(done.out)["changes"]
    return {f"{c['kind']} {c['key']}": (c["action"], c["why"]) for c in found if c["action"] != "no-op"}


def applied(repository: Repository, **environment: str) -> None:
    done = repository.run("apply", **environment)
    assert done.code == 0, done.text


def eventually(look: Callable[[], Any], seconds: float = 30) -> Any:
    """The first answer that is true; the cluster runs monitors by its own clock."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.2)
    return found


def test_the_whole_pack_is_created_once_and_then_nothing_is_written(repository: Repository) -> None:
    done = repository.run("plan", "--exit-code")
    assert done.code == 1
    assert repository.objects() == {}
    assert repository.state() == []

    done = repository.run("apply")
    assert done.code == 0, done.text
    created = repository.objects()
    kinds = {name.split()[0] for name in created}
    assert kinds == {
        "channel",
        "component_template",
        "data_stream",
        "index_template",
        "ingest_pipeline",
        "ism_policy",
        "monitor",
    }
    assert f"Applied: {len(created)} created, 0 updated, 0 deleted." in done.out
    assert sum(document["type"] == "resource" for document in repository.state()) == len(created)
    assert [d["outcome"] for d in repository.state() if d["type"] == "release"] == ["complete"]

    # Monitors run meanwhile and write alerts of their own, so the cluster's counters can't tell what a command wrote.
    # Three looks can: every request that the commands send, all objects byte for byte, and the state index's counters.
    before, writes = _still(repository.objects()), _index_writes(repository)
    with recording(repository.cluster) as proxy:
        through = repository.at(proxy.url)
        through.settings()
        done = through.run("plan", "--exit-code")
        assert done.code == 0, done.text
        assert f"No changes: the cluster is as the repository says ({len(created)} objects)." in done.out
        assert through.run("apply").code == 0
    assert len(proxy.requests) > 10
    assert proxy.writes == []
    assert _still(repository.objects()) == before
    assert _index_writes(repository) == writes


def _still(objects: dict[str, Any]) -> dict[str, str]:
    """Without what the server changes by itself: a data stream's indices."""
    return {
        name: json.dumps({} if name.startswith("data_stream") else shown, sort_keys=True)
        for name, shown in objects.items()
    }


def _index_writes(repository: Repository) -> dict[str, Any]:
    answer = repository.client.request("GET", path(repository.state_index, "_stats", "indexing"))
    total: dict[str, Any] = answer["_all"]["primaries"]["indexing"]
    return {name: total[name] for name in ("index_total", "delete_total")}


def _alerts(repository: Repository) -> dict[str, dict[str, Any]]:
    """The rule's alerts by the user that they are about."""
    (monitor,) = (shown for name, shown in repository.objects().items() if name.startswith("monitor "))
    answer = repository.client.request(
        "GET", "/_plugins/_alerting/monitors/alerts", params={"monitorId": monitor["_id"]}
    )
    return {alert["agg_alert_content"]["bucket_keys"][1]: alert for alert in answer["alerts"]}


def test_editing_a_rule_changes_one_monitor_and_keeps_the_acknowledgement(small: Repository) -> None:
    applied(small)
    failed_logins(small, ["alice"] * 5)
    alert = eventually(lambda: _alerts(small).get("alice"))
    assert alert["state"] == "ACTIVE"
    acknowledge = path("_plugins", "_alerting", "monitors", alert["monitor_id"], "_acknowledge", "alerts")
    answer = small.client.request("POST", acknowledge, {"alerts": [alert["id"]]})
    assert answer == {"success": [alert["id"]], "failed": []}

    before = small.objects()
    small.edit(RULE, "title: Brute-force login", "title: Someone tries passwords")
    small.edit(RULE, "threshold: {count: 5, within: 5m}", "threshold: {count: 4, within: 5m}")
    name = f"monitor {small.owner}-brute-force-login"
    assert changes(small) == {name: ("update", "changed")}
    applied(small)
    after = small.objects()
    assert [n for n in after if after[n] != before[n] and not n.startswith("data_stream")] == [name]
    assert after[name]["_id"] == before[name]["_id"]

    failed_logins(small, ["bob"] * 5)  # an alert for bob shows that the edited monitor has run
    eventually(lambda: _alerts(small).get("bob"))
    kept = _alerts(small)["alice"]
    assert (kept["id"], kept["state"]) == (alert["id"], "ACKNOWLEDGED")
    assert kept["acknowledged_time"] is not None


def test_drift_and_deletion_in_the_cluster_are_shown_and_mended(small: Repository) -> None:
    small.write({"rules/second.yml": RULE_FILE.replace("id: brute-force-login", "id: second")})
    applied(small)
    objects, client, owner = small.objects(), small.client, small.owner
    edited, deleted = f"monitor {owner}-brute-force-login", f"monitor {owner}-second"
    pipeline, component = f"ingest_pipeline {owner}-normalize", f"component_template {owner}-common"
    body = {**_monitor(objects[edited]), "enabled": False}
    client.request("PUT", path("_plugins", "_alerting", "monitors", objects[edited]["_id"]), body)
    client.request(
        "PUT", path("_ingest", "pipeline", f"{owner}-normalize"), {**objects[pipeline], "description": "mine"}
    )
    template = deepcopy(objects[component]["component_template"]["template"])
    template["settings"]["index"]["refresh_interval"] = "30s"
    client.request("PUT", path("_component_template", f"{owner}-common"), {"template": template})  # loses the mark
    delete(client, deleted, objects[deleted])

    drifted = ("update", "drifted: it was changed in the cluster")
    assert changes(small) == {
        edited: drifted,
        pipeline: drifted,
        component: drifted,
        deleted: ("create", "drifted: it was deleted in the cluster"),
    }
    applied(small)
    mended = small.objects()
    assert set(mended) == set(objects)
    assert mended[pipeline] == objects[pipeline]
    assert mended[component] == objects[component]
    assert _monitor(mended[edited])["enabled"] is True
    assert mended[edited]["_id"] == objects[edited]["_id"]
    assert mended[deleted]["_id"] != objects[deleted]["_id"]
    assert changes(small) == {}


def _monitor(shown: dict[str, Any]) -> dict[str, Any]:
    """A monitor's body, from either form that a search has."""
    found: dict[str, Any] = shown["_source"].get("monitor", shown["_source"])
    return found


def test_what_is_not_ours_is_never_touched(small: Repository) -> None:
    client, owner = small.client, small.owner
    foreign = {"description": "somebody's", "processors": [{"set": {"field": "a", "value": "b"}}]}
    client.request("PUT", path("_ingest", "pipeline", f"{owner}-normalize"), foreign)
    marked = {**foreign, "description": "Normalise (provisioner owner=somebody)"}
    client.request("PUT", path("_ingest", "pipeline", f"{owner}-redaction"), marked)
    monitor = {
        "type": "monitor",
        "name": f"{owner}-brute-force-login",
        "monitor_type": "query_level_monitor",
        "enabled": False,
        "schedule": {"period": {"interval": 1, "unit": "DAYS"}},
        "inputs": [{"search": {"indices": [f"{owner}-none*"], "query": {"size": 0, "query": {"match_all": {}}}}}],
        "triggers": [],
    }
    client.request("POST", "/_plugins/_alerting/monitors", monitor)
    before = json.dumps(small.objects(), sort_keys=True)

    for command in (["plan"], ["apply", "--yes"]):
        done = small.run(*command)
        assert done.code == 1
        assert f"these exist in the cluster and are not ours ({owner}):" in done.err
        assert f"ingest_pipeline {owner}-normalize  (templates/pipelines/normalize.yml:3:1)" in done.err
        assert f"ingest_pipeline {owner}-redaction" in done.err
        assert f"monitor {owner}-brute-force-login" in done.err
        assert "nothing was changed" in done.err
    assert json.dumps(small.objects(), sort_keys=True) == before
    assert small.state() == []


def test_a_step_that_fails_stops_and_the_next_apply_goes_on(small: Repository) -> None:
    script = "templates/pipelines/redaction.painless"
    good = (small.root / script).read_text(encoding="utf-8")
    small.write({script: good + "\nthis is no Painless;\n"})
    done = small.run("apply")
    assert done.code == 1
    name = f"ingest_pipeline {small.owner}-redaction"
    assert f"✗ {name}: " in done.out
    assert "script_exception" in done.out or "compile error" in done.out
    assert f"Stopped at {name}" in done.out
    assert "run apply again" in done.out
    made = small.objects()
    assert made
    assert name not in made
    assert f"monitor {small.owner}-brute-force-login" not in made
    recorded = {f"{d['kind']} {d['key']}" for d in small.state() if d["type"] == "resource"}
    assert recorded == set(made)
    assert [d["outcome"] for d in small.state() if d["type"] == "release"] == ["stopped"]

    small.write({script: good})
    rest = changes(small)
    assert rest
    assert set(rest).isdisjoint(made)
    assert set(rest.values()) == {("create", "new")}
    applied(small)
    assert set(small.objects()) == set(made) | set(rest)
    assert changes(small) == {}
    releases = sorted((d["number"], d["outcome"]) for d in small.state() if d["type"] == "release")
    assert releases == [(1, "stopped"), (2, "complete")]


HOOK = """\
kind: channel
id: hook
title: A webhook
type: webhook
url: ${env:E2E_HOOK_URL}
headers: {X-Key: "${env:E2E_HOOK_KEY}", Content-Type: application/json}
"""
SECRETS = {"E2E_HOOK_URL": "http://127.0.0.1:19792/hunter2-url", "E2E_HOOK_KEY": "hunter2-key"}


@pytest.fixture
def hook(repository: Repository) -> Repository:
    """One channel with two secrets, on a target that catches nothing."""
    repository.remove("rules", "ilm", "templates")
    repository.write({"rules/channels.yml": HOOK})
    repository.settings(catch=None)
    return repository


def test_a_missing_secret_stops_everything_before_it_begins(hook: Repository) -> None:
    hook.write({"templates/a.yml": "kind: component_template\nid: a\ntitle: A\ntemplate: {settings: {}}\n"})
    assert set(changes(hook)) == {f"channel {hook.owner}-hook", f"component_template {hook.owner}-a"}
    done = hook.run("apply", E2E_HOOK_URL=SECRETS["E2E_HOOK_URL"])
    assert done.code == 2
    assert "error: the environment variable E2E_HOOK_KEY is not set" in done.err
    assert hook.objects() == {}
    assert hook.state() == []


def test_secrets_reach_the_cluster_and_nothing_else(hook: Repository) -> None:
    printed = [hook.run("plan", **SECRETS), hook.run("apply", **SECRETS)]
    assert printed[-1].code == 0, printed[-1].text
    channel = hook.objects()[f"channel {hook.owner}-hook"]["config"]
    assert channel["webhook"]["url"] == SECRETS["E2E_HOOK_URL"]
    assert channel["webhook"]["header_params"]["X-Key"] == SECRETS["E2E_HOOK_KEY"]

    assert changes(hook, **SECRETS) == {}
    other = {**SECRETS, "E2E_HOOK_KEY": "hunter2-other"}
    assert changes(hook, **other) == {f"channel {hook.owner}-hook": ("update", "a secret changed")}
    printed.append(hook.run("apply", **other))
    assert (
        hook.objects()[f"channel {hook.owner}-hook"]["config"]["webhook"]["header_params"]["X-Key"] == "hunter2-other"
    )

    broken = {**other, "E2E_HOOK_URL": "hunter2-is-no-address"}
    printed.append(hook.run("apply", **broken))
    assert printed[-1].code == 1
    assert f"✗ channel {hook.owner}-hook: " in printed[-1].out

    assert "hunter2" not in "".join(done.text for done in printed)
    raw = json.dumps(hook.state())
    assert "${env:E2E_HOOK_URL}" in raw
    assert "hunter2" not in raw


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_stopped_loses_nothing(small: Repository, how: signal.Signals) -> None:
    """Stopped after the second object: what was made is recorded, or else known by its mark; nothing is made twice."""
    with small.start("apply", "--yes") as running:
        lines = (line for line in running.stdout or () if " created in " in line)
        seen = {" ".join(next(lines).split()[1:3]) for _ in range(2)}
        running.send_signal(how)
        _, err = running.communicate(timeout=60)
    assert running.returncode != 0
    assert "Traceback" not in err
    made = small.objects()
    recorded = {f"{d['kind']} {d['key']}" for d in small.state() if d["type"] == "resource"}
    assert seen <= set(made)
    assert len(made) < 6  # it was stopped on its way indeed
    if how is signal.SIGTERM:  # a request that is under way may still be carried out by the server
        assert seen <= recorded <= set(made)
        assert len(set(made) - recorded) <= 1

    unknown = ("update", "ours by its mark, unknown to the state")
    assert {name: why for name, why in changes(small).items() if name in made} == dict.fromkeys(
        set(made) - recorded, unknown
    )
    applied(small)
    query = {"size": 1000, "query": {"match_all": {}}}
    hits = small.client.request("POST", "/_plugins/_alerting/monitors/_search", query)["hits"]["hits"]
    monitors = [hit["_source"].get("monitor", hit["_source"])["name"] for hit in hits]
    assert monitors.count(f"{small.owner}-brute-force-login") == 1


def test_the_state_outlives_a_killed_first_run_and_ten_thousand_releases(repository: Repository) -> None:
    repository.remove("rules", "ilm", "templates")
    file = "templates/a.yml"
    repository.write({file: "kind: component_template\nid: a\ntitle: A\ntemplate: {settings: {}}\n"})
    client, index = repository.client, repository.state_index
    client.request("PUT", path(index), {"settings": {"index": {"hidden": True}}})  # made, and killed before its head
    applied(repository)
    assert [d["type"] for d in repository.state()].count("head") == 1

    lines = [line for n in range(2, 10_002) for line in ('{"index": {}}', json.dumps({"type": "release", "number": n}))]
    answer = client.request("POST", path(index, "_bulk"), "\n".join(lines) + "\n", {"refresh": "true"})
    assert not answer["errors"]
    assert changes(repository) == {}
    repository.edit(file, "title: A", "title: B")
    applied(repository)
    assert client.get(path(index, "_doc", "release:10002"))["found"]
