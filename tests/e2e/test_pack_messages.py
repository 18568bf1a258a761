"""What people and machines are told: the messages of real dry runs, with hostile values in them."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pack_cluster import NAMESPACE, OWNER, ROOT, Pack

from provisioner import source
from provisioner.compile import Compiler
from provisioner.settings import Settings, Target

USER = 'qu"ote \\ back <b>&amp; {{ctx.monitor.name}} ünï\u2603 new\nline, comma'
SHOWN = USER.replace("{", "{ ")
"""The user's name as a group's key: see templates/monitors/key.painless."""
START = datetime(2026, 5, 11, 14, 0, tzinfo=UTC)


def events(user: str = USER) -> list[dict[str, Any]]:
    return [
        {
            "@timestamp": (START + timedelta(seconds=second)).isoformat(),
            "category": "authentication",
            "action": "login_failed",
            "severity": "warning",
            "message": f"Failed login of {user} number {second}",
            "source": {"ip": "203.0.113.42"},
            "actor": {"username": user},
            "outcome": {"status": "failure"},
        }
        for second in range(5)
    ]


def monitor(rule: str, severity: str) -> dict[str, Any]:
    """The rule's monitor as it would be with another severity."""
    catch = {"http": "http://127.0.0.1:19598", "smtp": "127.0.0.1:19599"}
    target = Target("tests", ("http://127.0.0.1:9",), vars={"replicas": 0}, namespace=NAMESPACE, catch=catch)
    read = source.load(ROOT, target.vars)
    document = read.documents["rule", rule]
    changed = dataclasses.replace(document, body={**document.body, "severity": severity})
    return Compiler(ROOT, Settings(OWNER, target), read).resource(changed).body


def outputs(pack: Pack, body: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Subject and message by channel, of a dry run's only alert."""
    at = int((START + timedelta(minutes=1)).timestamp() * 1000)
    params = {"dryrun": "true", "period_end": f"{at}ms"}
    answer = pack.client.request("POST", "/_plugins/_alerting/monitors/_execute", body, params)
    (trigger,) = answer["trigger_results"].values()
    (actions,) = trigger["action_results"].values()
    assert all(action["error"] is None for action in actions.values())
    return {id_.rsplit(":", 1)[1]: action["output"] for id_, action in actions.items()}


@pytest.fixture
def attacked(pack: Pack) -> Pack:
    pack.clear("authentication")
    assert {answer["status"] for answer in pack.ship("authentication", events())} == {201}
    return pack


def test_people_read_what_happened_without_escapes(attacked: Pack) -> None:
    sent = outputs(attacked, monitor("brute-force-login", "high"))
    assert set(sent) == {"slack", "email"}
    assert sent["email"]["subject"] == "[High] Brute-force login"
    text = sent["email"]["message"]
    assert text.startswith("Brute-force login\n\nSeverity: High, respond within 15m\n")
    assert f"source.ip, actor.username: 203.0.113.42,{SHOWN}\n" in text
    assert "Fires at: 5 events within 5m\n" in text
    assert "What to do: docs/runbooks/brute-force-login.md\n" in text
    assert text.endswith("ATT&CK: T1110.001")
    query = "category:authentication AND action:login_failed AND outcome.status:failure"
    assert f"Search: {query} in logs-authentication-{NAMESPACE}\n" in text


def test_machines_get_json_whatever_the_values_hold(attacked: Pack) -> None:
    sent = outputs(attacked, monitor("brute-force-login", "critical"))
    assert set(sent) == {"pagerduty", "sms"}
    event = json.loads(sent["pagerduty"]["message"])
    assert event["event_action"] == "trigger"
    assert event["payload"]["summary"] == "Brute-force login"
    assert event["payload"]["severity"] == "critical"
    details = event["payload"]["custom_details"]
    assert details["keys"] == f"203.0.113.42,{SHOWN}"
    assert details["rule"]["runbook"] == "docs/runbooks/brute-force-login.md"
    assert details["rule"]["group_by"] == ["source.ip", "actor.username"]
    assert details["rule"]["query"].startswith("category:authentication AND ")
    assert sent["sms"]["message"].startswith("[Critical] Brute-force login: 203.0.113.42,")
    assert "\n" not in sent["sms"]["message"].replace(SHOWN, "")


def test_a_plain_webhook_gets_the_facts_of_the_rule(attacked: Pack) -> None:
    body = monitor("brute-force-login", "critical")
    template = (ROOT / "templates/messages/json.mustache").read_text()
    facts = '{"id":"x"}'
    action = body["triggers"][0]["bucket_level_trigger"]["actions"][0]
    action["message_template"]["source"] = (
        template.replace("%alerts%", "ctx.newAlerts").replace("%facts%", facts).replace("%json_events%", "")
    )
    message = json.loads(outputs(attacked, body)["pagerduty"]["message"])
    assert message["monitor"] == f"{OWNER}-brute-force-login"
    assert message["rule"] == {"id": "x"}
    assert message["keys"] == f"203.0.113.42,{SHOWN}"


def test_match_rules_find_their_events_and_say_which(pack: Pack) -> None:
    pack.clear("authentication")
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    lines = [
        f"{stamp} h sudo: alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/id",
        f"{stamp} h sudo: bob : TTY=pts/0 ; PWD=/home/bob ; USER=postgres ; COMMAND=/usr/bin/psql",
        f"{stamp} h sshd[1]: pam_faillock(sshd:auth): Consecutive login failures for user carol account locked",
    ]
    pack.ship("authentication", ({"message": line} for line in lines), "sshd")
    for rule, name in (("privilege-escalation", "alice"), ("account-lockout", "carol")):
        path, params = "/_plugins/_alerting/monitors/_execute", {"dryrun": "true"}
        answer = pack.client.request("POST", path, pack.body("monitor", "match-authentication-1m-1"), params)
        assert answer["error"] is None
        result = answer["trigger_results"][f"{OWNER}:{rule}"]
        (found,) = result["triggeredDocs"]
        (stored,) = pack.search("authentication", query={"ids": {"values": [found.split("|")[0]]}})
        assert stored["actor"]["username"] == name
        texts = {a["output"]["message"] for actions in result["action_results"].values() for a in actions.values()}
        assert len(texts) == 1
        assert name in texts.pop()


def test_exports_are_summed_up(pack: Pack) -> None:
    pack.clear("audit")

    def export(minute: int, user: str, count: int) -> dict[str, Any]:
        return {
            "@timestamp": (START + timedelta(minutes=minute)).isoformat(),
            "category": "data_access",
            "action": "data_export",
            "severity": "high",
            "message": "Export",
            "actor": {"username": user},
            "details": {"records_count": count, "destination": "s3://bucket"},
        }

    pack.ship("audit", [export(minute, "many", 2500) for minute in (0, 20, 40, 60)])
    pack.ship("audit", [export(minute, "slow", 2500) for minute in (0, 20, 40, 61)])
    pack.ship("audit", [export(61, "large", 10_000), export(61, "small", 9_999)])
    found = pack.found("data-export", int((START + timedelta(minutes=62)).timestamp() * 1000))
    assert {key: bucket["peak"]["value"] for key, bucket in found.items()} == {("many",): 10_000, ("large",): 10_000}
