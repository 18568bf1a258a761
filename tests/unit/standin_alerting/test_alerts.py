"""How a run changes the alert of the run before."""

from dataclasses import replace

import pytest

from provisioner.devcluster.standin.alerting.alerts import (
    ACKNOWLEDGED,
    ACTIVE,
    AUDIT,
    COMPLETED,
    ERROR,
    Alert,
    RunOf,
    after_bucket_actions,
    after_query_run,
    executed,
    history,
)
from provisioner.devcluster.standin.alerting.model import Job, Trigger

TRIGGER = Trigger("query_level_trigger", {"id": "t", "name": "T", "severity": "2", "actions": [], "condition": {}})
RUN = RunOf(Job("m", 3, {"name": "M"}), "m_now_x")
SENT = {"a": {"throttled": False, "executionTime": 70}}
HELD = {"a": {"throttled": True, "executionTime": None}}


def after(current: Alert | None, *, triggered: bool, error: str | None = None, run: RunOf = RUN, results=SENT):
    return after_query_run(run, TRIGGER, current, triggered=triggered, error=error, results=results, now=50)


def test_a_trigger_that_is_met_makes_an_alert():
    alert = after(None, triggered=True)
    assert (alert.state, alert.monitor_version, alert.severity, alert.start_time) == (ACTIVE, 3, "2", 50)
    assert alert.action_execution_results == [{"action_id": "a", "last_execution_time": 70, "throttled_count": 0}]


def test_nothing_comes_of_nothing():
    assert after(None, triggered=False) is None


@pytest.mark.parametrize("state", [ACTIVE, ACKNOWLEDGED, ERROR])
def test_an_alert_completes_when_its_trigger_is_no_longer_met(state):
    alert = replace(after(None, triggered=True), state=state, id="x")
    done = after(alert, triggered=False)
    assert (done.state, done.end_time, done.id) == (COMPLETED, 50, "x")


def test_an_acknowledged_alert_stays_as_it_is():
    alert = replace(after(None, triggered=True), state=ACKNOWLEDGED)
    assert after(alert, triggered=True) is None


def test_an_error_overrides_an_acknowledgement():
    alert = replace(after(None, triggered=True), state=ACKNOWLEDGED)
    assert after(alert, triggered=True, error="e").state == ERROR


def test_errors_are_remembered_newest_first_ten_at_most():
    known = []
    for number in range(12):
        known = history(known, f"e{number}", number)
    assert [entry["timestamp"] for entry in known] == list(range(11, 1, -1))
    assert history(known, None, 99) is known


def test_a_workflow_that_audits_makes_audit_alerts():
    alert = after(None, triggered=True, run=RunOf(RUN.monitor, "e", "w", audit=True))
    assert (alert.state, alert.workflow_id) == (AUDIT, "w")


def test_throttled_actions_are_counted():
    once = executed([], HELD)
    assert once == [{"action_id": "a", "last_execution_time": None, "throttled_count": 1}]
    assert executed(once, HELD)[0]["throttled_count"] == 2
    assert executed(once, SENT)[0] == {"action_id": "a", "last_execution_time": 70, "throttled_count": 1}
    assert executed(once, {}) == once


def test_a_bucket_alert_tells_an_error_only_when_there_is_one():
    alert = after(None, triggered=True)
    assert after_bucket_actions(alert, SENT, None, 60).state == ACTIVE
    failed = after_bucket_actions(alert, SENT, "e", 60)
    assert (failed.state, failed.error_message) == (ERROR, "e")


def test_an_alert_survives_being_stored():
    alert = replace(
        after(None, triggered=True), agg_alert_content={"bucket_keys": ["a", "b"], "parent_bucket_path": "p"}
    )
    hit = {"_id": "x", "_version": 7, "_source": alert.source()}
    assert Alert.of_hit(hit) == replace(alert, id="x", version=7)
    assert alert.key == "a#b"
    assert alert.template_arg()["bucket_keys"] == "a,b"
