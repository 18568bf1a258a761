"""What a run of doc-level monitors asks of the server, request by request, as the real plugin asks it.

The dev cluster's stand-in matches by searching. The real plugin (3.4, read in its source) percolates: it keeps the
monitors' queries in hidden indexes, and there, *for each monitor*, a copy of the watched index's whole mapping, whose
fields end in the monitor's id; a new hidden index begins where the next copy would exceed the field limit. Each run of
a monitor

1. puts that mapping and all its queries once more, and refreshes;
2. asks for the highest sequence number, and fetches the new documents, of which only the fields that the queries name;
3. sends them back in a percolate query, which tells for each query the documents that it matches.

Percolation is part of the server itself, so all this can be asked of the dev cluster's real node, over HTTP.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from provisioner.client import Client, path
from provisioner.errors import ApiError

Pairs = set[tuple[str, str]]
"""Which query found which document."""
BASE: dict[str, Any] = {"query": {"type": "percolator"}, "monitor_id": {"type": "text"}, "index": {"type": "text"}}
BATCH = 2000
"""Documents to a percolate query. The plugin's setting `percolate_query_max_num_docs_in_memory` is 50,000, and may be
1,000; of 10,000 at once a node with 512 MB of heap refuses some, since its memory is used up."""
SETTINGS = {"index": {"number_of_shards": 1, "number_of_replicas": 0, "hidden": True}}


class Percolator:
    """The hidden indexes of queries, and runs of monitors on them.

    `seconds` are those of the clock, by part, what goes over HTTP included; `took` is what the server says of searches.
    """

    def __init__(self, client: Client, prefix: str, stream: str) -> None:
        self.client, self.prefix, self.stream = client, prefix, stream
        self.seconds: Counter[str] = Counter()
        self.took = 0.0
        self.indices: list[str] = []
        self.of_monitor: dict[str, str] = {}
        ((self.index, about),) = client.request("GET", path(stream, "_mapping")).items()
        self.properties: dict[str, Any] = about["mappings"]["properties"]
        self.fields = sorted(_leaves(self.properties), key=len, reverse=True)

    def create(self, monitor: str) -> None:
        """The monitor's copy of the mapping, in the newest index if that has room."""
        with self._timed("mapping of a new monitor"):
            if not self.indices:
                self._another()
            try:
                self._put_mapping(self.indices[-1], monitor)
            except ApiError as error:
                if "Limit of total fields" not in error.reason:
                    raise
                self._another()
                self._put_mapping(self.indices[-1], monitor)
        self.of_monitor[monitor] = self.indices[-1]

    def run(self, monitor: str, queries: Sequence[Mapping[str, Any]], size: int = 10) -> Pairs:
        """One run over all documents of the stream: what its queries find."""
        index = self.of_monitor[monitor]
        with self._timed("mapping and queries, put again"):
            self._put_mapping(index, monitor)
            self._put_queries(index, monitor, queries)
        with self._timed("fetching the documents"):
            documents = self._documents(sorted({name for query in queries for name in query["query_field_names"]}))
        found: Pairs = set()
        for start in range(0, len(documents), BATCH):
            found |= self._percolate(monitor, documents[start : start + BATCH], size)
        return found

    def _percolate(self, monitor: str, documents: Sequence[tuple[str, dict[str, Any]]], size: int) -> Pairs:
        suffix = self._suffix(monitor)
        sources = [{name + suffix: value for name, value in fields.items()} for _, fields in documents]
        asked = {
            "size": size,
            "_source": False,
            "query": {
                "bool": {
                    "must": [
                        {"bool": {"should": [{"match": {"index": self.stream}}]}},
                        {"match": {"monitor_id": {"query": monitor, "operator": "and"}}},
                    ],
                    "filter": {"percolate": {"field": "query", "documents": sources}},
                }
            },
        }
        with self._timed("percolation"):
            answer = self.client.request("POST", path(self.of_monitor[monitor], "_search"), asked)
        self.took += answer["took"] / 1000
        return {
            (hit["_id"].removesuffix(suffix), documents[slot][0])
            for hit in answer["hits"]["hits"]
            for slot in hit["fields"]["_percolator_document_slot"]
        }

    def remove(self) -> None:
        """All that was made."""
        for index in self.indices:
            self.client.request("DELETE", path(index))

    @contextlib.contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[what] += time.perf_counter() - start

    def _another(self) -> None:
        name = f"{self.prefix}-{len(self.indices) + 1:06}"
        self.client.request("PUT", path(name), {"mappings": {"properties": BASE}, "settings": SETTINGS})
        self.indices.append(name)

    def _suffix(self, monitor: str) -> str:
        return f"_{self.stream}_{monitor}"

    def _put_mapping(self, index: str, monitor: str) -> None:
        renamed = _renamed(self.properties, self._suffix(monitor))
        self.client.request("PUT", path(index, "_mapping"), {"properties": renamed})

    def _put_queries(self, index: str, monitor: str, queries: Iterable[Mapping[str, Any]]) -> None:
        suffix, lines = self._suffix(monitor), []
        for query in queries:
            text = query["query"]
            for field in self.fields:  # as roughly as the plugin does it
                text = text.replace(f"{field}:", f"{field}{suffix}:")
            lines.append({"index": {"_id": f"{query['id']}{suffix}"}})
            about = {"query": {"query_string": {"query": text, "fields": []}}}
            lines.append({**about, "monitor_id": monitor, "index": self.stream})
        body = "".join(json.dumps(line) + "\n" for line in lines)
        answer = self.client.request("POST", path(index, "_bulk"), body, params={"refresh": "true"})
        assert not answer["errors"], answer["items"]

    def _documents(self, fields: Sequence[str]) -> list[tuple[str, dict[str, Any]]]:
        """Ids and fields of all documents, by the plugin's two searches."""
        newest = {"size": 1, "sort": [{"_seq_no": "desc"}], "seq_no_primary_term": True, "version": True}
        where = path(self.index, "_search")
        upto = self.client.request("POST", where, newest, params={"preference": "_shards:0"})["hits"]["hits"][0]
        asked = {
            "size": 10_000,
            "version": True,
            "seq_no_primary_term": True,
            "sort": [{"_seq_no": "asc"}],
            "query": {"bool": {"filter": [{"range": {"_seq_no": {"gt": -1, "lte": upto["_seq_no"]}}}]}},
            "_source": False,
            "fields": list(fields),
        }
        answer = self.client.request("POST", where, asked, params={"preference": "_shards:0"})
        self.took += answer["took"] / 1000
        return [(hit["_id"], hit.get("fields", {})) for hit in answer["hits"]["hits"]]


def _leaves(properties: Mapping[str, Any], before: str = "") -> Iterator[str]:
    for name, about in properties.items():
        if "properties" in about:
            yield from _leaves(about["properties"], f"{before}{name}.")
        else:
            yield before + name


def _renamed(properties: Mapping[str, Any], suffix: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, about in properties.items():
        if "properties" in about:
            made[name] = {"properties": _renamed(about["properties"], suffix)}
        else:
            made[name + suffix] = {**about, **({"path": about["path"] + suffix} if "path" in about else {})}
    return made
