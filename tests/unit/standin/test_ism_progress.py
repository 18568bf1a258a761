"""The way of an index through its policy, without a node."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.devcluster.standin.ism import managed as way
from provisioner.devcluster.standin.ism.conditions import Measured, rollover_due, rollover_report, transition_due
from provisioner.devcluster.standin.ism.explain import explained
from provisioner.devcluster.standin.ism.managed import StepResult
from provisioner.devcluster.standin.ism.policy import parse_body
from provisioner.devcluster.standin.ism.units import byte_count, milliseconds, shown_bytes, shown_time

MEASURED = Measured(docs=10, size=2048, largest_shard=1024, largest_shard_id=0, age=3_600_000, created=7)


def policy(*actions: dict[str, Any]) -> dict[str, Any]:
    states = [
        {"name": "a", "actions": list(actions), "transitions": [{"state_name": "b"}]},
        {"name": "b", "actions": [], "transitions": []},
    ]
    return parse_body({"policy": {"description": "d", "default_state": "a", "states": states}}, "p", 1)


def begin(made: dict[str, Any]) -> way.Metadata:
    index = {"index": "i", "index_uuid": "u", "policy_seq_no": 0, "policy_primary_term": 1, "created": 0}
    return way.initial(index, made, "p", now=1000)


def do(made: dict[str, Any], metadata: way.Metadata, result: StepResult, now: int) -> tuple[str, way.Metadata]:
    """Run the step that is due, with this result."""
    state = way.state_due(made, metadata)
    assert state is not None
    work = way.work_due(state, metadata)
    assert work is not None
    return work.step, way.finished(work, way.started(work, metadata, now), result, now)


def test_steps_actions_and_states_follow_each_other() -> None:
    made = policy(
        {"force_merge": {"max_num_segments": 1}},
        {"notification": {"channel": {"id": "c"}, "message_template": {"source": ""}}},
        {"close": {}},
    )
    metadata, done, seen = begin(made), StepResult(way.COMPLETED, {"message": "ok"}), []
    for now in range(5):
        step, metadata = do(made, metadata, done, now)
        seen.append(step)
    moved = StepResult(way.COMPLETED, {"message": "on"}, {"transition_to": "b", "policy_completed": False})
    step, metadata = do(made, metadata, moved, 6)
    seen.append(step)
    ended = StepResult(way.COMPLETED, None, {"policy_completed": True})
    step, metadata = do(made, metadata, ended, 7)
    assert seen == [
        "attempt_set_read_only",
        "attempt_call_force_merge",
        "wait_for_force_merge",
        "attempt_notification",
        "attempt_close",
        "attempt_transition_step",
    ]
    assert (step, metadata["state"], metadata["transition_to"]) == (
        "attempt_transition_step",
        {"name": "b", "start_time": 7},
        None,
    )
    assert set(explained(metadata)) >= {"policy_completed"}
    assert "state" not in explained(metadata)


def test_two_actions_of_one_kind_both_run() -> None:
    made = policy({"index_priority": {"priority": 1}}, {"index_priority": {"priority": 2}})
    metadata, done = begin(made), StepResult(way.COMPLETED, {})
    for expected in (0, 1, -1):
        _, metadata = do(made, metadata, done, 5)
        assert metadata["action"]["index"] == expected


@pytest.mark.parametrize(
    ("backoff", "waits"),
    [("constant", [60, 60, 60]), ("linear", [60, 120, 180]), ("exponential", [60, 120, 240])],
)
def test_a_failed_step_waits_longer_each_time_and_gives_up(backoff: str, waits: list[int]) -> None:
    made = policy({"close": {}, "retry": {"count": 3, "backoff": backoff, "delay": "1m"}})
    metadata, now, failure = begin(made), 10_000, StepResult(way.FAILED, {"message": "no"})
    for number, wait in enumerate(waits, 1):
        _, metadata = do(made, metadata, failure, now)
        assert (metadata["action"]["consumed_retries"], way.is_failed(metadata)) == (number, False)
        state = way.state_due(made, metadata)
        work = way.work_due(state, metadata) if state else None
        assert work is not None
        assert way.backs_off(work, metadata, now + wait * 1000 - 1)
        assert not way.backs_off(work, metadata, now + wait * 1000)
        now += wait * 1000
    _, metadata = do(made, metadata, failure, now)
    assert way.is_failed(metadata)
    again = way.retried(metadata, None)
    assert not way.is_failed(again)
    assert (again["step"], again["action"]["start_time"]) == (None, None)


def test_an_action_that_is_gone_from_the_policy_is_no_work() -> None:
    metadata = begin(policy({"close": {}}))
    _, metadata = do(policy({"close": {}}), metadata, StepResult(way.CONDITION_NOT_MET, {}), 1)
    changed = policy({"open": {}})
    state = way.state_due(changed, metadata)
    assert state is not None
    assert way.work_due(state, metadata) is None


def test_a_change_is_safe_when_the_state_has_the_same_kinds_of_actions() -> None:
    old, alike, other = policy({"close": {}}), policy({"close": {}}), policy({"open": {}})
    metadata = begin(old)
    assert way.safe_to_change(old, alike, None, "b")
    assert way.safe_to_change(old, alike, metadata, None)
    assert not way.safe_to_change(old, other, metadata, None)
    assert not way.safe_to_change(old, alike, metadata, "b")


@pytest.mark.parametrize(
    ("body", "due"),
    [
        ({}, True),
        ({"min_doc_count": 10}, True),
        ({"min_doc_count": 11}, False),
        ({"min_index_age": "1h"}, True),
        ({"min_index_age": "61m", "min_size": "2kb"}, True),
        ({"min_size": "3kb", "min_primary_shard_size": "1kb"}, True),
        ({"min_size": "3kb", "min_primary_shard_size": "2kb"}, False),
    ],
)
def test_one_met_condition_rolls_an_index_over(body: dict[str, Any], due: bool) -> None:
    assert rollover_due(body, MEASURED) is due


def test_the_report_shows_condition_and_value() -> None:
    assert rollover_report({"min_index_age": "7d", "min_size": "1gb", "min_doc_count": 3}, MEASURED) == {
        "min_index_age": {"condition": "7d", "current": "1h", "creationDate": 7},
        "min_doc_count": {"condition": 3, "current": 10},
        "min_size": {"condition": "1gb", "current": "2kb"},
    }


@pytest.mark.parametrize(
    ("conditions", "due"),
    [
        (None, True),
        ({"min_index_age": "10s"}, True),
        ({"min_index_age": "11s"}, False),
        ({"min_rollover_age": "1ms"}, False),
        ({"min_state_age": "5s"}, True),
        ({"min_doc_count": 1}, True),
        ({"no_alias": True}, False),
        ({"no_alias": False}, True),
        # 1970-01-01T00:00:10Z is 01:00:10 in Berlin: the next full minute is not there yet.
        ({"cron": {"cron": {"expression": "1 1 * * *", "timezone": "Europe/Berlin"}}}, False),
        ({"cron": {"cron": {"expression": "* * * * *", "timezone": "UTC"}}}, False),
    ],
)
def test_transitions(conditions: dict[str, Any] | None, due: bool) -> None:
    found = transition_due(
        conditions,
        now=10_000,
        created=0,
        step_started=5_000,
        state_started=5_000,
        rolled_over=None,
        aliases=1,
        measured=MEASURED,
    )
    assert found is due


def test_cron_counts_from_the_start_of_the_step() -> None:
    cron = {"cron": {"cron": {"expression": "0 1 * * *", "timezone": "UTC"}}}
    times = {"created": 0, "state_started": 0, "rolled_over": None, "aliases": 0, "measured": None}
    hour = 3_600_000
    assert not transition_due(cron, now=hour - 1, step_started=0, **times)
    assert transition_due(cron, now=hour, step_started=0, **times)
    assert not transition_due(cron, now=hour + 5, step_started=hour, **times)


def test_units() -> None:
    assert (milliseconds("90m"), milliseconds("1d"), byte_count("1.5kb")) == (5_400_000, 86_400_000, 1536)
    assert [shown_bytes(n) for n in (208, 1536, 3 * 1024**3)] == ["208b", "1.5kb", "3gb"]
    assert [shown_time(ms) for ms in (120, 90_000, 86_400_000 * 2.5)] == ["120ms", "1.5m", "2.5d"]
