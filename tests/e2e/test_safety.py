"""What keeps an apply from doing harm: the lock, limits, the retention guard, plans that are applied exactly or not."""

from __future__ import annotations

import json
import os
import re
import socket
import time
from typing import Any

import pytest
from clusters import Repository
from test_ownership import apply, few, plan, recorded

from provisioner.client import path
from provisioner.lock import TTL, Lock
from provisioner.state import StateStore

__all__ = ["few"]

PARTS = "templates/parts.yml"


def lock_document(**what: Any) -> dict[str, Any]:
    found = {
        "type": "lock",
        "holder": "another",
        "who": "alice",
        "host": "elsewhere",
        "place": "elsewhere/boot/pids",
        "pid": 1,
        "born": "0",
        "at": "2026-01-01T00:00:00+00:00",
        "expires": time.time() + TTL,
    }
    return {**found, **what}


def put_lock(repository: Repository, **what: Any) -> None:
    repository.client.request("PUT", path(repository.state_index, "_doc", "lock"), lock_document(**what))


def locked(repository: Repository) -> bool:
    return repository.client.get(path(repository.state_index, "_doc", "lock")) is not None


def edit(repository: Repository) -> None:
    """Another refresh interval each time."""
    file = repository.root / PARTS
    found = re.sub(
        r"refresh_interval: (\d+)s", lambda match: f"refresh_interval: {int(match[1]) + 1}s", file.read_text()
    )
    repository.write({PARTS: found})


def test_the_lock_tells_whether_anybody_wrote_before_it(few: Repository) -> None:
    """A first apply looks no second time where only the state's head stood in the index, and that was its own."""
    store = StateStore(few.client, few.owner)
    assert store.prepare("00" * 16)
    with Lock(few.client, store.index, 0, force=False) as first:
        assert first.earlier == 1
    assert not store.prepare("11" * 16)
    with Lock(few.client, store.index, 0, force=False) as second:
        assert second.earlier > 1
    assert store.read().salt == "00" * 16


def test_one_apply_at_a_time(few: Repository) -> None:
    few.settings(catch=None, lock_timeout="1s")
    apply(few)
    assert not locked(few)
    with Lock(few.client, few.state_index, 0, force=False) as ours:
        assert ours.held
        assert few.run("plan", "--exit-code").code == 0  # reading needs no lock
        assert few.run("apply", "--yes").code == 0  # nothing to do needs none either
        edit(few)
        done = few.run("apply", "--yes")
        assert done.code == 1
        assert f"on {socket.gethostname()} (process {os.getpid()}) is applying" in done.err
        assert "--force lock" in done.err
        assert "waiting for " in done.out
        with few.start("apply", "--yes") as other:
            time.sleep(0.5)
            ours.__exit__()
            out, err = other.communicate(timeout=30)
        assert other.returncode == 0, out + err
    assert not locked(few)
    assert plan(few) == {}


def test_a_dead_holders_lock_is_taken_over(few: Repository) -> None:
    few.settings(catch=None, lock_timeout="2s")
    apply(few)
    edit(few)
    put_lock(few)  # alive, as far as anybody can tell: it is on another machine, and has not run out
    assert few.run("apply", "--yes").code == 1
    assert "1 updated" in few.run("apply", "--yes", "--force", "lock").out
    assert plan(few) == {}
    for dead in ({"expires": time.time() - 1000}, {**_here(), "pid": 2**22 + 1}, {**_here(), "born": "1"}):
        edit(few)
        put_lock(few, **dead)
        started = time.monotonic()
        assert "1 updated" in apply(few)
        assert time.monotonic() - started < 15
        assert not locked(few)


def _here() -> dict[str, Any]:
    from provisioner import lock

    return {"place": lock._place(), "pid": os.getpid(), "born": lock._born(os.getpid())}


def test_a_lock_that_was_taken_away_stops_the_steps(few: Repository) -> None:
    apply(few)
    with Lock(few.client, few.state_index, 0, force=False) as ours:
        put_lock(few)
        ours._keep_once()
        assert not ours.held
    assert locked(few)  # it is the other one's
    few.client.request("DELETE", path(few.state_index, "_doc", "lock"))


MANY = "\n---\n".join(
    f"kind: component_template\nid: c{n}\ntitle: C\ntemplate: {{settings: {{index: {{refresh_interval: 5s}}}}}}"
    for n in range(12)
)


def test_limits_are_passed_by_name_only(few: Repository) -> None:
    few.write({"templates/many.yml": MANY})
    apply(few)
    few.write({"templates/many.yml": MANY.replace("5s", "6s")})
    done = few.run("apply", "--yes")
    assert done.code == 1
    assert "changes: 12 of 16 objects (75 %) would be changed; the limit is 30 %" in done.err
    assert "--force changes" in done.err
    assert "refused" in few.run("plan").out
    assert few.run("apply", "--yes", "--force", "deletes").code == 1
    assert few.run("apply", "--yes", "--force", "everything").code == 2
    assert "12 updated" in apply(few, "--force", "changes")

    few.remove("templates/many.yml")
    done = few.run("apply", "--yes", "--prune")
    assert done.code == 1
    assert "deletes: 12 of 16" in done.err
    few.settings(catch=None, limits={"deletes": 80})
    assert "12 deleted" in apply(few, "--prune")


def test_an_empty_repository_is_refused(few: Repository) -> None:
    apply(few)
    few.remove("rules", "templates")
    for options in ([], ["--prune"]):
        done = few.run("apply", "--yes", *options)
        assert done.code == 1, options
        assert "--force empty" in done.err
    assert len(few.objects()) == 4
    assert "4 deleted" in apply(few, "--prune", "--force", "empty")
    assert recorded(few) == set()


TIER = """\
kind: retention
id: authentication
title: Authentication logs
log_type: authentication
compliance: [SOC 2]
rollover: {age: 30d}
hot: 90d
cold: 365d
"""


def test_a_shorter_retention_names_what_it_would_delete(small: Repository) -> None:
    small.write({"ilm/authentication.yml": TIER})
    apply(small)
    stream = f"logs-authentication-{small.namespace}"
    event = {
        "@timestamp": "2026-01-01T00:00:00Z",
        "category": "authentication",
        "action": "login",
        "severity": "info",
        "message": "m",
        "outcome": {"status": "success"},
    }
    small.client.request("POST", path(stream, "_doc"), event, {"refresh": "true"})
    small.client.request("POST", path(stream, "_rollover"))
    time.sleep(2)
    small.remove("rules/brute-force-login.yml")  # it looks back further than that: RULE005
    small.write({"ilm/authentication.yml": TIER.replace("hot: 90d", "hot: 1s").replace("cold: 365d", "cold: 1s")})
    done = small.run("plan")
    assert "shortens retention: 365 days" in done.out, done.text
    assert f".ds-{stream}-000001" in done.out
    assert "1 document" in done.out
    done = small.run("apply", "--yes")
    assert done.code == 1
    assert "--force data-loss" in done.err
    assert f".ds-{stream}-000001" in done.err
    assert small.client.request("GET", path(stream, "_count"))["count"] == 1


def test_a_data_stream_with_events_is_not_pruned_by_the_way(small: Repository) -> None:
    apply(small)
    stream = f"logs-authentication-{small.namespace}"
    event = {
        "@timestamp": "2026-01-01T00:00:00Z",
        "category": "authentication",
        "action": "login",
        "severity": "info",
        "message": "m",
        "outcome": {"status": "success"},
    }
    small.client.request("POST", path(stream, "_doc"), event, {"refresh": "true"})
    small.remove("rules/brute-force-login.yml", "templates/index/authentication.yml")
    done = small.run("apply", "--yes", "--prune")
    assert done.code == 1
    assert "data-loss" in done.err
    assert small.client.request("GET", path(stream, "_count"))["count"] == 1
    assert "3 deleted" in apply(small, "--prune", "--force", "data-loss")


def test_a_plan_file_is_applied_exactly_or_not_at_all(few: Repository) -> None:
    file = few.root / "plan.json"
    done = few.run("plan", "--out", str(file))
    assert done.code == 0
    assert few.objects() == {}
    few.edit(PARTS, "refresh_interval: 5s", "refresh_interval: 9s")  # after the plan: not part of it
    done = few.run("apply", str(file), "--yes")
    assert done.code == 0, done.text
    template = few.objects()[f"component_template {few.owner}-other"]["component_template"]["template"]
    assert template["settings"]["index"]["refresh_interval"] == "5s"
    done = few.run("apply", str(file), "--yes")
    assert done.code == 1  # it was made for an empty cluster
    assert "make a new plan" in done.err

    few.run("plan", "--out", str(file))
    body = {"template": {"settings": {"index": {"refresh_interval": "77s"}}}}
    few.client.request("PUT", path("_component_template", f"{few.owner}-other"), body)
    done = few.run("apply", str(file), "--yes")
    assert done.code == 1
    assert "nothing was changed" in done.err
    assert few.objects()[f"component_template {few.owner}-other"]["component_template"] == {
        "template": {"settings": {"index": {"refresh_interval": "77s"}}}
    }

    few.run("plan", "--out", str(file))
    saved = json.loads(file.read_text())
    saved["resources"][0]["body"]["description"] = "edited"
    file.write_text(json.dumps(saved))
    assert few.run("apply", str(file), "--yes").code == 2
    file.write_text("{")
    assert few.run("apply", str(file), "--yes").code == 2
    assert few.run("apply", str(file), "--yes", "--prune").code == 2


@pytest.mark.parametrize("format_", ["text", "json", "markdown"])
def test_no_format_of_a_plan_shows_a_secret(few: Repository, format_: str) -> None:
    hook = "kind: channel\nid: hook\ntitle: W\ntype: webhook\nurl: ${env:E2E_URL}\nheaders: {X-Key: '${env:E2E_KEY}'}\n"
    few.write({"rules/hook.yml": hook})
    secrets = {"E2E_URL": "http://127.0.0.1:19792/hunter2-url", "E2E_KEY": "hunter2-key"}
    done = few.run("apply", "--yes", **secrets)
    assert done.code == 0, done.text
    other = {**secrets, "E2E_KEY": "hunter2-other"}
    config = few.objects()[f"channel {few.owner}-hook"]["config"]
    config["webhook"]["header_params"]["X-Key"] = "hunter2-by-hand"
    few.client.request("PUT", path("_plugins", "_notifications", "configs", f"{few.owner}-hook"), {"config": config})
    file = few.root / "plan.json"
    done = few.run("plan", "-o", format_, "--out", str(file), **other)
    assert done.code == 0
    assert "a secret changed" in done.out
    said = [done.text, file.read_text(), few.run("drift", **other).text, few.run("history", "1", "-o", "json").text]
    said.append(few.run("apply", str(file), "--yes", **other).text)
    said.append(json.dumps(few.state()))
    said += [log.read_text(encoding="utf-8", errors="replace") for log in few.cluster.logs]
    assert len("".join(said)) > 5000
    assert "hunter2" not in "".join(said)
