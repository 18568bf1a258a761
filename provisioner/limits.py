"""What a plan may not do unless somebody says so by name: delete or change too much at once, or lose documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner import diff
from provisioner.model import Action, Limit
from provisioner.quantities import UNKNOWN, content, count, data

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from provisioner.model import Change
    from provisioner.quantities import Shares

DELETES = "deletes"
CHANGES = "changes"
EMPTY = "empty"
DATA_LOSS = "data-loss"
LOCK = "lock"
AUDIT = "audit"
HOLD = "hold"
NAMES = (DELETES, CHANGES, EMPTY, DATA_LOSS, LOCK, AUDIT)
"""What `--force` takes. `lock` and `audit` belong to the apply, not to the plan. `hold` is none of
them: a hold is released, never passed."""

_LISTED = 5


def exceeded(
    changes: Sequence[Change],
    owned: int,
    wanted: int,
    shares: Shares,
    force: frozenset[str],
    held: Mapping[str, str] | None = None,
) -> tuple[Limit, ...]:
    """The limits that these changes exceed and that nobody forced.

    `owned` is how many objects of ours exist, `wanted` how many the repository wants, `held` the indices that may not
    be deleted, each with its hold: that limit can't be forced.
    """
    found = tuple(limit for limit in _all(changes, owned, wanted, shares) if limit.name not in force)
    return (*found, *_holds(changes, held or {}))


def options(exceeded_: Iterable[Limit]) -> str:
    """The options that pass these limits, as far as they can be passed: `--force deletes --force changes`."""
    return " ".join(f"--force {limit.name}" for limit in exceeded_ if limit.name in NAMES)


def _holds(changes: Sequence[Change], held: Mapping[str, str]) -> Iterator[Limit]:
    kept = sorted({index.name for change in changes for index in change.doomed if index.name in held})
    if kept:
        holds = ", ".join(sorted({held[name] for name in kept}))
        listed = ", ".join(kept[:_LISTED]) + (f" and {len(kept) - _LISTED} more" if len(kept) > _LISTED else "")
        yield Limit(HOLD, f"{listed} would be deleted, held by {holds}: `provisioner hold release` comes first")


def _all(changes: Sequence[Change], owned: int, wanted: int, shares: Shares) -> Iterator[Limit]:
    if not wanted and owned:
        yield Limit(
            EMPTY,
            f"the repository wants nothing at all, while {count(owned, 'object')} of ours stand in the cluster: "
            "is it the right one, and whole?",
        )
    if owned >= max(shares.from_objects, 1):
        deletes = sum(change.action is Action.DELETE and change.live is not None for change in changes)
        if deletes * 100 > shares.deletes * owned:
            yield Limit(DELETES, _too_many(deletes, owned, "deleted", shares.deletes))
        updates = sum(map(_counts, changes))
        if updates > 1 and updates * 100 > shares.changes * owned:  # one change is what a person looks at anyway
            yield Limit(CHANGES, _too_many(updates, owned, "changed", shares.changes))
    yield from _data_loss(changes)


def _counts(change: Change) -> bool:
    """Whether it changes an object that is known to be ours: taking one over, or finding one again, does not."""
    known = change.why not in (diff.MARKED, diff.LEFT) and not change.why.startswith(diff.ADOPTED)
    return change.action is Action.UPDATE and known and not diff.rolls_out(change)


def _too_many(many: int, owned: int, what: str, percent: int) -> str:
    share = many * 100 // owned
    said = f"{share} %" if share > percent else f"just over {percent} %"
    return f"{count(many)} of {count(owned, 'object')} ({said}) would be {what}; the limit is {percent} %"


def _data_loss(changes: Sequence[Change]) -> Iterator[Limit]:
    doomed = {index.name: index for change in changes for index in change.doomed if index.documents}
    largest = sorted(doomed.values(), key=lambda index: (index.bytes != UNKNOWN, -index.bytes, index.name))
    listed = [f"{index.name} ({content(index)})" for index in largest[:_LISTED]]
    if len(largest) > _LISTED:
        listed.append(f"{count(len(largest) - _LISTED)} more")
    if largest:
        yield Limit(DATA_LOSS, f"{data(largest)} would be deleted: {', '.join(listed)}")
