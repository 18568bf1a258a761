"""Repositories of many match rules, and events that such rules find.

The queries are of the sorts that rules are made of: words, lists, wildcards at both ends, networks, ranges, negations
and phrases. Each rule has values of its own, so an event with the values of ten rules is found by exactly these ten.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml
from clusters import Repository

from provisioner.client import Client, path

LOG_TYPES = ("audit", "authentication", "network")
SCHEDULES = ("1m", "5m", "15m", "1h")
SEVERITIES = """\
kind: severity
id: high
title: High
level: "2"
response_time: 1d
channels: [team]
---
kind: severity
id: low
title: Low
level: "4"
response_time: 1d
channels: []
"""
CHANNEL = """\
kind: channel
id: team
title: The team
type: webhook
url: https://team.example/alerts
"""


@dataclass(frozen=True)
class Rule:
    """A rule, where its file stands, and what an event must have for it."""

    id: str
    log_type: str
    schedule: str
    query: str
    finds: dict[str, Any]

    @property
    def file(self) -> str:
        """One file each, as people keep them."""
        return f"rules/detections/{self.log_type}/{self.id}.yml"


_QUERIES: list[Callable[[int], tuple[str, dict[str, Any]]]] = [
    lambda n: (f"action:operation_{n} AND outcome.status:failure", {"action": f"operation_{n}"}),
    lambda n: (f"process.name:(tool-{n} OR helper-{n} OR agent-{n})", {"process.name": f"helper-{n}"}),
    lambda n: (f"details.command:*exploit-{n}.sh*", {"details.command": f"sh /tmp/exploit-{n}.sh --now"}),
    lambda n: (
        f'source.ip:"10.{n // 250}.{n % 250}.0/24" AND destination.port:[{1024 + n} TO 65535]',
        {"source.ip": f"10.{n // 250}.{n % 250}.7", "destination.port": 60000},
    ),
    lambda n: (f"host.name:web-{n}-* AND NOT actor.username:service-{n}", {"host.name": f"web-{n}-eu"}),
    lambda n: (f'message:"unit number{n} reports trouble"', {"message": f"At night unit number{n} reports trouble."}),
]


def rules(count: int) -> list[Rule]:
    """So many rules, as many of each log type and schedule."""
    made = []
    for n in range(count):
        query, finds = _QUERIES[n % len(_QUERIES)](n)
        group = n * len(LOG_TYPES) * len(SCHEDULES) // count
        log_type, schedule = LOG_TYPES[group // len(SCHEDULES)], SCHEDULES[group % len(SCHEDULES)]
        made.append(Rule(f"many-{n}", log_type, schedule, query, finds))
    return made


def text(rule: Rule, **other: Any) -> str:
    """The rule's document."""
    said = {
        "kind": "rule",
        "id": rule.id,
        "title": f"Something of the sort {rule.id}",
        "severity": "low" if rule.log_type == "authentication" else "high",
        "log_type": rule.log_type,
        "type": "match",
        "query": rule.query,
        "schedule": rule.schedule,
        "attack": ["T1110.001"],
        "runbook": "docs/runbooks/brute-force-login.md",
        "tests": [{"name": "an ordinary event", "events": [{"set": {"action": "ordinary"}}], "expect": []}],
    }
    return yaml.safe_dump({**said, **other}, sort_keys=False)


def write(repository: Repository, made: Iterable[Rule], receiver: str) -> None:
    """The starter pack's templates and streams, but these rules, and one channel, whose messages the receiver takes."""
    repository.remove("rules/detections", "rules/channels.yml", "rules/severities.yml")
    repository.write({"rules/severities.yml": SEVERITIES, "rules/channels.yml": CHANNEL})
    repository.write({rule.file: text(rule) for rule in made})
    # Nothing runs by itself: the tests run what they want to see.
    repository.settings(schedule="12h", catch={"http": receiver, "smtp": "127.0.0.1:19791"})


def event(found_by: Sequence[Rule]) -> dict[str, Any]:
    """An event that all these rules find, and no other one."""
    values: dict[str, list[Any]] = {}
    for rule in found_by:
        for field, value in rule.finds.items():
            values.setdefault(field, []).append(value)
    made: dict[str, Any] = {"@timestamp": datetime.now(UTC).isoformat(), "category": "test"}
    ordinary = {"action": ["ordinary"], "outcome.status": ["failure"], "message": ["nothing"], "actor.username": ["al"]}
    for field, given in {**ordinary, **values}.items():
        parts = field.split(".")
        inner = made
        for part in parts[:-1]:
            inner = inner.setdefault(part, {})
        inner[parts[-1]] = given if len(given) > 1 else given[0]
    return made


def traffic(count: int, found: Sequence[Rule], every: int) -> Iterator[dict[str, Any]]:
    """So many events of a busy hour; `every` so often one is found by one of these rules, in turn."""
    chance = random.Random(5)
    start = datetime.now(UTC) - timedelta(hours=1)
    for n in range(count):
        made = event([found[n // every % len(found)]] if n % every == 0 else [])
        made["@timestamp"] = (start + timedelta(milliseconds=3_600_000 * n // count)).isoformat()
        made["event_id"] = f"many-{n}"
        if n % every:
            who = chance.randrange(400)
            made |= {
                "action": chance.choice(["login_failed", "login_succeeded", "logout", "read", "write"]),
                "message": f"Accepted publickey for user{who} from 192.0.2.{who % 250} port {40000 + who} ssh2",
                "actor": {"username": f"user{who}", "session_id": f"s-{chance.randrange(10**9)}"},
                "source": {"ip": f"192.0.2.{who % 250}", "port": 40000 + who, "country": "DE"},
                "host": {"name": f"db-{who % 40}"},
                "process": {"name": chance.choice(["sshd", "sudo", "nginx", "cron"]), "pid": chance.randrange(30000)},
                "details": {"command": f"/usr/bin/backup --set {who}", "records_count": chance.randrange(1000)},
                "destination": {"port": chance.choice([22, 80, 443, 5432])},
            }
        yield made


def store(client: Client, stream: str, events: Iterable[dict[str, Any]]) -> None:
    """Store the events through the stream's own pipelines; all must be taken."""
    lines = [line for each in events for line in ({"create": {}}, each)]
    for start in range(0, len(lines), 2000):
        body = "".join(json.dumps(line) + "\n" for line in lines[start : start + 2000])
        answer = client.request("POST", path(stream, "_bulk"), body, params={"refresh": "true"})
        assert not answer["errors"], next(i for i in answer["items"] if "error" in i["create"])
