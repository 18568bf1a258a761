"""Doing a plan. The only place that creates, updates and deletes."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from provisioner import fingerprint, secretrefs, state
from provisioner.errors import ApiError, ProvisionerError
from provisioner.model import Action, Event, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from provisioner.cluster import Cluster
    from provisioner.model import Body, Change, Known, Plan, Ref


def apply(
    plan: Plan, cluster: Cluster, known: Known, revision: str | None, report: Callable[[Event], None] = lambda _: None
) -> list[Event]:
    """Make the plan's changes, one after the other, and record them. Gives one event a step.

    Stops at the first step that fails: what it says is in the last event, the steps before it are recorded. Nothing is
    written, not even to the state, where the plan has no changes. Raises MissingSecretError before the first step.
    """
    pending = plan.pending
    if not pending:
        return []
    bodies = {change.ref: secretrefs.resolve(change.after) for change in pending}
    cluster.store.prepare(known)
    events: list[Event] = []
    ids: dict[Ref, str] = {}
    try:
        for change in pending:
            started = time.monotonic()
            error = ""
            try:
                ids[change.ref] = _step(change, cluster, bodies[change.ref])
            except ProvisionerError as problem:
                error = secretrefs.hide(_words(problem), secretrefs.references(change.after))
            events.append(Event(change, time.monotonic() - started, error))
            report(events[-1])
            if error:
                break
    finally:  # an interrupt between two steps still records those that were made
        done = [change for change in pending if change.ref in ids]
        if done:
            outcome = "complete" if len(done) == len(pending) else "stopped"
            counts = Counter(change.action.value for change in done)
            release = state.release(known.release + 1, revision, counts, outcome)
            removed = [change.ref for change in done if change.action is Action.DELETE]
            cluster.store.write(_records(done, ids, cluster, known.salt), removed, release)
    return events


def _step(change: Change, cluster: Cluster, body: Body) -> str:
    """Make one change; the server's id."""
    kind = cluster.kinds[change.kind]
    if change.action is Action.CREATE:
        return kind.create(cluster.client, change.key, body)
    if change.live is None:
        raise ProvisionerError(f"{change.kind} {change.key} is gone", "plan again")
    if change.action is Action.UPDATE:
        kind.update(cluster.client, change.live, body)
    else:
        kind.delete(cluster.client, change.live)
    return change.live.server_id


def _words(error: ProvisionerError) -> str:
    if isinstance(error, ApiError) and error.status == 409:
        return f"someone changed it since it was planned; run the command again ({error.reason})"
    return f"{error.message}; {error.hint}" if error.hint else error.message


def _records(done: Sequence[Change], ids: Mapping[Ref, str], cluster: Cluster, salt: str) -> list[Record]:
    """Read back what was written: what was sent and what the server shows go into the state."""
    wanted: dict[str, dict[str, str | None]] = defaultdict(dict)
    for change in done:
        wanted[change.kind][change.key] = ids[change.ref]
    live = cluster.live(wanted)
    records = []
    for change in done:
        if change.action is Action.DELETE or change.after is None or change.ref not in live:
            continue
        found = live[change.ref]
        records.append(
            Record(
                change.kind,
                change.key,
                found.server_id,
                fingerprint.of(change.after),
                fingerprint.shown(found.body, cluster.kinds[change.kind].secret_paths, salt),
                change.after,
                secretrefs.fingerprints(secretrefs.references(change.after), salt),
            )
        )
    return records
