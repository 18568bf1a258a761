"""One target with all that it takes to look at it: client, kinds, state."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from provisioner.client import Client
from provisioner.kinds import all_kinds
from provisioner.model import Known
from provisioner.state import StateStore

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provisioner.model import Live, Ref, Resource
    from provisioner.settings import Settings


class Cluster:
    """A target's client, the kinds, and the owner's state there."""

    def __init__(self, settings: Settings) -> None:
        """No request is sent yet. Raises MissingSecretError, ClusterError."""
        self.owner = settings.owner
        self.client = Client(settings.target)
        self.kinds = all_kinds()
        self.store = StateStore(self.client, settings.owner)

    def look(self, desired: Iterable[Resource]) -> Known:
        """Read the state, and of the cluster what is desired or owned. Nothing is written. Raises ClusterError."""
        self.client.greet()
        state = self.store.read()
        wanted: dict[str, dict[str, str | None]] = defaultdict(dict)
        for resource in desired:
            wanted[resource.kind][resource.key] = None
        for record in state.records.values():
            wanted[record.kind][record.key] = record.server_id
        return Known(
            owner=self.owner,
            salt=state.salt,
            release=state.release,
            records=state.records,
            live=self.live(wanted),
            secret_paths={name: kind.secret_paths for name, kind in self.kinds.items()},
            state_exists=state.exists,
        )

    def live(self, wanted: dict[str, dict[str, str | None]]) -> dict[Ref, Live]:
        """What exists of the wanted: kind to key to the server id that is remembered, or None."""
        return {live.ref: live for kind, keys in wanted.items() for live in self.kinds[kind].live(self.client, keys)}
