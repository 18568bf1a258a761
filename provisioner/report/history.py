"""What reports read of a release, and how they say it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from provisioner.model import Action
from provisioner.report import words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Release(Protocol):
    """What a report reads of one run of apply; `steps` are `{"action", "kind", "key", "error"}`."""

    @property
    def number(self) -> int:
        """Counted from 1."""

    @property
    def at(self) -> str:
        """When it began (ISO 8601, UTC)."""

    @property
    def who(self) -> str:
        """The user who ran it."""

    @property
    def host(self) -> str:
        """The machine where it ran."""

    @property
    def revision(self) -> str | None:
        """The commit of the repository."""

    @property
    def tool(self) -> str:
        """Our version."""

    @property
    def outcome(self) -> str:
        """`complete`, `stopped`, `interrupted` or `running`."""

    @property
    def counts(self) -> Mapping[str, int]:
        """Steps done, by action."""

    @property
    def forced(self) -> Sequence[str]:
        """Limits that it was allowed to pass."""

    @property
    def steps(self) -> Sequence[Mapping[str, str]]:
        """What it did; while it runs, what it means to do."""


def cells(row: Release) -> tuple[str, ...]:
    """One line of the list: number, time, outcome, what it did, commit, who."""
    return (str(row.number), time(row), row.outcome, done(row), row.revision or "-", who(row))


def done(row: Release) -> str:
    """`3 created, 1 updated`: what is none is not named."""
    counts = ((action, row.counts.get(action.value, 0)) for action in Action)
    return ", ".join(f"{number} {words.DONE[action]}" for action, number in counts if number) or "nothing done"


def who(row: Release) -> str:
    """User and machine."""
    return f"{row.who}@{row.host}" if row.host else row.who


def time(row: Release) -> str:
    """When it began, in UTC, to the minute; as it is where it is no time."""
    try:
        return datetime.fromisoformat(row.at).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    except ValueError:
        return row.at


def unclear(row: Release) -> bool:
    """Whether its steps are what it meant to do: nobody knows how far it came."""
    return row.outcome in ("running", "interrupted")
