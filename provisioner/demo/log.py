"""Which lines the demo ships: those it makes itself, or the newest of a user's own log, as many as it can judge."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from provisioner.demo import count, shipper, sshdlog

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterable

    from provisioner.demo.sshdlog import Pair, Secret

MOST_LINES = 50_000
MOST_RUNS = 600
"""Runs of the monitor over a log's hours, one for each minute with a failed login; 30 to 100 ms each."""
STEP = 60  # seconds between two such runs


@dataclass(frozen=True, slots=True)
class Shipment:
    """Lines to ship, what our own count finds in them, the secrets known to be in them, and how many older lines
    were left out. `own` is true for a user's log."""

    lines: tuple[str, ...]
    expected: dict[Pair, int]
    secrets: tuple[Secret, ...] = ()
    left_out: int = 0
    own: bool = False


def made(now: datetime) -> Shipment:
    """The demo's own log, up to now."""
    log = sshdlog.generate(now)
    return Shipment(log.lines, _expected(log.lines, now), log.secrets)


def of_user(file: pathlib.Path, now: datetime) -> Shipment:
    """The newest lines of a file: at most 50,000, with failed logins in at most 600 minutes.

    Raises ProvisionerError where it can't be read.
    """
    kept: deque[str] = deque(maxlen=MOST_LINES)
    total = 0
    for line in shipper.read(file):
        kept.append(line)
        total += 1
    lines = _judged(list(kept), now)
    return Shipment(tuple(lines), _expected(lines, now), left_out=total - len(lines), own=True)


def _expected(lines: Iterable[str], now: datetime) -> dict[Pair, int]:
    return {count.as_key(pair): peak for pair, peak in count.bursts(count.failures(lines, now)).items()}


def _judged(lines: list[str], now: datetime) -> list[str]:
    """As many of the last lines as have failed logins in no more than MOST_RUNS different minutes."""
    minutes: set[int] = set()
    for place in range(len(lines) - 1, -1, -1):
        if found := count.failure(lines[place], now):
            minutes.add(int(found.at.timestamp()) // STEP)
            if len(minutes) > MOST_RUNS:
                return lines[place + 1 :]
    return lines


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)
