"""Runs and the life of alerts; what is expected against what came."""

from provisioner.ruletest import expect, runs
from provisioner.ruletest.events import TestEvent as Event
from provisioner.ruletest.runs import Alert


def event(at, stored=None):
    return Event(at, at if stored is None else stored, {})


def test_a_run_follows_each_arrival_and_one_stands_before_the_next():
    found = runs.runs([event(0), event(59_000), event(61_000), event(600_000)], 60_000)
    assert [(run.end, run.visible) for run in found] == [
        (0, (0,)),
        (60_000, (0, 1)),
        (120_000, (0, 1, 2)),
        (540_000, (0, 1, 2)),
        (600_000, (0, 1, 2, 3)),
    ]


def test_what_is_stored_late_is_seen_late():
    found = runs.runs([event(0, 90_000), event(30_000)], 60_000, at=300_000)
    assert [(run.end, run.visible) for run in found] == [(60_000, (1,)), (120_000, (0, 1)), (300_000, (0, 1))]


def test_where_events_must_be_of_an_age_runs_come_when_they_are() -> None:
    found = runs.runs([event(0), event(1_000, 90_000), event(2_000, 61_000)], 60_000, settle=60_000)
    assert [(run.end, run.visible) for run in found] == [(60_000, (0,)), (120_000, (0, 1, 2))]


def test_an_alert_goes_on_as_long_as_each_run_finds_it():
    found = runs.episodes([{("a",): 5.0}, {("a",): 7.0, ("b",): 5.0}, {("b",): 5.0}, {("a",): 6.0}], ["user"])
    assert sorted((alert.fields["user"], alert.count) for alert in found) == [("a", 6.0), ("a", 7.0), ("b", 5.0)]
    assert runs.episodes([{(): 1.0}, {}], []) == [Alert({}, 1.0)]


A, B = Alert({"user": "a", "ip": "10.0.0.1"}, 5.0), Alert({"user": "b", "ip": "10.0.0.1"}, 0.5)


def test_each_expectation_needs_an_alert_of_its_own():
    assert expect.difference([{"user": "a", "count": 5}, {"ip": "10.0.0.1"}], [B, A]) == ""
    assert (
        expect.difference([{"ip": "10.0.0.1"}, {"user": "a"}], [A, B]) == ""
    )  # the first may not take what the second needs
    assert expect.difference([{"user": "a"}, {"user": "a"}], [A, B])
    assert expect.difference([{"user": "a"}], [A, B])
    assert expect.difference([], []) == ""
    assert expect.difference([{"count": 0.5}], [B]) == ""
    assert expect.difference([{"user": "a", "other": "x"}], [A])


def test_a_difference_says_both_sides():
    said = expect.difference([{"user": "a", "count": 6}], [A])
    assert said == "expected:\n  user: a, count: 6\nbut the rule raised:\n  user: a, count: 5"
    assert expect.difference([], [A]).startswith(
        "expected:\n  silence\nbut the rule raised:\n  user: a, ip: 10.0.0.1, count: 5"
    )
    assert expect.difference([{"user": "a"}], []).endswith("but the rule raised:\n  silence")


def test_lists_match_by_any_of_their_values():
    assert expect.difference([{"roles": "admin"}], [Alert({"roles": ["user", "admin"]})]) == ""
