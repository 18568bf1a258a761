"""Which documents of an index are new to a doc-level monitor, and which of its queries match them.

Every shard numbers its operations. A monitor remembers the highest number that it has seen of each shard, and looks at
the documents above it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from provisioner.devcluster.standin.alerting.inputs import InputError
from provisioner.devcluster.standin.alerting.model import Json
from provisioner.devcluster.standin.node import Node

# Of all queries that match any new document of an index, a run reports ten: its percolate search, one for all these
# documents, has the default size, and its hits are queries (up to 3.6; alerting's pull request 2064 mends it in 3.7).
MAX_MATCHES = 10
PAGE = 1000
QUERIES_AT_ONCE = 200
# An index without documents does not know the field yet.
BY_NUMBER = {"_seq_no": {"order": "desc", "unmapped_type": "long"}}


class NoIndexError(InputError):
    """A monitor's index is not there."""


@dataclass(frozen=True)
class Concrete:
    """One index: its shards, and when it was made (milliseconds)."""

    name: str
    shards: int
    created: int


@dataclass(frozen=True)
class Indices:
    """What a monitor's index name stands for; `write` is the write index of an alias or data stream."""

    concrete: list[Concrete]
    write: str | None


async def resolve(node: Node, name: str) -> Indices:
    """The indexes behind a name, oldest first.

    Raises:
        NoIndexError: there is none.
    """
    found = await node.request("GET", f"/{quote(name, safe='')}/_settings", params={"flat_settings": True})
    if not found.ok or not found.body:
        raise NoIndexError(f"no such index [{name}]")
    concrete = [
        Concrete(index, int(body["settings"]["index.number_of_shards"]), int(body["settings"]["index.creation_date"]))
        for index, body in found.body.items()
    ]
    concrete.sort(key=lambda index: index.created)
    if [index.name for index in concrete] == [name]:
        return Indices(concrete, None)
    return Indices(concrete, await _write_index(node, name, concrete))


async def _write_index(node: Node, name: str, concrete: Sequence[Concrete]) -> str:
    resolved = (await node.request("GET", f"/_resolve/index/{quote(name, safe='')}")).checked().body
    for stream in resolved.get("data_streams", []):
        if stream["name"] == name:
            return str(stream["backing_indices"][-1])
    aliases = (await node.request("GET", f"/_alias/{quote(name, safe='')}")).checked().body
    for index, body in aliases.items():
        if body["aliases"].get(name, {}).get("is_write_index"):
            return str(index)
    return concrete[-1].name


async def highest(node: Node, index: Concrete) -> dict[str, int]:
    """The highest number that a search can see of every shard, -1 for an empty one."""
    seen: dict[str, int] = {}
    for shard in range(index.shards):
        body = {"size": 1, "sort": [BY_NUMBER], "seq_no_primary_term": True, "_source": False}
        hits = (await _search(node, index.name, shard, body))["hits"]["hits"]
        seen[str(shard)] = hits[0]["_seq_no"] if hits else -1
    return seen


@dataclass(frozen=True)
class Span:
    """Operations of one shard: those numbered above `above`, up to `upto`."""

    index: str
    shard: int
    above: int
    upto: int


async def matches(node: Node, span: Span, queries: Sequence[Json]) -> AsyncIterator[tuple[str, list[str]]]:
    """New documents that match, each with the ids of the queries that do, in the order of the queries.

    Raises:
        InputError: a query can't be read.
    """
    found: dict[str, list[str]] = {}
    for start in range(0, len(queries), QUERIES_AT_ONCE):
        batch = queries[start : start + QUERIES_AT_ONCE]
        async for hit in _hits(node, span, batch):
            found.setdefault(hit["_id"], []).extend(hit["matched_queries"])
    order = {query["id"]: position for position, query in enumerate(queries)}
    for doc_id, ids in found.items():
        yield doc_id, sorted(set(ids), key=order.__getitem__)


def reported(found: Mapping[str, list[str]], queries: Sequence[Json]) -> dict[str, list[str]]:
    """What a run reports of all that it found in an index: the matches of the first ten queries that have any."""
    matched = {query_id for ids in found.values() for query_id in ids}
    first = [query["id"] for query in queries if query["id"] in matched][:MAX_MATCHES]
    kept = {doc: [query_id for query_id in ids if query_id in first] for doc, ids in found.items()}
    return {doc: ids for doc, ids in kept.items() if ids}


async def _hits(node: Node, span: Span, queries: Sequence[Json]) -> AsyncIterator[Mapping[str, Any]]:
    body: Json = {
        "size": PAGE,
        "_source": False,
        "sort": [{"_seq_no": "asc"}],
        "query": {
            "bool": {
                "filter": [{"range": {"_seq_no": {"gt": span.above, "lte": span.upto}}}],
                "should": [_named(query) for query in queries],
                "minimum_should_match": 1,
            }
        },
    }
    while True:
        hits = (await _search(node, span.index, span.shard, body))["hits"]["hits"]
        for hit in hits:
            yield hit
        if len(hits) < PAGE:
            return
        body["search_after"] = hits[-1]["sort"]


def _named(query: Json) -> Json:
    fields = {"fields": query["fields"]} if query["fields"] else {}
    return {"query_string": {"query": query["query"], "_name": query["id"], **fields}}


async def _search(node: Node, index: str, shard: int, body: Json) -> Json:
    path, params = f"/{quote(index, safe='')}/_search", {"preference": f"_shards:{shard}"}
    reply = await node.request("POST", path, params=params, body=body)
    if not reply.ok:
        raise InputError(reply.reason)
    found: Json = reply.body
    return found
