"""An event before it is signed: complete, so that the pipelines that store it have nothing to change.

The starter pack's pipeline `normalize` (templates/pipelines/normalize.painless) gives an event `@timestamp` and
`event_id`, and removes `timestamp` and an `occurrences` that is none. What it would do is done here before signing.
What it adds below `ingest` is not signed.
"""

from __future__ import annotations

import functools
import os
import re
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?([Zz]|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)
_SECOND = re.compile(r"(\d{4}-\d\d-\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.", re.ASCII)
_USUAL = frozenset(f"{millisecond:03}Z" for millisecond in range(1, 1_000))
"""The end of a time as the server writes it (Java's `Instant.toString`), unless it has no fraction or a finer one."""
_INT = 2**31
_MILLISECONDS = 253_402_300_799_999
"""The last millisecond of the year 9999."""


def complete(event: dict[str, Any]) -> dict[str, Any]:
    """A copy with all that a stored event has. What an invalid `timestamp` or `occurrences` said stands in `labels`."""
    return finish(dict(event))


def finish(made: dict[str, Any]) -> dict[str, Any]:
    """The same in place."""
    stated = made.pop("timestamp", None)
    at = made.get("@timestamp") if stated is None else stated
    if not (type(at) is str and at[20:] in _USUAL and _second(at[:20])):
        at = _moment(made, stated)
    if stated is not None or at is not made.get("@timestamp"):
        made["@timestamp"] = at
    if not made.get("event_id"):
        made["event_id"] = f"evt_{os.urandom(16).hex()}"
    if "occurrences" in made and not (type(times := made["occurrences"]) is int and 1 <= times < _INT):
        del made["occurrences"]
        if times is not None:
            _label(made, "occurrences", times)
    return made


@functools.lru_cache(maxsize=4096)
def _second(text: str) -> bool:
    match = _SECOND.fullmatch(text)
    return match is not None and _is_date(match[1])


def _moment(made: dict[str, Any], stated: Any) -> str:
    """Any other form of time; what can't be one is kept as a label."""
    said = made.get("@timestamp") if stated is None else stated
    found = instant(said)
    if found is None and said is not None:
        _label(made, "timestamp", said)
    return found or instant(made.get("@timestamp")) or now()


def now() -> str:
    """This moment as the server writes it, to the millisecond."""
    return _written(datetime.fromtimestamp(time.time_ns() // 1_000_000 / 1_000, UTC).replace(tzinfo=None), 0)


def instant(value: Any) -> str | None:
    """A time as the server would store it: ISO 8601, or milliseconds since 1970. None for what is no time."""
    if type(value) is int:
        if not 0 <= value <= _MILLISECONDS:
            return None
        at = datetime(1970, 1, 1) + timedelta(milliseconds=value)
        return _written(at, 0)
    match = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or not _is_date(match[1]):
        return None
    hour, minute, second = int(match[2]), int(match[3]), int(match[4] or 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    nanos = int((match[5] or "0").ljust(9, "0"))
    at = datetime.fromisoformat(match[1]) + timedelta(hours=hour, minutes=minute, seconds=second)
    try:
        return _written(at - _offset(match[6]), nanos)
    except (OverflowError, ValueError):
        return None


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone in "Zz":
        return timedelta()
    hours, minutes = int(zone[1:3]), int(zone[3:].lstrip(":") or 0)
    if hours > 18 or minutes > 59:
        raise ValueError(zone)
    found = timedelta(hours=hours, minutes=minutes)
    return -found if zone[0] == "-" else found


def _written(at: datetime, nanos: int) -> str:
    """As Java writes it: a fraction of no, three, six or nine digits."""
    nanos = nanos or at.microsecond * 1_000
    text = at.replace(microsecond=0).isoformat()
    if not nanos:
        return f"{text}Z"
    digits = f"{nanos:09}"
    return f"{text}.{digits[:3] if digits[3:] == '000000' else digits[:6] if digits[6:] == '000' else digits}Z"


@functools.lru_cache(maxsize=512)
def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _label(made: dict[str, Any], name: str, value: Any) -> None:
    labels = made.get("labels")
    made["labels"] = {**(labels if isinstance(labels, dict) else {}), name: str(value)}
