"""Running a job by its kind."""

from __future__ import annotations

import logging
import uuid
from datetime import UTC, datetime

from provisioner.devcluster.standin.alerting.alerts import RunOf
from provisioner.devcluster.standin.alerting.model import BUCKET, DOC, STANDARD_TYPES, Job, Json, Period
from provisioner.devcluster.standin.alerting.run_bucket import run_bucket_monitor
from provisioner.devcluster.standin.alerting.run_doc import run_doc_monitor
from provisioner.devcluster.standin.alerting.run_query import Run, Tools, run_query_monitor

log = logging.getLogger(__name__)


def execution_id(job_id: str) -> str:
    """The id of one execution: job, time and a random part, as the plugin makes it."""
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
    return f"{job_id}_{now}_{uuid.uuid4()}"


async def run_monitor(job: Job, period: Period, tools: Tools, *, dryrun: bool, of: RunOf | None = None) -> Json:
    """Run a monitor over `period` and give the run result; `of` when a workflow runs it."""
    run = Run(job, period, dryrun, of or RunOf(job, execution_id(job.id)))
    if job.monitor_type not in STANDARD_TYPES:
        return {
            "monitor_name": job.name,
            "period_start": period.start,
            "period_end": period.end,
            "error": f"Monitor Type {job.monitor_type} not known",
            "input_results": {"results": [], "error": None},
            "trigger_results": {},
        }
    if not run.dryrun:
        await tools.alerts.ensure()
    if job.monitor_type == BUCKET:
        return await run_bucket_monitor(run, tools)
    if job.monitor_type == DOC:
        return await run_doc_monitor(run, tools)
    return await run_query_monitor(run, tools)
