"""Ingest pipelines. They refuse `_meta` (400), but keep `description`: the owner's mark stands there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.client import path
from provisioner.kinds._common import delete_if_there, described_owner
from provisioner.model import Live

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provisioner.client import Client
    from provisioner.model import Body


class IngestPipelines:
    """`_ingest/pipeline`: PUT creates and replaces; a script that does not compile is refused (400)."""

    name = "ingest_pipeline"
    secret_paths: tuple[tuple[str, ...], ...] = ()

    def live(self, client: Client, wanted: Mapping[str, str | None]) -> list[Live]:
        """All are read at once; none at all is an empty answer with status 404."""
        found = client.get("/_ingest/pipeline") or {}
        return [
            Live(self.name, key, body, key, owner=described_owner(body.get("description")))
            for key, body in found.items()
            if key in wanted
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
