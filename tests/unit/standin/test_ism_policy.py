"""Policies: normal forms, refusals in the plugin's words, templates."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.devcluster.standin.errors import OpenSearchError
from provisioner.devcluster.standin.ism.policy import parse_body
from provisioner.devcluster.standin.ism.templates import check_templates, matches, overlapping, template_for
from provisioner.devcluster.standin.located import UnexpectedTokenError

RETRY = {"count": 3, "backoff": "exponential", "delay": "1m"}


def body(**changes: Any) -> dict[str, Any]:
    policy = {"description": "d", "default_state": "a", "states": [{"name": "a"}]}
    return {"policy": {**policy, **changes}}


def action(**written: Any) -> dict[str, Any]:
    made = parse_body(body(states=[{"name": "a", "actions": [written]}]), "p", 1)
    found: dict[str, Any] = made["states"][0]["actions"][0]
    return found


def condition(**written: Any) -> dict[str, Any]:
    states = [{"name": "a", "transitions": [{"state_name": "b", "conditions": written}]}, {"name": "b"}]
    found: dict[str, Any] = parse_body(body(states=states), "p", 1)["states"][0]["transitions"][0]["conditions"]
    return found


def test_a_policy_gets_the_servers_fields_and_keeps_none_of_the_clients_for_them() -> None:
    made = parse_body(body(policy_id="other", last_updated_time=1, schema_version=7), "mine", 42)
    assert made == {
        "policy_id": "mine",
        "description": "d",
        "last_updated_time": 42,
        "schema_version": 7,
        "error_notification": None,
        "default_state": "a",
        "states": [{"name": "a", "actions": [], "transitions": []}],
        "ism_template": None,
    }


def test_a_template_may_stand_alone_and_keeps_its_time() -> None:
    alone = parse_body(body(ism_template={"index_patterns": ["x-*"]}), "p", 5)["ism_template"]
    assert alone == [{"index_patterns": ["x-*"], "priority": 0, "last_updated_time": 5}]
    kept = parse_body(body(ism_template=[{"index_patterns": ["x-*"], "last_updated_time": 3}]), "p", 5)["ism_template"]
    assert kept[0]["last_updated_time"] == 3


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ({"rollover": {}}, {"copy_alias": False}),
        (
            {"rollover": {"min_size": "50GB", "min_index_age": " 7D "}},
            {"min_size": "50gb", "min_index_age": "7d", "copy_alias": False},
        ),
        ({"rollover": {"min_doc_count": "5"}}, {"min_doc_count": 5, "copy_alias": False}),
        (
            {"allocation": {"require": {"box": 1}}},
            {"require": {"box": "1"}, "include": {}, "exclude": {}, "wait_for": False},
        ),
        ({"alias": {"actions": [{"add": {"alias": "x"}}]}}, {"actions": [{"add": {"aliases": ["x"]}}]}),
        ({"shrink": {"num_new_shards": 1}}, {"num_new_shards": 1, "switch_aliases": False}),
        (
            {"notification": {"channel": {"id": "c"}, "message_template": {"source": "x"}}},
            {"channel": {"id": "c"}, "message_template": {"source": "x", "lang": "mustache"}},
        ),
    ],
)
def test_actions_in_their_normal_form(written: dict[str, Any], shown: dict[str, Any]) -> None:
    [kind] = written
    assert action(**written) == {"retry": RETRY, kind: shown}


def test_retry_and_timeout_are_kept() -> None:
    made = action(close={}, timeout="90m", retry={"count": 0, "backoff": "LINEAR", "delay": "2s"})
    assert made == {"timeout": "90m", "retry": {"count": 0, "backoff": "linear", "delay": "2s"}, "close": {}}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"states": []}, "Policy must contain at least one State"),
        ({"default_state": "z"}, "Policy must have a valid default state"),
        ({"bogus": 1}, "Invalid field: [bogus] found in Policy."),
        ({"states": [{"name": " "}]}, "State must contain a valid name"),
        (
            {"states": [{"name": "a", "transitions": [{"conditions": {"min_size": "1gb"}}]}]},
            "Transition state name is null",
        ),
        (
            {"states": [{"name": "a", "actions": [{"delete": {}}], "transitions": [{"state_name": "a"}]}]},
            "State=a cannot contain transitions if using delete action",
        ),
        ({"ism_template": [{"index_patterns": ["x"], "priority": -1}]}, "Requires priority to be >= 0"),
        (
            {"error_notification": {"message_template": {"source": "x"}}},
            "ErrorNotification must contain a destination or channel",
        ),
        (
            {"error_notification": {"channel": {"id": "c"}, "message_template": {"source": "x", "lang": "painless"}}},
            "ErrorNotification message template must be a mustache script",
        ),
    ],
)
def test_policies_are_refused_in_the_plugins_words(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(OpenSearchError) as refused:
        parse_body(body(**changes), "p", 1)
    assert (refused.value.status, refused.value.type, refused.value.reason) == (
        400,
        "illegal_argument_exception",
        reason,
    )


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ({"min_index_age": "1.5d"}, "failed to parse [1.5d], fractional time values are not supported"),
        ({"min_index_age": "-5d"}, "negative durations are not supported"),
        ({"min_doc_count": 0}, "Transition doc count condition must be greater than 0"),
        ({"min_size": "0b"}, "Transition size condition must be greater than 0"),
        ({"min_doc_count": "many"}, 'For input string: "many"'),
        ({"no_alias": "perhaps"}, "Failed to parse value [perhaps] as only [true] or [false] are allowed."),
        ({"cron": {"cron": {"expression": "99 * * * *", "timezone": "UTC"}}}, "Failed to parse cron expression"),
    ],
)
def test_conditions_are_refused(written: dict[str, Any], reason: str) -> None:
    with pytest.raises(OpenSearchError) as refused:
        condition(**written)
    assert reason in str(refused.value.reason)


def test_an_unexpected_kind_of_value_is_located() -> None:
    with pytest.raises(UnexpectedTokenError) as refused:
        parse_body(body(states={"name": "a"}), "p", 1)
    error = refused.value.as_error('{"policy": {"description": "d",\n  "states": {"name": "a"}}}')
    assert (error.body["error"]["line"], error.body["error"]["col"]) == (2, 13)
    assert error.reason == "Failed to parse object: expecting token of type [START_ARRAY] but found [START_OBJECT]"


@pytest.mark.parametrize(
    ("ours", "theirs", "meet"),
    [
        ("logs-*", "logs-app", True),
        ("logs-*", "*-app", True),
        ("logs-a*", "logs-b*", False),
        ("a*b*c", "axxbxxc", True),
        ("a*b*c", "axxc", False),
        ("*", "x", True),
        ("a*", "*", True),
        ("abc", "abd", False),
        ("a*a", "a", False),
    ],
)
def test_patterns_overlap_when_some_name_matches_both(ours: str, theirs: str, meet: bool) -> None:
    assert overlapping([ours], [theirs]) is meet
    assert overlapping([theirs], [ours]) is meet


def test_a_template_of_the_same_priority_may_not_overlap() -> None:
    mine = parse_body(body(ism_template=[{"index_patterns": ["logs-*"], "priority": 3}]), "mine", 1)
    other = parse_body(body(ism_template=[{"index_patterns": ["logs-app*"], "priority": 3}]), "other", 1)
    check_templates(mine, {"mine": mine})
    check_templates(mine, {"other": {**other, "ism_template": None}})
    with pytest.raises(OpenSearchError, match="please use a different priority than 3"):
        check_templates(mine, {"other": other})
    twice = parse_body(body(ism_template=[{"index_patterns": [p], "priority": 1} for p in ("a*", "ab*")]), "p", 1)
    with pytest.raises(OpenSearchError, match="please use different priority"):
        check_templates(twice, {})


def test_the_highest_priority_attaches_to_later_indexes_only() -> None:
    low = parse_body(body(ism_template=[{"index_patterns": ["*"], "priority": 1}]), "low", 100)
    high = parse_body(body(ism_template=[{"index_patterns": ["logs-*"], "priority": 2}]), "high", 200)
    found = [template_for("logs-1", created, [low, high]) for created in (100, 150, 250)]
    assert [policy and policy["policy_id"] for policy in found] == [None, "low", "high"]


def test_an_exclusion_wins_and_brackets_are_no_classes() -> None:
    assert matches("logs-a", ["logs-*", "-logs-b*"])
    assert not matches("logs-b1", ["logs-*", "-logs-b*"])
    assert not matches("logs-a", ["logs-[a-z]"])
