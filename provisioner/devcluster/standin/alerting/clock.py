"""The time by which jobs are scheduled, and which alerts show."""

from __future__ import annotations

import asyncio
import time

LONGEST_NAP = 60.0  # seconds: a laptop that was asleep is not late by more


class Clock:
    """Milliseconds since 1970, by the machine's clock until somebody goes ahead of it.

    A replay of recordings goes ahead, so that a minute's schedule needs no minute.
    """

    def __init__(self) -> None:
        self._ahead = 0
        self._moved = asyncio.Event()

    def now(self) -> int:
        """The time."""
        return time.time_ns() // 1_000_000 + self._ahead

    async def until(self, moment: int) -> None:
        """Sleep until `moment`, or until the clock was set to it or past it."""
        while (left := moment - self.now()) > 0:
            moved = self._moved
            try:
                await asyncio.wait_for(moved.wait(), min(left / 1000, LONGEST_NAP))
            except TimeoutError:
                continue

    def go_to(self, moment: int) -> None:
        """Set the clock; it never goes back."""
        self._ahead += max(0, moment - self.now())
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
