"""Sigma's correlations become rules of ours with their timespan, or say why not."""

import pytest
import yaml

BASE = """\
title: {name}
name: {name}
status: test
logsource: {{product: linux, service: sshd}}
detection: {{s: ['{words}'], condition: s}}
level: low
---
"""
FAILED = BASE.format(name="failed", words="Failed password")
SUCCESS = BASE.format(name="accepted", words="Accepted password")
CLOUD = """\
title: cloud
name: cloud
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName: ConsoleLogin}, condition: s}
level: low
---
"""


def correlation(type_, rules, condition=None, group_by=("User",), timespan="5m", **more):
    keys = {"type": type_, "rules": rules, "group-by": list(group_by), "timespan": timespan, **more}
    if condition is not None:
        keys["condition"] = condition
    head = {"title": "Together", "id": "11111111-0000-4000-8000-000000000001", "status": "test", "level": "high"}
    return yaml.safe_dump({**head, "correlation": keys}, sort_keys=False)


QUERY = 'process.name:sshd AND message:"Failed password"'


@pytest.mark.parametrize(("condition", "count"), [({"gte": 5}, 5), ({"gt": 5}, 6), ({"eq": 5}, 5)])
def test_event_count(rule, condition, count):
    body = rule(FAILED + correlation("event_count", ["failed"], condition))
    assert body["type"] == "threshold"
    assert body["query"] == QUERY
    assert body["group_by"] == ["actor.username"]
    assert body["threshold"] == {"count": count, "within": "5m"}
    assert (body["severity"], body["log_type"]) == ("high", "authentication")


def test_value_count(rule):
    condition = {"field": "SourceIp", "gte": 10}
    body = rule(FAILED + correlation("value_count", ["failed"], condition, timespan="2w"))
    assert (body["type"], body["query"]) == ("distinct", QUERY)
    assert body["distinct"] == {"of": "source.ip", "count": 10, "within": "14d"}


@pytest.mark.parametrize(("type_", "ordered"), [("temporal", False), ("temporal_ordered", True)])
def test_temporal(rule, type_, ordered):
    body = rule(FAILED + SUCCESS + correlation(type_, ["failed", "accepted"], timespan="1h"))
    assert body["type"] == "sequence"
    assert body["sequence"]["within"] == "1h"
    assert body["sequence"]["ordered"] is ordered
    assert [step["query"] for step in body["sequence"]["steps"]] == [QUERY, QUERY.replace("Failed", "Accepted")]
    assert body["group_by"] == ["actor.username"]


def test_a_condition_in_words(rule):
    text = correlation("temporal", ["failed", "accepted"], "failed and accepted")
    assert len(rule(FAILED + SUCCESS + text)["sequence"]["steps"]) == 2


def test_several_failures_then_success(rule):
    count = correlation("event_count", ["failed"], {"gte": 10}).replace("title: Together", "title: Many\nname: many")
    both = correlation("temporal_ordered", ["many", "accepted"])
    text = FAILED + SUCCESS + count.replace("000001", "000002") + "---\n" + both
    assert rule(text)["sequence"]["steps"][0] == {"query": QUERY, "count": 10}


def test_an_alias_for_fields_that_are_one_here(rule):
    aliases = {"who": {"failed": "User", "accepted": "User"}}
    body = rule(FAILED + SUCCESS + correlation("temporal", ["failed", "accepted"], group_by=["who"], aliases=aliases))
    assert body["group_by"] == ["actor.username"]


def test_base_rules_are_folded_in_unless_they_are_to_be_generated(imported):
    text = FAILED + correlation("event_count", ["failed"], {"gte": 5})
    assert [each.action for each in imported(text, write=False).outcomes] == ["folded", "created"]
    text = FAILED + correlation("event_count", ["failed"], {"gte": 5}, generate=True)
    assert [each.action for each in imported(text, write=False).outcomes] == ["created", "created"]


TWO = ["failed", "accepted"]
REFUSED = [
    (correlation("event_count", ["failed"], {"lt": 5}), "few events"),
    (correlation("event_count", ["failed"], {"gte": 0}), "no number of events"),
    (correlation("event_count", ["missing"], {"gte": 5}), "'missing' is not among those"),
    (correlation("value_avg", ["failed"], {"field": "x", "gte": 5}), "no rule type for value_avg"),
    (correlation("value_count", ["failed"], {"field": ["a", "b"], "gte": 5}), "several fields"),
    (correlation("temporal", TWO, "failed or accepted"), "`or` or `not`"),
    (correlation("temporal", ["failed", "cloud"]), "several log types: audit, authentication"),
    (
        correlation("temporal", TWO, group_by=["who"], aliases={"who": {"failed": "User", "accepted": "Other"}}),
        "map them",
    ),
    (correlation("event_count", ["failed"], {"gte": 5}, timespan="soon"), "no Sigma rule"),
    (correlation("temporal", []), "names no rules"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_what_can_not_be_said_is_told(imported, text, reason):
    outcomes = imported(FAILED + SUCCESS + CLOUD + text, write=False).outcomes
    (found,) = [each for each in outcomes if each.title == "Together"]
    assert found.action == "refused"
    assert reason in f"{found.reason} {found.hint}"


def test_correlations_in_a_circle(imported):
    one = correlation("temporal", ["b", "failed"]).replace("title: Together", "title: One\nname: a")
    two = correlation("temporal", ["a", "failed"]).replace("title: Together", "title: Two\nname: b")
    outcomes = imported(FAILED + one + "---\n" + two.replace("000001", "000002"), write=False).outcomes
    assert {each.action for each in outcomes} <= {"folded", "refused"}
