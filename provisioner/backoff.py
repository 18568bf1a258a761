"""How long to wait before trying again: exponential backoff with full jitter."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ATTEMPTS = 5
BASE = 0.2
CAP = 5.0
"""Seconds; no single wait is longer."""


def waits(
    attempts: int = ATTEMPTS, base: float = BASE, cap: float = CAP, rng: random.Random | None = None
) -> Iterator[float]:
    """The seconds between attempts: one fewer than there are attempts.

    Each is drawn evenly from 0 up to a bound that doubles from `base` to `cap`: clients that failed together don't
    come back together.
    """
    draw = rng.uniform if rng else random.uniform
    for attempt in range(attempts - 1):
        yield draw(0, min(cap, base * 2**attempt))


def at_least(wait: float, asked: float | None, cap: float = CAP) -> float:
    """The wait, or what the server asks for (`Retry-After`) where that is longer; never above `cap`."""
    return min(cap, max(wait, asked or 0))
