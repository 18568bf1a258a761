"""How the dev cluster tells what it is doing, without knowing who listens."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """A listener: the command line prints it, a test ignores it."""

    def step(self, text: str) -> None:
        """Take one sentence on what begins now, or on something the user should know."""

    def downloaded(self, done: int, total: int) -> None:
        """Take the bytes fetched so far, of all that this start has to fetch. `done == total` ends it."""


class Silent:
    """A progress that nobody reads."""

    def step(self, text: str) -> None:
        """Ignore it."""

    def downloaded(self, done: int, total: int) -> None:
        """Ignore it."""
