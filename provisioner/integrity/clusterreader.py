"""Signed events from a data stream:

each chain in the order of its numbers, in slices by number, at one point in time.
"""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import orjson

from provisioner.client import path
from provisioner.errors import ApiError
from provisioner.integrity import verify as files
from provisioner.integrity.scan import Part, Scanner, Wanted
from provisioner.integrity.verdict import Result

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provisioner.client import Client
    from provisioner.integrity.checking import Checkpoints
    from provisioner.integrity.keys import KeyRing

PAGE = 1_000
KEEP = "5m"
STREAMS = 1_000
"""Chains in one page of the list of chains."""
SLICES = 4
_SLICE = 20_000
"""Events of a slice at least."""


def verify(
    client: Client, stream: str, keys: KeyRing, checkpoints: Checkpoints | None = None, *, partial: bool = False
) -> Result:
    """Verify every chain in a data stream. Events without `integrity` are not looked at. Raises ProvisionerError.

    A line is a chain's n-th event in the order of its numbers; the file is the data stream.
    """
    started = time.monotonic()
    wanted = Wanted(keys, checkpoints is not None, checkpoints.counts if checkpoints is not None else ())
    point = client.request("POST", path(stream, "_search", "point_in_time"), params={"keep_alive": KEEP})["pit_id"]
    try:
        inputs = []
        for chain in _chains(client, point):
            part = Part()
            for more in _slices(client, point, chain, wanted):
                files.extend(part, more)
            inputs.append(files.Input(f"{stream}: {chain}", f"{stream}: {chain}", part))
    finally:
        _close(client, point)
    results = files.judge(inputs, keys, None, checkpoints, partial=partial)
    return Result(results, time.monotonic() - started, sum(each.part.bytes for each in inputs))


def _close(client: Client, point: str) -> None:
    with contextlib.suppress(ApiError):  # it may have ended by itself
        client.request("DELETE", "/_search/point_in_time", {"pit_id": [point]})


def _search(client: Client, point: str, body: dict[str, Any]) -> dict[str, Any]:
    said = {"pit": {"id": point, "keep_alive": KEEP}, **body}
    found: dict[str, Any] = client.request("POST", "/_search", said, safe=True)
    return found


def _chains(client: Client, point: str) -> Iterator[str]:
    """The ids of all chains."""
    after: dict[str, Any] | None = None
    while True:
        chains: dict[str, Any] = {"size": STREAMS, "sources": [{"stream": {"terms": {"field": "integrity.stream"}}}]}
        if after is not None:
            chains["after"] = after
        answer = _search(client, point, {"size": 0, "aggs": {"chains": {"composite": chains}}})["aggregations"][
            "chains"
        ]
        yield from (bucket["key"]["stream"] for bucket in answer["buckets"])
        after = answer.get("after_key")
        if after is None:
            return


def _slices(client: Client, point: str, chain: str, wanted: Wanted) -> Iterator[Part]:
    """The parts of a chain, slices of its numbers at once."""
    query = {"term": {"integrity.stream": chain}}
    ends = {"first": {"min": {"field": "integrity.seq"}}, "last": {"max": {"field": "integrity.seq"}}}
    found = _search(client, point, {"size": 0, "query": query, "aggs": ends})["aggregations"]
    first, last = (int(found[name]["value"] or 0) for name in ("first", "last"))
    size = max(-(-(last + 1 - first) // SLICES), _SLICE)
    ranges = [(at, min(at + size, last + 1)) for at in range(first, last + 1, size)]
    ranges[0], ranges[-1] = (-1, ranges[0][1]), (ranges[-1][0], 2**63 - 1)  # whatever else there is
    if len(ranges) == 1:
        ranges = [(-1, 2**63 - 1)]
    with ThreadPoolExecutor(len(ranges)) as pool:
        yield from pool.map(lambda each: _slice(client, point, chain, each, wanted), ranges)


def _slice(client: Client, point: str, chain: str, numbers: tuple[int, int], wanted: Wanted) -> Part:
    scanner = Scanner(wanted)
    for events in _pages(client, point, chain, numbers):
        scanner.feed(b"".join(orjson.dumps(event) + b"\n" for event in events))
    return scanner.end()


def _pages(client: Client, point: str, chain: str, numbers: tuple[int, int]) -> Iterator[Sequence[dict[str, Any]]]:
    within = {"range": {"integrity.seq": {"gte": numbers[0], "lt": numbers[1]}}}
    body: dict[str, Any] = {
        "size": PAGE,
        "query": {"bool": {"filter": [{"term": {"integrity.stream": chain}}, within]}},
        "sort": [{"integrity.seq": "asc"}, {"_shard_doc": "asc"}],
        "track_total_hits": False,
    }
    while True:
        hits = _search(client, point, body)["hits"]["hits"]
        yield [hit["_source"] for hit in hits]
        if len(hits) < PAGE:
            return
        body["search_after"] = hits[-1]["sort"]
