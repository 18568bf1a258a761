"""What roles, role mappings and users have in common: one API of the security plugin, three collections.

PUT creates and replaces, and there is no optimistic concurrency. The plugin keeps each collection in one document, so
writes of any two of its objects at once collide, and one of them is refused (409) without a change having been made.
Every object keeps `description`, where the owner's mark stands. All of it takes an administrator
(`plugins.security.restapi.roles_enabled`), or an admin certificate.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provisioner import backoff
from provisioner.client import path
from provisioner.errors import ApiError
from provisioner.kinds._common import delete_if_there
from provisioner.marks import described_owner
from provisioner.model import Live

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from provisioner.client import Client
    from provisioner.model import Body, SecretPaths

_SERVERS_OWN = ("reserved", "hidden", "static")
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class SecurityKind:
    """`_plugins/_security/api/<collection>`. `write_only` are the fields that are taken but never shown."""

    name: str
    collection: str
    secret_paths: SecretPaths = ()
    write_only: tuple[str, ...] = ()
    overwrites: bool = True

    def live(self, client: Client, wanted: Mapping[str, str | None]) -> list[Live]:
        """All are read at once, those of the server too: a wanted name may be one of theirs."""
        return [self._live(key, body) for key, body in self._listed(client) if key in wanted]

    def all(self, client: Client) -> list[Live]:
        """All but what the server brings along: what is reserved, hidden or static can't be changed anyway."""
        return [
            self._live(key, body)
            for key, body in self._listed(client)
            if not any(body.get(flag) for flag in _SERVERS_OWN)
        ]

    def shown(self, client: Client, ids: Mapping[str, str]) -> list[Live]:
        """One request each."""
        answers = ((key, client.get(self._path(key))) for key in ids)
        return [self._live(key, answer[key]) for key, answer in answers if answer is not None]

    def create(self, client: Client, key: str, body: Body) -> str:
        """Make it; the server would replace one that exists by now."""
        _alone(lambda: client.request("PUT", self._path(key), body))
        return key

    def update(self, client: Client, live: Live, body: Body) -> None:
        """Replace it; the last writer wins."""
        _alone(lambda: client.request("PUT", self._path(live.key), body))

    def delete(self, client: Client, live: Live) -> None:
        """Remove it; the server does not ask whether something uses it."""
        _alone(lambda: delete_if_there(client, self._path(live.key)))

    def _path(self, *key: str) -> str:
        return path("_plugins", "_security", "api", self.collection, *key)

    def _listed(self, client: Client) -> Iterator[tuple[str, Body]]:
        yield from client.request("GET", self._path()).items()

    def _live(self, key: str, shown: Body) -> Live:
        dropped = {*_SERVERS_OWN, *self.write_only}
        body = {name: value for name, value in shown.items() if name not in dropped}
        return Live(self.name, key, body, key, owner=described_owner(body.get("description")))


def _alone(write: Callable[[], object]) -> None:
    """Write while no other thread of ours does, and again where somebody else's write got in between."""
    with _ONE_AT_A_TIME:
        for wait in backoff.waits():
            try:
                write()
            except ApiError as error:
                if error.status != 409:
                    raise
            else:
                return
            time.sleep(wait)
        write()
