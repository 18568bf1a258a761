"""The explain API: where each managed index stands."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from provisioner.devcluster.standin.access import MANAGED_INDEX, may_on
from provisioner.devcluster.standin.errors import OpenSearchError
from provisioner.devcluster.standin.ism.indexes import Index, Indexes
from provisioner.devcluster.standin.ism.jobs import Jobs
from provisioner.devcluster.standin.ism.managed import Metadata
from provisioner.devcluster.standin.ism.records import Managed, Records
from provisioner.devcluster.standin.rest import answer, bool_param, check_params, int_param, parsed

_PARAMS = (
    *("size", "from", "sortField", "sortOrder", "queryString", "show_policy", "validate_action"),
    *("local", "type", "master_timeout", "cluster_manager_timeout"),
)
_POLICY_ID = ("index.plugins.index_state_management.policy_id", "index.opendistro.index_state_management.policy_id")


class Explain:
    """Answers `GET` and `POST /_plugins/_ism/explain[/{index}]`."""

    def __init__(self, indexes: Indexes, records: Records, jobs: Jobs) -> None:
        self._indexes = indexes
        self._records = records
        self._jobs = jobs

    async def handle(self, request: Request) -> Response:
        """Explain the named indexes, managed or not; without a name, all managed ones by pages.

        It shows every change at once. (The plugin's own lags behind by up to a second: it searches.)
        """
        check_params(request, _PARAMS)
        wanted = await parsed(request, self._indexes.node, _filter) if request.method == "POST" else {}
        await self._jobs.sweep()
        named = [name for name in request.path_params.get("index", "").split(",") if name]
        indexes = await self._indexes.find(named)
        if named and not indexes:
            reason = "Validation Failed: 1: no documents to get;"
            raise OpenSearchError(400, "action_request_validation_exception", reason)
        indexes = [index for index in indexes if may_on(request, index.name, MANAGED_INDEX)]
        known = await self._records.managed_many(indexes)
        # The policy is part of the plugin's search, so it counts before the pages are cut; all else is looked up later.
        policy_id = wanted.get("policy_id")
        managed = {uuid: one for uuid, one in known.items() if policy_id in (None, one.policy_id)}
        total = len(managed)
        if not named:
            indexes = sorted((i for i in indexes if i.uuid in managed), key=lambda i: i.name)
            indexes = self._page(request, indexes)
        shown = {}
        for index in indexes:
            if index.uuid in known and not _passes(known[index.uuid].metadata, wanted):
                total -= index.uuid in managed
            else:
                shown[index.name] = self._one(request, managed.get(index.uuid))
        return answer({**shown, "total_managed_indices": total})

    def _page(self, request: Request, indexes: list[Index]) -> list[Index]:
        if request.query_params.get("sortOrder") == "desc":
            indexes.reverse()
        start, size = int_param(request, "from", 0) or 0, int_param(request, "size", 20)
        return indexes[start : start + (20 if size is None else size)]

    def _one(self, request: Request, managed: Managed | None) -> dict[str, Any]:
        policy_id = managed.policy_id if managed else None
        shown: dict[str, Any] = dict.fromkeys(_POLICY_ID, policy_id)
        if managed and managed.metadata:
            shown |= explained(managed.metadata)
        elif managed:
            shown |= {"index": managed.index, "index_uuid": managed.uuid, "policy_id": policy_id}
        shown["enabled"] = managed.enabled if managed else None
        if managed and bool_param(request, "show_policy"):
            shown["policy"] = managed.policy
        if bool_param(request, "validate_action"):
            shown["validate"] = {"validation_message": "Starting Validation", "validation_status": "passed"}
        return shown


def explained(metadata: Metadata) -> dict[str, Any]:
    """What the explain API shows of the metadata."""
    shown: dict[str, Any] = {key: metadata[key] for key in ("index", "index_uuid", "policy_id")}
    for key in ("policy_seq_no", "policy_primary_term"):
        if metadata.get(key) is not None:
            shown[key] = metadata[key]
    action = metadata.get("action")
    if metadata.get("rolled_over") or (action and action["name"] == "rollover"):
        shown["rolled_over"] = bool(metadata.get("rolled_over"))
        if metadata.get("rolled_over_index_name"):
            shown["rolled_over_index_name"] = metadata["rolled_over_index_name"]
    shown["index_creation_date"] = metadata["index_creation_date"]
    if metadata.get("policy_completed"):
        return {**shown, "policy_completed": True}
    if metadata.get("transition_to") is not None:
        shown["transition_to"] = metadata["transition_to"]
    else:
        shown |= {key: metadata[key] for key in ("state", "action", "step") if metadata.get(key)}
    shown["retry_info"] = metadata["retry_info"]
    if metadata.get("info") is not None:
        shown["info"] = metadata["info"]
    return shown


def _filter(body: Any) -> dict[str, Any]:
    wanted = body.get("filter", {}) if isinstance(body, dict) else {}
    return wanted if isinstance(wanted, dict) else {}


def _passes(metadata: Metadata | None, wanted: dict[str, Any]) -> bool:
    """Whether an index is in the POST body's filter by what is remembered of it; one without metadata always is.

    `failed` asks the action and the index: false finds an index too whose action alone has failed.
    """
    if metadata is None:
        return True
    state, action = metadata.get("state") or {}, metadata.get("action") or {}
    failures = [action["failed"]] if action else []
    failures.append(metadata["retry_info"]["failed"])
    return (
        wanted.get("state") in (None, state.get("name"))
        and wanted.get("action_type") in (None, action.get("name"))
        and (wanted.get("failed") is None or wanted["failed"] in failures)
    )
