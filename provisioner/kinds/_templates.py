"""What component templates and index templates have in common: two APIs of one shape. Both keep `_meta`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provisioner.client import path
from provisioner.kinds._common import delete_if_there, is_system
from provisioner.marks import meta_owner
from provisioner.model import Live

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provisioner.client import Client
    from provisioner.model import Body


@dataclass(frozen=True)
class TemplateKind:
    """`_component_template` or `_index_template`: PUT creates and replaces, without optimistic concurrency."""

    name: str
    secret_paths: tuple[tuple[str, ...], ...] = ()
    queued: bool = True

    def live(self, client: Client, wanted: Mapping[str, str | None]) -> list[Live]:
        """All are read at once: a list of names gives 404 for all where one is missing."""
        return [live for live in self._read(client) if live.key in wanted]

    def all(self, client: Client) -> list[Live]:
        """All but those of the server and its plugins."""
        return [live for live in self._read(client) if not is_system(live.key)]

    def shown(self, client: Client, ids: Mapping[str, str]) -> list[Live]:
        """One is asked for by its name; for more, all are read."""
        return self._read(client, next(iter(ids))) if len(ids) == 1 else self.live(client, dict(ids))

    def _read(self, client: Client, *name: str) -> list[Live]:
        found = (client.get(path(f"_{self.name}", *name)) or {}).get(f"{self.name}s", [])
        bodies = {item["name"]: item[self.name] for item in found}
        return [Live(self.name, key, body, key, owner=meta_owner(body.get("_meta"))) for key, body in bodies.items()]

    def create(self, client: Client, key: str, body: Body) -> str:
        """Make it; refused (400) where it exists by now."""
        client.request("PUT", path(f"_{self.name}", key), body, {"create": "true"})
        return key

    def update(self, client: Client, live: Live, body: Body) -> None:
        """Replace it."""
        client.request("PUT", path(f"_{self.name}", live.key), body)

    def delete(self, client: Client, live: Live) -> None:
        """Remove it; refused (400) while something uses it."""
        delete_if_there(client, path(f"_{self.name}", live.key))
