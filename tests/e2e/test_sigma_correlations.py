"""Sigma's correlations, imported, on events and the real engine: they fire for what Sigma means, nothing near it.

After the specification of Sigma's correlation rules, version 2.1: events are counted, or their values, or rules that
match, for each group by itself, inside any timespan; a timespan's end belongs to it.
"""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
import yaml
from clusters import Cluster
from test_rule_types import repository_of_types

from provisioner import settings, source
from provisioner.ruletest import runner
from provisioner.ruletest.bench import bench
from provisioner.ruletest.cases import cases
from provisioner.sigma import importing
from provisioner.sigma import outcome as outcomes
from provisioner.sigma import settings as pipelines

BASE = """\
title: {title}
name: {name}
status: test
logsource: {{product: linux, service: {service}}}
detection: {{s: ['{words}'], condition: s}}
level: low
---
"""
BASES = "".join(
    BASE.format(title=f"Base {name}", name=name, service=service, words=words)
    for name, service, words in (
        ("failed", "sshd", "Failed password"),
        ("unknown", "sshd", "Invalid user"),
        ("accepted", "sshd", "Accepted password"),
        ("root", "sudo", "USER=root"),
    )
)


def said(words: str, user: str = "alice", ip: str = "192.0.2.1", process: str = "sshd", **more: Any) -> dict[str, Any]:
    """An event of sshd, or of sudo."""
    about = {"message": f"{words} for somebody", "actor.username": user, "source.ip": ip, "process.name": process}
    return {**more, "set": about}


def failed(**more: Any) -> dict[str, Any]:
    return said("Failed password", **more)


def unknown(**more: Any) -> dict[str, Any]:
    return said("Invalid user", **more)


def accepted(**more: Any) -> dict[str, Any]:
    return said("Accepted password", **more)


def root(**more: Any) -> dict[str, Any]:
    return said("USER=root", process="sudo", **more)


Events = list[dict[str, Any]]
ALICE = [{"actor.username": "alice"}]
# A correlation; the type that it becomes; tests: events and the groups that must be told.
CASES: dict[str, tuple[dict[str, Any], str, dict[str, tuple[Events, list[dict[str, Any]]]]]] = {
    "event count": (
        {"type": "event_count", "rules": ["failed"], "condition": {"gte": 5}},
        "threshold",
        {
            "five in exactly five minutes": (
                [failed(repeat=5, every="75s")],
                [{"actor.username": "alice", "count": 5}],
            ),
            "one too few": ([failed(repeat=4, every="1s")], []),
            "a second too long": ([failed(repeat=4, every="75s"), failed(after="76s")], []),
            "five of two users": ([failed(repeat=3), failed(after="1s", repeat=2, user="bob")], []),
            "five of each of two": (
                [failed(repeat=5), failed(repeat=5, user="bob")],
                [*ALICE, {"actor.username": "bob"}],
            ),
            "five addresses of one user": ([failed(repeat=5, ip="192.0.2.%n")], ALICE),
            "another event": ([failed(repeat=4), accepted(after="1s")], []),
        },
    ),
    "event count of more than": (
        {"type": "event_count", "rules": ["failed"], "condition": {"gt": 5}},
        "threshold",
        {"six": ([failed(repeat=6)], ALICE), "five": ([failed(repeat=5)], [])},
    ),
    "event count of several rules": (
        {"type": "event_count", "rules": ["failed", "unknown"], "condition": {"gte": 4}},
        "threshold",
        {
            "two and two": ([failed(repeat=2), unknown(after="1s", repeat=2)], ALICE),
            "four of one": ([unknown(repeat=4)], ALICE),
            "two and one": ([failed(repeat=2), unknown(after="1s")], []),
        },
    ),
    "event count without groups": (
        {"type": "event_count", "rules": ["failed"], "condition": {"gte": 3}, "group-by": None},
        "threshold",
        {"three of three users": ([failed(repeat=3, user="user-%n")], [{"count": 3}]), "two": ([failed(repeat=2)], [])},
    ),
    "event count by two fields": (
        {"type": "event_count", "rules": ["failed"], "condition": {"gte": 3}, "group-by": ["User", "SourceIp"]},
        "threshold",
        {
            "three of one pair": ([failed(repeat=3)], [{"actor.username": "alice", "source.ip": "192.0.2.1"}]),
            "of one user from two addresses": ([failed(repeat=2), failed(ip="192.0.2.2", after="1s")], []),
        },
    ),
    "value count": (
        {"type": "value_count", "rules": ["failed"], "condition": {"field": "SourceIp", "gte": 3}},
        "distinct",
        {
            "three addresses in exactly five minutes": ([failed(repeat=3, every="150s", ip="192.0.2.%n")], ALICE),
            "two addresses, many times": ([failed(repeat=9), failed(repeat=9, ip="192.0.2.2")], []),
            "the third a second too late": (
                [failed(repeat=2, every="150s", ip="192.0.2.%n"), failed(after="151s", ip="192.0.2.3")],
                [],
            ),
            "three addresses of two users": (
                [failed(repeat=2, ip="192.0.2.%n"), failed(after="1s", ip="192.0.2.3", user="bob")],
                [],
            ),
            "the third in another event": ([failed(repeat=2, ip="192.0.2.%n"), accepted(ip="192.0.2.3")], []),
        },
    ),
    "temporal": (
        {"type": "temporal", "rules": ["failed", "accepted"]},
        "sequence",
        {
            "one after the other, five minutes apart": ([failed(), accepted(after="5m")], ALICE),
            "the other way round": ([accepted(), failed(after="5m")], ALICE),
            "at the same time": ([accepted(), failed()], ALICE),
            "one of them, many times": ([failed(repeat=9, every="10s")], []),
            "a second too far apart": ([failed(), accepted(after="301s")], []),
            "of two users": ([failed(), accepted(after="1s", user="bob")], []),
        },
    ),
    "temporal of three rules": (
        {"type": "temporal", "rules": ["failed", "accepted", "root"]},
        "sequence",
        {
            "all three": ([root(), failed(after="150s"), accepted(after="150s")], ALICE),
            "two of them": ([root(repeat=2), accepted(after="1s")], []),
            "the third too late": ([root(), failed(after="150s"), accepted(after="151s")], []),
        },
    ),
    "temporal with a condition": (
        {"type": "temporal", "rules": ["failed", "accepted"], "condition": "failed and accepted"},
        "sequence",
        {"both": ([accepted(), failed(after="1m")], ALICE), "one": ([failed(repeat=2)], [])},
    ),
    "temporal ordered": (
        {"type": "temporal_ordered", "rules": ["failed", "accepted"]},
        "sequence",
        {
            "in order, five minutes apart": ([failed(), accepted(after="5m")], ALICE),
            "the wrong way round": ([accepted(), failed(after="1s")], []),
            "wrong, then right": ([accepted(), failed(after="1s"), accepted(after="1s")], ALICE),
            "a second too far apart": ([failed(), accepted(after="301s")], []),
            "of two users": ([failed(), accepted(after="1s", user="bob")], []),
            "the first alone": ([failed(repeat=9)], []),
        },
    ),
    "temporal ordered of three rules": (
        {"type": "temporal_ordered", "rules": ["failed", "accepted", "root"]},
        "sequence",
        {
            "in order": ([failed(), accepted(after="1m"), root(after="1m")], ALICE),
            "the last two the wrong way round": ([failed(), root(after="1m"), accepted(after="1m")], []),
            "without the one in the middle": ([failed(), root(after="1m")], []),
        },
    ),
    "a count, then a rule": (
        {"type": "temporal_ordered", "rules": ["many", "accepted"]},
        "sequence",
        {
            "ten, then a login": ([failed(repeat=10, every="10s"), accepted(after="10s")], ALICE),
            "nine, then a login": ([failed(repeat=9, every="10s"), accepted(after="10s")], []),
            "a login, then ten": ([accepted(), failed(after="1s", repeat=10)], []),
            "ten of another user": ([failed(repeat=10, user="bob"), accepted(after="1s")], []),
        },
    ),
}
MANY = {"type": "event_count", "rules": ["failed"], "condition": {"gte": 10}}


def _correlation(number: int, title: str, keys: dict[str, Any], **head: str) -> str:
    said = {"group-by": ["User"], "timespan": "5m", **keys}
    about = {"title": title, "id": f"11111111-0000-4000-8000-{number:012d}", "status": "test", "level": "low", **head}
    return yaml.safe_dump({**about, "correlation": {k: v for k, v in said.items() if v}}, sort_keys=False)


def _imported(root: pathlib.Path, sigma: pathlib.Path) -> dict[str, outcomes.Outcome]:
    """The correlations as rules of a repository, by their titles, with their tests written behind them."""
    texts = [_correlation(number, title, CASES[title][0]) for number, title in enumerate(CASES)]
    texts.append(_correlation(99, "Many failures", MANY, name="many"))
    (sigma / "correlations.yml").write_text(BASES + "---\n".join(texts), encoding="utf-8")
    chosen = settings.load(root, None)
    read = source.load(root, chosen.target.vars)
    done = importing.Importer(root, chosen, read, pipelines.load(read)).run([str(sigma)])
    outcomes.write(root, done)
    made = {outcome.title: outcome for outcome in done.outcomes if outcome.title in CASES}
    for title, outcome in made.items():
        tests = [{"name": name, "events": e, "expect": told} for name, (e, told) in CASES[title][2].items()]
        with (root / outcome.written).open("a", encoding="utf-8") as file:
            file.write(yaml.safe_dump({"tests": tests}, sort_keys=False, allow_unicode=True))
    return made


@pytest.fixture(scope="module")
def results(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[runner.Result]]:
    """All tests in one run, by the title of their correlation."""
    root = tmp_path_factory.mktemp("repository")
    repository_of_types(root)
    target = {"hosts": [cluster.url], "vars": {"replicas": 0}}
    said = {"owner": "sigma", "targets": {"dev": target}, "default_target": "dev"}
    (root / "provisioner.yml").write_text(yaml.safe_dump(said), encoding="utf-8")
    made = _imported(root, tmp_path_factory.mktemp("sigma"))
    assert {title: outcome.reason for title, outcome in made.items()} == dict.fromkeys(CASES, "")
    assert {title: outcome.type for title, outcome in made.items()} == {title: CASES[title][1] for title in CASES}
    by_id = {outcome.id: title for title, outcome in made.items()}
    found: dict[str, list[runner.Result]] = {title: [] for title in CASES}
    with bench(root, settings.load(root, None)) as on:
        for result in runner.run(on, list(cases(on.loaded.source, on.loaded.resources, set(by_id)))):
            found[by_id[result.case.rule.id]].append(result)
    return found


@pytest.mark.parametrize("title", CASES)
def test_a_correlation_fires_for_what_sigma_means(results: dict[str, list[runner.Result]], title: str) -> None:
    assert [result.case.name for result in results[title]] == list(CASES[title][2])
    failures = [f"{result.case.name}\n{result.failure or result.error}" for result in results[title]]
    assert [each for each, result in zip(failures, results[title], strict=True) if not result.passed] == []
