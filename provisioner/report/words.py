"""What all formats say in the same words: counts, orphans, limits, doomed indices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.diff import ORPHAN
from provisioner.limits import options
from provisioner.model import Action
from provisioner.quantities import UNKNOWN, content, count, volume

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provisioner.model import Change, Index, Limit, Plan

DONE = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.ADOPT: "adopted",
    Action.DELETE: "deleted",
    Action.NONE: "unchanged",
}
_ORDER = (Action.CREATE, Action.UPDATE, Action.ADOPT, Action.DELETE)
_LISTED = 5
_DAY = 86_400_000


def orphans(planned: Plan) -> list[Change]:
    """What left the repository and stays in the cluster."""
    return [change for change in planned.changes if _orphan(change) and change.live is not None]


def unchanged(planned: Plan) -> int:
    """How many objects are as the repository says."""
    return sum(change.action is Action.NONE and not _orphan(change) for change in planned.changes)


def to_do(planned: Plan) -> str:
    """`3 to create, 1 to update, 0 to delete, 20 unchanged`; what is to adopt only where there is something."""
    numbers = [f"{n} to {action.value}" for action, n in _counts({a: planned.count(a) for a in Action})]
    return ", ".join([*numbers, f"{unchanged(planned)} unchanged"])


def done(counts: Mapping[Action, int]) -> str:
    """`3 created, 1 updated, 0 deleted`."""
    return ", ".join(f"{number} {DONE[action]}" for action, number in _counts(counts))


def orphan(change: Change) -> str:
    """Why an orphan stays."""
    return f"is {change.why}; it stays in the cluster" if change.why == ORPHAN else f"is {change.why}"


def limit(exceeded: Limit) -> str:
    """By how much a limit is exceeded, and how to say that it is meant."""
    forced = options([exceeded])
    if not forced:
        return f"{exceeded.name}: {exceeded.message}"
    then = " If" if exceeded.message.endswith("?") else "; if"
    return f"{exceeded.name}: {exceeded.message}{then} that is meant: {forced}"


def doomed(indices: Sequence[Index]) -> str:
    """`would delete 3 indices, 1.2 GB`."""
    return f"would delete {count(len(indices), 'index', 'indices')}, {volume(indices)}"


def doomed_indices(indices: Sequence[Index], now: int) -> list[str]:
    """The largest of them, with documents, bytes and age, and how many more there are."""
    largest = sorted(indices, key=lambda index: (index.bytes != UNKNOWN, -index.bytes, index.name))[:_LISTED]
    more = len(indices) - len(largest)
    return [_index(index, now) for index in largest] + ([f"and {count(more)} more"] if more else [])


def _index(index: Index, now: int) -> str:
    return f"{index.name} ({content(index)}, {age(now - index.created)})"


def age(milliseconds: int) -> str:
    """`412 days`; hours below two days."""
    days = milliseconds // _DAY
    return count(days, "day") if days >= 2 else count(max(milliseconds, 0) // 3_600_000, "hour")


def _orphan(change: Change) -> bool:
    return change.action is Action.NONE and change.why.startswith(ORPHAN)


def _counts(counts: Mapping[Action, int]) -> list[tuple[Action, int]]:
    numbers = [(action, counts.get(action, 0)) for action in _ORDER]
    return [(action, number) for action, number in numbers if number or action is not Action.ADOPT]
