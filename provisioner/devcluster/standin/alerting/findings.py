"""Findings: which documents matched which queries of a doc-level monitor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from provisioner.devcluster.standin.alerting.alert_store import SETTINGS, make_index
from provisioner.devcluster.standin.alerting.model import Json
from provisioner.devcluster.standin.node import Node

WRITE = ".opensearch-alerting-finding-history-write"
INDEX = ".opensearch-alerting-finding-history-"
EVERYWHERE = ".opensearch-alerting-finding-history-*"
MAPPINGS: Json = {
    "dynamic": False,
    "properties": {
        **{
            name: {"type": "keyword"}
            for name in ("id", "related_doc_ids", "correlated_doc_ids", "monitor_id", "index", "execution_id")
        },
        "monitor_name": {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}},
        "timestamp": {"type": "long"},
        "queries": {
            "type": "nested",
            "properties": {name: {"type": "keyword"} for name in ("id", "name", "query", "tags", "fields")},
        },
    },
}


class Findings:
    """Writing and searching findings on the node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._made = False

    async def ensure(self) -> None:
        """Create the index when it is missing."""
        if self._made:
            return
        if not (await self._node.request("HEAD", f"/_alias/{WRITE}")).ok:
            today = datetime.now(UTC).strftime("%Y.%m.%d")
            body = {"settings": SETTINGS, "mappings": MAPPINGS, "aliases": {WRITE: {"is_write_index": True}}}
            await make_index(self._node, f"{INDEX}{today}-1", body)
        self._made = True

    async def save(self, findings: Sequence[Json]) -> None:
        """Write findings under their own ids."""
        await self.ensure()
        lines: list[Any] = []
        for finding in findings:
            lines += [{"index": {"_index": WRITE, "_id": finding["id"]}}, finding]
        if lines:
            (await self._node.request("POST", "/_bulk", params={"refresh": True}, body=lines)).checked()

    async def search(self, body: Json) -> Json:
        """`{total_findings, findings: [{finding, document_list}]}`, the documents as they are now."""
        params = {"ignore_unavailable": True, "expand_wildcards": "all"}
        query = {**body, "track_total_hits": True}
        reply = (await self._node.search(EVERYWHERE, params=params, body=query)).checked()
        hits = reply.body["hits"]
        found = [hit["_source"] for hit in hits["hits"]]
        documents = await self._documents(found)
        return {
            "total_findings": hits["total"]["value"],
            "findings": [
                {"finding": item, "document_list": [documents[item["index"], id_] for id_ in item["related_doc_ids"]]}
                for item in found
            ],
        }

    async def _documents(self, findings: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], Json]:
        wanted = {(item["index"], id_) for item in findings for id_ in item["related_doc_ids"]}
        if not wanted:
            return {}
        docs = [{"_index": index, "_id": id_} for index, id_ in sorted(wanted)]
        reply = (await self._node.request("POST", "/_mget", body={"docs": docs})).checked()
        return {(doc["_index"], doc["_id"]): _document(doc) for doc in reply.body["docs"]}


def _document(doc: Mapping[str, Any]) -> Json:
    found = "_source" in doc
    text = orjson.dumps(doc["_source"]).decode() if found else ""
    return {"index": doc["_index"], "id": doc["_id"], "found": found, "document": text}
