"""Rules of every type that has tests, each different from the others, with one test that fires and one at the border
that stays silent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable

_LOG_TYPES = ("authentication", "audit", "application", "network", "system")
_ACTIONS = ("login_failed", "data_export", "permission_change", "config_change", "session_start", "file_access")
_GROUPS = ("source.ip", "actor.username", "host.name", "context.application")
_KEYS = {"source.ip": "203.0.113.9", "actor.username": "mallory", "host.name": "db-1", "context.application": "shop"}
Keys = dict[str, Any]


def write(folder: pathlib.Path, count: int) -> None:
    """Write that many rules, a file each, with twice as many tests."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        text = yaml.dump(rule(number), Dumper=yaml.CSafeDumper, sort_keys=False)
        (folder / f"rule-{number}.yml").write_text(text, encoding="utf-8")


def rule(number: int) -> Keys:
    """A rule; ten in a row are of ten shapes."""
    log_type = _LOG_TYPES[number // len(_SHAPES) % len(_LOG_TYPES)]
    action = _ACTIONS[number // len(_SHAPES) % len(_ACTIONS)]
    group = _GROUPS[number % len(_GROUPS)]
    query = f"category:{log_type} AND action:{action} AND details.component:part-{number}"
    keys, fires, silent = _SHAPES[number % len(_SHAPES)](number, query, group)
    return {
        "kind": "rule",
        "id": f"rule-{number}",
        "title": f"Something of note, number {number}",
        "description": f"One of many rules.\nIt looks for {action} in part {number}.",
        "severity": "medium",
        "log_type": log_type,
        **keys,
        "schedule": f"{1 + number % 5}m",
        "attack": ["T1110.001"],
        "runbook": "docs/runbooks/brute-force-login.md",
        "false_positives": [f"A deployment of part {number}"],
        "tests": [{"name": "it fires", **fires}, {"name": "a little less stays silent", **silent, "expect": []}],
    }


def _count(number: int) -> int:
    return 4 + number % 17


def _within(number: int) -> str:
    return f"{10 + number % 20}m"


def _match(number: int, query: str, _: str) -> tuple[Keys, Keys, Keys]:
    fires = {
        "events": [{"set": {"actor.username": f"user-{number}"}}],
        "expect": [{"actor.username": f"user-{number}"}],
    }
    return {"type": "match", "query": query}, fires, {"events": [{"set": {"action": "something_else"}}]}


def _threshold(number: int, query: str, group: str) -> tuple[Keys, Keys, Keys]:
    count, key = _count(number), {group: _KEYS[group]}
    keys = {"type": "threshold", "query": query, "group_by": [group]}
    keys["threshold"] = {"count": count, "within": _within(number)}
    fires = {"events": [{"repeat": count, "every": "10s", "set": key}], "expect": [{**key, "count": count}]}
    return keys, fires, {"events": [{"repeat": count - 1, "every": "10s", "set": key}]}


def _sum(number: int, query: str, group: str) -> tuple[Keys, Keys, Keys]:
    half, key = 100 * _count(number), {group: _KEYS[group]}
    field = "details.records_count"
    keys = {"type": "threshold", "query": query, "group_by": [group]}
    keys["threshold"] = {"sum": 2 * half, "of": field, "within": _within(number)}
    fires = {"events": [{"repeat": 2, "set": {**key, field: half}}], "expect": [{**key, "count": 2 * half}]}
    return keys, fires, {"events": [{"repeat": 2, "set": {**key, field: half - 1}}]}


def _distinct(number: int, query: str, _: str) -> tuple[Keys, Keys, Keys]:
    count, key = _count(number), {"source.ip": "203.0.113.9"}
    users = {**key, "actor.username": "user-%n"}
    keys = {"type": "distinct", "query": query, "group_by": ["source.ip"]}
    keys["distinct"] = {"of": "actor.username", "count": count, "within": _within(number)}
    fires = {"events": [{"repeat": count, "every": "7s", "set": users}], "expect": [{**key, "count": count}]}
    again = {"after": "1s", "repeat": 5, "set": {**key, "actor.username": "user-1"}}
    return keys, fires, {"events": [{"repeat": count - 1, "set": users}, again]}


def _ratio(number: int, query: str, group: str) -> tuple[Keys, Keys, Keys]:
    count, key = _count(number), {group: _KEYS[group]}
    failure, success = {**key, "outcome.status": "failure"}, {**key, "outcome.status": "success"}
    keys = {"type": "ratio", "query": "outcome.status:failure", "group_by": [group]}
    keys["ratio"] = {"of": query, "at_least": 0.5, "minimum": 2 * count, "within": _within(number)}

    def events(failures: int) -> list[Keys]:
        return [{"of": True, "repeat": count, "set": success}, {"of": True, "repeat": failures, "set": failure}]

    return keys, {"events": events(count), "expect": [{**key, "count": 0.5}]}, {"events": events(count - 1)}


def _spike(number: int, query: str, group: str) -> tuple[Keys, Keys, Keys]:
    count, key = _count(number), {group: _KEYS[group]}
    keys = {"type": "spike", "query": query, "group_by": [group]}
    keys["spike"] = {"factor": 3, "minimum": count, "within": _within(number), "baseline": "7d"}
    fires = {"events": [{"repeat": count, "every": "5s", "set": key}], "expect": [{**key, "count": count}]}
    return keys, fires, {"events": [{"repeat": count - 1, "every": "5s", "set": key}]}


def _new_value(number: int, query: str, group: str) -> tuple[Keys, Keys, Keys]:
    key = {group: _KEYS[group]}
    keys = {"type": "new_value", "query": query, "group_by": [group], "new_value": {"baseline": "30d"}}
    fires = {"events": [{"set": key}, {"after": f"{1 + number % 29}d", "set": key}], "expect": [key]}
    return keys, fires, {"events": [{"set": {**key, "action": "something_else"}}]}


def _absence(number: int, query: str, _: str) -> tuple[Keys, Keys, Keys]:
    minutes = 20 + number % 15
    keys = {"type": "absence", "query": query, "absence": {"for": f"{minutes}m"}}
    fires = {"events": [{}], "at": f"{minutes + 10}m", "expect": [{}]}
    return keys, fires, {"events": [{}, {"after": f"{minutes}m"}], "at": f"{minutes + 10}m"}


def _sequence(number: int, query: str, group: str) -> tuple[Keys, Keys, Keys]:
    count, ordered, key = 2 + number % 4, number % len(_SHAPES) == 8, {group: _KEYS[group]}
    steps = [{"query": query, "count": count}, {"query": f"action:session_end AND details.component:part-{number}"}]
    keys = {"type": "sequence", "group_by": [group]}
    keys["sequence"] = {"within": _within(number), "ordered": ordered, "steps": steps}
    first = {"step": 1, "repeat": count, "every": "20s", "set": key}
    last = {"step": 2, "after": "20s", "set": key}
    fires = {"events": [first, last] if ordered else [last, {**first, "after": "1s"}], "expect": [{**key, "count": 1}]}
    return (
        keys,
        fires,
        {"events": [last, {**first, "after": "1s"}] if ordered else [{**first, "repeat": count - 1}, last]},
    )


_SHAPES: tuple[Callable[[int, str, str], tuple[Keys, Keys, Keys]], ...] = (
    *(_match, _threshold, _sum, _distinct, _ratio, _spike, _new_value, _absence, _sequence),
    _sequence,
)
