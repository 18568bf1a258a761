"""`_plugins/_alerting/workflows`: create, update, read and delete workflows."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisioner.devcluster.standin.alerting.clock import Clock
from provisioner.devcluster.standin.alerting.configs import Configs, delegates
from provisioner.devcluster.standin.alerting.errors import broken, invalid, status_error
from provisioner.devcluster.standin.alerting.jobs import Jobs
from provisioner.devcluster.standin.alerting.model import Job, Json
from provisioner.devcluster.standin.alerting.parse_trigger import check_throttles
from provisioner.devcluster.standin.alerting.parse_workflow import workflow_form
from provisioner.devcluster.standin.alerting.reading import json_object
from provisioner.devcluster.standin.alerting.rest_monitors import (
    MAX_TRIGGERS,
    MonitorApi,
    concurrency_tokens,
    updated_form,
)
from provisioner.devcluster.standin.errors import OpenSearchError
from provisioner.devcluster.standin.node import Node
from provisioner.devcluster.standin.plugin import route
from provisioner.devcluster.standin.rest import answer, bool_param, check_params

BASE = "/_plugins/_alerting/workflows"
ACTION = "cluster:admin/opensearch/alerting/workflow"


class WorkflowApi:
    """The endpoints for workflows."""

    def __init__(self, node: Node, configs: Configs, jobs: Jobs, monitors: MonitorApi, clock: Clock) -> None:
        self._node = node
        self._clock = clock
        self._configs = configs
        self._jobs = jobs
        self._monitors = monitors

    def routes(self) -> list[Route]:
        """The routes."""
        return [
            route(BASE, self.create, ["POST"], action=f"{ACTION}/write"),
            route(f"{BASE}/{{id}}", self.read, ["HEAD", "GET"], action=f"{ACTION}/get"),
            route(f"{BASE}/{{id}}", self.update, ["PUT"], action=f"{ACTION}/write"),
            route(f"{BASE}/{{id}}", self.delete, ["DELETE"], action=f"{ACTION}/delete"),
        ]

    async def create(self, request: Request) -> Response:
        """POST: store a workflow; its monitors must be there."""
        check_params(request, {"refresh", "if_seq_no", "if_primary_term"})
        form = await self._parsed(request)
        job, stored = await self._jobs.create("workflow", form)
        made = answer(_shown(job, stored.seq_no, stored.primary_term), 201)
        made.headers["Location"] = f"{BASE}/{job.id}"
        return made

    async def update(self, request: Request) -> Response:
        """PUT: replace a workflow."""
        check_params(request, {"refresh", "if_seq_no", "if_primary_term"})
        id_ = request.path_params["id"]
        form = await self._parsed(request)
        tokens = concurrency_tokens(request)
        found = await self._configs.get("workflow", id_)
        if found is None:
            raise status_error(404, f"Workflow with {id_} is not found")
        job, stored = await self._jobs.update("workflow", found[0], updated_form(form, found[0]), tokens)
        return answer(_shown(job, stored.seq_no, stored.primary_term))

    async def _parsed(self, request: Request) -> Json:
        sent = await json_object(request, self._node)
        try:
            form = workflow_form(sent, self._clock.now())
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise broken(f"the workflow can't be read: {type(error).__name__}: {error}") from None
        if len(form["triggers"]) > MAX_TRIGGERS:
            raise invalid(f"Monitors can only support up to {MAX_TRIGGERS} triggers.")
        check_throttles(form["triggers"])
        wanted = delegates(Job("", 1, form))
        missing = [id_ for id_ in wanted if await self._configs.get("monitor", id_) is None]
        if missing:
            raise invalid(f"{', '.join(missing)} are not valid monitor ids")
        return form

    async def read(self, request: Request) -> Response:
        """GET: a workflow with its tokens."""
        check_params(request, {"version", "_source", "_source_includes", "_source_excludes"})
        found = await self._configs.get("workflow", request.path_params["id"])
        if found is None:
            raise status_error(404, "Workflow not found.")
        return answer(_shown(found[0], found[1].seq_no, found[1].primary_term))

    async def delete(self, request: Request) -> Response:
        """DELETE: with `deleteDelegateMonitors` its monitors too, unless another workflow runs one of them."""
        check_params(request, {"refresh", "deleteDelegateMonitors"})
        id_ = request.path_params["id"]
        found = await self._configs.get("workflow", id_)
        if found is None:
            raise status_error(404, "Workflow not found.")
        with_delegates = bool_param(request, "deleteDelegateMonitors")
        monitors = delegates(found[0]) if with_delegates else []
        shared = [m for m in monitors if any(flow.id != id_ for flow in await self._configs.workflows_of(m))]
        if shared:
            cause = {"type": "illegal_state_exception", "reason": None}
            reason = f"Not allowed to delete {', '.join(shared)} monitors"
            raise OpenSearchError(403, "alerting_exception", reason, caused_by=cause)
        version = await self._jobs.delete("workflow_id", id_)
        for monitor_id in monitors:
            await self._monitors.remove(monitor_id)
        return answer({"_id": id_, "_version": version, "NON_DELETED_MONITORS": [] if with_delegates else None})


def _shown(job: Job, seq_no: int, primary_term: int) -> Json:
    return {
        "_id": job.id,
        "_version": job.version,
        "_seq_no": seq_no,
        "_primary_term": primary_term,
        "workflow": {key: value for key, value in job.body.items() if key != "user"},
    }
