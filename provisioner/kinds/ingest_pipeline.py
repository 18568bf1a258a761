"""Ingest pipelines. They refuse `_meta` (400), but keep `description`: the owner's mark stands there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.client import path
from provisioner.kinds._common import delete_if_there, is_system
from provisioner.marks import described_owner
from provisioner.model import Live

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provisioner.client import Client
    from provisioner.model import Body


class IngestPipelines:
    """`_ingest/pipeline`: PUT creates and replaces; a script that does not compile is refused (400)."""

    name = "ingest_pipeline"
    secret_paths: tuple[tuple[str, ...], ...] = ()
    queued = True
    overwrites = True

    def live(self, client: Client, wanted: Mapping[str, str | None]) -> list[Live]:
        """All are read at once: a list of names leaves out those that are missing, but a long one is no URL."""
        return [live for live in self._read(client) if live.key in wanted]

    def all(self, client: Client) -> list[Live]:
        """All but those of the server's plugins."""
        return [live for live in self._read(client) if not is_system(live.key)]

    def shown(self, client: Client, ids: Mapping[str, str]) -> list[Live]:
        """One is asked for by its name; for more, all are read."""
        return self._read(client, next(iter(ids))) if len(ids) == 1 else self.live(client, dict(ids))

    def _read(self, client: Client, *name: str) -> list[Live]:
        """None at all is an empty answer with status 404."""
        found = client.get(path("_ingest", "pipeline", *name)) or {}
        return [
            Live(self.name, key, body, key, owner=described_owner(body.get("description")))
            for key, body in found.items()
        ]

    def create(self, client: Client, key: str, body: Body) -> str:
        """Make it."""
        client.request("PUT", path("_ingest", "pipeline", key), body)
        return key

    def update(self, client: Client, live: Live, body: Body) -> None:
        """Replace it; the API has no optimistic concurrency."""
        client.request("PUT", path("_ingest", "pipeline", live.key), body)

    def delete(self, client: Client, live: Live) -> None:
        """Remove it."""
        delete_if_there(client, path("_ingest", "pipeline", live.key))


KIND = IngestPipelines()
