"""What ISM needs to know about indexes, asked from the node."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from provisioner.devcluster.standin.ism.clock import Clock
from provisioner.devcluster.standin.ism.conditions import Measured
from provisioner.devcluster.standin.node import Node, Reply

_ALL = {"expand_wildcards": "all", "allow_no_indices": "true"}


@dataclass(frozen=True)
class Index:
    """One index: its uuid, and when it was created (ms, by the stand-in's clock)."""

    name: str
    uuid: str
    created: int


class Indexes:
    """The node's indexes."""

    def __init__(self, node: Node, clock: Clock) -> None:
        self.node = node
        self._clock = clock
        # By uuid. Remembered, because a clock that was set forward since must not make an index younger.
        self._created: dict[str, int] = {}

    async def find(self, names: Iterable[str], *, strict: bool = False) -> list[Index]:
        """The indexes behind names, patterns, aliases and data streams; hidden and closed ones too.

        `strict`: a name that matches nothing raises the node's own 404; otherwise it is left out.
        """
        wanted = list(names)
        fields = ",".join(f"*.settings.index.{field}" for field in ("uuid", "creation_date"))
        params = {**_ALL, "ignore_unavailable": not strict, "filter_path": fields}
        path = f"/{quote(','.join(wanted), safe=',*')}/_settings" if wanted else "/_all/_settings"
        if strict:
            params.pop("filter_path")
        found = (await self.node.request("GET", path, params=params)).checked().body
        return [self._index(name, entry["settings"]["index"]) for name, entry in found.items()]

    def _index(self, name: str, settings: dict[str, Any]) -> Index:
        uuid = settings["uuid"]
        if uuid not in self._created:
            self._created[uuid] = self._clock.of_node(int(settings["creation_date"]))
        return Index(name, uuid, self._created[uuid])

    async def streams(self) -> dict[str, str]:
        """The data stream of every index that backs one, by the index's name."""
        found = (await self.node.request("GET", "/_data_stream")).checked().body["data_streams"]
        return {index["index_name"]: stream["name"] for stream in found for index in stream["indices"]}

    async def abstraction(self, index: str) -> tuple[str | None, list[str]]:
        """The data stream that the index backs, if any, and its aliases."""
        reply = await self.node.request(
            "GET", f"/_resolve/index/{quote(index, safe='')}", params={"expand_wildcards": "all"}
        )
        entries = reply.checked().body["indices"]
        entry = entries[0] if entries else {}
        return entry.get("data_stream"), entry.get("aliases", [])

    async def setting(self, index: str, name: str) -> str | None:
        """One index setting, as a string."""
        params = {"flat_settings": True, "expand_wildcards": "all"}
        found = (await self.node.request("GET", f"/{quote(index, safe='')}/_settings", params=params)).checked().body
        value = found.get(index, {}).get("settings", {}).get(name)
        return None if value is None else str(value)

    async def rollovers(self, index: str) -> dict[str, int]:
        """When the index was rolled over (ms, by the stand-in's clock), by alias or data stream."""
        params = {"filter_path": "metadata.indices.*.rollover_info", "expand_wildcards": "all"}
        found = (
            (await self.node.request("GET", f"/_cluster/state/metadata/{quote(index, safe='')}", params=params))
            .checked()
            .body
        )
        info = found.get("metadata", {}).get("indices", {}).get(index, {}).get("rollover_info", {})
        return {target: self._clock.of_node(int(entry["time"])) for target, entry in info.items()}

    async def measure(self, index: str, created: int) -> Measured:
        """Documents and bytes of the primaries. Raises StandInError with the node's error."""
        path = f"/{quote(index, safe='')}/_stats/docs,store"
        reply = await self.node.request("GET", path, params={"level": "shards", "expand_wildcards": "all"})
        body = reply.checked().body
        primaries = body["_all"]["primaries"]
        shards = [
            (copy["store"]["size_in_bytes"], int(number))
            for entry in body["indices"].values()
            for number, copies in entry["shards"].items()
            for copy in copies
            if copy["routing"]["primary"]
        ]
        largest, number = max(shards, default=(0, 0))
        return Measured(
            docs=primaries.get("docs", {}).get("count", 0),
            size=primaries.get("store", {}).get("size_in_bytes", 0),
            largest_shard=largest,
            largest_shard_id=number,
            age=self._clock.now() - created,
            created=created,
        )

    async def put_settings(self, index: str, settings: dict[str, Any]) -> Reply:
        """Update dynamic index settings."""
        path = f"/{quote(index, safe='')}/_settings"
        return await self.node.request("PUT", path, params={"expand_wildcards": "all"}, body=settings)
