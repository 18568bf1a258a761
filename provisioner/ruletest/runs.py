"""Which runs a test takes, what each of them can see, and what becomes of the alerts. Pure.

A monitor runs once in each interval of its schedule. Most of those runs see nothing new, so only these are made: the
first one after each arrival of an event, the one before each of those (has an alert ended meanwhile?), and one at the
time that the test names. Between them events can only fall out of sight.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from provisioner.ruletest.events import TestEvent

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """One run: its `end` in milliseconds since the test's begin, and the events that are stored by then."""

    end: int
    visible: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Alert:
    """What a rule raised: the fields that tell whom it is about, and its `count` (what the type measures)."""

    fields: Mapping[str, Any]
    count: float | None = None


def runs(events: Sequence[TestEvent], schedule: int, at: int | None = None, settle: int = 0) -> list[Run]:
    """The runs that decide, in order. `schedule` in milliseconds, and `settle`: how old an event is when it counts."""
    arrivals = {_after(max(event.stored, event.at + settle), schedule) for event in events}
    ends = arrivals | ({_after(at, schedule)} if at is not None else set())
    ends |= {end - schedule for end in arrivals if end - schedule > min(arrivals)}
    return [Run(end, tuple(n for n, event in enumerate(events) if event.stored <= end)) for end in sorted(ends)]


def _after(time: int, schedule: int) -> int:
    return -(-time // schedule) * schedule


def episodes(found: Iterable[Mapping[Key, float]], names: Sequence[str]) -> list[Alert]:
    """Alerts over runs in their order: one that goes on in the next run is the same one, with the largest count."""
    open_: dict[Key, float] = {}
    done: list[tuple[Key, float]] = []
    for keys in found:
        done += [(key, open_.pop(key)) for key in list(open_) if key not in keys]
        for key, count in keys.items():
            open_[key] = max(count, open_.get(key, count))
    done += open_.items()
    return [Alert(dict(zip(names, key, strict=False)), count) for key, count in done]
