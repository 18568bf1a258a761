"""From resources to a changed cluster: look, plan, ask, lock, look again, apply, look once more.

What is planned before the lock is held may be outdated when it is: the plan is made again under the lock, and what
differs from the one that was shown is shown and asked for again, or refused where exactly that one was wanted. Where
the look is a moment old and the state is as it was then, there was no other apply, and it holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from provisioner import apply, durations, limits, lock, plan
from provisioner.errors import LimitError, MovedError
from provisioner.lock import Lock
from provisioner.model import PLAIN, Action
from provisioner.releases import Mark

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from provisioner.cluster import Cluster
    from provisioner.known import Known
    from provisioner.model import Event, Options, Plan, Resource
    from provisioner.releases import Release

LOCK_WAIT = 60.0
"""Seconds to wait for another apply."""
FRESH = 2.0
"""Seconds for which a look holds if our state did not move: the lock keeps out applies of ours, which write the state
first. Hands of others it never keeps out: before each write it is compared, whenever the look was."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an apply is for. `digest` is that of the plan which alone may be applied, None: whatever it is now. `wait`:
    seconds to watch indices take a changed ISM policy over."""

    resources: Sequence[Resource]
    options: Options = PLAIN
    revision: str | None = None
    digest: str | None = None
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Hooks:
    """Whom a deployment talks to: `show` a plan, `confirm` it, tell of an `event` and say a `word` in between.

    `intend` records a plan before its first write and gives what the release says of that (`Mark.audit`); it may raise
    AuditError. `left` is given releases that are surely over and that nobody has recorded to the end.
    """

    show: Callable[[Plan], None] = lambda _: None
    confirm: Callable[[Plan], bool] = lambda _: True
    event: Callable[[Event], None] = lambda _: None
    word: Callable[[str], None] = lambda _: None
    intend: Callable[[Plan], str | None] = lambda _: None
    left: Callable[[Sequence[Release]], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went: the plan that was applied, its events, what a new plan would still change, and whether a person
    said no. `left` is not asked for after a step that failed. `release` is its number, 0 where it made none."""

    plan: Plan
    events: tuple[Event, ...] = ()
    left: Plan | None = None
    declined: bool = False
    behind: Mapping[str, Sequence[str]] = field(default_factory=dict)
    release: int = 0

    @property
    def failed(self) -> bool:
        """Whether a step failed or was not made, or the cluster is not as it should be after all."""
        if self.declined:
            return False
        made = sum(not event.error for event in self.events)
        return made < len(self.plan.pending) or bool(self.left and self.left.pending)


def deploy(cluster: Cluster, wanted: Wanted, hooks: Hooks = Hooks()) -> Outcome:
    """Make the cluster as wanted. With nothing to do it sends no request that writes.

    Raises AuditError, ConflictError, LimitError, LockedError, MovedError, MissingSecretError before the first change.
    """
    known, planned = look(cluster, wanted)
    _refuse_other(planned, wanted)
    hooks.show(planned)
    refuse_limits(planned)
    if not planned.pending:
        if known.open and lock.free(cluster.client, cluster.store.index):
            hooks.left(known.open)
        return Outcome(planned)
    prints = apply.ahead(planned, known)  # a secret that is missing is told before anything is written
    if not hooks.confirm(planned):
        return Outcome(planned, declined=True)
    audit = hooks.intend(planned)
    begun = cluster.store.prepare(known.salt)
    timeout = cluster.target.lock_timeout
    wait = durations.ms(timeout) / 1000 if timeout else LOCK_WAIT
    with Lock(cluster.client, cluster.store.index, wait, "lock" in wanted.options.force, hooks.word) as held:
        again = planned
        alone = begun and held.earlier == 1  # nothing stood there but the state's head, and that is ours
        if not cluster.still(FRESH, unmoved=alone):
            known, again = look(cluster, wanted)
            prints = apply.ahead(again, known)
        hooks.left(known.open)
        if again.digest != planned.digest:
            _refuse_other(again, wanted)
            hooks.word("the cluster moved meanwhile; the plan is now:")
            hooks.show(again)
            refuse_limits(again)
            if not again.pending:
                return Outcome(again)
            if not hooks.confirm(again):
                return Outcome(again, declined=True)
            audit = hooks.intend(again)
        mark = Mark(tuple(sorted(wanted.options.force)), audit)
        events = apply.apply(again, cluster, known, prints, wanted.revision, hooks.event, lambda: held.held, mark)
        return _outcome(cluster, wanted, again, known, tuple(events))


def look(cluster: Cluster, wanted: Wanted) -> tuple[Known, Plan]:
    """The cluster as it is, and the plan from there."""
    known = cluster.look(wanted.resources, wanted.options)
    return known, plan.build(wanted.resources, known, wanted.options, cluster.target.limits)


def refuse_limits(planned: Plan) -> None:
    """Raise LimitError where the plan exceeds limits that nobody forced."""
    if planned.limits:
        forced = limits.options(planned.limits)
        raise LimitError(
            "\n".join(f"{limit.name}: {limit.message}" for limit in planned.limits),
            f"nothing was changed; if that is meant: {forced}" if forced else "nothing was changed",
        )


def _refuse_other(planned: Plan, wanted: Wanted) -> None:
    if wanted.digest is not None and planned.digest != wanted.digest:
        raise MovedError(
            "the cluster, its state or the plan's file is not as it was when the plan was made",
            "nothing was changed; make a new plan and look at it",
        )


def _outcome(cluster: Cluster, wanted: Wanted, planned: Plan, known: Known, events: tuple[Event, ...]) -> Outcome:
    """Look once more, unless a step failed."""
    if len(events) < len(planned.pending) or any(event.error for event in events):
        return Outcome(planned, events, release=known.next_release)
    after, left = look(cluster, wanted)
    if after.memo != after.remembered:
        cluster.store.write(memo=after.memo)
    behind = cluster.behind(planned, wanted.wait) if _may_be_behind(planned, after) else {}
    return Outcome(planned, events, left, False, behind, known.next_release)


def _may_be_behind(planned: Plan, after: Known) -> bool:
    """Whether ISM has to be asked what became of a roll-out: not of policies that are new, with no index of before."""
    changed = [change for change in planned.pending if change.kind == "ism_policy"]
    lives = [after.live.get(change.ref) for change in changed]
    return any(change.action is not Action.CREATE for change in changed) or any(live and live.stale for live in lives)
