"""Reading requests and writing answers as OpenSearch's REST layer does."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeVar

import orjson
from starlette.requests import Request
from starlette.responses import Response

from provisioner.devcluster.standin.errors import OpenSearchError, StandInError, illegal_argument, plain_error
from provisioner.devcluster.standin.located import UnexpectedTokenError
from provisioner.devcluster.standin.node import Node

T = TypeVar("T")

# Every REST handler of OpenSearch takes these.
COMMON_PARAMS = frozenset({"pretty", "human", "error_trace", "filter_path", "format", "source", "source_content_type"})


def answer(body: Any, status: int = 200, *, pretty: bool = False) -> Response:
    """A JSON answer."""
    option = orjson.OPT_INDENT_2 if pretty else 0
    return Response(orjson.dumps(body, option=option), status, media_type="application/json; charset=UTF-8")


def check_params(request: Request, allowed: Collection[str] = ()) -> None:
    """Refuse query parameters that the handler does not know. Raises 400 illegal_argument_exception."""
    unknown = [p for p in request.query_params if p not in allowed and p not in COMMON_PARAMS]
    if unknown:
        plural = "s" if len(unknown) > 1 else ""
        listed = ", ".join(f"[{p}]" for p in unknown)
        raise illegal_argument(f"request [{request.url.path}] contains unrecognized parameter{plural}: {listed}")


def int_param(request: Request, name: str, default: int | None = None) -> int | None:
    """An integer query parameter. Raises 400 when it is none."""
    text = request.query_params.get(name)
    if text is None:
        return default
    try:
        return int(text)
    except ValueError:
        raise illegal_argument(f"Failed to parse int parameter [{name}] with value [{text}]") from None


def bool_param(request: Request, name: str, default: bool = False) -> bool:
    """A boolean query parameter; a bare `?name` is true. Raises 400 for anything but true, false and nothing."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if text not in ("true", "false", ""):
        raise illegal_argument(f"Failed to parse value [{text}] as only [true] or [false] are allowed.")
    return text != "false"


async def json_body(request: Request, node: Node) -> Any:
    """The parsed body; None when there is none. Raises the node's own json_parse_exception for what is not JSON."""
    raw = await request.body()
    if not raw:
        return None
    if not request.headers.get("content-type"):
        raise plain_error(406, "Content-Type header [] is not supported")
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise await _parse_error(raw, node) from None


async def parsed(request: Request, node: Node, parse: Callable[[Any], T]) -> T:
    """The body as `parse` reads it. Raises 400 for no body, no JSON, and where `parse` raises UnexpectedTokenError."""
    body = await json_body(request, node)
    if body is None:
        raise OpenSearchError(400, "parse_exception", "request body is required")
    try:
        return parse(body)
    except UnexpectedTokenError as unexpected:
        raise unexpected.as_error((await request.body()).decode()) from None


async def _parse_error(raw: bytes, node: Node) -> StandInError:
    """Let the node parse the same bytes: it words the error as the plugins' parsers, which are the same, do."""
    reply = await node.request("POST", "/_ingest/pipeline/_simulate", body=raw)
    error = reply.body.get("error", {}) if isinstance(reply.body, dict) else {}
    cause = error.get("caused_by", error) if isinstance(error, dict) else {}
    return OpenSearchError(400, cause.get("type", "json_parse_exception"), cause.get("reason", "invalid JSON"))
