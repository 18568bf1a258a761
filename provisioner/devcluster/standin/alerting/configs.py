"""Monitors, workflows and their run metadata, stored on the node in the index that the real plugin uses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from provisioner.devcluster.standin.alerting.model import Job, Json
from provisioner.devcluster.standin.node import Node
from provisioner.devcluster.standin.store import Store, Stored

INDEX = ".opendistro-alerting-config"
_NAME = {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}}
_COMMON = {
    "schema_version": {"type": "integer"},
    "name": _NAME,
    "type": {"type": "keyword"},
    "owner": {"type": "keyword"},
    "enabled": {"type": "boolean"},
    "enabled_time": {"type": "date"},
    "last_update_time": {"type": "date"},
}
MAPPINGS: Json = {
    "dynamic": False,
    "properties": {
        "monitor": {
            "dynamic": False,
            "properties": {
                **_COMMON,
                "monitor_type": {"type": "keyword"},
                "ui_metadata": {"type": "object", "enabled": False},
            },
        },
        "workflow": {"dynamic": False, "properties": {**_COMMON, "workflow_type": {"type": "keyword"}}},
    },
}
IS_JOB = {"bool": {"should": [{"exists": {"field": "monitor"}}, {"exists": {"field": "workflow"}}]}}


class Configs:
    """Reading and writing jobs; concurrency tokens and conflicts are the node's own."""

    def __init__(self, node: Node) -> None:
        self.store = Store(node, INDEX, MAPPINGS)

    async def get(self, kind: str, id_: str) -> tuple[Job, Stored] | None:
        """The job of that kind (`monitor` or `workflow`), or None."""
        stored = await self.store.get(id_)
        if stored is None or kind not in stored.source:
            return None
        return Job(stored.id, stored.version, stored.source[kind]), stored

    async def put(self, kind: str, id_: str | None, body: Json, **tokens: Any) -> Stored:
        """Store a job; the node makes the id of a new one.

        Raises:
            StandInError: 409 with the node's body when the tokens are stale.
        """
        return await self.store.put(id_, {kind: body}, **tokens)

    async def delete(self, id_: str) -> int:
        """Delete a job and what its runs remembered, at once; the version of the deletion."""
        lines = [{"delete": {"_index": INDEX, "_id": gone}} for gone in (id_, metadata_id(id_))]
        reply = await self.store.node.request("POST", "/_bulk", params={"refresh": True}, body=lines)
        return int(reply.checked().body["items"][0]["delete"]["_version"])

    async def jobs(self) -> AsyncIterator[Job]:
        """Every monitor and workflow."""
        async for stored in self.store.all(IS_JOB):
            [body] = stored.source.values()
            yield Job(stored.id, stored.version, body)

    async def workflows_of(self, monitor_id: str) -> list[Job]:
        """The workflows that have this monitor as a delegate."""
        return [job async for job in self.jobs() if job.is_workflow and monitor_id in delegates(job)]

    async def search(self, body: Json) -> Json:
        """A client's search over monitors and workflows, as the plugin narrows it."""
        query: Json = {"bool": {"must": [body.get("query", {"match_all": {}}), IS_JOB]}}
        if "query" not in body:
            query["bool"]["must"] = [IS_JOB]
        # Equal scores stand in the order of writing; the server's own order depends on how it merged segments.
        sort = body.get("sort", [{"_score": "desc"}, {"_seq_no": "asc"}])
        asked = {key: value for key, value in body.items() if key != "_source"}
        found = await self.store.search({**asked, "query": query, "sort": sort})
        if "sort" not in body:
            for hit in found["hits"]["hits"]:
                del hit["sort"]
            scores = [hit["_score"] for hit in found["hits"]["hits"]]
            found["hits"]["max_score"] = max(scores, default=None)
        return found

    async def count(self) -> int:
        """How many jobs there are."""
        found = await self.store.search({"size": 0, "track_total_hits": True, "query": IS_JOB})
        return int(found["hits"]["total"]["value"])

    async def metadata(self, id_: str) -> Json:
        """What the runs of a job remember (`last_run_context`), {} before the first."""
        stored = await self.store.get(id_)
        found: Json = stored.source.get("metadata", {}) if stored else {}
        return found

    async def put_metadata(self, id_: str, metadata: Json) -> None:
        """Remember for the next run."""
        await self.store.put(id_, {"metadata": metadata}, refresh=False)


def metadata_id(job_id: str, workflow_id: str = "") -> str:
    """The id of the metadata; a delegate keeps one for each workflow that runs it."""
    return f"{workflow_id}-metadata-{job_id}-metadata" if workflow_id else f"{job_id}-metadata"


def delegates(workflow: Job) -> list[str]:
    """The ids of a workflow's monitors in the order of execution."""
    found = [
        delegate
        for kind, body in workflow.inputs
        if kind == "composite_input"
        for delegate in body["sequence"]["delegates"]
    ]
    return [delegate["monitor_id"] for delegate in sorted(found, key=lambda delegate: int(delegate["order"]))]
