"""The one way to a cluster: requests and answers as plain values, errors as sentences."""

from __future__ import annotations

import contextlib
import json
import ssl
import time
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, urlencode

import opensearchpy
import orjson

from provisioner import auth, backoff
from provisioner.connection import Answer, Connection
from provisioner.errors import ApiError, ClusterError, ProvisionerError, UnclearError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provisioner.settings import Target

POOL = 16
"""Connections kept for each host: more than there are threads in an apply."""
_TIGHT = (",", ":")
_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
_LONG_NUMBER = b"0" * 19


def path(*parts: str) -> str:
    """A request path; every part is percent-encoded."""
    return "/" + "/".join(quote(part, safe="*,") for part in parts)


class Client:
    """Requests to one target. Reads are retried here, writes never: whoever writes knows what twice would do.

    Threads may share one.
    """

    def __init__(self, target: Target) -> None:
        """Open a connection pool; no request is sent yet. Raises MissingSecretError, ClusterError."""
        self.target = target
        options: dict[str, Any] = {
            "hosts": list(target.hosts),
            "connection_class": Connection,
            "pool_maxsize": POOL,
        }
        self._proof = auth.prove(target)
        options |= {"http_auth": self._proof.sign, "headers": dict(self._proof.headers)}
        if any(host.startswith("https") for host in target.hosts):
            options |= {"verify_certs": target.verify, "ssl_show_warn": False, "ca_certs": target.ca}
            options |= {"client_cert": target.client_cert, "client_key": target.client_key}
        try:
            if "verify_certs" in options or target.ca or target.client_cert:
                _check_files(target)
            transport = opensearchpy.OpenSearch(**options).transport
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise ClusterError(
                f"the settings of target {target.name!r} can't be used: {error}",
                "check ca, client_cert and client_key in provisioner.yml",
            ) from None
        self._connections = cast("list[Connection]", transport.seed_connections)
        self._turn = 0

    def request(
        self, method: str, path: str, body: Any = None, params: Mapping[str, Any] | None = None, *, safe: bool = False
    ) -> Any:
        """The answer's JSON.

        A read (GET, HEAD, and what the caller says is `safe` to ask twice) is tried again for as long as the target's
        timeout lasts. A write is sent once. Raises ApiError for an error status, UnreachableError where nothing was
        sent, UnclearError where no whole answer came, ClusterError where TLS or the cluster refuses us.
        """
        if not safe and method not in ("GET", "HEAD"):
            return self._once(method, path, body, params, self.target.timeout)
        end = time.monotonic() + self.target.timeout
        waits = backoff.waits()
        while True:
            try:
                return self._once(method, path, body, params, max(end - time.monotonic(), 0.001))
            except (ApiError, UnclearError, UnreachableError) as error:
                if isinstance(error, ApiError) and error.status != 429:
                    raise
                wait = next(waits, None)
                wait = None if wait is None else backoff.at_least(wait, getattr(error, "retry_after", None))
                if wait is None or time.monotonic() + wait >= end:
                    raise
            time.sleep(wait)

    def _once(self, method: str, path: str, body: Any, params: Mapping[str, Any] | None, timeout: float) -> Any:
        url = f"{path}?{urlencode(params)}" if params else path
        text = (
            body if isinstance(body, str) or body is None else json.dumps(body, ensure_ascii=False, separators=_TIGHT)
        )
        answer = self._send(method, url, None if text is None else text.encode("utf-8", "surrogatepass"), timeout)
        if method == "HEAD" and (answer.status < 300 or answer.status == 404):
            return answer.status < 300
        if 200 <= answer.status < 300 and not answer.broken:
            try:
                return _decoded(answer.body)
            except ValueError:
                raise self._no_opensearch(f"{method} {path}: the answer is cut off, or no JSON") from None
        raise self._error(method, path, answer)

    def _send(self, method: str, url: str, body: bytes | None, timeout: float) -> Answer:
        """Send it to the host that answered last, or else to the next one that takes a connection.

        After an unclear outcome it is not sent to another host: that would be sending it twice.
        """
        count = len(self._connections)
        failed: list[UnreachableError] = []
        first = self._turn  # other threads may move it meanwhile: each host is tried once all the same
        for turn in range(first, first + count):
            try:
                return self._connections[turn % count].ask(method, url, body, timeout, timeout / count)
            except UnreachableError as error:
                failed.append(error)
                self._turn = turn + 1
            except UnclearError:
                self._turn = turn + 1  # whatever is asked next goes elsewhere
                raise
        if count == 1:
            raise failed[0]
        raise UnreachableError("; ".join(sorted({error.message for error in failed})), failed[0].hint)

    def _error(self, method: str, path: str, answer: Answer) -> ProvisionerError:
        type_, reason = _words(answer)
        reason = self._proof.hide(reason)
        status, later = answer.status, _seconds(answer.headers.get("Retry-After"))
        if status in (401, 403) and type_ != "cluster_block_exception":  # a blocked index answers 403 too, to anybody
            return ClusterError(
                f"{method} {path}: the cluster refuses {self._proof.who}: {status} {reason}",
                f"check the credentials and roles of target {self.target.name!r}",
            )
        if status in (502, 503, 504) or 200 <= status < 300:
            return UnclearError(
                f"{method} {path}: {status} {f'{type_}: ' if type_ else ''}{reason}",
                "look at the cluster's health, then run the command again",
                status,
                later,
            )
        return ApiError(method, path, status, type_, reason, retry_after=later)

    def get(self, path: str, body: Any = None, params: Mapping[str, Any] | None = None) -> Any:
        """The answer's JSON, None for a 404."""
        try:
            return self.request("GET", path, body, params)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def greet(self) -> dict[str, Any]:
        """Ask who is there: name and version. Raises ClusterError where it is nothing of the kind."""
        answer = self.request("GET", "/")
        if not isinstance(answer, dict) or not isinstance(answer.get("version"), dict):
            error = self._no_opensearch("GET /: the answer names no version")
            raise ClusterError(error.message, error.hint)
        return answer

    def _no_opensearch(self, why: str) -> UnclearError:
        hint = f"check `hosts` of target {self.target.name!r} in provisioner.yml"
        hosts = ", ".join(sorted(connection.host for connection in self._connections))
        return UnclearError(f"{hosts} does not answer as OpenSearch does ({why})", hint)


def _check_files(target: Target) -> None:
    """Read certificates and key as a connection would, but now: later it would look like trouble with the server."""
    context = ssl.create_default_context()
    if target.ca:
        context.load_verify_locations(target.ca)
    if target.client_cert:
        context.load_cert_chain(target.client_cert, target.client_key, password=lambda: "")  # never ask on a terminal


def _words(answer: Answer) -> tuple[str, str]:
    """OpenSearch's own type and reason, from whichever form its body has."""
    if answer.broken:
        return "", f"the answer is not whole: {answer.broken}"
    try:
        info = json.loads(answer.body)
    except ValueError:
        info = None
    if isinstance(info, dict) and isinstance(info.get("error"), dict):
        inner = info["error"]
        cause = (inner.get("caused_by") or {}).get("reason") or ""
        reason = str(inner.get("reason") or "")
        return str(inner.get("type") or ""), f"{reason} ({cause})" if cause and cause not in reason else reason
    if isinstance(info, dict) and isinstance(info.get("error"), str):
        return "", info["error"]
    return "", answer.body.decode("utf-8", "replace")[:300]


def _decoded(body: bytes) -> Any:
    """Its JSON. Integers beyond 64 bits stay what they are: orjson would make floating-point numbers of them, and it
    refuses some of what the standard library takes."""
    if _LONG_NUMBER not in body.translate(_ZEROS):
        with contextlib.suppress(orjson.JSONDecodeError):
            return orjson.loads(body)
    return json.loads(body)


def _seconds(retry_after: str | None) -> float:
    """`Retry-After` in seconds; its other form, a date, counts as nothing: clocks differ."""
    return float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else 0
