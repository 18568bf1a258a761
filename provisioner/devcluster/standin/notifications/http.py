"""Delivering to webhooks and chat services over HTTP(S)."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson

# Default settings of opensearch.notifications.core.http: 5 s to connect, 50 s for an answer.
_TIMEOUT = httpx.Timeout(50.0, connect=5.0)
_ACCEPTED = (200, 201, 202, 203, 204, 205, 206, 207)
# The plugin's HTTP client (Apache HttpClient 5, default strategy) tries once more after one second.
_TRY_AGAIN = (429, 503)
_BODY_KEY = {"slack": "text", "chime": "Content", "microsoft_teams": "text"}


@dataclass(frozen=True)
class Delivery:
    """How one delivery ended: the plugin's status code and text for it."""

    status: int
    text: str


class HttpSender:
    """Sends messages to webhook, Slack, Chime and Teams URLs."""

    def __init__(self) -> None:
        self._client = httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False)

    async def close(self) -> None:
        """Close the kept connections."""
        await self._client.aclose()

    async def send(
        self, config_type: str, data: dict[str, Any], title: str, message: str, denied: Sequence[str] = ()
    ) -> Delivery:
        """Deliver once. `data` is the config's own object (`url`, for webhooks `header_params` and `method`).

        `denied`: hosts, addresses and networks that must not be called. Never raises: the status tells.
        """
        addresses = await _resolve(data["url"])
        if not addresses:
            return Delivery(500, "Failed to send webhook message Host could not be resolved to a valid Ip address")
        if _is_denied(data["url"], addresses, denied):
            reason = "Host of url is denied, based on plugin setting [notification.core.http.host_deny_list]"
            return Delivery(400, f"Webhook message creation failed with status:{reason}")
        request = build_request(config_type, data, title, message)
        try:
            answer = await self._client.send(request)
            if answer.status_code in _TRY_AGAIN:
                await asyncio.sleep(1)
                answer = await self._client.send(request)
        except httpx.HTTPError as failure:
            return Delivery(500, f"Failed to send webhook message {_words(failure, request.url, addresses)}")
        if answer.status_code not in _ACCEPTED:
            return Delivery(500, f"Failed to send webhook message Failed: {answer.reason_phrase}")
        return Delivery(200, answer.text or "{}")


def build_request(config_type: str, data: dict[str, Any], title: str, message: str) -> httpx.Request:
    """The request of one delivery. A webhook gets the message alone, chat services title and message in JSON."""
    if config_type == "webhook":
        headers = dict(data["header_params"]) or {"Content-type": "application/json"}
        method, body = data["method"], message.encode()
    else:
        headers, method = {}, "POST"
        body = orjson.dumps({_BODY_KEY[config_type]: f"{title}\n\n{message}"})
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "text/plain; charset=UTF-8"
    headers.setdefault("User-Agent", "provisioner-stand-in")
    return httpx.Request(method, data["url"], headers=headers, content=body)


async def _resolve(url: str) -> list[str]:
    host = urlsplit(url).hostname or ""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _is_denied(url: str, addresses: Sequence[str], denied: Sequence[str]) -> bool:
    host = (urlsplit(url).hostname or "").lower()
    for entry in denied:
        if entry.lower() == host:
            return True
        try:
            network = ipaddress.ip_network(entry, strict=False)
        except ValueError:
            continue
        if any(ipaddress.ip_address(address.partition("%")[0]) in network for address in addresses):
            return True
    return False


def _words(failure: httpx.HTTPError, url: httpx.URL, addresses: Sequence[str]) -> str:
    """The failure in the words of the plugin's HTTP client."""
    if isinstance(failure, httpx.ConnectTimeout | httpx.ConnectError):
        named = [address if address == url.host else f"{url.host}/{address}" for address in addresses]
        listed = ", ".join(name if "/" in name else f"/{name}" for name in named)
        port = f":{url.port}" if url.port else ""
        why = "Connect timed out" if isinstance(failure, httpx.ConnectTimeout) else _cause(failure)
        return f"Connect to {url.scheme}://{url.host}{port} [{listed}] failed: {why}"
    if isinstance(failure, httpx.ReadTimeout):
        return "Read timed out"
    return str(failure) or type(failure).__name__


def _cause(failure: BaseException) -> str:
    """What lies under a connection error: `Connection refused`, or the TLS layer's words."""
    under: BaseException | None = failure
    while under is not None:
        if isinstance(under, ConnectionRefusedError):
            return "Connection refused"
        under = under.__cause__ or under.__context__
    return str(failure).replace("All connection attempts failed", "Connection refused")
