"""Running a job now: `_execute` on a stored monitor or workflow, or on one in the request's body."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisioner.devcluster.standin.access import caller_of
from provisioner.devcluster.standin.alerting.configs import Configs
from provisioner.devcluster.standin.alerting.errors import status_error
from provisioner.devcluster.standin.alerting.model import NO_ID, Job
from provisioner.devcluster.standin.alerting.rest_monitors import MonitorApi
from provisioner.devcluster.standin.alerting.run_query import Tools
from provisioner.devcluster.standin.alerting.run_workflow import run_workflow
from provisioner.devcluster.standin.alerting.runner import run_monitor
from provisioner.devcluster.standin.alerting.schedule import period_ending_at
from provisioner.devcluster.standin.errors import illegal_argument
from provisioner.devcluster.standin.plugin import route
from provisioner.devcluster.standin.rest import answer, bool_param, check_params

BASE = "/_plugins/_alerting"
ACTION, FLOW = "cluster:admin/opendistro/alerting/monitor", "cluster:admin/opensearch/alerting/workflow"
PARAMS = {"dryrun", "period_end"}
UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


class ExecuteApi:
    """The endpoints that run a job at once."""

    def __init__(self, configs: Configs, tools: Tools, monitors: MonitorApi) -> None:
        self._configs = configs
        self._tools = tools
        self._monitors = monitors

    def routes(self) -> list[Route]:
        """The routes."""
        return [
            route(f"{BASE}/monitors/_execute", self.inline, ["POST"], action=f"{ACTION}/execute"),
            route(f"{BASE}/monitors/{{id}}/_execute", self.monitor, ["POST"], action=f"{ACTION}/execute"),
            route(f"{BASE}/workflows/{{id}}/_execute", self.workflow, ["POST"], action=f"{FLOW}/execute"),
        ]

    async def monitor(self, request: Request) -> Response:
        """POST `{id}/_execute`: without `dryrun` it alerts and notifies as on schedule."""
        check_params(request, PARAMS)
        id_ = request.path_params["id"]
        found = await self._configs.get("monitor", id_)
        if found is None:
            raise status_error(404, f"Can't find monitor with id: {id_}")
        return await self._run(request, found[0])

    async def inline(self, request: Request) -> Response:
        """POST `_execute` with a monitor as body: nothing is stored, but without `dryrun` messages are sent.

        It may read what its caller may; the real plugin tells a refusal (403) as the input's error.
        """
        check_params(request, PARAMS)
        form = await self._monitors.parsed(request)
        if caller_of(request):
            for body in (body for item in form["inputs"] for body in item.values()):
                await self._monitors.check_indices(body.get("indices") or [], request)
        return await self._run(request, Job(NO_ID, 1, form))

    async def workflow(self, request: Request) -> Response:
        """POST `{id}/_execute`: a dry run never triggers the chain, since its delegates write no alerts."""
        check_params(request, PARAMS)
        id_ = request.path_params["id"]
        found = await self._configs.get("workflow", id_)
        if found is None:
            raise status_error(404, f"Can't find workflow with id: {id_}")
        job = found[0]
        period = period_ending_at(job.body["schedule"], period_end(request, self._tools.clock.now()))
        return answer(await run_workflow(job, period, self._tools, dryrun=bool_param(request, "dryrun")))

    async def _run(self, request: Request, job: Job) -> Response:
        period = period_ending_at(job.body["schedule"], period_end(request, self._tools.clock.now()))
        return answer(await run_monitor(job, period, self._tools, dryrun=bool_param(request, "dryrun")))


def period_end(request: Request, now: int) -> int:
    """`period_end` in milliseconds: a number with a unit, now when there is none. Raises 400."""
    text = request.query_params.get("period_end")
    if text is None:
        return now
    match = re.fullmatch(r"(\d+)(ms|s|m|h|d)", text.strip())
    if match is None:
        raise illegal_argument(
            f"failed to parse setting [period_end] with value [{text}] as a time value: unit is missing or unrecognized"
        )
    return int(match[1]) * UNITS[match[2]]
