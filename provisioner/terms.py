"""When an ISM policy deletes an index, read from its body: what retention is in days.

A state is entered when its transition's condition is met; conditions are ages of the index (`min_index_age` since its
creation, `min_rollover_age` since its rollover), not of the state, so that along a chain of states the largest counts,
not the sum; `min_state_age` alone adds up. An index leaves a state with a `rollover` action only rolled over. All other
conditions (documents, size, cron, alias) may be met at any time: here they count as met, since a guard of data must not
hope. Nor does it hope that an old policy deletes an index anyway: only one that needs no more conditions than the new
one is an excuse.

An index that takes a new policy over (`change_policy`) stays in its state, and that began when it began; where the new
policy has no such state, we send it to the default one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from provisioner.model import Index
from provisioner.values import each, mapping

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from provisioner.model import Body

DAY = 86_400_000
_UNITS = {"d": DAY, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1, "micros": 0, "nanos": 0}
_FORM = re.compile(r"([0-9]{1,19})\s*(d|h|m|s|ms|micros|nanos)")
_WORDS = ((DAY, "day"), (3_600_000, "hour"), (60_000, "minute"), (1_000, "second"), (1, "millisecond"))
_AGES = frozenset({"min_index_age", "min_rollover_age", "min_state_age"})
_ROLLOVER = "rollover"
FOR_EVER = "kept for ever"


@dataclass(frozen=True, slots=True)
class Held(Index):
    """An index that ISM manages: the copy of a policy that it follows, its state there and when that began (None: ISM
    has not run on it yet)."""

    policy: Body = field(default_factory=dict, compare=False, repr=False)
    state: str | None = None
    entered: int | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """The age at which an index is deleted at the earliest."""

    milliseconds: int
    counted_from: Literal["created", "rolled_over"]

    def __str__(self) -> str:
        return f"{_words(self.milliseconds)} after {'creation' if self.counted_from == 'created' else 'rollover'}"


@dataclass(frozen=True, slots=True)
class _Way:
    """A way through the states: the ages since creation and since rollover (None: no matter) that it takes, both, and
    the other conditions, taken as met."""

    created: int = 0
    rolled_over: int | None = None
    met: frozenset[str] = frozenset()

    def beats(self, other: _Way) -> bool:
        """Whether this one is never slower, whatever is met."""
        if not self.met <= other.met:
            return False
        if self.created > other.created or (self.rolled_over is not None and other.rolled_over is None):
            return False
        return self.rolled_over is None or self.rolled_over <= (other.rolled_over or 0)

    def since_rollover(self, age: int) -> _Way:
        """With a rollover of this age as well."""
        return replace(self, rolled_over=max(age, self.rolled_over or 0))

    def after(self, conditions: Body) -> _Way:
        """With a transition's conditions as well."""
        met = {f"{name}: {value}" for name, value in conditions.items() if name not in _AGES}
        made = _Way(max(self.created, _age(conditions.get("min_index_age"))), self.rolled_over, self.met | met)
        if "min_rollover_age" in conditions:
            made = made.since_rollover(_age(conditions["min_rollover_age"]))
        waits = _age(conditions.get("min_state_age"))
        rolled_over = None if made.rolled_over is None else made.rolled_over + waits
        return replace(made, created=made.created + waits, rolled_over=rolled_over)

    @property
    def term(self) -> Term:
        """The larger age decides: a rollover comes after the creation."""
        if self.rolled_over is None or self.rolled_over < self.created:
            return Term(self.created, "created")
        return Term(self.rolled_over, "rolled_over")

    def ends(self, index: Index, now: int) -> int:
        """When the index is deleted at the earliest; one that was not rolled over yet may be now."""
        if self.rolled_over is None:
            return index.created + self.created
        since = now if index.rolled_over is None else index.rolled_over
        return max(index.created + self.created, since + self.rolled_over)

    def needs(self, index: Index) -> frozenset[str]:
        """What has to happen that no clock brings about."""
        return self.met | {_ROLLOVER} if self.rolled_over is not None and index.rolled_over is None else self.met


def deletes_after(policy: Body) -> Term | None:
    """The age at which the policy deletes an index that begins with it; None where it never does."""
    return min((way.term for way in _ways(policy)), key=lambda term: term.milliseconds, default=None)


def doomed(before: Body | None, after: Body | None, indices: Iterable[Index], now: int) -> tuple[Index, ...]:
    """The indices that the new policy deletes within a day, and the old one does not.

    `before` None: no policy until now. `after` None: no policy any more, so nothing is deleted.
    """

    def lost(index: Index) -> bool:
        new = _soon(after or {}, index, now)
        old = [way.needs(index) for way in _soon(before or {}, index, now)] if new else []
        return any(not any(needs <= way.needs(index) for needs in old) for way in new)

    return tuple(index for index in indices if lost(index))


def _soon(policy: Body, index: Index, now: int) -> list[_Way]:
    """The ways by which the policy may delete the index within a day, from the state where it is."""
    if not isinstance(index, Held):
        ways = _ways(policy)
    elif index.state is not None and index.state in _states(policy):
        entered = index.created if index.entered is None else index.entered
        ways = _ways(policy, index.state, max(entered - index.created, 0))
    else:
        ways = _ways(policy, None, max(now - index.created, 0))
    return [way for way in ways if way.ends(index, now) <= now + DAY]


def shortened(before: Body | None, after: Body | None) -> str:
    """How the new policy keeps indices for a shorter time than the old one: `365 days → 30 days`; else nothing."""
    new = deletes_after(after) if after else None
    if before is None or new is None:
        return ""
    old = deletes_after(before)
    if old is None:
        return f"{FOR_EVER} → {_words(new.milliseconds)}"
    if old.counted_from == new.counted_from:
        shorter = new.milliseconds < old.milliseconds
        return f"{_words(old.milliseconds)} → {_words(new.milliseconds)}" if shorter else ""
    latest = old.milliseconds
    if old.counted_from == "rolled_over":  # an index lives until its rollover, and for its term
        rollover = _latest_rollover(before)
        shorter = rollover is None or new.milliseconds < latest + rollover
    else:
        shorter = new.milliseconds < latest
    return f"{old} → {new}" if shorter else ""


def _states(policy: Body) -> dict[str, Body]:
    return {state["name"]: state for state in each(policy.get("states")) if isinstance(state.get("name"), str)}


def _ways(policy: Body, start: str | None = None, age: int = 0) -> Iterator[_Way]:
    """The ways to a `delete` action, without those that are never faster than one found before.

    They begin in the state `start` (None: the default one) of an index that was of this age when it entered that.
    """
    states = _states(policy)
    known: dict[str, list[_Way]] = {}
    todo = [(str(policy.get("default_state")) if start is None else start, _Way(age))]
    while todo:
        name, way = todo.pop()
        if name not in states or any(other.beats(way) for other in known.get(name, ())):
            continue
        known.setdefault(name, []).append(way)
        left, deleted = _through(states[name], way)
        if deleted:
            yield left
            continue
        for transition in each(states[name].get("transitions")):
            todo.append((str(transition.get("state_name")), left.after(mapping(transition.get("conditions")))))


def _through(state: Body, way: _Way) -> tuple[_Way, bool]:
    """The way behind a state's actions, and whether one of them deletes."""
    for action in each(state.get("actions")):
        if "delete" in action:
            return way, True
        if "rollover" in action:
            way = way.since_rollover(0)
    return way, False


def _latest_rollover(policy: Body) -> int | None:
    """The age by which an index is rolled over at the latest; None where nothing says."""
    actions = [action for state in _states(policy).values() for action in each(state.get("actions"))]
    ages = [mapping(action["rollover"]).get("min_index_age") for action in actions if "rollover" in action]
    return max(map(_age, ages)) if ages and all(ages) else None


def _age(text: Any) -> int:
    """A time as ISM writes it, in milliseconds; what is no such time counts as nothing."""
    match = _FORM.fullmatch(str(text).strip().lower()) if text is not None else None
    return int(match[1]) * _UNITS[match[2]] if match else 0


def _words(milliseconds: int) -> str:
    size, unit = next((size, unit) for size, unit in _WORDS if milliseconds % size == 0)
    count = milliseconds // size
    return f"{count:,} {unit}{'' if count == 1 else 's'}"
