"""Repositories of a given number of objects: the starter pack's templates and retention, and rules, channels, pipelines
and component templates as a larger team has them, each different from the others."""

from __future__ import annotations

import pathlib
import secrets
from dataclasses import dataclass
from typing import Any

import yaml

from provisioner import repository, starter

RULES = 0.70
CHANNELS = 0.06
SECRET = "BENCHMARK_WEBHOOK"
"""Environment variable of a channel's address: this and its number."""
_LOG_TYPES = ("authentication", "audit", "application", "network", "system")
_ACTIONS = ("login_failed", "data_export", "permission_change", "config_change", "session_start", "file_access")
_GROUPS = (["source.ip"], ["actor.username"], ["source.ip", "actor.username"], ["host.name"])


@dataclass(frozen=True)
class Made:
    """A generated repository, whose owner and namespace no other one has."""

    root: pathlib.Path
    owner: str
    namespace: str

    def load(self) -> repository.Repository:
        """Compiled; raises FindingsError where it is wrong."""
        return repository.load(self.root).checked()


def environment(objects: int) -> dict[str, str]:
    """The secrets that a repository of that many objects refers to: each channel has an address of its own."""
    count = round(objects * CHANNELS)
    return {
        f"{SECRET}_{n}": f"https://hooks.slack.com/services/T0000{n:04}/B0000{n:04}/key{n:020}" for n in range(count)
    }


def begin(folder: pathlib.Path, url: str, *, more: tuple[str, ...] = (), parallel: int = 4) -> Made:
    """Write a repository with the starter pack's templates and retention, and more of its files: no rules."""
    tag = secrets.token_hex(4)
    made = Made(folder / tag, f"bench-{tag}", f"ns{tag}")
    for name, content in starter.files().items():
        if name.startswith(("templates/", "ilm/", "docs/runbooks/", *more)):
            _write(made.root / name, content.decode())
    target = {"hosts": [url], "namespace": made.namespace, "parallel": parallel, "vars": {"replicas": 0}}
    _write(made.root / "provisioner.yml", _yaml({"owner": made.owner, "targets": {"bench": target}}))
    return made


def make(folder: pathlib.Path, url: str, objects: int, parallel: int) -> Made:
    """Write a repository that compiles to exactly that many objects, for the cluster at `url`."""
    made = begin(folder, url, parallel=parallel)
    channels = round(objects * CHANNELS)
    _channels(made.root, channels)
    rules = round(objects * RULES)
    _rules(made.root, rules, channels)
    left = objects - len(made.load().resources)
    _pipelines(made.root, left // 2)
    _components(made.root, left - left // 2)
    if (count := len(made.load().resources)) != objects:
        raise AssertionError(f"{count} objects instead of {objects}")
    return made


def _channels(root: pathlib.Path, count: int) -> None:
    """Each with a severity that notifies it."""
    for n in range(count):
        channel = {"kind": "channel", "id": f"team-{n}", "title": f"Team {n}", "type": "slack"}
        _write(root / f"rules/channels/team-{n}.yml", _yaml({**channel, "url": f"${{env:{SECRET}_{n}}}"}))
        severity = {"kind": "severity", "id": f"team-{n}", "title": f"Team {n}, high", "level": "2"}
        more = {"response_time": "2h", "examples": ["Brute force"], "channels": [f"team-{n}"], "throttle": "15m"}
        _write(root / f"rules/severities/team-{n}.yml", _yaml({**severity, **more}))


def _rules(root: pathlib.Path, count: int, channels: int) -> None:
    """One file each, as people keep them. They run once an hour, which is later than the benchmark ends."""
    for n in range(count):
        log_type = _LOG_TYPES[n % len(_LOG_TYPES)]
        rule = {
            "kind": "rule",
            "id": f"rule-{n}",
            "title": f"Too much of one thing, number {n}",
            "description": f"One of many rules.\nIt looks for action {_ACTIONS[n % len(_ACTIONS)]} of service {n}.",
            "severity": f"team-{n % channels}",
            "log_type": log_type,
            "type": "threshold",
            "query": f"category:{log_type} AND action:{_ACTIONS[n % len(_ACTIONS)]} AND host.name:(web-{n} OR db-{n})",
            "group_by": _GROUPS[n % len(_GROUPS)],
            "threshold": {"count": 5 + n % 50, "within": f"{5 + n % 20}m"},
            "schedule": "1h",
            "attack": ["T1110.001"],
            "runbook": "docs/runbooks/brute-force-login.md",
            "false_positives": [f"A deployment of service {n}"],
            "tests": [{"name": "one event stays silent", "events": [{"repeat": 1}], "expect": []}],
        }
        _write(root / f"rules/detections/{log_type}/rule-{n}.yml", _yaml(rule))


def _pipelines(root: pathlib.Path, count: int) -> None:
    """Without `{{...}}` in values: a server compiles at most 75 new ones in five minutes, and answers 429 to more."""
    for n in range(count):
        processors: list[dict[str, Any]] = [
            {"dissect": {"field": "message", "pattern": f"service{n} %{{event.code}} %{{event.reason}} %{{host.ip}}"}},
            {"set": {"field": "service.name", "value": f"service-{n}"}},
            {"rename": {"field": "event.reason", "target_field": "outcome.reason", "ignore_missing": True}},
            {"lowercase": {"field": "outcome.reason", "ignore_missing": True}},
            {"pipeline": {"name": "normalize"}},
        ]
        failure = [{"set": {"field": "ingest.error", "value": f"service-{n}: a line of another form"}}]
        pipeline = {"kind": "ingest_pipeline", "id": f"service-{n}", "title": f"Lines of service {n}"}
        text = _yaml({**pipeline, "processors": processors, "on_failure": failure})
        _write(root / f"templates/pipelines/service-{n}.yml", text)


def _components(root: pathlib.Path, count: int) -> None:
    for n in range(count):
        fields = {f"field_{m}": {"type": ("keyword", "long", "ip", "date")[m % 4]} for m in range(12)}
        mappings = {"properties": {f"service_{n}": {"properties": fields}}}
        component = {"kind": "component_template", "id": f"service-{n}", "title": f"Fields of service {n}"}
        text = _yaml({**component, "template": {"mappings": mappings}})
        _write(root / f"templates/index/service-{n}.yml", text)


def _yaml(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True)


def _write(file: pathlib.Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
