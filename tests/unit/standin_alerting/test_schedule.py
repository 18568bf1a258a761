"""When jobs run, and over which window."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from provisioner.devcluster.standin.alerting.model import Period
from provisioner.devcluster.standin.alerting.schedule import next_run, period_ending_at, schedule_form
from provisioner.devcluster.standin.errors import OpenSearchError

MINUTE = {"period": {"interval": 1, "unit": "MINUTES"}}


def ms(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


@pytest.mark.parametrize(
    ("after", "expected"), [(1000, 61_000), (1001, 61_000), (60_999, 61_000), (61_000, 121_000), (300_000, 301_000)]
)
def test_an_interval_counts_from_when_the_job_was_enabled(after, expected):
    assert next_run(MINUTE, 1000, after) == expected


@pytest.mark.parametrize(("unit", "length"), [("SECONDS", 3), ("MINUTES", 180), ("HOURS", 10_800), ("DAYS", 259_200)])
def test_a_window_is_one_interval(unit, length):
    schedule = {"period": {"interval": 3, "unit": unit}}
    assert period_ending_at(schedule, 10**12) == Period(10**12 - length * 1000, 10**12)


def test_cron_goes_by_its_time_zone():
    cron = {"cron": {"expression": "30 9 * * 1", "timezone": "Europe/Zurich"}}
    monday = ms("2026-11-23T09:30:00", "Europe/Zurich")
    assert next_run(cron, 0, ms("2026-11-22T00:00:00")) == monday
    assert next_run(cron, 0, monday) == ms("2026-11-30T09:30:00", "Europe/Zurich")
    assert period_ending_at(cron, monday + 1000) == Period(monday, monday + 1000)


def test_a_day_that_never_comes_never_runs():
    form = schedule_form({"cron": {"expression": "0 0 31 2 *", "timezone": "UTC"}})
    assert next_run(form, 0, 0) is None
    assert period_ending_at(form, 5) == Period(5, 5)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ({}, "Schedule is null."),
        ({"cron": {}, "period": {}}, "only specify one type"),
        ({"every": 5}, r"Invalid field: \[every\]"),
        ({"period": {"unit": "MINUTES"}}, "Interval in period schedule is null"),
        ({"period": {"interval": 1}}, "Unit in period schedule is null"),
        ({"period": {"interval": 0, "unit": "MINUTES"}}, "0 or negative"),
        ({"period": {"interval": 1, "unit": "WEEKS"}}, "Weeks is not supported"),
        ({"period": {"interval": 1, "unit": "EONS"}}, "No enum constant"),
        ({"cron": {"expression": "* * *", "timezone": "UTC"}}, "contains 3 parts"),
        ({"cron": {"expression": "61 * * * *", "timezone": "UTC"}}, "Failed to parse cron"),
        ({"cron": {"expression": "* * * * *", "timezone": "../UTC"}}, "is not supported"),
        ({"cron": {"timezone": "UTC"}}, "Expression in cron schedule is null"),
    ],
)
def test_what_is_no_schedule_is_refused(sent, reason):
    with pytest.raises(OpenSearchError, match=reason) as refused:
        schedule_form(sent)
    assert refused.value.status == 400


def test_units_may_be_written_small():
    assert schedule_form({"period": {"interval": 5, "unit": "hours"}}) == {"period": {"interval": 5, "unit": "HOURS"}}
