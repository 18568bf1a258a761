"""Documents of the plugins, kept on the node itself.

They lie in hidden indexes under the names that the real plugins use, so that versions, sequence numbers and conflicts
(409) are the node's own and everything survives a restart of the stand-in.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from provisioner.devcluster.standin.node import Node, Reply

# Seconds for which an index that was there is believed to be there.
_LOOKED_FOR = 2.0


@dataclass(frozen=True)
class Stored:
    """One stored document with the node's concurrency tokens."""

    id: str
    source: dict[str, Any]
    version: int
    seq_no: int
    primary_term: int

    @classmethod
    def of_hit(cls, hit: Mapping[str, Any]) -> Stored:
        """Read a search hit or a GET answer, which have the same form."""
        return cls(hit["_id"], hit["_source"], hit["_version"], hit["_seq_no"], hit["_primary_term"])


class Store:
    """One hidden index of documents.

    The index is made at the first write. Reading from an index that is not there finds nothing.
    Every write refreshes, so that the next search sees it, unless told otherwise.
    """

    def __init__(self, node: Node, index: str, mappings: Mapping[str, Any] | None = None) -> None:
        self.node = node
        self.index = index
        self._mappings = dict(mappings or {"dynamic": False, "properties": {}})
        self._made_at = -_LOOKED_FOR

    async def ensure(self) -> None:
        """Create the index when it is missing. Somebody may delete it at any time, so it is looked for now and then."""
        if time.monotonic() - self._made_at < _LOOKED_FOR:
            return
        if (await self.node.request("HEAD", f"/{self.index}")).status == 404:
            settings = {"index": {"hidden": True, "number_of_shards": 1, "auto_expand_replicas": "0-1"}}
            body = {"settings": settings, "mappings": self._mappings}
            reply = await self.node.request("PUT", f"/{self.index}", body=body)
            if _error_type(reply) != "resource_already_exists_exception":
                reply.checked()
        self._made_at = time.monotonic()

    async def get(self, id_: str) -> Stored | None:
        """The document, or None. Realtime: sees every finished write."""
        reply = await self.node.request("GET", self._doc(id_))
        if reply.status == 404:
            return None
        return Stored.of_hit(reply.checked().body)

    async def get_many(self, ids: Iterable[str]) -> dict[str, Stored]:
        """The documents that there are, by id. Realtime, as `get`."""
        wanted = list(ids)
        if not wanted:
            return {}
        reply = await self.node.request("POST", f"/{self.index}/_mget", body={"ids": wanted})
        if reply.status == 404:
            return {}
        return {doc["_id"]: Stored.of_hit(doc) for doc in reply.checked().body["docs"] if doc.get("found")}

    async def put(
        self,
        id_: str | None,
        source: Mapping[str, Any],
        *,
        create: bool = False,
        if_seq_no: int | None = None,
        if_primary_term: int | None = None,
        refresh: bool = True,
    ) -> Stored:
        """Write a document; without an id the node makes one.

        Raises StandInError with the node's own 409 when `create` meets an existing document or the tokens are stale.
        """
        await self.ensure()
        params: dict[str, Any] = {"refresh": refresh, "if_seq_no": if_seq_no, "if_primary_term": if_primary_term}
        if create and id_ is not None:
            params["op_type"] = "create"
        method, path = ("PUT", self._doc(id_)) if id_ is not None else ("POST", f"/{self.index}/_doc")
        body = (await self.node.request(method, path, params=params, body=source)).checked().body
        return Stored(body["_id"], dict(source), body["_version"], body["_seq_no"], body["_primary_term"])

    async def delete(self, id_: str, *, refresh: bool = True) -> Stored | None:
        """Delete; the tokens of the deletion (its source is empty), or None when there was no such document."""
        reply = await self.node.request("DELETE", self._doc(id_), params={"refresh": refresh})
        if reply.status == 404:
            return None
        body = reply.checked().body
        return Stored(body["_id"], {}, body["_version"], body["_seq_no"], body["_primary_term"])

    async def search(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The node's whole search answer, with `seq_no_primary_term` and `version` asked for."""
        params = {"ignore_unavailable": True, "allow_no_indices": True, "seq_no_primary_term": True, "version": True}
        reply = await self.node.search(self.index, params=params, body=dict(body))
        answer: dict[str, Any] = reply.checked().body
        return answer

    async def all(self, query: Mapping[str, Any] | None = None) -> AsyncIterator[Stored]:
        """Every document that matches, in the order of writing, by pages."""
        page = 1000
        after: list[Any] | None = None
        while True:
            body: dict[str, Any] = {"size": page, "query": query or {"match_all": {}}, "sort": [{"_seq_no": "asc"}]}
            if after:
                body["search_after"] = after
            hits = (await self.search(body))["hits"]["hits"]
            for hit in hits:
                yield Stored.of_hit(hit)
            if len(hits) < page:
                return
            after = hits[-1]["sort"]

    def _doc(self, id_: str) -> str:
        return f"/{self.index}/_doc/{quote(id_, safe='')}"


def _error_type(reply: Reply) -> str | None:
    error = reply.body.get("error") if isinstance(reply.body, dict) else None
    return error.get("type") if isinstance(error, dict) else None
