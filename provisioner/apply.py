"""Doing a plan: steps in parallel as far as their dependencies allow, recorded in batches while they go on."""

from __future__ import annotations

import contextlib
import queue
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from provisioner import fingerprint, graph, releases, secretrefs
from provisioner.errors import ApiError, ProvisionerError
from provisioner.model import Action, Event, Record
from provisioner.releases import UNMARKED, Mark
from provisioner.schedule import Schedule
from provisioner.step import Done, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future

    from provisioner.cluster import Cluster
    from provisioner.known import Known
    from provisioner.model import Body, Change, Plan, Ref
    from provisioner.releases import Release
    from provisioner.secretrefs import Memo

_BATCH = 50
"""Steps recorded by one request."""
_PATIENCE = 3.0
"""Seconds after which fewer are recorded as well: what a kill leaves to be recognised by its marks stays little. Often
is dear: what the server made of the steps is read back, one request for each kind, and the cluster has steps to do."""


def apply(
    plan: Plan,
    cluster: Cluster,
    known: Known,
    prints: Future[Memo],
    revision: str | None = None,
    report: Callable[[Event], None] = lambda _: None,
    held: Callable[[], bool] = lambda: True,
    mark: Mark = UNMARKED,
) -> list[Event]:
    """Make the plan's changes and record them; the state must be prepared and locked. Gives one event a step.

    After a step that fails no further one begins; those under way come to their end. `held` is asked before each step
    whether the lock is still ours. `prints` is what `ahead` gave for this plan. Raises MissingSecretError before the
    first step, ProvisionerError where the state can't be written: what was done is then recognised by its marks.
    """
    pending = plan.pending
    if not pending:
        return []
    bodies = {change.ref: secretrefs.resolve(change.after) for change in pending}
    release = releases.begin(known.next_release, revision, pending, known.intents, mark)
    cluster.store.write(releases=[release, *(r.closed(mark.audit) for r in known.open)])
    run = _Run(plan, cluster, known, bodies, report, held, prints)
    try:
        run.all()
    finally:  # an interrupt between two steps still records those that were made
        run.close(release)
    return run.events


def ahead(plan: Plan, known: Known) -> Future[Memo]:
    """Fingerprints of secrets take long: those that the records will need are worked out beside what goes on.

    Raises MissingSecretError.
    """
    changed = {change.ref for change in plan.pending}
    kept = {ref: live.body for ref, live in known.live.items() if ref not in changed}
    after = {change.ref: secretrefs.resolve(change.after) for change in plan.pending if change.after is not None}
    paths = known.secret_paths
    held = (s for ref, body in {**kept, **after}.items() for s in fingerprint.secrets(body, paths.get(ref[0], ())))
    named = {secretrefs.resolve(ref) for change in plan.pending for ref in secretrefs.references(change.after)}
    return secretrefs.ahead(held, named, known.salt)


class _Run:
    """The steps of one apply, and what is known of them so far."""

    def __init__(
        self,
        plan: Plan,
        cluster: Cluster,
        known: Known,
        bodies: Mapping[Ref, Body],
        report: Callable[[Event], None],
        held: Callable[[], bool],
        prints: Future[Memo],
    ) -> None:
        self.events: list[Event] = []
        self._plan, self._cluster, self._known = plan, cluster, known
        self._bodies, self._report, self._held = bodies, report, held
        self._steps = ThreadPoolExecutor(cluster.parallel, "step")
        self._failed = False
        self._recorder = Recorder(cluster, known, prints)

    def all(self) -> None:
        """Run every step, until one fails."""
        for edges in graph.edges(self._plan.changes):
            if not self._failed:
                self._part(edges)

    def _part(self, edges: Mapping[Ref, set[Ref]]) -> None:
        pending = {change.ref: change for change in self._plan.pending if change.ref in edges}
        schedule = Schedule(edges, pending, self._cluster.queued)
        ended: queue.SimpleQueue[tuple[Event, Done | None] | None] = queue.SimpleQueue()

        def work() -> None:
            try:
                while (ref := schedule.take()) is not None:
                    event, done = self._step(pending[ref])
                    if event.error:
                        schedule.stop()
                    ended.put((event, done))
                    schedule.done(ref)
            finally:
                ended.put(None)

        workers = [self._steps.submit(work) for _ in range(min(self._cluster.parallel, len(pending)))]
        left = len(workers)

        def collect(patience: float | None = None) -> None:
            nonlocal left
            one = ended.get(timeout=patience)
            if one is None:
                left -= 1
            else:
                self._ended(*one)

        try:
            while left:
                with contextlib.suppress(queue.Empty):
                    collect(_PATIENCE)
                self._recorder.flush(_BATCH)
        finally:  # an interrupt, or the state can't be written: no new steps, but those under way count
            schedule.stop()
            while left:
                collect()

    def _step(self, change: Change) -> tuple[Event, Done | None]:
        started = time.monotonic()
        done, error, attempts = None, "", 1
        step = Step(change, self._cluster, self._known, self._bodies[change.ref], self._held)
        try:
            done = step.run()
            attempts = done.attempts
        except Exception as problem:  # noqa: BLE001 (a mistake of ours must not lose the records of other steps)
            error = secretrefs.hide(_words(problem), secretrefs.references(change.after))
        return Event(change, time.monotonic() - started, error, attempts, bool(error) and step.unclear), done

    def _ended(self, event: Event, done: Done | None) -> None:
        self.events.append(event)
        self._failed |= bool(event.error)
        if done is not None:
            self._recorder.add(event.change, done.server_id)
        self._report(event)

    def close(self, release: Release) -> None:
        """Wait for what runs, and record it, and how the release ended."""
        self._steps.shutdown(wait=True, cancel_futures=True)
        whole = len(self.events) == len(self._plan.pending) and not self._failed
        self._recorder.close(release, self.events, releases.COMPLETE if whole else releases.STOPPED)


class Recorder:
    """Reads back what the server made of each step and writes it into the state, beside the steps that go on."""

    def __init__(self, cluster: Cluster, known: Known, memo: Future[Memo]) -> None:
        self._cluster, self._known, self._memo = cluster, known, memo
        self._records = {**known.apart, **known.records}
        self._waiting: list[tuple[Change, str]] = []
        self._done: set[Ref] = set()
        self._last = time.monotonic()
        self._writer = ThreadPoolExecutor(1, "state")
        self._writes: list[Future[None]] = []

    def add(self, change: Change, server_id: str) -> None:
        """A step that was made."""
        self._waiting.append((change, server_id))
        self._done.add(change.ref)

    def flush(self, least: int = 1) -> None:
        """Begin to write what waits, if it is that many or waits for long. Raises what an earlier write met with."""
        for write in self._writes:
            if write.done():
                write.result()
        late = time.monotonic() - self._last > _PATIENCE
        if self._waiting and (len(self._waiting) >= least or late):
            self._writes.append(self._writer.submit(self._write, self._waiting))
            self._waiting, self._last = [], time.monotonic()

    def close(self, release: Release, events: Sequence[Event], outcome: str) -> None:
        """Write the rest, and with it the end of the release. Raises ProvisionerError where any of it could not be
        written."""
        self._writer.shutdown(wait=True)
        for write in self._writes:
            write.result()
        records, removed, blobs = self._made(self._waiting)
        ended = releases.end(release, events, outcome, self._records.values(), self._left(release, events))
        memo = self._memo.result() if outcome == releases.COMPLETE else self._known.remembered
        changed = memo if memo != self._known.remembered else None
        self._cluster.store.write(records, removed, blobs, [ended], changed)

    def _left(self, release: Release, events: Sequence[Event]) -> set[Ref]:
        """What may stand in the cluster without a record: of earlier runs what is there, of ours what is unclear."""
        unclear = {event.change.ref for event in events if event.unclear}
        known = self._known
        unseen = {ref for ref in known.intents if ref in known.live or not self._cluster.applies(ref[0])}
        earlier = unseen - set(known.records) - set(known.apart)
        return ((unclear & release.intents) | earlier) - self._done

    def _write(self, batch: Sequence[tuple[Change, str]]) -> None:
        self._cluster.store.write(*self._made(batch))

    def _made(self, batch: Sequence[tuple[Change, str]]) -> tuple[list[Record], list[Ref], dict[str, Any]]:
        """What the state is to say of these: records, those that go, blobs."""
        ids: dict[str, dict[str, str]] = defaultdict(dict)
        removed = [change.ref for change, _ in batch if change.action is Action.DELETE]
        for change, server_id in batch:
            if change.action is not Action.DELETE:
                ids[change.kind][change.key] = server_id
        shown = {
            live.ref: live
            for kind, keys in ids.items()
            for live in self._cluster.kinds[kind].shown(self._cluster.client, keys)
        }
        records: list[Record] = []
        blobs: dict[str, Any] = {}
        for change, _ in batch:
            if change.after is None or change.ref not in shown:
                continue
            live = shown[change.ref]
            masked = fingerprint.masked(live.body, self._known.secret_paths.get(change.kind, ()), self._known.salt)
            written = change.resource.document.body if change.resource and change.resource.document else None
            record = Record(
                change.kind,
                change.key,
                live.server_id,
                fingerprint.of(change.after),
                fingerprint.of(masked),
                fingerprint.of(written) if written is not None else "",
                str(change.origin or ""),
                change.depends_on,
                secretrefs.fingerprints(secretrefs.references(change.after), self._known.salt),
                live.token.get("if_seq_no", -1),
            )
            records.append(record)
            blobs |= {record.sent: change.after, record.shown: masked}
            if written is not None:
                blobs[record.document] = written
        self._records |= {record.ref: record for record in records}
        for ref in removed:
            self._records.pop(ref, None)
        return records, removed, blobs


def _words(error: Exception) -> str:
    if not isinstance(error, ProvisionerError):
        return f"a mistake of provisioner itself, please report it: {type(error).__name__}: {error}"
    if isinstance(error, ApiError) and error.status == 409:
        return f"someone changed it since it was planned; run the command again ({error.reason})"
    return f"{error.message}; {error.hint}" if error.hint else error.message
