"""Index settings of the ISM plugin, which the bare node does not know and refuses.

A node keeps any setting below `index.analysis.` without looking at it, and carries it from templates to indexes. So
`index.plugins.index_state_management.<name>` (also written without `index.`, nested, and with the older `opendistro`)
travels to the node as `index.analysis.ism_stand_in.<name>`, and comes back under its own name. Such a setting can't be
changed on an open index: a later `PUT /<index>/_settings` is kept beside it, and wins.
"""

from __future__ import annotations

import re
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisioner.devcluster.standin.access import caller_of
from provisioner.devcluster.standin.ism.indexes import Indexes
from provisioner.devcluster.standin.node import Node
from provisioner.devcluster.standin.plugin import route
from provisioner.devcluster.standin.proxy import forward, read
from provisioner.devcluster.standin.rest import answer
from provisioner.devcluster.standin.settings import INDEX, flatten
from provisioner.devcluster.standin.store import Store

KEPT = "index.analysis.ism_stand_in."
THEIRS = "index.plugins.index_state_management."
_NAMES = ("rollover_alias", "rollover_skip", "policy_id", "auto_manage", "history_index")
_WRITTEN = re.compile(r"(?:index\.)?(?:plugins|opendistro)\.index_state_management\.(\w+)")
_UPDATE = "indices:admin/settings/update"
_MARK, _KEPT_MARK = b"index_state_management", b"ism_stand_in"
# Where settings stand in the bodies: of an index or legacy template, and of an index or component template.
_PLACES = (("settings",), ("template", "settings"))


class IndexSettings:
    """Carries ISM's index settings through the node."""

    def __init__(self, node: Node, indexes: Indexes) -> None:
        self._node = node
        self._indexes = indexes
        self._changed = Store(node, INDEX)

    def routes(self) -> list[Route]:
        """Where index settings are written and read. Without any of ISM's, requests pass untouched."""
        routes = [
            route("/{index}/_settings", self._change, ["PUT"], shared=True),
            route("/{index}/_settings", self._read, ["GET"], shared=True),
            route("/_settings", self._read, ["GET"], shared=True),
            route("/{index}", self._write, ["PUT"], shared=True),
            route("/{index}", self._read, ["GET"], shared=True),
        ]
        for kind in ("_index_template", "_component_template", "_template"):
            path = f"/{kind}/{{name}}"
            routes += [
                route(path, self._write, ["PUT", "POST"], shared=True),
                route(path, self._read, ["GET"], shared=True),
                route(f"/{kind}", self._read, ["GET"], shared=True),
            ]
        return routes

    async def of(self, index: str, uuid: str) -> dict[str, str]:
        """The ISM settings of an index, by their full names."""
        changed = await self._changed.get(_document(uuid))
        found: dict[str, str] = {}
        for name in _NAMES:
            value = await self._indexes.setting(index, KEPT + name)
            value = orjson.loads(changed.source["json"]).get(name, value) if changed else value
            if value is not None:
                found[THEIRS + name] = value
        return found

    async def _write(self, request: Request) -> Response:
        raw = await request.body()
        if _MARK not in raw or request.path_params.get("index", "").startswith("_"):
            return await forward(self._node, request)
        try:
            body = orjson.loads(raw)
        except orjson.JSONDecodeError:
            return await forward(self._node, request)
        for place in _PLACES:
            at = body
            for step in place[:-1]:
                at = at.get(step) if isinstance(at, dict) else None
            if isinstance(at, dict) and isinstance(at.get(place[-1]), dict):
                at[place[-1]] = {_kept_name(name): value for name, value in flatten(at[place[-1]]).items()}
        return await forward(self._node, request, orjson.dumps(body))

    async def _change(self, request: Request) -> Response:
        raw = await request.body()
        if _MARK not in raw:
            return await forward(self._node, request)
        try:
            body = flatten(orjson.loads(raw))
        except (orjson.JSONDecodeError, AttributeError):
            return await forward(self._node, request)
        body = {name.removeprefix("settings."): value for name, value in body.items()}
        ours = {found[1]: value for name, value in body.items() if (found := _WRITTEN.fullmatch(name))}
        rest = {name: value for name, value in body.items() if not _WRITTEN.fullmatch(name)}
        indexes = await self._indexes.find(request.path_params["index"].split(","), strict=True)
        caller = caller_of(request)
        if caller and not all(caller.may_on(index.name, _UPDATE) for index in indexes):
            raise caller.refusal(_UPDATE)
        for index in indexes:
            before = await self._changed.get(_document(index.uuid))
            settings = {**(orjson.loads(before.source["json"]) if before else {}), **ours}
            await self._changed.put(_document(index.uuid), {"json": orjson.dumps(settings).decode()})
        return await forward(self._node, request, orjson.dumps(rest)) if rest else answer({"acknowledged": True})

    async def _read(self, request: Request) -> Response:
        if request.path_params.get("index", "").startswith("_"):
            return await forward(self._node, request)
        response = await read(self._node, request)
        if _KEPT_MARK not in response.plain:
            return response
        return answer(_shown(orjson.loads(response.plain)), response.status_code)


def _document(uuid: str) -> str:
    return f"index-settings-{uuid}"


def _kept_name(name: str) -> str:
    found = _WRITTEN.fullmatch(name)
    return KEPT + found[1] if found else name


def _shown(value: Any) -> Any:
    """The same JSON with the kept settings under their own names, flat or nested."""
    if isinstance(value, list):
        return [_shown(v) for v in value]
    if not isinstance(value, dict):
        return value
    made = {k.replace(KEPT, THEIRS): _shown(v) for k, v in value.items()}
    analysis = made.get("analysis")
    if isinstance(analysis, dict) and "ism_stand_in" in analysis:
        kept = analysis.pop("ism_stand_in")
        made.setdefault("plugins", {})["index_state_management"] = kept
        if not analysis:
            del made["analysis"]
    return made
