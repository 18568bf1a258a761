"""The way to the real node."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson

from provisioner.devcluster.standin.errors import StandInError, reason_of

Body = Mapping[str, Any] | list[Any] | str | bytes | None


@dataclass(frozen=True)
class NodeTls:
    """How to speak TLS with the node: its CA, and the admin client certificate by which the stand-in authenticates."""

    ca: Path
    client_cert: Path | None = None
    client_key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """An SSL context that verifies the node's certificate by `ca`."""
        context = ssl.create_default_context(cafile=self.ca)
        if self.client_cert is not None:
            context.load_cert_chain(self.client_cert, self.client_key)
        return context


@dataclass(frozen=True)
class Reply:
    """A node's answer: status, parsed JSON (or text where it is none), headers."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def ok(self) -> bool:
        """Status below 400."""
        return self.status < 400

    @property
    def reason(self) -> str:
        """The error's reason; for an answer that is no error, its body as text."""
        return reason_of(self.body)

    def checked(self) -> Reply:
        """This reply; raises StandInError with the node's own status and body when it is an error."""
        if not self.ok:
            raise StandInError(self.status, self.body)
        return self


class Node:
    """The node's REST API, as the stand-in itself (not as a caller) uses it. One per process, connections are kept."""

    def __init__(self, url: str, tls: NodeTls | None = None) -> None:
        self.url = url.rstrip("/")
        self._own = self._client(tls.context() if tls else None)
        # What callers ask goes over connections without the stand-in's admin certificate: it must not speak for them.
        anonymous = NodeTls(tls.ca).context() if tls else None
        self.for_callers = self._client(anonymous)

    def _client(self, context: ssl.SSLContext | None) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=50)
        # No read timeout: a node may rightly take minutes (force merge, snapshot, wait_for_completion).
        timeout = httpx.Timeout(None, connect=10.0)
        verify = context if context is not None else True
        return httpx.AsyncClient(base_url=self.url, verify=verify, timeout=timeout, limits=limits, trust_env=False)

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Body = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Ask the node. A dict goes as JSON, a list as newline-delimited JSON, str and bytes as they are (as JSON).

        `path` must be percent-encoded already (`quote`). Raises httpx.TransportError when the node can't be reached.
        """
        return await _ask(self._own, method, path, params=params, body=body, headers=headers)

    async def search(self, indices: str, *, params: Mapping[str, Any], body: Body) -> Reply:
        """Search the stand-in's own indices; after a start or a creation it waits for their shards.

        `indices` is a list or pattern, percent-encoded already.
        """
        path = f"/{indices}/_search"
        reply = await self.request("POST", path, params=params, body=body)
        if reply.status == 503:
            patience = {"wait_for_status": "yellow", "timeout": "8s"}
            await self.request("GET", f"/_cluster/health/{indices}", params=patience)
            reply = await self.request("POST", path, params=params, body=body)
        return reply

    async def as_caller(
        self,
        method: str,
        path: str,
        caller: Mapping[str, str],
        *,
        params: Mapping[str, Any] | None = None,
        body: Body = None,
    ) -> Reply:
        """Ask with the credentials among a caller's own headers, and nothing of the stand-in's."""
        passed = {k: v for k, v in caller.items() if k.lower() in ("authorization", "cookie")}
        return await _ask(self.for_callers, method, path, params=params, body=body, headers=passed)

    async def wait(self, *, interval: float = 0.2) -> None:
        """Return once the node answers and has its cluster state; waits for ever otherwise."""
        while True:
            try:
                reply = await self.request("GET", "/_cluster/health", params={"timeout": "1s"})
            except httpx.TransportError:
                await asyncio.sleep(interval)
                continue
            if reply.status in (200, 401, 403):
                return
            await asyncio.sleep(interval)

    async def close(self) -> None:
        """Close the kept connections."""
        await self._own.aclose()
        await self.for_callers.aclose()


async def _ask(
    client: httpx.AsyncClient,
    method: str,
    path: str,
    *,
    params: Mapping[str, Any] | None,
    body: Body,
    headers: Mapping[str, str] | None,
) -> Reply:
    send = dict(headers or {})
    content = _encode(body)
    if content is not None:
        kind = "application/x-ndjson" if isinstance(body, list) else "application/json"
        send.setdefault("content-type", kind)
    query = {k: _param(v) for k, v in (params or {}).items() if v is not None}
    response = await client.request(method, path, params=query or None, content=content, headers=send)
    return Reply(response.status_code, _decode(response), response.headers)


def _encode(body: Body) -> bytes | None:
    if body is None or isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, list):
        return b"".join(orjson.dumps(line) + b"\n" for line in body)
    return orjson.dumps(body)


def _decode(response: httpx.Response) -> Any:
    if "json" not in response.headers.get("content-type", ""):
        return response.text
    try:
        return orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return response.text


def _param(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
