"""The kinds of resources: one module each, found by a scan. A fact about an API stands in the kind it concerns."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from provisioner.client import Client
    from provisioner.model import Body, Live, SecretPaths


class ResourceKind(Protocol):
    """How one kind of resource is read and written."""

    @property
    def name(self) -> str:
        """The kind's name, as plans and the state write it."""

    @property
    def secret_paths(self) -> SecretPaths:
        """Where secrets can stand in a body: the server gives them back in clear, so they are masked."""

    def live(self, client: Client, wanted: Mapping[str, str | None]) -> list[Live]:
        """Those of the wanted ones that exist. `wanted` maps keys to the server ids that the state remembers."""

    def all(self, client: Client) -> list[Live]:
        """Everything of this kind in the cluster, whoever made it, but what the server itself brings along."""

    def shown(self, client: Client, ids: Mapping[str, str]) -> list[Live]:
        """These few, by key and server id, as they are now, in the form that `live` gives; missing ones are left out.

        Read before and after a write: cheap where `live` reads everything of the kind."""

    def create(self, client: Client, key: str, body: Body) -> str:
        """Make it, secrets resolved in `body`; its server id."""

    def update(self, client: Client, live: Live, body: Body) -> None:
        """Replace it. Raises ApiError with status 409 where it is no longer as `live` says."""

    def delete(self, client: Client, live: Live) -> None:
        """Remove it; no error where it is gone already."""


@runtime_checkable
class Overwriting(Protocol):
    """A kind whose `create` replaces what has the name by then: whoever creates looks first."""

    @property
    def overwrites(self) -> bool:
        """True."""


@runtime_checkable
class Queued(Protocol):
    """A kind whose objects are part of the cluster's state, which the cluster manager changes one at a time."""

    @property
    def queued(self) -> bool:
        """True."""


@runtime_checkable
class Governing(Protocol):
    """A kind whose objects are copied into what they govern, so that an update has to be rolled out."""

    def roll_out(self, client: Client, key: str) -> list[str]:
        """Tell everything that holds an older copy to take the newest over; its names. Raises ProvisionerError."""

    def behind(self, client: Client, keys: Collection[str]) -> dict[str, list[str]]:
        """What still holds an older copy, by key."""


@cache
def all_kinds() -> dict[str, ResourceKind]:
    """Every kind by its name. A module of this package whose name begins with no underscore offers it as `KIND`."""
    modules = (m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))
    found: list[ResourceKind] = [importlib.import_module(f"{__name__}.{name}").KIND for name in modules]
    return {kind.name: kind for kind in found}
