"""Passing a request to the node and its answer back, untouched and unbuffered."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator

import httpx
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from provisioner.devcluster.standin.node import Node
from provisioner.devcluster.standin.rest import answer

# Headers that belong to one connection (RFC 9110, section 7.6.1), never passed on. `Expect` is answered by the server
# in front of us already.
HOP_BY_HOP = frozenset(
    name.encode()
    for name in (
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "expect",
    )
)


class NodeResponse(StreamingResponse):
    """An answer of the node itself, as it comes."""

    def __init__(self, chunks: AsyncIterator[bytes], status: int) -> None:
        super().__init__(chunks, status)
        self.chunks = chunks


class WholeNodeResponse(Response):
    """An answer of the node itself, read to its end. `plain` is its body without compression."""

    @property
    def plain(self) -> bytes:
        """The body as text."""
        return gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else bytes(self.body)


async def read(node: Node, request: Request) -> WholeNodeResponse:
    """The node's answer as `forward` gives it, but read to its end: for whoever wants to look at it."""
    others = [(k, v) for k, v in request.headers.raw if k.lower() != b"accept-encoding"]
    encoding = b"gzip" if "gzip" in request.headers.get("accept-encoding", "") else b"identity"
    scope = {**request.scope, "headers": [*others, (b"accept-encoding", encoding)]}
    streamed = await forward(node, Request(scope, request.receive))
    whole = WholeNodeResponse(status_code=streamed.status_code)
    chunks = [chunk async for chunk in streamed.chunks] if isinstance(streamed, NodeResponse) else [streamed.body]
    whole.body = b"".join(chunks)
    whole.raw_headers = streamed.raw_headers
    return whole


async def forward(node: Node, request: Request, content: bytes | None = None) -> Response:
    """Send the request to the node as it came: method, raw path and query, headers, body. 502 when it is unreachable.

    Neither body is held in memory, and neither is decompressed. `content` takes the place of the request's body.
    """
    raw_path: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    query: bytes = request.scope["query_string"]
    target = raw_path + b"?" + query if query else raw_path
    dropped = HOP_BY_HOP if content is None else HOP_BY_HOP | {b"content-length"}
    headers = [(k, v) for k, v in request.headers.raw if k.lower() not in dropped]
    has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
    upstream = httpx.Request(
        request.method,
        node.url,
        headers=headers,
        content=content if content is not None else request.stream() if has_body else None,
        # `target` goes on the wire byte for byte; a URL would be normalised.
        extensions={"target": target, "timeout": httpx.Timeout(None, connect=10.0).as_dict()},
    )
    try:
        reply = await node.for_callers.send(upstream, stream=True)
    except ClientDisconnect:
        return Response(status_code=499)
    except httpx.TransportError as failure:
        reason = f"the dev cluster's node does not answer: {type(failure).__name__}"
        return answer({"error": reason, "status": 502}, 502)
    response = NodeResponse(_chunks(reply), reply.status_code)
    response.raw_headers = [(k.lower(), v) for k, v in reply.headers.raw if k.lower() not in HOP_BY_HOP]
    return response


async def _chunks(reply: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in reply.aiter_raw():
            yield chunk
    finally:
        await reply.aclose()
