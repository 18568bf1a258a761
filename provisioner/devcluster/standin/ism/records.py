"""What ISM keeps on the node: policies and managed indexes, in one hidden index, as the plugin does."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from provisioner.devcluster.standin.errors import StandInError, status_exception
from provisioner.devcluster.standin.ism.indexes import Index
from provisioner.devcluster.standin.ism.managed import Metadata
from provisioner.devcluster.standin.node import Node
from provisioner.devcluster.standin.store import Store, Stored

CONFIG_INDEX = ".opendistro-ism-config"
_KNOWN_SECONDS = 30.0

_NAME = {"type": "text", "fields": {"keyword": {"type": "keyword"}}}
MAPPINGS: dict[str, Any] = {
    "dynamic": False,
    "properties": {
        "policy": {
            "properties": {
                "policy_id": _NAME,
                "description": _NAME,
                "default_state": {"type": "keyword"},
                "last_updated_time": {"type": "date", "format": "epoch_millis"},
                "schema_version": {"type": "long"},
            }
        },
        "managed_index": {
            "properties": {
                "index": _NAME,
                "index_uuid": {"type": "keyword"},
                "policy_id": _NAME,
                "enabled": {"type": "boolean"},
            }
        },
        # The uuid of an index whose policy was removed: no template attaches to it any more.
        "unmanaged": {"type": "keyword"},
    },
}


@dataclass(frozen=True)
class Managed:
    """One managed index: its name and uuid, its own copy of the policy, and how far it has come.

    `change` is a policy change that waits (`{"policy_id", "state", "is_safe"}`), `since` the time (ms) from which
    its jobs count, `tokens` the seq_no and primary_term of the policy when it was copied.
    """

    index: str
    uuid: str
    policy_id: str
    policy: dict[str, Any]
    tokens: tuple[int, int]
    enabled: bool
    since: int
    created: int
    change: dict[str, Any] | None = None
    metadata: Metadata | None = None

    @classmethod
    def of(cls, source: Mapping[str, Any]) -> Managed:
        """Read the stored form."""
        config = source["managed_index"]
        return cls(
            index=config["index"],
            uuid=config["index_uuid"],
            policy_id=config["policy_id"],
            policy=config["policy"],
            tokens=(config["policy_seq_no"], config["policy_primary_term"]),
            enabled=config["enabled"],
            since=config["since"],
            created=config["created"],
            change=config["change_policy"],
            metadata=source["managed_index_metadata"],
        )

    def source(self) -> dict[str, Any]:
        """The stored form."""
        config = {
            "index": self.index,
            "index_uuid": self.uuid,
            "policy_id": self.policy_id,
            "policy": self.policy,
            "policy_seq_no": self.tokens[0],
            "policy_primary_term": self.tokens[1],
            "enabled": self.enabled,
            "since": self.since,
            "created": self.created,
            "change_policy": self.change,
        }
        return {"managed_index": config, "managed_index_metadata": self.metadata}

    def with_policy(self, policy: Stored) -> Managed:
        """This index with another policy, and no change waiting."""
        return replace(
            self,
            policy_id=policy.id,
            policy=policy.source["policy"],
            tokens=(policy.seq_no, policy.primary_term),
            change=None,
        )


class Records:
    """Reads and writes policies and managed indexes.

    `policies_changed` counts writes of policies, so that nobody needs to read them to see that nothing changed.
    """

    def __init__(self, node: Node) -> None:
        self.store = Store(node, CONFIG_INDEX, MAPPINGS)
        self.policies_changed = 0
        # What `known` answers, for half a minute: this process writes it, but somebody may delete the whole index.
        self._known: dict[str, int | None] = {}
        self._known_at = -_KNOWN_SECONDS

    async def policy(self, policy_id: str) -> Stored | None:
        """A stored policy (`source["policy"]`), or None."""
        found = await self.store.get(policy_id)
        return found if found and "policy" in found.source else None

    async def needed_policy(self, policy_id: str) -> Stored:
        """A stored policy. Raises 404 when there is none."""
        found = await self.policy(policy_id)
        if found is None:
            raise status_exception(404, f"Could not find policy={policy_id}")
        return found

    async def policies(self) -> dict[str, Stored]:
        """All policies by id."""
        return {p.id: p async for p in self.store.all({"exists": {"field": "policy.policy_id"}})}

    async def managed(self, uuid: str) -> Managed | None:
        """A managed index, or None."""
        found = await self.store.get(uuid)
        return Managed.of(found.source) if found and "managed_index" in found.source else None

    async def managed_many(self, indexes: list[Index]) -> dict[str, Managed]:
        """Those of the indexes that are managed, by uuid."""
        found = await self.store.get_many(index.uuid for index in indexes)
        return {uuid: Managed.of(d.source) for uuid, d in found.items() if "managed_index" in d.source}

    async def known(self) -> dict[str, int | None]:
        """By uuid: since when (ms) an index is managed, and None for one whose policy was removed."""
        if time.monotonic() - self._known_at >= _KNOWN_SECONDS:
            fields = ({"exists": {"field": "managed_index.index_uuid"}}, {"exists": {"field": "unmanaged"}})
            found = self.store.all({"bool": {"should": list(fields)}})
            self._known = {d.id: d.source.get("managed_index", {}).get("since") async for d in found}
            self._known_at = time.monotonic()
        return dict(self._known)

    async def put_policy(
        self, policy_id: str, policy: Mapping[str, Any], *, if_seq_no: int | None, if_primary_term: int | None
    ) -> Stored:
        """Create a policy, or with both tokens update it. Raises the node's own 409."""
        both = if_seq_no is not None and if_primary_term is not None
        stored = await self.store.put(
            policy_id,
            {"policy": policy},
            create=not both,
            if_seq_no=if_seq_no if both else None,
            if_primary_term=if_primary_term if both else None,
        )
        self.policies_changed += 1
        return stored

    async def manage(self, index: Index, policy: Stored, now: int, *, anew: bool = False) -> Managed | None:
        """Put an index under a policy; None when it has one. `anew`: even when its policy was removed before."""
        managed = Managed(
            index=index.name,
            uuid=index.uuid,
            policy_id=policy.id,
            policy=policy.source["policy"],
            tokens=(policy.seq_no, policy.primary_term),
            enabled=True,
            since=now,
            created=index.created,
        )
        overwrite = anew and await self.managed(index.uuid) is None
        try:
            await self.store.put(index.uuid, managed.source(), create=not overwrite)
        except StandInError as conflict:
            if conflict.status != 409:
                raise
            return None
        self._known[index.uuid] = now
        return managed

    async def save(self, managed: Managed) -> None:
        """Write a managed index back. Searches may see it a second later, `managed` sees it at once."""
        await self.store.put(managed.uuid, managed.source(), refresh=False)

    async def unmanage(self, uuid: str) -> None:
        """Take the policy off an index, for good."""
        await self.store.put(uuid, {"unmanaged": uuid})
        self._known[uuid] = None

    async def forget(self, uuid: str) -> None:
        """Drop everything about an index that no longer exists."""
        await self.store.delete(uuid)
        self._known.pop(uuid, None)
