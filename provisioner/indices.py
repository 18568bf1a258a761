"""What the retention guard must know of indices: how much they hold, and how old they are. An edge: it asks a client.

Two requests for each batch of names, with nothing in the answers but what is used. They need the rights
`cluster:monitor/state`, `cluster:monitor/health`, `indices:monitor/stats` and `indices:admin/data_stream/get`, and
for policies those of ISM's explain.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from provisioner.batches import batches
from provisioner.client import path
from provisioner.model import Index
from provisioner.policycopies import copies
from provisioner.quantities import UNKNOWN
from provisioner.terms import Held

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from provisioner.client import Client
    from provisioner.model import Ref
    from provisioner.policycopies import Copy

_METADATA = ",".join(
    f"metadata.indices.*.{name}" for name in ("state", "settings.index.creation_date", "rollover_info.*.time")
)
_STATS = "indices.*.primaries.docs.count,indices.*.total.store.size_in_bytes"


def facts(client: Client, refs: Collection[Ref]) -> dict[Ref, tuple[Index, ...]]:
    """The indices that each of these ISM policies manages, or of which each of these data streams consists.

    Only of policies and data streams that exist; those that consist of nothing are left out. Bytes are those of all
    copies. A closed index, and one without its shards, tells neither documents nor bytes: both are UNKNOWN, never 0.
    Those of policies come with the copy that they follow (`Held`).
    """
    held = copies(client, {key for kind, key in refs if kind == "ism_policy"}, whole=True)
    names = _names(client, refs, held)
    wanted = sorted({name for group in names.values() for name in group})
    known = {index.name: index for batch in batches(wanted) for index in _read(client, batch)}
    for copy in held:  # an index has one policy at most
        if copy.index in known:
            known[copy.index] = _held(known[copy.index], copy)
    found = {ref: tuple(known[name] for name in group if name in known) for ref, group in names.items()}
    return {ref: group for ref, group in found.items() if group}


def now(client: Client) -> int:
    """The cluster's time in milliseconds since 1970, at the end of its second, as a guard must not take it for earlier
    than it is; where it does not tell, that of this machine."""
    answer = client.request("GET", "/_cat/health", params={"format": "json", "h": "epoch"})
    try:
        return int(answer[0]["epoch"]) * 1000 + 999
    except (LookupError, TypeError, ValueError):
        return int(time.time() * 1000)


def _names(client: Client, refs: Collection[Ref], held: Iterable[Copy]) -> Mapping[Ref, Iterable[str]]:
    streams = {key for kind, key in refs if kind == "data_stream"}
    found: dict[Ref, list[str]] = defaultdict(list)
    for copy in held:
        found["ism_policy", copy.policy].append(copy.index)
    if streams:
        for item in client.request("GET", "/_data_stream")["data_streams"]:
            if item["name"] in streams:
                found["data_stream", item["name"]] = [index["index_name"] for index in item["indices"]]
    return found


def _read(client: Client, names: list[str]) -> Iterable[Index]:
    """These indices; those that are gone by now are left out."""
    listed = ",".join(names)
    asked = {"ignore_unavailable": "true", "filter_path": _METADATA}
    metadata = client.request("GET", path("_cluster", "state", "metadata", listed), params=asked)
    asked = {"ignore_unavailable": "true", "forbid_closed_indices": "false", "filter_path": _STATS}
    stats = client.request("GET", path(listed, "_stats", "docs,store"), params=asked).get("indices", {})
    for name, entry in metadata.get("metadata", {}).get("indices", {}).items():
        yield _index(name, entry, stats.get(name, {}))


def _index(name: str, metadata: Mapping[str, Any], stats: Mapping[str, Any]) -> Index:
    """`rollover_info` names each alias or data stream that was rolled over; ISM counts from the first.

    Its times are of a clock that the server reads every 200 ms, so that a new index may be rolled over before it is
    created (threadPool.absoluteTimeInMillis).

    A closed index has stats, and those say 0.
    """
    times = [entry["time"] for entry in metadata.get("rollover_info", {}).values()]
    told = stats if metadata.get("state") == "open" else {}
    return Index(
        name,
        documents=told.get("primaries", {}).get("docs", {}).get("count", UNKNOWN),
        bytes=told.get("total", {}).get("store", {}).get("size_in_bytes", UNKNOWN),
        created=int(metadata["settings"]["index"]["creation_date"]),
        rolled_over=min(times, default=None),
    )


def _held(index: Index, copy: Copy) -> Held:
    shown = {field.name: getattr(index, field.name) for field in fields(Index)}
    return Held(**shown, policy=copy.body, state=copy.state, entered=copy.entered)
