"""Data streams. Their body here is `{"template": <index template>}`; the mark is that of their index template."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.client import path
from provisioner.kinds._common import delete_if_there, is_system
from provisioner.marks import meta_owner
from provisioner.model import Live

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provisioner.client import Client
    from provisioner.model import Body


class DataStreams:
    """`_data_stream`: PUT takes no body, the index template that matches says everything: nothing to update."""

    name = "data_stream"
    secret_paths: tuple[tuple[str, ...], ...] = ()
    queued = True

    def live(self, client: Client, wanted: Mapping[str, str | None]) -> list[Live]:
        """A stream that a shipper made by writing, from a template of ours, bears our mark too."""
        return self._marked(client, [item for item in self._read(client) if item["name"] in wanted])

    def all(self, client: Client) -> list[Live]:
        """All but those of the server's plugins."""
        return self._marked(client, [item for item in self._read(client) if not is_system(item["name"])])

    def shown(self, client: Client, ids: Mapping[str, str]) -> list[Live]:
        """One is asked for by its name, and so is its template; for more, all are read."""
        return self._marked(client, self._read(client, next(iter(ids)))) if len(ids) == 1 else self.live(client, ids)

    def _read(self, client: Client, *name: str) -> list[Body]:
        found: list[Body] = (client.get(path("_data_stream", *name)) or {}).get("data_streams", [])
        return found

    def _marked(self, client: Client, found: list[Body]) -> list[Live]:
        """The mark is that of the index template."""
        names = {item["template"] for item in found}
        if not names:
            return []
        one = names if len(names) == 1 else ()
        templates = (client.get(path("_index_template", *one)) or {}).get("index_templates", [])
        owners = {item["name"]: meta_owner(item["index_template"].get("_meta")) for item in templates}
        return [
            Live(
                self.name,
                item["name"],
                {"template": item["template"]},
                item["name"],
                owner=owners.get(item["template"]),
            )
            for item in found
        ]

    def create(self, client: Client, key: str, body: Body) -> str:
        """Make it, from the index template that matches its name; refused (400) where it exists or none matches."""
        client.request("PUT", path("_data_stream", key))
        return key

    def update(self, client: Client, live: Live, body: Body) -> None:
        """Nothing to do: its index template says everything, and takes effect at the next rollover."""

    def delete(self, client: Client, live: Live) -> None:
        """Remove it **with all its documents**."""
        delete_if_there(client, path("_data_stream", live.key))


KIND = DataStreams()
