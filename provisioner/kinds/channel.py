"""Channels, and their e-mail senders (smtp_account, ses_account) and groups (email_group): one API, one kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.client import path
from provisioner.errors import ProvisionerError
from provisioner.kinds._common import delete_if_there
from provisioner.marks import described_owner
from provisioner.model import Live
from provisioner.secretplaces import PLACES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provisioner.client import Client
    from provisioner.model import Body

_PAGE = 1000
_API = "/_plugins/_notifications/configs"


def _at(key: str) -> str:
    return path("_plugins", "_notifications", "configs", key)


class Channels:
    """`_plugins/_notifications/configs`: the client chooses `config_id`; PUT replaces everything and has no optimistic
    concurrency. GET gives secrets back in clear."""

    name = "channel"
    secret_paths = PLACES["channel"]

    def live(self, client: Client, wanted: Mapping[str, str | None]) -> list[Live]:
        """All are read, in pages: a list of ids gives 404 for all where one is missing."""
        return [live for live in self.all(client) if live.key in wanted]

    def all(self, client: Client) -> list[Live]:
        """Everything, in pages; the server itself brings no channel along."""
        found: list[Body] = []
        while True:
            page = client.request("GET", _API, params={"from_index": len(found), "max_items": _PAGE})
            found += page["config_list"]
            if len(page["config_list"]) < _PAGE:
                return self._lives(found)

    def shown(self, client: Client, ids: Mapping[str, str]) -> list[Live]:
        """One is asked for by its id; for more, all are read."""
        if len(ids) != 1:
            return self.live(client, dict(ids))
        return self._lives((client.get(_at(next(iter(ids)))) or {}).get("config_list", []))

    def _lives(self, found: list[Body]) -> list[Live]:
        configs = ((item["config_id"], item["config"]) for item in found)
        return [
            Live(self.name, key, config, key, owner=described_owner(config.get("description")))
            for key, config in configs
        ]

    def create(self, client: Client, key: str, body: Body) -> str:
        """Make it; 409 where it exists by now."""
        client.request("POST", _API, {"config_id": key, "config": body})
        return key

    def update(self, client: Client, live: Live, body: Body) -> None:
        """Replace it. Raises ProvisionerError where the type would change: the server refuses that (409)."""
        was, wanted = live.body.get("config_type"), body.get("config_type")
        if was != wanted:
            raise ProvisionerError(
                f"a channel's type can't be changed, here from {was} to {wanted}",
                "give the channel another id, or delete it in the cluster and run apply again",
            )
        client.request("PUT", _at(live.key), {"config": body})

    def delete(self, client: Client, live: Live) -> None:
        """Remove it; the server does not ask whether a monitor uses it."""
        delete_if_there(client, _at(live.key))


KIND = Channels()
