"""The stand-in as an ASGI application: the plugins' routes first, everything else goes to the node."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from provisioner.devcluster.standin.access import API, Access
from provisioner.devcluster.standin.errors import OpenSearchError, StandInError, plain_error
from provisioner.devcluster.standin.node import Node
from provisioner.devcluster.standin.plugin import Plugin, Shared, route
from provisioner.devcluster.standin.proxy import NodeResponse, WholeNodeResponse, forward
from provisioner.devcluster.standin.rest import answer

HEADER = "X-Provisioner-Stand-In"
NOTICE = "development stand-in for the OpenSearch plugins named here; not the plugins themselves"

log = logging.getLogger(__name__)


class StandIn:
    """Decides who answers a request: one of the plugins, or the node."""

    def __init__(self, node: Node, plugins: Sequence[Plugin], *, authenticate: bool = False) -> None:
        self.node = node
        self.names = [p.name for p in plugins if p.name]
        self._access = Access(node) if authenticate else None
        self._routes: list[Route] = [r for p in plugins for r in p.routes()]
        self._routes.append(route("/_plugins/_standin/health", self._health, ["GET"]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request = Request(scope, receive)
        found = [r for r in self._routes if r.path_regex.match(scope["path"])]
        chosen = next((r for r in found if request.method in (r.methods or ())), None)
        if chosen is None and all(isinstance(r, Shared) for r in found):
            response = await forward(self.node, request)
            if self._access and request.method != "GET" and request.url.path.startswith(API):
                self._access.forget()
        else:
            response = await self._own(chosen, found, request)
        await response(scope, receive, send)

    async def _own(self, chosen: Route | None, found: Sequence[Route], request: Request) -> Response:
        """The answer of a plugin's route, or the error that it raised, marked as the stand-in's."""
        try:
            if self._access:
                await self._access.admit(request, getattr(chosen, "action", None))
            response = await _answer(chosen, request) if chosen else _wrong_method(found, request)
        except StandInError as error:
            known = isinstance(error.body, dict)
            response = answer(error.body, error.status) if known else Response(error.body, error.status)
            response.headers.update(error.headers)
        except httpx.TransportError as error:
            response = answer(plain_error(503, f"the node does not answer: {type(error).__name__}").body, 503)
        except Exception as error:
            log.exception("%s %s failed", request.method, request.url.path)
            response = answer(OpenSearchError(500, "exception", f"{type(error).__name__}: see the log").body, 500)
        if not isinstance(response, NodeResponse | WholeNodeResponse):
            response.headers[HEADER] = ",".join(self.names)
        return response

    async def _health(self, _request: Request) -> Response:
        reply = await self.node.request("GET", "/")
        version = reply.body.get("version", {}).get("number") if isinstance(reply.body, dict) else None
        return answer(
            {
                "stand_in": self.names,
                "notice": NOTICE,
                "node": {"status": reply.status, "version": version},
            }
        )


async def _answer(chosen: Route, request: Request) -> Response:
    _, child = chosen.matches(request.scope)
    request.scope.update(child)
    response: Response = await chosen.endpoint(request)
    return response


def _wrong_method(found: Sequence[Route], request: Request) -> Response:
    allowed = ", ".join(sorted({method for r in found for method in r.methods or ()}))
    uri = request.scope.get("raw_path", request.scope["path"].encode()).decode()
    query = request.scope["query_string"].decode()
    uri = f"{uri}?{query}" if query else uri
    reason = f"Incorrect HTTP method for uri [{uri}] and method [{request.method}], allowed: [{allowed}]"
    refused = answer({"error": reason, "status": 405}, 405)
    refused.headers["allow"] = allowed.replace(" ", "")
    return refused


def build(node: Node, plugins: Sequence[Plugin], *, authenticate: bool = False) -> Starlette:
    """The application. Starting it waits for the node, then starts the plugins; stopping it stops them.

    `authenticate`: ask the node's security plugin who the caller is, and what the roles permit, before a plugin's route
    answers.
    """

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await node.wait()
        for plugin in plugins:
            await plugin.start()
        try:
            yield
        finally:
            for plugin in reversed(plugins):
                await plugin.stop()
            await node.close()

    app = Starlette(lifespan=lifespan)
    app.mount("/", StandIn(node, plugins, authenticate=authenticate))
    return app
