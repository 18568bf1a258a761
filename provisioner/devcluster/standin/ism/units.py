"""Durations and sizes as OpenSearch writes them (`TimeValue`, `ByteSizeValue`)."""

from __future__ import annotations

import re

from provisioner.devcluster.standin.errors import OpenSearchError, illegal_argument

_MILLISECONDS = {
    "nanos": 1e-6,
    "micros": 1e-3,
    "ms": 1,
    "s": 1000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
}
_BYTES = {"pb": 1024**5, "tb": 1024**4, "gb": 1024**3, "mb": 1024**2, "kb": 1024, "b": 1}
_SHORT_BYTES = {"p": "pb", "t": "tb", "g": "gb", "m": "mb", "k": "kb"}


def time_value(written: str, setting: str) -> str:
    """A duration in its normal form (`"1d"`). Raises 400 illegal_argument_exception for what is none."""
    found = re.fullmatch(r"\s*(-?\d+)\s*(nanos|micros|ms|s|m|h|d)\s*", written, re.IGNORECASE)
    if found and (int(found[1]) >= 0 or found[1] == "-1"):
        return f"{int(found[1])}{found[2].lower()}"
    if written.strip() in ("-1", "0"):
        return written.strip()
    if found:
        reason = "negative durations are not supported"
    elif re.fullmatch(r"\s*\d*\.\d+\s*\w+\s*", written):
        reason = "fractional time values are not supported"
        raise illegal_argument(f"failed to parse [{written}], {reason}")
    else:
        reason = "unit is missing or unrecognized"
    raise illegal_argument(f"failed to parse setting [{setting}] with value [{written}] as a time value: {reason}")


def milliseconds(duration: str) -> float:
    """The length of a normalized duration."""
    found = re.fullmatch(r"(-?\d+)(\D*)", duration)
    return int(found[1]) * _MILLISECONDS[found[2] or "ms"] if found else 0


def byte_size(written: str, setting: str) -> str:
    """A size in its normal form (`"1gb"`). Raises 400 parse_exception for what is none."""
    found = re.fullmatch(r"\s*(-?\d+(?:\.\d+)?)\s*([kmgtp]?b|[kmgtp])\s*", written, re.IGNORECASE)
    if found:
        unit = _SHORT_BYTES.get(found[2].lower(), found[2].lower())
        return f"{found[1]}{unit}"
    if written.strip() in ("-1", "0"):
        return f"{written.strip()}b"
    reason = "unit is missing or unrecognized"
    whole = f"failed to parse setting [{setting}] with value [{written}] as a size in bytes: {reason}"
    raise OpenSearchError(400, "parse_exception", whole)


def byte_count(size: str) -> float:
    """The number of bytes of a normalized size."""
    found = re.fullmatch(r"(-?\d+(?:\.\d+)?)([kmgtp]?b)", size)
    return float(found[1]) * _BYTES[found[2]] if found else 0


def shown_bytes(count: int) -> str:
    """A number of bytes as `ByteSizeValue.toString` shows it: one decimal of the largest fitting unit."""
    return next((f"{_decimal(count / size)}{unit}" for unit, size in _BYTES.items() if count >= size), f"{count}b")


def shown_time(ms: float) -> str:
    """Milliseconds as `TimeValue.toString` shows them: one decimal of the largest fitting unit."""
    for unit in ("d", "h", "m", "s"):
        if ms >= _MILLISECONDS[unit]:
            return f"{_decimal(ms / _MILLISECONDS[unit])}{unit}"
    return f"{int(ms)}ms"


def _decimal(number: float) -> str:
    shown = f"{int(number * 10) / 10:.1f}"
    return shown.removesuffix(".0")
