"""What a rule would have done: alerts over runs, counted by hour and key, and the messages that follow. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provisioner.model import Body, Document

Key = tuple[tuple[str, str], ...]
"""Fields and their values."""
HOUR = 3_600_000
DAY = 24 * HOUR
_KEYS = 100_000


@dataclass(slots=True)
class Tally:
    """One rule's count between `begin` and `end`; `until` is how far it got (milliseconds since 1970).

    `hours` are fires by the hour's begin, `keys` by group, `peaks` the largest measure of each. `going_on` is how many
    alerts were open at the begin: they are not counted. `cut`: rare keys were dropped, there were too many.
    """

    rule: Document
    begin: int
    end: int
    until: int
    fired: int = 0
    messages: int = 0
    going_on: int = 0
    searches: int = 0
    first: int | None = None
    last: int | None = None
    hours: Counter[int] = field(default_factory=Counter)
    keys: Counter[Key] = field(default_factory=Counter)
    peaks: dict[Key, float] = field(default_factory=dict)
    cut: bool = False

    @property
    def complete(self) -> bool:
        """Whether it got to the end."""
        return self.until >= self.end

    @property
    def days(self) -> Counter[int]:
        """Fires by the day's begin (UTC)."""
        found: Counter[int] = Counter()
        for hour, count in self.hours.items():
            found[hour // DAY * DAY] += count
        return found

    @property
    def busiest(self) -> tuple[int, int] | None:
        """The day with the most fires, the first of several, and how many; None where there were none."""
        return min(self.days.items(), key=lambda item: (-item[1], item[0]), default=None)

    @property
    def per_day(self) -> float:
        """Fires in 24 hours, on average over the time that was looked at."""
        return self.fired * DAY / max(self.until - self.begin, 1)

    def fire(self, at: int, times: int = 1) -> None:
        """Count fires at a time."""
        self.fired += times
        self.hours[at // HOUR * HOUR] += times
        self.first = at if self.first is None else min(self.first, at)
        self.last = at if self.last is None else max(self.last, at)

    def about(self, key: Key, measured: float | None = None, times: int = 1) -> None:
        """Count fires of one key."""
        self.keys[key] += times
        if measured is not None:
            self.peaks[key] = max(measured, self.peaks.get(key, measured))
        if len(self.keys) > _KEYS:
            self.cut = True
            self.keys = Counter(dict(self.keys.most_common(_KEYS // 2)))
            self.peaks = {key: self.peaks[key] for key in self.keys if key in self.peaks}


class Episodes:
    """Alerts over runs in their order: one that goes on in the next run is the same one.

    Runs between two that are told found what the earlier one found.
    """

    def __init__(self, tally: Tally, step: int, names: Sequence[str], repeats: Sequence[int | None]) -> None:
        self._tally, self._step, self._names, self._repeats = tally, step, names, repeats
        self._open: dict[tuple[str, ...], int | None] = {}
        self._begun = False

    def run(self, end: int, found: Mapping[tuple[str, ...], float]) -> None:
        """Take what a run found: the groups that fire, with what was measured."""
        for group in [group for group in self._open if group not in found]:
            self._ended(self._open.pop(group), end - self._step)
        for group, measured in found.items():
            key: Key = tuple(zip(self._names, group, strict=False))
            if group in self._open:
                if key in self._tally.peaks:
                    self._tally.peaks[key] = max(measured, self._tally.peaks[key])
            elif self._begun:
                self._open[group] = end
                self._tally.fire(end)
                self._tally.about(key, measured)
            else:  # it may have begun at any time before
                self._open[group] = None
                self._tally.going_on += 1
        self._begun = True
        self._tally.until = end

    def close(self) -> None:
        """Count the messages of alerts that still go on."""
        for begin in self._open.values():
            self._ended(begin, self._tally.until)
        self._open.clear()

    def _ended(self, begin: int | None, last: int) -> None:
        if begin is not None:
            self._tally.messages += messages(self._repeats, last - begin)


def messages(repeats: Sequence[int | None], lasted: int) -> int:
    """How many messages an alert sends: one by each action, and again as long as it lasts where the action repeats."""
    return sum(1 + (lasted // each if each else 0) for each in repeats)


def repeats(trigger: Body, step: int) -> list[int | None]:
    """How often each action of a trigger says an alert that goes on again, in milliseconds; None: never."""
    return [_repeat(action, step) for action in trigger.get("actions") or ()]


def _repeat(action: Mapping[str, Any], step: int) -> int | None:
    scope = action.get("action_execution_policy", {}).get("action_execution_scope", {})
    if "per_alert" in scope and "DEDUPED" not in scope["per_alert"].get("actionable_alerts", ()):
        return None
    throttle = action["throttle"]["value"] * 60_000 if action.get("throttle_enabled") else 0
    return max(-(-throttle // step), 1) * step
