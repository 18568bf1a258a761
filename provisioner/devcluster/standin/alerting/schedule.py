"""Schedules: reading them, when a job runs next, and which window a run covers.

An interval counts from the time when the job was enabled, so a restart does not move it; a cron expression has five
fields and a time zone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from provisioner.devcluster.standin.alerting.errors import invalid
from provisioner.devcluster.standin.alerting.model import Json, Period, text_of
from provisioner.devcluster.standin.alerting.reading import wrong_token

UNIT_MS = {"SECONDS": 1000, "MINUTES": 60_000, "HOURS": 3_600_000, "DAYS": 86_400_000}
# Other members of Java's ChronoUnit: known, but refused.
OTHER_UNITS = {
    "NANOS": "Nanos", "MICROS": "Micros", "MILLIS": "Millis", "HALF_DAYS": "HalfDays", "WEEKS": "Weeks",
    "MONTHS": "Months", "YEARS": "Years", "DECADES": "Decades", "CENTURIES": "Centuries", "MILLENNIA": "Millennia",
    "ERAS": "Eras", "FOREVER": "Forever",
}  # fmt: skip


def schedule_form(sent: Any) -> Json:
    """A schedule in its stored form.

    Raises:
        OpenSearchError: 400 with the plugin's reason.
    """
    if not isinstance(sent, Mapping):
        raise wrong_token("START_OBJECT", sent)
    if len(sent) > 1:
        raise invalid("You can only specify one type of schedule.")
    if "cron" in sent:
        return {"cron": _cron_form(sent["cron"])}
    if "period" in sent:
        return {"period": _period_form(sent["period"])}
    if sent:
        raise invalid(f"Invalid field: [{next(iter(sent))}] found in schedule.")
    raise invalid("Schedule is null.")


def _cron_form(sent: Mapping[str, Any]) -> Json:
    zone, expression = sent.get("timezone"), sent.get("expression")
    if zone is not None and not _is_zone(text_of(zone)):
        raise invalid(f"Timezone {zone} is not supported")
    if expression is None:
        raise invalid("Expression in cron schedule is null.")
    if zone is None:
        raise invalid("Timezone in cron schedule is null.")
    fields = len(str(expression).split())
    if fields != 5:
        raise invalid(f"Cron expression contains {fields} parts but we expect one of [5]")
    try:
        _cron(str(expression), datetime.now(UTC))
    except CronSimError as error:
        raise invalid(f"Failed to parse cron expression [{expression}]: {error}") from None
    return {"expression": str(expression), "timezone": text_of(zone)}


def _cron(expression: str, start: datetime, *, reverse: bool = False) -> CronSim | None:
    """The moments of a cron expression; None for a day that no month has, which the plugin takes and never runs.

    Raises:
        CronSimError: the expression is none.
    """
    try:
        return CronSim(expression, start, reverse=reverse)
    except CronSimError:
        minute, hour, day, _month, weekday = expression.split()
        CronSim(f"{minute} {hour} {day} * {weekday}", start)
        return None


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _period_form(sent: Mapping[str, Any]) -> Json:
    interval, unit = sent.get("interval"), sent.get("unit")
    if unit is not None:
        unit = text_of(unit).upper()
        if unit not in UNIT_MS and unit not in OTHER_UNITS:
            raise invalid(f"No enum constant java.time.temporal.ChronoUnit.{unit}")
    if interval is None:
        raise invalid("Interval in period schedule is null.")
    if unit is None:
        raise invalid("Unit in period schedule is null.")
    if unit in OTHER_UNITS:
        raise invalid(f"Timezone {OTHER_UNITS[unit]} is not supported expected [Seconds, Minutes, Hours, Days]")
    if int(interval) <= 0:
        raise invalid("Interval is not allowed to be 0 or negative")
    return {"interval": int(interval), "unit": unit}


def interval_ms(schedule: Mapping[str, Any]) -> int:
    """The length of an interval schedule's period."""
    period = schedule["period"]
    return int(period["interval"]) * UNIT_MS[period["unit"]]


def next_run(schedule: Mapping[str, Any], enabled_ms: int, after_ms: int) -> int | None:
    """When the job runs next, strictly after `after_ms`; None for a cron expression that never comes."""
    if "period" in schedule:
        step = interval_ms(schedule)
        return after_ms + step - (after_ms - enabled_ms) % step
    return _cron_moment(schedule["cron"], after_ms, reverse=False)


def period_ending_at(schedule: Mapping[str, Any], end_ms: int) -> Period:
    """The window of a run at `end_ms`: one interval, or since the cron expression last came."""
    if "period" in schedule:
        return Period(end_ms - interval_ms(schedule), end_ms)
    start = _cron_moment(schedule["cron"], end_ms, reverse=True)
    return Period(end_ms if start is None else start, end_ms)


def _cron_moment(cron: Mapping[str, Any], from_ms: int, *, reverse: bool) -> int | None:
    zone = ZoneInfo(cron["timezone"])
    start = datetime.fromtimestamp(from_ms / 1000, zone)
    moments = _cron(cron["expression"], start, reverse=reverse)
    moment = next(moments, None) if moments else None
    return int(moment.timestamp() * 1000) if moment else None
