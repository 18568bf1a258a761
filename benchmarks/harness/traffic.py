"""Which requests a plan or an apply needs, so that a bare loop can send the very same ones."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from provisioner import secretrefs
from provisioner.cluster import Cluster

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from provisioner.model import Ref, Resource
    from provisioner.settings import Settings

Request = tuple[str, str, dict[str, Any] | None, Any]
"""Method, path, parameters, body."""


class _SentError(Exception):
    """A kind is stopped behind its write: what it reads afterwards is its own affair."""


class _Writer:
    """Stands where a kind expects its client, and only notes what it would write."""

    def __init__(self) -> None:
        self.sent: list[Request] = []

    def request(
        self, method: str, path: str, body: Any = None, params: Mapping[str, Any] | None = None, *, safe: bool = False
    ) -> None:
        self.sent.append((method, path, dict(params) if params else None, body))
        raise _SentError


def levels(resources: Iterable[Resource]) -> list[list[Resource]]:
    """The resources, each in the level behind the last one of those that it depends on."""
    by_ref = {resource.ref: resource for resource in resources}
    depth: dict[Ref, int] = {}

    def deep(ref: Ref) -> int:
        if ref not in depth:
            depth[ref] = 1 + max((deep(other) for other in by_ref[ref].depends_on if other in by_ref), default=-1)
        return depth[ref]

    found: list[list[Resource]] = [[] for _ in range(1 + max(map(deep, by_ref), default=-1))]
    for ref, resource in sorted(by_ref.items()):
        found[depth[ref]].append(resource)
    return found


def creating(resources: Iterable[Resource], kinds: Mapping[str, Any]) -> list[list[Request]]:
    """The requests that make them, by level: bodies rendered, secrets resolved. Nothing is sent."""
    wanted = []
    for level in levels(resources):
        writer = _Writer()
        for resource in level:
            with contextlib.suppress(_SentError):
                kinds[resource.kind].create(writer, resource.key, secretrefs.resolve(resource.body))
        wanted.append(writer.sent)
    return wanted


def reading(settings: Settings, resources: Iterable[Resource]) -> list[Request]:
    """The requests that a look at the cluster sends, noted while it is looked at."""
    cluster = Cluster(settings)
    noted: list[Request] = []
    inner = cluster.client.request

    def request(
        method: str, path: str, body: Any = None, params: Mapping[str, Any] | None = None, *, safe: bool = False
    ) -> Any:
        noted.append((method, path, dict(params) if params else None, body))
        return inner(method, path, body, params, safe=safe)

    cluster.client.request = request  # type: ignore[method-assign]
    cluster.look(resources)
    return noted
