"""The schedule: every enabled monitor and workflow runs by itself, none waits for another.

The first run comes one interval after a job was enabled, and later ones at multiples of it: the times follow from what
is stored, so they survive a restart. A job never runs twice at once; a run that is due meanwhile is left out.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from provisioner.devcluster.standin.alerting.clock import Clock
from provisioner.devcluster.standin.alerting.model import Job, Period
from provisioner.devcluster.standin.alerting.schedule import next_run, period_ending_at

log = logging.getLogger(__name__)

AT_ONCE = 16  # runs at the same time; the others queue
PATIENCE = 5.0  # seconds that a change of a job waits for the job's run under way
Execute = Callable[[Job, Period], Awaitable[object]]


class Scheduler:
    """One sleeping task for each enabled job, one more while it runs."""

    def __init__(self, execute: Execute, clock: Clock) -> None:
        self._execute = execute
        self._clock = clock
        self._due: dict[str, int] = {}
        self._waiting: dict[str, asyncio.Task[None]] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)

    def load(self, jobs: Iterable[Job]) -> None:
        """Schedule jobs that were stored before."""
        for job in jobs:
            self.put(job)

    def put(self, job: Job) -> None:
        """Schedule a new or changed job; a disabled one stops."""
        self.drop(job.id)
        if job.enabled:
            self._waiting[job.id] = asyncio.create_task(self._watch(job), name=f"schedule of {job.id}")

    def drop(self, job_id: str) -> None:
        """Stop scheduling a job; a run under way ends by itself."""
        self._due.pop(job_id, None)
        task = self._waiting.pop(job_id, None)
        if task is not None:
            task.cancel()

    async def stop(self) -> None:
        """Stop all schedules, and the runs under way."""
        tasks = [*self._waiting.values(), *self._running.values()]
        self._waiting.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def settled(self, job_id: str) -> None:
        """Wait for a run of the job that is under way, but not for ever."""
        task = self._running.get(job_id)
        if task is not None:
            await asyncio.wait({task}, timeout=PATIENCE)

    async def advance(self, target: int) -> None:
        """Go ahead to a time, running what is due on the way, each job's run at its moment."""
        # A schedule that was put a moment ago has not looked at the clock yet.
        await asyncio.sleep(0)
        while (due := min(self._due.values(), default=target + 1)) <= target:
            self._clock.go_to(due)
            while any(moment <= due for moment in self._due.values()):
                await asyncio.sleep(0.001)
            await asyncio.gather(*self._running.values(), return_exceptions=True)
        self._clock.go_to(target)

    async def _watch(self, job: Job) -> None:
        schedule, enabled = job.body["schedule"], int(job.body["enabled_time"])
        while True:
            due = next_run(schedule, enabled, self._clock.now())
            if due is None:
                self._due.pop(job.id, None)
                return
            self._due[job.id] = due
            await self._clock.until(due)
            if job.id not in self._running:
                task = asyncio.create_task(self._run(job, period_ending_at(schedule, due)), name=f"run of {job.id}")
                self._running[job.id] = task
                task.add_done_callback(lambda _task: self._running.pop(job.id, None))

    async def _run(self, job: Job, period: Period) -> None:
        async with self._slots:
            try:
                await self._execute(job, period)
            except Exception:
                log.exception(
                    "%s %s (%s) could not be run", "workflow" if job.is_workflow else "monitor", job.name, job.id
                )
