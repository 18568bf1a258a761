"""Cluster settings of the plugins, which the bare node does not know and refuses.

`PUT /_cluster/settings` is split: what belongs to a plugin is kept in a hidden index on the node, the rest goes to the
node, and the two answers become one. `GET` shows both. Requests that name no plugin's setting pass untouched, and so
do names that the plugins don't have: the node refuses them in its own words.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisioner.devcluster.standin.node import Node, Reply
from provisioner.devcluster.standin.plugin import route
from provisioner.devcluster.standin.proxy import forward
from provisioner.devcluster.standin.rest import answer, bool_param
from provisioner.devcluster.standin.store import Store

INDEX = ".provisioner-stand-in"
KNOWN = frozenset(orjson.loads(files(__package__).joinpath("known_settings.json").read_bytes()))
_SCOPES = ("persistent", "transient")
_ID = "cluster-settings"
_FRESH_SECONDS = 1.0


class ClusterSettings:
    """The plugins' settings: `get` for the plugins, the routes for clients. Implements `plugin.Plugin`."""

    name = ""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._store = Store(node, INDEX)
        self._cached: tuple[float, dict[str, dict[str, Any]]] = (0.0, {})

    def routes(self) -> list[Route]:
        """`/_cluster/settings`, for as far as it concerns the plugins."""
        return [
            route("/_cluster/settings", self._put, ["PUT"], action="cluster:admin/settings/update", shared=True),
            route("/_cluster/settings", self._get, ["GET"], shared=True),
        ]

    async def start(self) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """Nothing to stop."""

    async def get(self, name: str) -> Any:
        """The value that a client set, as a string or list of strings; None when there is none."""
        read_at, scopes = self._cached
        if time.monotonic() - read_at > _FRESH_SECONDS or not scopes:
            scopes = await self._read()
        return scopes["transient"].get(name, scopes["persistent"].get(name))

    async def _read(self) -> dict[str, dict[str, Any]]:
        found = await self._store.get(_ID)
        # Stored as text: setting names hold dots and would become nested fields of the document.
        scopes: dict[str, dict[str, Any]] = orjson.loads(found.source["json"]) if found else {s: {} for s in _SCOPES}
        self._cached = (time.monotonic(), scopes)
        return scopes

    async def _put(self, request: Request) -> Response:
        ours, rest = _split(await request.body())
        if not any(ours.values()):
            return await forward(self._node, request)
        result: dict[str, Any] = {"acknowledged": True, "persistent": {}, "transient": {}}
        if any(rest.values()):
            result = (await self._as_caller(request, rest)).checked().body
        stored = await self._read()
        for scope in _SCOPES:
            changed = {**stored[scope], **ours[scope]}
            stored[scope] = {name: value for name, value in changed.items() if value is not None}
            result[scope].update({name: value for name, value in ours[scope].items() if value is not None})
        await self._store.put(_ID, {"json": orjson.dumps(stored).decode()})
        self._cached = (time.monotonic(), stored)
        return answer(_shown(result, flat=bool_param(request, "flat_settings")))

    async def _get(self, request: Request) -> Response:
        stored = await self._read()
        if not any(stored.values()) or "filter_path" in request.query_params:
            return await forward(self._node, request)
        result = (await self._as_caller(request, None)).checked().body
        for scope in _SCOPES:
            result.setdefault(scope, {}).update(stored[scope])
        return answer(_shown(result, flat=bool_param(request, "flat_settings")))

    async def _as_caller(self, request: Request, body: dict[str, Any] | None) -> Reply:
        params = {**request.query_params, "flat_settings": "true"}
        return await self._node.as_caller(
            request.method, "/_cluster/settings", request.headers, params=params, body=body
        )


def flatten(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings with dotted names; scalars become strings, as OpenSearch keeps them."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = as_setting(value)
    return flat


def as_setting(value: Any) -> Any:
    """A setting's value as OpenSearch keeps it: a string, a list of strings, or None."""
    match value:
        case None | str():
            return value
        case bool():
            return str(value).lower()
        case list():
            return [as_setting(v) for v in value]
        case _:
            return str(value)


def nest(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted names as nested objects."""
    nested: dict[str, Any] = {}
    for name, value in flat.items():
        *parents, leaf = name.split(".")
        at = nested
        for parent in parents:
            at = at.setdefault(parent, {})
        at[leaf] = value
    return nested


def _split(raw: bytes) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """The body's settings: those of the plugins, and the rest. Both empty for a body that is not understood."""
    empty: dict[str, dict[str, Any]] = {scope: {} for scope in _SCOPES}
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return empty, empty
    if not isinstance(body, dict) or not all(isinstance(body.get(s, {}), dict) for s in body) or body.keys() - _SCOPES:
        return empty, empty
    flat = {scope: flatten(body.get(scope, {})) for scope in _SCOPES}
    ours = {scope: {n: v for n, v in flat[scope].items() if n in KNOWN} for scope in _SCOPES}
    rest = {scope: {n: v for n, v in flat[scope].items() if n not in KNOWN} for scope in _SCOPES}
    return ours, rest


def _shown(result: dict[str, Any], *, flat: bool) -> dict[str, Any]:
    scopes = (*_SCOPES, "defaults")
    return {key: nest(value) if key in scopes and not flat else value for key, value in result.items()}
