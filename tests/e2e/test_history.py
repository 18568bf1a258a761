"""Releases, the way back to one of them, drift, and several targets in one run."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import yaml
from clusters import Repository
from test_ownership import PIPELINES, apply, few, plan, recorded

from provisioner.client import path

__all__ = ["few"]

MORE = "kind: ingest_pipeline\nid: more\ntitle: More\nprocessors: [{set: {field: c, value: d}}]\n"


def releases(repository: Repository) -> list[dict[str, Any]]:
    done = repository.run("history", "-o", "json")
    assert done.code == 0, done.text
    found: list[dict[str, Any]] = json.loads(done.out)["releases"]
    return found


def test_every_release_is_kept_and_can_be_planned_back_to(few: Repository) -> None:
    assert "Nothing was applied to this target yet." in few.run("history").out
    assert few.run("rollback", "1", "--yes").code == 2
    apply(few)
    first = few.objects()
    few.edit("templates/tail.yml", "value: b", "value: changed")
    few.write({"templates/more.yml": MORE})
    apply(few)
    second = few.objects()
    few.remove("templates/more.yml", "rules/hook.yml")
    apply(few, "--prune")

    found = releases(few)
    assert [(r["number"], r["outcome"], r["counts"]) for r in found] == [
        (3, "complete", {"delete": 2}),
        (2, "complete", {"create": 1, "update": 1}),
        (1, "complete", {"create": 4}),
    ]
    assert all(r["who"] and r["at"] for r in found)
    said = few.run("history", "2").out
    assert "- " in said
    assert "value: changed" in said
    assert few.run("history", "9").code == 2

    done = few.run("rollback", "2", "--dry-run")
    assert f"+ channel {few.owner}-hook" in done.out
    assert f"+ ingest_pipeline {few.owner}-more" in done.out
    done = few.run("rollback", "2", "--yes")
    assert done.code == 0, done.text
    assert _bare(few.objects()) == _bare(second)
    done = few.run("rollback", "1", "--yes")
    assert done.code == 0, done.text
    assert "1 updated, 1 deleted" in done.out
    assert _bare(few.objects()) == _bare(first)
    assert recorded(few) == set(first)
    assert releases(few)[0]["revision"].startswith("rollback to release 1")
    assert f"ingest_pipeline {few.owner}-tail" in plan(few)  # the repository still says what it said


def _bare(objects: dict[str, Any]) -> str:
    """Without the times that Notifications writes."""
    shown = {name: body.get("config", body) if name.startswith("channel") else body for name, body in objects.items()}
    return json.dumps(shown, sort_keys=True)


def test_a_release_that_was_killed_is_told_and_never_planned_back_to(few: Repository) -> None:
    apply(few)
    document = few.client.request("GET", path(few.state_index, "_doc", "release:1"))["_source"]
    killed = {**document, "number": 2, "outcome": "running", "manifest": None, "open": True}
    few.client.request("PUT", path(few.state_index, "_doc", "release:2"), killed, {"refresh": "true"})
    few.edit("templates/tail.yml", "value: b", "value: c")
    apply(few)
    assert [(r["number"], r["outcome"]) for r in releases(few)] == [
        (3, "complete"),
        (2, "interrupted"),
        (1, "complete"),
    ]
    done = few.run("rollback", "2", "--yes")
    assert done.code == 2
    assert "interrupted" in done.err
    assert "value: c" in few.run("history", "3").out  # compared with release 1


def test_drift_is_told_to_a_scheduled_job_and_to_a_channel(few: Repository) -> None:
    got: list[str] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        few.edit("rules/hook.yml", "http://127.0.0.1:19792", f"http://127.0.0.1:{server.server_address[1]}")
        apply(few)
        done = few.run("drift", "--notify", "hook")
        assert done.code == 0, done.text
        body = {"description": "by hand", "processors": [{"set": {"field": "a", "value": "{{z}}"}}]}
        few.client.request("PUT", path("_ingest", "pipeline", f"{few.owner}-tail"), body)
        few.client.request("DELETE", path("_component_template", f"{few.owner}-other"))
        few.edit("templates/parts.yml", "title: A part", "title: The part")  # the repository's own changes are no drift
        done = few.run("drift", "--notify", "hook")
        assert done.code == 1, done.text
        assert f"ingest_pipeline {few.owner}-tail" in done.out
        assert "by hand" in done.out
        assert f"component_template {few.owner}-other" in done.out
        assert "component_template {few.owner}-part" not in done.out
        machine = json.loads(few.run("drift", "-o", "json").out)
        assert {c["key"]: c["why"] for c in machine["changes"]} == {
            f"{few.owner}-other": "drifted: it was deleted in the cluster",
            f"{few.owner}-tail": "drifted: it was changed in the cluster",
        }
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert len(got) == 1
    message = json.loads(got[0])
    assert "2 objects differ" in message["subject"]
    assert f"ingest_pipeline {few.owner}-tail: drifted: it was changed in the cluster" in message["message"]
    assert "by hand" not in got[0]  # bodies stay where they are


def test_several_targets_in_one_run(few: Repository) -> None:
    said = yaml.safe_load((few.root / "provisioner.yml").read_text())
    said["targets"]["again"] = said["targets"]["e2e"]
    said["targets"]["nowhere"] = {"hosts": ["http://127.0.0.1:19799"]}
    few.write({"provisioner.yml": yaml.safe_dump(said, sort_keys=False)})
    assert few.run("plan").code == 2  # which one?
    done = few.run("apply", "--yes", "-t", "e2e", "-t", "again")
    assert done.code == 0, done.text
    assert "Applied: 4 created" in done.out
    assert "No changes" in done.out
    found = json.loads(few.run("plan", "-o", "json", "-t", "e2e", "-t", "again").out)["targets"]
    assert {name: len(planned["changes"]) for name, planned in found.items()} == {"e2e": 4, "again": 4}
    few.write({"templates/tail.yml": PIPELINES.replace("value: b", "value: c")})
    done = few.run("apply", "--yes", "-t", "nowhere", "-t", "e2e")
    assert done.code == 2
    assert "127.0.0.1:19799" in done.err
    assert len(plan(few, "-t", "e2e")) == 1  # the targets behind one that fails are left alone
    assert few.run("plan", "--all-targets").code == 2
    assert few.run("drift", "-t", "e2e", "-t", "again").code == 0
