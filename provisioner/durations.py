"""Durations as documents write them: `5s`, `1m`, `24h`, `90d`, `2y`."""

from __future__ import annotations

import re

_MILLISECONDS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "y": 31_536_000_000}
_UNITS = {"s": "SECONDS", "m": "MINUTES", "h": "HOURS", "d": "DAYS"}
_FORM = re.compile(r"([1-9][0-9]*)([smhdwy])")


def ms(text: str) -> int:
    """Milliseconds; a year is 365 days. ValueError for another form."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no duration: write for example 30s, 5m, 24h, 90d or 2y")
    return int(match[1]) * _MILLISECONDS[match[2]]


def period(text: str) -> dict[str, int | str]:
    """A schedule's interval: `{"interval": 5, "unit": "MINUTES"}`; ValueError for weeks, years and other forms."""
    match = _FORM.fullmatch(text)
    if match is None or match[2] not in _UNITS:
        raise ValueError(f"{text!r} is no schedule: write for example 30s, 5m, 24h or 1d")
    return {"interval": int(match[1]), "unit": _UNITS[match[2]]}
