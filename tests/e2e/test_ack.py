"""Acknowledging alerts by the real command line: only those meant, only our own, and never without a record."""

from __future__ import annotations

import json
import pathlib
from typing import Any

from clusters import Repository, failed_logins
from test_audit import chain
from test_plan_apply import applied, eventually

RULE = "brute-force-login"


def alerts(repository: Repository) -> dict[str, dict[str, Any]]:
    """The cluster's alerts of the owner's rules by the user that they are about, as the plugin shows them."""
    answer = repository.client.request("GET", "/_plugins/_alerting/monitors/alerts", params={"size": 1000})
    ours = [each for each in answer["alerts"] if each["trigger_id"].startswith(f"{repository.owner}:")]
    return {each["agg_alert_content"]["bucket_keys"][1]: each for each in ours}


def states(repository: Repository) -> dict[str, str]:
    return {user: alert["state"] for user, alert in alerts(repository).items()}


def fired(repository: Repository, *users: str) -> dict[str, dict[str, Any]]:
    """Their alerts, active."""
    failed_logins(repository, [user for user in users for _ in range(5)])
    return eventually(lambda: found if (found := alerts(repository)).keys() >= set(users) else None)


def test_alerts_are_acknowledged_by_rule_and_by_id(small: Repository) -> None:
    applied(small)
    found = fired(small, "alice", "bob")
    begun = len(chain(small))

    listed = json.loads(small.run("ack", "--all", "--dry-run", "-o", "json").out)
    assert listed["written"] is False
    assert {each["id"] for each in listed["alerts"]} == {each["id"] for each in found.values()}
    assert {tuple(each["about"])[1] for each in listed["alerts"]} == {"alice", "bob"}
    assert states(small) == {"alice": "ACTIVE", "bob": "ACTIVE"}
    assert len(chain(small)) == begun

    done = small.run("ack", "--alert", found["alice"]["id"], "--reason", "INC-7", "-o", "json")
    assert done.code == 0, done.text
    (answer,) = json.loads(done.out)["alerts"]
    assert (answer["rule"], answer["acknowledged"], answer["error"]) == (RULE, True, None)
    assert states(small) == {"alice": "ACKNOWLEDGED", "bob": "ACTIVE"}

    done = small.run("ack", RULE, "--yes")
    assert done.code == 0, done.text
    assert "bob" in done.out
    assert "alice" not in done.out
    assert "Acknowledged 1 alert." in done.out
    assert states(small) == {"alice": "ACKNOWLEDGED", "bob": "ACKNOWLEDGED"}
    assert "Acknowledged 0 alerts." in small.run("ack", RULE).out  # there is nothing left to do

    said = [(each["action"].removeprefix("provisioner_"), each["outcome"]) for each in chain(small)[begun:]]
    started, ended = {"status": "unknown", "reason": "started"}, {"status": "success"}
    both = [("ack_started", started), ("ack_ended", ended)]
    assert said == [*both, *both, ("ack_ended", {"status": "success", "reason": "nothing_to_do"})]
    assert chain(small)[begun]["labels"]["reason"] == "INC-7"
    assert chain(small)[begun]["labels"]["rules"] == RULE
    assert chain(small)[begun + 1]["details"]["result_count"] == 1


def test_what_is_not_there_or_not_ours_is_refused(small: Repository, tmp_path: pathlib.Path) -> None:
    applied(small)
    found = fired(small, "carol")
    done = small.run("ack", "brute-force-logi")
    assert (done.code, "did you mean 'brute-force-login'?" in done.text) == (2, True), done.text
    done = small.run("ack")
    assert (done.code, "--all --dry-run" in done.text) == (2, True), done.text
    done = small.run("ack", "--alert", "nobody", "-o", "json")
    assert (done.code, json.loads(done.out)["error"]["exit_code"]) == (2, 2)
    assert small.run("ack", "--all", "--force", "deletes").code == 2

    settings = (small.root / "provisioner.yml").read_text(encoding="utf-8")
    other = settings.replace(f"owner: {small.owner}", "owner: somebody-else")
    assert other != settings
    (small.root / "provisioner.yml").write_text(other, encoding="utf-8")
    done = small.run("ack", "--all")
    assert (done.code, "Acknowledged 0 alerts." in done.out) == (0, True), done.text
    assert small.run("ack", "--alert", found["carol"]["id"]).code == 2
    (small.root / "provisioner.yml").write_text(settings, encoding="utf-8")
    assert states(small) == {"carol": "ACTIVE"}


def test_without_a_record_nothing_is_acknowledged_unless_forced(small: Repository, tmp_path: pathlib.Path) -> None:
    applied(small)
    fired(small, "dave")
    (tmp_path / "audit.jsonl").mkdir()  # a folder stands where the chain belongs
    small.settings(audit={"file": str(tmp_path / "audit.jsonl")})
    done = small.run("ack", "--all")
    assert (done.code, "can't be written" in done.text) == (1, True), done.text
    assert states(small) == {"dave": "ACTIVE"}
    done = small.run("ack", "--all", "--force", "audit")
    assert (done.code, "Not recorded" in done.text) == (0, True), done.text
    assert states(small) == {"dave": "ACKNOWLEDGED"}
