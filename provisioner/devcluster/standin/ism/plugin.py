"""The REST API of Index State Management (`/_plugins/_ism`)."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from provisioner.devcluster.standin.access import MANAGED_INDEX, caller_of, may_on
from provisioner.devcluster.standin.errors import OpenSearchError, illegal_argument, status_exception
from provisioner.devcluster.standin.ism import managed as way
from provisioner.devcluster.standin.ism.actions import type_of
from provisioner.devcluster.standin.ism.clock import Clock
from provisioner.devcluster.standin.ism.explain import Explain
from provisioner.devcluster.standin.ism.index_settings import IndexSettings
from provisioner.devcluster.standin.ism.indexes import Index, Indexes
from provisioner.devcluster.standin.ism.jobs import Jobs
from provisioner.devcluster.standin.ism.policy import SCHEMA_VERSION, parse_body
from provisioner.devcluster.standin.ism.records import CONFIG_INDEX, Records
from provisioner.devcluster.standin.ism.requests import Outcome, index_names, optional_object, parse_change
from provisioner.devcluster.standin.ism.steps import Context
from provisioner.devcluster.standin.ism.templates import check_templates
from provisioner.devcluster.standin.node import Node
from provisioner.devcluster.standin.plugin import Notifier, SettingsReader, route
from provisioner.devcluster.standin.rest import answer, check_params, int_param, parsed
from provisioner.devcluster.standin.scalars import text
from provisioner.devcluster.standin.store import Stored

_BASE = "/_plugins/_ism"
_ACTION = "cluster:admin/opendistro/ism"
_LIST_PARAMS = ("size", "from", "sortField", "sortOrder", "queryString")
_PATIENCE = 5.0  # seconds
_ALLOW_LIST = "plugins.index_state_management.allow_list"


class IsmPlugin:
    """Policies and managed indexes. Implements `plugin.Plugin`."""

    name = "ism"

    def __init__(
        self,
        node: Node,
        notifier: Notifier,
        settings: SettingsReader,
        job_interval: float,
        clock: Clock | None = None,
    ) -> None:
        self._node = node
        self._settings = settings
        self.clock = clock or Clock()
        self._indexes = Indexes(node, self.clock)
        self._records = Records(node)
        context = Context(node, self._indexes, notifier, settings, self.clock)
        self._index_settings = IndexSettings(node, self._indexes)
        self.jobs = Jobs(context, self._records, self._index_settings, job_interval)
        self._explain = Explain(self._indexes, self._records, self.jobs)
        self._stopping = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    def routes(self) -> list[Route]:
        """The plugin's routes."""
        routes = [
            route(f"{_BASE}/policies", self._list, ["GET"], action=f"{_ACTION}/policy/search"),
            route(f"{_BASE}/policies", self._put, ["PUT"], action=f"{_ACTION}/policy/write"),
            route(f"{_BASE}/policies/{{policy_id}}", self._get, ["GET", "HEAD"], action=f"{_ACTION}/policy/get"),
            route(f"{_BASE}/policies/{{policy_id}}", self._put, ["PUT"], action=f"{_ACTION}/policy/write"),
            route(f"{_BASE}/policies/{{policy_id}}", self._delete, ["DELETE"], action=f"{_ACTION}/policy/delete"),
            route(f"{_BASE}/explain", self._explain.handle, ["GET", "POST"], action=f"{_ACTION}/managedindex/explain"),
            route(
                f"{_BASE}/explain/{{index}}",
                self._explain.handle,
                ["GET", "POST"],
                action=f"{_ACTION}/managedindex/explain",
            ),
        ]
        for verb, handler in (
            ("add", self._add),
            ("remove", self._remove),
            ("retry", self._retry),
            ("change_policy", self._change),
        ):
            action = f"{_ACTION}/managedindex/{verb.removesuffix('_policy')}"
            routes += [route(f"{_BASE}/{verb}{end}", handler, ["POST"], action=action) for end in ("", "/{index}")]
        return [*routes, *self._index_settings.routes()]

    async def start(self) -> None:
        """Start the jobs."""
        self._stopping = asyncio.Event()
        self._running = asyncio.create_task(self.jobs.run_until_stopped(self._stopping))

    async def stop(self) -> None:
        """Stop the jobs: a step that has begun is finished, for some seconds; the next start sees if it was cut off."""
        if self._running is None:
            return
        self._stopping.set()
        done, _ = await asyncio.wait({self._running}, timeout=_PATIENCE)
        if not done:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._running

    async def _put(self, request: Request) -> Response:
        check_params(request, ("policyID", "if_seq_no", "if_primary_term", "refresh"))
        policy_id = request.path_params.get("policy_id") or request.query_params.get("policyID")
        if not policy_id:
            raise illegal_argument("Missing policy ID")
        now = self.clock.now()
        policy = await parsed(request, self._node, lambda body: parse_body(body, policy_id, now))
        refused = await self._disallowed(policy)
        if refused:
            listed = f"You have actions that are not allowed in your policy [{', '.join(refused)}]"
            return PlainTextResponse(listed, 403)
        seq_no, term = int_param(request, "if_seq_no"), int_param(request, "if_primary_term")
        if policy["ism_template"] is not None:
            others = await self._records.policies()
            check_templates(policy, {id_: stored.source["policy"] for id_, stored in others.items()})
        kept = {**policy, "schema_version": SCHEMA_VERSION}
        stored = await self._records.put_policy(policy_id, kept, if_seq_no=seq_no, if_primary_term=term)
        shown = {
            "_id": stored.id,
            "_version": stored.version,
            "_primary_term": stored.primary_term,
            "_seq_no": stored.seq_no,
            "policy": {"policy": policy},
        }
        response = answer(shown, 201 if stored.version == 1 else 200)
        if response.status_code == 201:
            response.headers["location"] = f"{_BASE}/policies/{quote(policy_id, safe='')}"
        return response

    async def _disallowed(self, policy: dict[str, Any]) -> list[str]:
        allowed = await self._settings.get(_ALLOW_LIST)
        if allowed is None:
            return []
        kinds = [type_of(action) for state in policy["states"] for action in state["actions"]]
        return list(dict.fromkeys(kind for kind in kinds if kind not in allowed))

    async def _get(self, request: Request) -> Response:
        check_params(request, ("version", *_LIST_PARAMS))
        found = await self._records.policy(request.path_params["policy_id"])
        if found is None:
            raise status_exception(404, "Policy not found")
        tokens = {"_seq_no": found.seq_no, "_primary_term": found.primary_term}
        shown = {"_id": found.id, "_version": found.version, **tokens, "policy": found.source["policy"]}
        return Response(status_code=200) if request.method == "HEAD" else answer(shown)

    async def _list(self, request: Request) -> Response:
        check_params(request, _LIST_PARAMS)
        params = request.query_params
        body = {
            "from": int_param(request, "from", 0),
            "size": int_param(request, "size", 20),
            "sort": [{params.get("sortField", "policy.policy_id.keyword"): params.get("sortOrder", "asc")}],
            "query": named(params.get("queryString", "*"), "policy.policy_id"),
        }
        hits = (await self._records.store.search(body))["hits"]
        policies = [
            {"_id": p.id, "_seq_no": p.seq_no, "_primary_term": p.primary_term, "policy": p.source["policy"]}
            for p in map(Stored.of_hit, hits["hits"])
        ]
        return answer({"policies": policies, "total_policies": hits["total"]["value"]})

    async def _delete(self, request: Request) -> Response:
        check_params(request, ("refresh",))
        policy_id = request.path_params["policy_id"]
        if await self._records.policy(policy_id) is None:
            raise status_exception(404, f"Policy {policy_id} is not found")
        path = f"/{CONFIG_INDEX}/_doc/{quote(policy_id, safe='')}"
        reply = await self._node.request("DELETE", path, params={"refresh": True})
        self._records.policies_changed += 1
        return answer(reply.body, reply.status)

    async def _add(self, request: Request) -> Response:
        names = index_names(request)
        body = await optional_object(request, self._node)
        if body.get("policy_id") is None:
            raise illegal_argument("Missing policy_id")
        policy = await self._records.needed_policy(text(body["policy_id"]))
        outcome = Outcome()
        for index in await self._indexes.find(names):
            if not may_on(request, index.name, MANAGED_INDEX):
                continue
            async with self.jobs.locks[index.uuid]:
                made = await self._records.manage(index, policy, self.clock.now(), anew=True)
            already = "This index already has a policy, use the update policy API to update index policies"
            outcome.note(index, None if made else already)
        await self.jobs.sweep()
        return outcome.answer()

    async def _remove(self, request: Request) -> Response:
        outcome = Outcome()
        for index in _permitted(request, await self._indexes.find(index_names(request))):
            async with self.jobs.locks[index.uuid]:
                if await self._records.managed(index.uuid) is None:
                    outcome.note(index, "This index does not have a policy to remove")
                    continue
                await self._records.unmanage(index.uuid)
                self.jobs.drop(index.uuid)
                outcome.note(index, None)
        return outcome.answer()

    async def _retry(self, request: Request) -> Response:
        names = index_names(request)
        state = (await optional_object(request, self._node)).get("state")
        outcome = Outcome()
        for index in _permitted(request, await self._indexes.find(names, strict=True)):
            async with self.jobs.locks[index.uuid]:
                managed = await self._records.managed(index.uuid)
                if managed is None:
                    outcome.note(index, "This index is not being managed.")
                elif managed.metadata is None:
                    outcome.note(index, "This index has no metadata information")
                elif not way.is_failed(managed.metadata):
                    outcome.note(index, "This index is not in failed state.")
                else:
                    metadata = way.retried(managed.metadata, state)
                    await self._records.save(replace(managed, enabled=True, metadata=metadata))
                    outcome.note(index, None)
        return outcome.answer()

    async def _change(self, request: Request) -> Response:
        names = index_names(request)
        wanted = await parsed(request, self._node, parse_change)
        policy = await self._records.needed_policy(wanted["policy_id"])
        outcome = Outcome()
        for index in _permitted(request, await self._indexes.find(names, strict=True)):
            async with self.jobs.locks[index.uuid]:
                await self._change_one(index, policy, wanted, outcome)
        return outcome.answer()

    async def _change_one(self, index: Index, policy: Stored, wanted: dict[str, Any], outcome: Outcome) -> None:
        managed = await self._records.managed(index.uuid)
        if managed is None:
            outcome.note(index, "This index is not being managed")
            return
        metadata, state = managed.metadata, wanted["state"]
        if metadata and metadata["transition_to"] is not None:
            outcome.note(index, "Cannot change policy while transitioning to new state")
            return
        current = metadata["state"]["name"] if metadata and metadata["state"] else None
        if metadata and wanted["include"] and current not in wanted["include"]:
            return
        safe = way.safe_to_change(managed.policy, policy.source["policy"], metadata, state)
        change = {"policy_id": policy.id, "state": state, "is_safe": safe}
        await self._records.save(replace(managed, change=change))
        outcome.note(index, None)


def _permitted(request: Request, indices: list[Index]) -> list[Index]:
    """The same indices. Raises 403 where the caller may not manage one of them."""
    caller = caller_of(request)
    if caller and not all(caller.may_on(index.name, MANAGED_INDEX) for index in indices):
        told = caller.refusal(MANAGED_INDEX).reason
        reason = f"User doesn't have required index permissions on one or more requested indices: {told}"
        cause = {"type": "exception", "reason": f"org.opensearch.OpenSearchStatusException: {reason}"}
        raise OpenSearchError(403, "index_management_exception", reason, caused_by=cause)
    return indices


def named(query: str, prefix: str) -> dict[str, Any]:
    """A search for documents whose name matches a query string."""
    text_query = {"query": query, "fields": [f"{prefix}.keyword"], "default_operator": "and"}
    return {"bool": {"must": [{"exists": {"field": prefix}}, {"query_string": text_query}]}}
