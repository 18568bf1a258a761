"""The time by which ISM measures ages and schedules its jobs."""

from __future__ import annotations

import time


class Clock:
    """Milliseconds since the epoch, `ahead` of the machine's clock.

    Outside tests it is never ahead. Replaying a recording sets it forward instead of waiting.
    """

    def __init__(self) -> None:
        self.ahead = 0

    def now(self) -> int:
        """The time, in milliseconds."""
        return int(time.time() * 1000) + self.ahead

    def of_node(self, when: int) -> int:
        """A time that the node has just stamped, by this clock."""
        return when + self.ahead

    def set_forward(self, to: int) -> None:
        """Go to `to` (ms); the clock never goes back."""
        self.ahead += max(0, to - self.now())
