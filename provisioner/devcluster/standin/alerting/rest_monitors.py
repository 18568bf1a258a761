"""`_plugins/_alerting/monitors`: create, update, read, search and delete monitors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisioner.devcluster.standin.access import caller_of
from provisioner.devcluster.standin.alerting.alert_store import EVERYWHERE as ALERTS_EVERYWHERE
from provisioner.devcluster.standin.alerting.alert_store import AlertStore
from provisioner.devcluster.standin.alerting.clock import Clock
from provisioner.devcluster.standin.alerting.configs import Configs
from provisioner.devcluster.standin.alerting.errors import broken, invalid, lost_index, refusal, status_error, wrapped
from provisioner.devcluster.standin.alerting.jobs import Jobs
from provisioner.devcluster.standin.alerting.model import (
    DOC,
    UPDATED_SCHEMA_VERSION,
    Job,
    Json,
)
from provisioner.devcluster.standin.alerting.parse_monitor import monitor_form
from provisioner.devcluster.standin.alerting.parse_trigger import check_throttles
from provisioner.devcluster.standin.alerting.reading import json_object
from provisioner.devcluster.standin.errors import OpenSearchError, StandInError, illegal_argument
from provisioner.devcluster.standin.node import Node
from provisioner.devcluster.standin.plugin import route
from provisioner.devcluster.standin.rest import answer, check_params, int_param
from provisioner.devcluster.standin.settings import ClusterSettings
from provisioner.devcluster.standin.store import Stored

BASE = "/_plugins/_alerting/monitors"
ACTION = "cluster:admin/opendistro/alerting/monitor"
MAX_MONITORS = 1000
MAX_TRIGGERS = 10
EMPTY_SEARCH: Json = {
    "_scroll_id": "",
    "took": 0,
    "timed_out": False,
    "terminated_early": False,
    "num_reduce_phases": 0,
    "_shards": {"total": 0, "successful": 0, "skipped": 0, "failed": 0},
    "hits": {"total": {"value": 0, "relation": "eq"}, "max_score": 0.0, "hits": []},
    "suggest": {},
    "profile": {"shards": []},
}
_MODEL = "org.opensearch.commons.alerting.model"
WRONG_INPUT = (
    f"class {_MODEL}.SearchInput cannot be cast to class {_MODEL}.DocLevelMonitorInput ({_MODEL}.SearchInput and "
    f"{_MODEL}.DocLevelMonitorInput are in unnamed module of loader java.net.URLClassLoader @3f048c86)"
)
# A monitor that was deleted a moment ago: the plugin stumbles over the empty document, and its answer is cut off.
CUT_OFF = (
    '{"error":{"root_cause":[{"type":"alerting_exception","reason":"Cannot invoke '
    '\\"org.opensearch.core.common.bytes.BytesReference.length()\\" because \\"bytes\\" is null"}],'
    '"type":"alerting_exception","reason":"Cannot invoke '
    '\\"org.opensearch.core.common.bytes.BytesReference.length()\\" because \\"bytes\\" is null",'
    '"caused_by":{"type":"exception","reason'
)


class MonitorApi:
    """The endpoints for monitors."""

    def __init__(self, node: Node, configs: Configs, alerts: AlertStore, jobs: Jobs, clock: Clock) -> None:
        self._node = node
        self._alerts = alerts
        self._clock = clock
        self._configs = configs
        self._jobs = jobs
        self._deleted: set[str] = set()
        self._settings = ClusterSettings(node)

    def routes(self) -> list[Route]:
        """The routes; `_search` must stand before the ids."""
        return [
            route(BASE, self.create, ["POST"], action=f"{ACTION}/write"),
            route(f"{BASE}/", self.create, ["POST"], action=f"{ACTION}/write"),
            route(f"{BASE}/_search", self.search, ["GET", "POST"], action=f"{ACTION}/search"),
            route(f"{BASE}/{{id}}", self.read, ["HEAD", "GET"], action=f"{ACTION}/get"),
            route(f"{BASE}/{{id}}", self.update, ["PUT"], action=f"{ACTION}/write"),
            route(f"{BASE}/{{id}}", self.delete, ["DELETE"], action=f"{ACTION}/delete"),
        ]

    async def create(self, request: Request) -> Response:
        """POST: store a monitor under an id of the server's."""
        check_params(request, {"refresh", "if_seq_no", "if_primary_term"})
        form = await self.parsed(request)
        await self._check(form, request)
        limit = await self._settings.get("plugins.alerting.monitor.max_monitors")
        allowed = MAX_MONITORS if limit is None else int(limit)
        if await self._configs.count() >= allowed:
            raise invalid(f"This request would create more than the allowed monitors [{allowed}].")
        job, stored = await self._jobs.create("monitor", form)
        made = answer(_shown(job, stored), 201)
        made.headers["Location"] = f"{BASE}/{job.id}"
        return made

    async def update(self, request: Request) -> Response:
        """PUT: replace a monitor; alerts of triggers that it no longer has end."""
        check_params(request, {"refresh", "if_seq_no", "if_primary_term"})
        form = await self.parsed(request)
        tokens = concurrency_tokens(request)
        id_ = request.path_params["id"]
        await self._check(form, request)
        found = await self._configs.get("monitor", id_)
        if found is None:
            raise status_error(404, f"Monitor with {id_} is not found")
        job, stored = await self._jobs.update("monitor", found[0], updated_form(form, found[0]), tokens)
        return answer(_shown(job, stored))

    async def parsed(self, request: Request) -> Json:
        """The monitor in the request's body. Raises 500 for invalid JSON, which the plugin's own parser meets."""
        try:
            sent = await json_object(request, self._node)
        except OpenSearchError as error:
            if error.type in ("json_parse_exception", "stream_read_exception"):
                raise wrapped(error, 500) from None
            raise
        try:
            return await monitor_form(sent, self._node, self._clock.now())
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise broken(f"the monitor can't be read: {type(error).__name__}: {error}") from None

    async def read(self, request: Request) -> Response:
        """GET: a monitor with its tokens and the workflows that run it."""
        check_params(request, {"version", "_source", "_source_includes", "_source_excludes"})
        found = await self._configs.get("monitor", request.path_params["id"])
        if found is None:
            made = (await self._node.request("HEAD", f"/{self._configs.store.index}")).ok
            raise status_error(404, "Monitor not found." if made else "Monitor not found. Backing index is missing.")
        job, stored = found
        workflows = await self._configs.workflows_of(job.id)
        shown = _shown(_for_client(job, request), stored)
        return answer({**shown, "associated_workflows": [{"id": flow.id, "name": flow.name} for flow in workflows]})

    async def search(self, request: Request) -> Response:
        """GET or POST `_search`: monitors and workflows without the key under which they are stored; or alerts."""
        check_params(request, {"index"})
        if not await request.body():
            raise OpenSearchError(400, "parse_exception", "request body or source parameter is required")
        index = request.query_params.get("index", self._configs.store.index)
        if index == ALERTS_EVERYWHERE:
            return answer(await self._alerts.search(await json_object(request, self._node)))
        if index != self._configs.store.index:
            raise illegal_argument("Invalid index name.")
        found = await self._configs.search(await json_object(request, self._node))
        if not found["_shards"]["total"]:
            return answer(EMPTY_SEARCH)
        for hit in found["hits"]["hits"]:
            [(_kind, body)] = hit["_source"].items()
            hit["_source"] = _for_client(Job(hit["_id"], hit["_version"], body), request).body
        return answer(found)

    async def delete(self, request: Request) -> Response:
        """DELETE: not while a workflow runs it; its alerts end."""
        check_params(request, {"refresh"})
        id_ = request.path_params["id"]
        if await self._configs.get("monitor", id_) is None:
            if id_ in self._deleted:
                return Response(CUT_OFF, 404, media_type="application/json; charset=UTF-8")
            raise status_error(404, f"Monitor with {id_} is not found")
        if await self._configs.workflows_of(id_):
            reason = "Monitor can't be deleted because it is a part of workflow(s)"
            cause = {"type": "illegal_state_exception", "reason": None}
            raise OpenSearchError(403, "alerting_exception", reason, caused_by=cause)
        return answer({"_id": id_, "_version": await self.remove(id_)})

    async def remove(self, id_: str) -> int:
        """Delete a monitor and give the version of the deletion."""
        self._deleted.add(id_)
        return await self._jobs.delete("monitor_id", id_)

    async def _check(self, form: Json, request: Request) -> None:
        """What the plugin checks against the cluster: indexes, and limits."""
        kinds = [(kind, body) for item in form["inputs"] for kind, body in item.items()]
        is_doc = form["monitor_type"] == DOC
        for kind, body in kinds:
            if is_doc and kind != "doc_level_input":
                raise refusal(500, WRONG_INPUT, "org.opensearch.commons.alerting.util.AlertingException")
            if kind in ("search", "doc_level_input"):
                if is_doc and any("*" in index for index in body["indices"]):
                    reason = "Validation Failed: 1: Index patterns are not supported for doc level monitors.;"
                    raise OpenSearchError(400, "action_request_validation_exception", reason)
                await self.check_indices(body["indices"], request)
        if len(form["triggers"]) > MAX_TRIGGERS:
            raise invalid(f"Monitors can only support up to {MAX_TRIGGERS} triggers.")
        check_throttles(form["triggers"])

    async def check_indices(self, indices: list[str], request: Request) -> None:
        """The indices must be there, and the caller must be allowed to read them. Raises 404, 403."""
        names = ",".join(quote(index, safe="*<>{},") for index in indices)
        path, body = f"/{names}/_search" if names else "/_search", {"size": 0}
        if caller_of(request):
            reply = await self._node.as_caller("POST", path, request.headers, body=body)
        else:
            reply = await self._node.request("POST", path, body=body)
        if reply.ok:
            return
        if reply.status == 403:
            listed = ", ".join(indices)
            raise status_error(403, f"User doesn't have read permissions for one or more configured index [{listed}]")
        error = reply.body.get("error", {}) if isinstance(reply.body, dict) else {}
        if error.get("type") == "index_not_found_exception":
            raise lost_index(", ".join(indices), str(error.get("index")))
        raise wrapped(StandInError(reply.status, reply.body))


def updated_form(form: Json, current: Job) -> Json:
    """A job's new form: it stays enabled since when it was."""
    enabled = current.body["enabled_time"] if form["enabled"] and current.enabled else form["enabled_time"]
    return {**form, "schema_version": UPDATED_SCHEMA_VERSION, "enabled_time": enabled}


def concurrency_tokens(request: Request) -> Mapping[str, Any]:
    """`if_seq_no` and `if_primary_term`: both or none. Raises 400."""
    seq_no, term = int_param(request, "if_seq_no"), int_param(request, "if_primary_term")
    cause = "org.opensearch.action.ActionRequestValidationException"
    if seq_no is not None and not term:
        raise refusal(400, "Validation Failed: 1: ifSeqNo is set, but primary term is [0];", cause)
    if seq_no is None and term:
        raise refusal(400, f"Validation Failed: 1: ifSeqNo is unassigned, but primary term is [{term}];", cause)
    return {"if_seq_no": seq_no, "if_primary_term": term}


def _shown(job: Job, stored: Stored) -> Json:
    body = {key: value for key, value in job.body.items() if key != "user"}
    tokens = {"_seq_no": stored.seq_no, "_primary_term": stored.primary_term}
    return {"_id": job.id, "_version": job.version, **tokens, "monitor": body}


def _for_client(job: Job, request: Request) -> Job:
    """Nobody is shown the user, and only OpenSearch Dashboards `ui_metadata`."""
    hidden = {"user"}
    if "OpenSearch-Dashboards" not in request.headers.get("user-agent", ""):
        hidden.add("ui_metadata")
    return Job(job.id, job.version, {key: value for key, value in job.body.items() if key not in hidden})
