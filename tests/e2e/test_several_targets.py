"""What people and scripts get where something goes wrong: several targets, drift that is told, Ctrl-C."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from typing import Any

import pytest
import yaml
from clusters import Done, Repository, interruptible
from test_ownership import apply, few

from provisioner.client import path
from provisioner.demo.receivers import Receivers

__all__ = ["few"]

DOWN = {"hosts": ["http://127.0.0.1:19799"], "token": "${env:E2E_NO_SUCH_TOKEN}"}  # fails at once


@pytest.fixture
def three(few: Repository) -> Repository:
    """Three targets: `e2e`, one whose secret is missing, and `again`, which is the first one's cluster once more."""
    few.settings(catch=None)
    settings = yaml.safe_load((few.root / "provisioner.yml").read_text(encoding="utf-8"))
    one = settings["targets"]["e2e"]
    settings |= {"targets": {"e2e": one, "down": DOWN, "again": one}, "default_target": "e2e"}
    few.write({"provisioner.yml": yaml.safe_dump(settings, sort_keys=False)})
    return few


def targets(done: Done) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.out)["targets"]
    return found


def test_the_others_are_planned(three: Repository) -> None:
    done = three.run("plan", "--all-targets", "-o", "json")
    assert done.code == 2
    found = targets(done)
    assert list(found) == ["e2e", "down", "again"]
    assert found["e2e"]["counts"]["create"] == found["again"]["counts"]["create"] == 4
    assert found["down"]["error"]["message"] == "the environment variable E2E_NO_SUCH_TOKEN is not set"
    assert "error: down: the environment variable E2E_NO_SUCH_TOKEN is not set\n" in done.err

    done = three.run("plan", "--all-targets", "-o", "markdown")
    assert done.code == 2
    for name, heading in (("e2e", "4 to create"), ("down", "failed"), ("again", "4 to create")):
        assert f"<!-- provisioner plan: {name} -->\n### Plan for `{name}`: {heading}" in done.out

    assert three.state() == []


def test_an_apply_stops_at_the_one_that_fails(three: Repository) -> None:
    done = three.run("apply", "--yes", "--all-targets", "-o", "json")
    assert done.code == 2
    found = targets(done)
    assert [len(found["e2e"]["events"]), found["e2e"]["failed"]] == [4, False]
    assert found["down"]["error"]["exit_code"] == 2
    assert found["again"] == {"skipped": True}
    assert done.err.endswith("Left alone: again.\n")

    done = three.run("drift", "--all-targets", "-o", "json")
    assert done.code == 2
    assert [targets(done)[name] for name in ("e2e", "again")] == [{"changes": []}] * 2


def test_drift_is_told_and_standard_output_stays_json(few: Repository) -> None:
    receivers = Receivers(19787, 19788)
    receivers.open()
    try:
        few.edit("rules/hook.yml", "http://127.0.0.1:19792/hook", f"{receivers.http}/hook")
        apply(few)
        template = f"{few.owner}-other"
        few.client.request("PUT", path("_component_template", template), {"template": {"settings": {}}})
        done = few.run("drift", "--notify", "hook", "-o", "json")
        assert (done.code, done.err) == (1, "Told hook.\n")
        assert [change["key"] for change in json.loads(done.out)["changes"]] == [template]
        (post,) = receivers.posts
        assert template in post.body
    finally:
        receivers.close()

    done = few.run("drift", "--notify", "hook", "-o", "json")  # nobody listens there any more
    assert done.code == 2
    assert [change["key"] for change in json.loads(done.out)["changes"]] == [template]
    assert done.err.startswith("error: the message could not be sent through the channel ")


def test_a_plan_of_another_cluster(few: Repository) -> None:
    """Two clusters cost too much here: the file says another one, and its checksum is right."""
    from provisioner import planfile

    done = few.run("plan", "--out", str(few.root / "plan.json"))
    assert done.code == 0
    assert done.out.endswith(f"`provisioner apply {few.root / 'plan.json'}` makes exactly these changes.\n")
    whole = json.loads((few.root / "plan.json").read_text(encoding="utf-8"))
    del whole["checksum"]
    whole["plan"]["cluster"] = "elsewhere"
    few.write({"plan.json": json.dumps({**whole, "checksum": planfile._checksum(whole)})})
    done = few.run("apply", str(few.root / "plan.json"), "--yes")
    assert done.code == 1
    assert "error: the plan was made for another cluster (elsewhere) than the target e2e is now" in done.err
    assert few.objects() == {}


def test_an_interrupt(few: Repository) -> None:
    """At the question no step was done; behind the first step the run ends in order, and the next one goes on."""
    slow = "script: {lang: painless, source: 'int n = %s;'}"
    many = [f"kind: ingest_pipeline\nid: p{n}\ntitle: P\nprocessors: [{{{slow % n}}}]\n" for n in range(16)]
    few.write({"templates/many.yml": "---\n".join(many)})
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "provisioner", "apply", "-C", str(few.root)]
    pipes = {"stdin": theirs, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, preexec_fn=interruptible, **pipes) as asked:  # noqa: PLW1509 (a signal)
        assert asked.stdout is not None
        while "?" not in asked.stdout.read(1):
            pass
        asked.send_signal(signal.SIGINT)
        try:
            out, err = asked.communicate(timeout=30)
        finally:
            asked.kill()
    os.close(ours)
    os.close(theirs)
    assert (asked.returncode, err) == (130, "")
    assert out.endswith("\nInterrupted: no step was done.\n")
    assert few.state() == []

    with few.start("apply", "--yes") as running:
        next(line for line in running.stdout or () if " created in " in line)
        running.send_signal(signal.SIGINT)
        try:
            out, err = running.communicate(timeout=30)
        finally:
            running.kill()
    assert (running.returncode, err) == (130, "")
    assert out.endswith("\nInterrupted: what was done is recorded; the next apply goes on from there.\n")
    kinds = {document["type"]: document for document in few.state()}
    assert few.client.get(path(few.state_index, "_doc", "lock")) is None  # a search shows deletions a second later
    assert kinds["release"]["outcome"] == "stopped"
    assert 0 < len(few.objects()) < 20
    assert "Applied: " in apply(few)
    assert len(few.objects()) == 20
