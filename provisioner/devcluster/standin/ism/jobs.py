"""Running policies: finding the indexes to manage, and taking one step of each when its time has come."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections import defaultdict
from dataclasses import replace
from typing import Any

import httpx

from provisioner.devcluster.standin.errors import StandInError
from provisioner.devcluster.standin.ism import managed as way
from provisioner.devcluster.standin.ism.index_settings import IndexSettings
from provisioner.devcluster.standin.ism.indexes import Index
from provisioner.devcluster.standin.ism.managed import Metadata, Work
from provisioner.devcluster.standin.ism.moves import rollover, step_of
from provisioner.devcluster.standin.ism.records import Managed, Records
from provisioner.devcluster.standin.ism.steps import ERROR_TITLE, Context, Run, notify
from provisioner.devcluster.standin.ism.templates import template_for

log = logging.getLogger(__name__)

_RESTRICTED = re.compile(r"\.opendistro_security|\.kibana.*|\.opendistro-ism-config|\.provisioner-stand-in")
_INTERVAL = "plugins.index_state_management.job_interval"
_ENABLED = "plugins.index_state_management.enabled"
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.02, 1.0  # seconds between two looks at what is due


class Jobs:
    """The jobs of all managed indexes. `interval`: seconds between two steps of an index, unless a client set it."""

    def __init__(self, context: Context, records: Records, index_settings: IndexSettings, interval: float) -> None:
        self._context = context
        self._index_settings = index_settings
        self._records = records
        self._interval = interval
        self._due: dict[str, int] = {}
        self._unmatched: set[str] = set()
        self._attached_for = 0
        # Steps that were done, whose result is written at a later time: (time, metadata).
        self._settling: dict[str, tuple[int, Metadata]] = {}
        self.locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def sweep(self) -> None:
        """Attach templates to new indexes, schedule what is managed, forget what is gone."""
        indexes = {index.uuid: index for index in await self._context.indexes.find([])}
        known = await self._records.known()
        for uuid in known.keys() - indexes.keys():
            await self._forget(uuid)
        known |= await self._attach([index for uuid, index in indexes.items() if uuid not in known])
        step = await self.interval_ms()
        for uuid, since in known.items():
            if since is not None and uuid in indexes and uuid not in self._due:
                self._due[uuid] = self._first_due(since, step)

    async def _attach(self, indexes: list[Index]) -> dict[str, int]:
        """Put each index under the policy whose template matches it, or the data stream that it backs.

        Since when (ms), by uuid. An index that no template matched is looked at again only when policies have changed.
        """
        if self._attached_for != self._records.policies_changed:
            self._attached_for = self._records.policies_changed
            self._unmatched.clear()
        new = [i for i in indexes if i.uuid not in self._unmatched and not _RESTRICTED.fullmatch(i.name)]
        if not new:
            return {}
        policies = await self._records.policies()
        backing = any(index.name.startswith(".ds-") for index in new)
        streams = await self._context.indexes.streams() if backing and policies else {}
        attached: dict[str, int] = {}
        for index in new:
            name = streams.get(index.name, index.name)
            found = template_for(name, index.created, (p.source["policy"] for p in policies.values()))
            if found is None:
                self._unmatched.add(index.uuid)
                continue
            now = self._context.clock.now()
            if await self._records.manage(index, policies[found["policy_id"]], now):
                attached[index.uuid] = now
        return attached

    async def interval_ms(self) -> int:
        """Milliseconds between two steps of an index."""
        minutes = await self._context.settings.get(_INTERVAL)
        return int(float(minutes) * 60_000) if minutes else int(self._interval * 1000)

    def _first_due(self, since: int, step: int) -> int:
        passed = max(0, self._context.clock.now() - since) // step
        return since + (passed + 1) * step

    async def run_until_stopped(self, stopping: asyncio.Event) -> None:
        """Sweep and run what is due. Steps that have begun are finished before it returns."""
        while not stopping.is_set():
            try:
                await self.sweep()
                await self.run_due()
            except (StandInError, httpx.TransportError) as error:
                log.warning("ISM could not run, and tries again: %s", error)
            except Exception:
                log.exception("ISM could not run, and tries again")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), self._pause())

    def _pause(self) -> float:
        """Seconds until something is due, but soon enough to see new indexes."""
        times = [*self._due.values(), *(when for when, _ in self._settling.values())]
        wait = (min(times) - self._context.clock.now()) / 1000 if times else _LONGEST_PAUSE
        return min(_LONGEST_PAUSE, max(_SHORTEST_PAUSE, wait))

    async def run_due(self) -> None:
        """Run every index whose time has come, side by side."""
        now = self._context.clock.now()
        await self._settle(now)
        step = await self.interval_ms()
        due = [uuid for uuid, when in self._due.items() if when <= now]
        enabled = await self._context.settings.get(_ENABLED) != "false"
        for uuid in due:
            # From the time that it was due: a schedule does not drift. What was missed is not made up for.
            self._due[uuid] += step * max(1, -(-(now - self._due[uuid]) // step))
        if not enabled:
            return
        results = await asyncio.gather(*(self._run_locked(uuid) for uuid in due), return_exceptions=True)
        for uuid, result in zip(due, results, strict=True):
            if isinstance(result, BaseException):
                log.error("ISM's job of the index %s failed", uuid, exc_info=result)

    async def _settle(self, now: int) -> None:
        """Write the results whose time has come."""
        for uuid in [uuid for uuid, (when, _) in self._settling.items() if when <= now]:
            async with self.locks[uuid]:
                _, metadata = self._settling.pop(uuid)
                managed = await self._records.managed(uuid)
                if managed is not None:
                    await self._records.save(replace(managed, metadata=metadata))

    async def run_until(self, when: int, *, sweeping: bool = True) -> None:
        """Set the clock forward to `when` (ms), running everything that is due on the way at its own time.

        `sweeping`: look for new indexes first, since they are as old as the clock says when they are found.
        """
        clock = self._context.clock
        if sweeping:
            await self.sweep()
        while True:
            times = [*self._due.values(), *(at for at, _ in self._settling.values())]
            following = min(times, default=when + 1)
            if following > when:
                break
            clock.set_forward(following)
            await self.run_due()
            await self.sweep()
        clock.set_forward(when)

    async def _forget(self, uuid: str) -> None:
        self._due.pop(uuid, None)
        self._settling.pop(uuid, None)
        await self._records.forget(uuid)

    def drop(self, uuid: str) -> None:
        """Stop the schedule of an index whose policy was removed."""
        self._due.pop(uuid, None)
        self._settling.pop(uuid, None)

    async def _run_locked(self, uuid: str) -> None:
        async with self.locks[uuid]:
            if uuid not in self._settling:
                managed = await self._records.managed(uuid)
                if managed is not None and managed.enabled:
                    await self._run(managed)

    async def _run(self, managed: Managed) -> None:
        """One run of an index's job, in the order of the plugin's own."""
        now = self._context.clock.now()
        metadata = managed.metadata
        if metadata is None:
            await self._initialize(managed, now)
            return
        if metadata["policy_completed"] or way.is_failed(metadata):
            await self._records.save(replace(managed, enabled=False))
            return
        state = way.state_due(managed.policy, metadata)
        work = way.work_due(state, metadata) if state else None
        if work is not None and (late := way.timed_out(work, metadata, now)):
            await self._fail(managed, late)
        elif managed.change and (managed.change["is_safe"] or (work and work.action == way.TRANSITION)):
            await self._change(managed, metadata, work, now)
        elif state is None or work is None:
            wanted = metadata["transition_to"] or metadata["state"]
            await self._fail(
                managed, way.broken(metadata, f"Failed to find state={wanted} in policy={managed.policy_id}")
            )
        elif way.backs_off(work, metadata, now):
            log.debug("%s waits before it tries %s again", managed.index, work.action)
        elif _interrupted(metadata, work):
            await self._fail(managed, way.broken(metadata, "Previous action was not able to update IndexMetaData."))
        else:
            await self._execute(managed, metadata, work)

    async def _initialize(self, managed: Managed, now: int) -> None:
        change = managed.change
        if change:
            policy = await self._records.policy(change["policy_id"])
            if policy is not None:
                managed = managed.with_policy(policy)
        found = not change or managed.change is None
        index = {
            "index": managed.index,
            "index_uuid": managed.uuid,
            "policy_seq_no": managed.tokens[0],
            "policy_primary_term": managed.tokens[1],
            "created": managed.created,
            "state": change["state"] if change else None,
        }
        policy_id = change["policy_id"] if change else managed.policy_id
        metadata = way.initial(index, managed.policy if found else None, policy_id, now=now)
        await self._records.save(replace(managed, metadata=metadata))

    async def _execute(self, managed: Managed, metadata: Metadata, work: Work) -> None:
        clock = self._context.clock
        running = way.started(work, metadata, clock.now())
        if work.step in way.NOT_IDEMPOTENT:
            # Whoever finds this after a crash knows that the step may have been done.
            await self._records.save(replace(managed, metadata=running))
        run = Run(self._context, work, running)
        if work.step == "attempt_rollover":
            result = await rollover(run, await self._index_settings.of(managed.index, managed.uuid))
        else:
            result = await step_of(work.step)(run)
        done = way.finished(work, running, result, clock.now())
        if way.is_failed(done):
            done = await self._publish_error(managed, done)
        if work.action == "delete" and result.status == way.COMPLETED:
            await self._forget(managed.uuid)
        elif result.settles_in:
            self._settling[managed.uuid] = (clock.now() + result.settles_in, done)
        elif done != metadata:
            await self._records.save(replace(managed, metadata=done))

    async def _change(self, managed: Managed, metadata: Metadata, work: Work | None, now: int) -> None:
        """Let another policy take over (the change_policy API asked for it)."""
        change: dict[str, Any] = managed.change or {}
        policy = await self._records.policy(change["policy_id"])
        if policy is None:
            gone = way.broken(metadata, f"Failed to load change policy: {change['policy_id']}")
            await self._records.save(replace(managed, metadata=gone))
            return
        new = policy.source["policy"]
        if change["is_safe"] and not way.safe_to_change(managed.policy, new, metadata, change["state"]):
            await self._records.save(replace(managed, change={**change, "is_safe": False}))
            return
        tokens = (policy.seq_no, policy.primary_term)
        at_transition = work is not None and work.action == way.TRANSITION
        metadata = way.changed(metadata, new, tokens, change["state"], at_transition=at_transition, now=now)
        await self._records.save(replace(managed.with_policy(policy), metadata=metadata))

    async def _fail(self, managed: Managed, metadata: Metadata) -> None:
        """Give up on an index until somebody calls retry."""
        await self._publish_error(managed, metadata)
        await self._records.save(replace(managed, enabled=False, metadata=metadata))

    async def _publish_error(self, managed: Managed, metadata: Metadata) -> Metadata:
        notification = managed.policy.get("error_notification")
        if not notification:
            return metadata
        try:
            problem = await notify(self._context, notification, metadata, ERROR_TITLE)
        except StandInError as error:
            problem = str(error)
        told = problem or f"Successfully published error notification [index = {managed.index}]"
        return {**metadata, "info": {**(metadata["info"] or {}), "error_notification": told}}


def _interrupted(metadata: Metadata, work: Work) -> bool:
    """Whether the last run ended in the middle of a step that must not be done twice."""
    step = metadata["step"]
    return bool(step and step["step_status"] == way.STARTING and work.step in way.NOT_IDEMPOTENT)
