"""Holds in the cluster. An edge: it asks a client.

A data stream is rolled over, so that all events up to now lie in indices that take no more. Of each of those the ISM
policy is removed, so that nothing of ours deletes it, and writing is blocked (`index.blocks.write`), so that nobody
changes or deletes an event in it.

An apply rolls changed policies out to indices that they manage: a held one is not managed, and stays as it is. A plan
that would delete its data stream is refused. What is left is a person who deletes the index by hand: `index.blocks.
read_only` would stop that, but then OpenSearch does not roll the data stream over any more (measured with 3.4.0), and
`DELETE _data_stream/NAME` passes it. `broken` tells of it.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provisioner.batches import batches
from provisioner.client import path
from provisioner.errors import ApiError, ProvisionerError
from provisioner.holds import Was

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from provisioner.client import Client

_BLOCK = "index.blocks.write"
_PATIENCE = 10.0
"""Seconds until ISM must have let go of an index: explain shows it for some tenths of a second more."""
_PAUSE = 0.2


@dataclass(frozen=True, slots=True)
class Named:
    """A data stream with its indices, the one that is written last; or an index alone, without `stream`."""

    stream: str
    indices: tuple[str, ...]


def find(client: Client, names: Sequence[str], namespace: str) -> list[Named]:
    """What the names mean: log types, data streams, indices. Raises ProvisionerError for what is none of these."""
    listed = client.request("GET", "/_data_stream")["data_streams"]
    streams = {item["name"]: tuple(index["index_name"] for index in item["indices"]) for item in listed}
    written = {indices[-1]: stream for stream, indices in streams.items()}
    found = []
    for name in names:
        stream = next((each for each in (f"logs-{name}-{namespace}", name) if each in streams), "")
        if stream:
            found.append(Named(stream, streams[stream]))
        elif name in written:
            raise ProvisionerError(f"{name} is written to", f"hold its data stream {written[name]}")
        elif any(mark in name for mark in "*,") or list(client.get(path(name, "_settings")) or ()) != [name]:
            known = ", ".join(each for each in sorted(streams) if each.endswith(f"-{namespace}"))
            raise ProvisionerError(f"there is no data stream or index {name!r}", f"data streams: {known or 'none'}")
        else:
            found.append(Named("", (name,)))
    return found


def roll(client: Client, named: Named) -> tuple[str, ...]:
    """The indices to hold: all but the one that is written from now on. One without events is not rolled over."""
    if not named.stream:
        return named.indices
    client.request("POST", path(named.stream, "_refresh"))
    answer = client.request("POST", path(named.stream, "_rollover"), {"conditions": {"max_docs": 1}})
    now = client.request("GET", path("_data_stream", named.stream))["data_streams"][0]["indices"]
    written = answer["new_index"] if answer["rolled_over"] else answer["old_index"]
    return tuple(index["index_name"] for index in now if index["index_name"] != written)


def look(client: Client, indices: Iterable[str]) -> dict[str, Was]:
    """Each of the indices that are there as it is now."""
    found: dict[str, Was] = {}
    for batch in batches(indices):
        names, there = ",".join(batch), {"ignore_unavailable": "true"}
        settings = client.request("GET", path(names, "_settings"), params={**there, "flat_settings": "true"})
        if not settings:
            continue
        explained = client.request("GET", path("_plugins", "_ism", "explain", ",".join(settings)))
        for name, said in settings.items():
            policy = (explained.get(name) or {}).get("policy_id") or ""
            found[name] = Was(policy, said["settings"].get(_BLOCK) == "true")
    return found


def take(client: Client, indices: Mapping[str, Was]) -> None:
    """Hold them: nothing of ISM, then no writes. Raises ProvisionerError; all of it may be done again."""
    for batch in batches(name for name, now in indices.items() if now.policy):
        client.request("POST", path("_plugins", "_ism", "remove", ",".join(batch)))
    end = time.monotonic() + _PATIENCE
    while any(now.policy for now in look(client, indices).values()) and time.monotonic() < end:
        time.sleep(_PAUSE)
    for batch in batches(name for name, now in indices.items() if not now.blocked):
        client.request("PUT", path(",".join(batch), "_block", "write"))


def broken(client: Client, indices: Iterable[str]) -> dict[str, str]:
    """Those that are not held as they should be, and why; empty where all are."""
    wanted = list(indices)
    now = look(client, wanted)
    found: dict[str, str] = {}
    for name in wanted:
        if name not in now:
            found[name] = "it is gone"
        elif now[name].policy:
            found[name] = f"the ISM policy {now[name].policy} manages it"
        elif not now[name].blocked:
            found[name] = "it takes writes"
    return found


def let_go(client: Client, indices: Mapping[str, Was]) -> dict[str, str]:
    """Make them as they were; those that ISM does not manage again, and why. Raises ProvisionerError."""
    there = look(client, indices)
    for batch in batches(name for name in there if not indices[name].blocked):
        client.request("PUT", path(",".join(batch), "_settings"), {_BLOCK: None})
    by_policy: dict[str, list[str]] = defaultdict(list)
    for name, now in there.items():
        if indices[name].policy and not now.policy:
            by_policy[indices[name].policy].append(name)
    left: dict[str, str] = {name: "it is gone" for name in indices if name not in there}
    for policy, names in by_policy.items():
        for batch in batches(names):
            left |= _managed(client, policy, batch)
    return left


def _managed(client: Client, policy: str, names: Sequence[str]) -> dict[str, str]:
    try:
        answer = client.request("POST", path("_plugins", "_ism", "add", ",".join(names)), {"policy_id": policy})
    except ApiError as error:
        if error.status != 404:
            raise
        return dict.fromkeys(names, f"its ISM policy {policy} is gone: nothing deletes it")
    return {each["index_name"]: str(each["reason"]) for each in answer["failed_indices"]}
