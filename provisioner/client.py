"""The one way to a cluster: requests and answers as plain values, errors as sentences."""

from __future__ import annotations

import logging
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import opensearchpy
from opensearchpy.exceptions import (
    AuthenticationException,
    AuthorizationException,
    ConnectionTimeout,
    SerializationError,
    SSLError,
    TransportError,
)

from provisioner import secretrefs
from provisioner.errors import ApiError, ClusterError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provisioner.settings import Target

# The library logs bodies (secrets among them) and warns of every 404, which is an answer like any other here.
logging.getLogger("opensearch").setLevel(logging.CRITICAL)


def path(*parts: str) -> str:
    """A request path; every part is percent-encoded."""
    return "/" + "/".join(quote(part, safe="*,") for part in parts)


class Client:
    """Requests to one target. Nothing is retried here: whoever asks knows whether asking twice is safe."""

    def __init__(self, target: Target) -> None:
        """Open a connection pool; no request is sent yet. Raises MissingSecretError."""
        self.target = target
        options: dict[str, Any] = {
            "hosts": list(target.hosts),
            "timeout": target.timeout,
            "max_retries": 0,
            "retry_on_status": (),
        }
        if target.username and target.password:
            options["http_auth"] = (secretrefs.resolve(target.username), secretrefs.resolve(target.password))
        if any(host.startswith("https") for host in target.hosts):
            options |= {"verify_certs": target.verify, "ssl_show_warn": False, "ca_certs": target.ca}
            options |= {"client_cert": target.client_cert, "client_key": target.client_key}
        try:
            _check_files(target)
            self._library = opensearchpy.OpenSearch(**options)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise ClusterError(
                f"the settings of target {target.name!r} can't be used: {error}",
                "check ca, client_cert and client_key in provisioner.yml",
            ) from None

    def request(self, method: str, path: str, body: Any = None, params: Mapping[str, Any] | None = None) -> Any:
        """The answer's JSON. Raises ApiError for an error status, ClusterError where no answer comes."""
        try:
            return self._library.transport.perform_request(method, path, params=dict(params or {}), body=body)
        except (AuthenticationException, AuthorizationException) as error:
            type_, reason = _words(error)
            if type_ == "cluster_block_exception":  # a blocked index answers 403 too, whoever asks
                raise ApiError(method, path, 403, type_, reason) from None
            who = self.target.username or "nobody"
            raise ClusterError(
                f"{method} {path}: the cluster refuses {who}: {error.status_code} {reason}",
                f"check the credentials and roles of target {self.target.name!r}",
            ) from None
        except SSLError as error:
            raise ClusterError(
                f"the certificate of {self._hosts()} can't be verified: {error.error}",
                "give the cluster's own authority as `ca` in provisioner.yml",
            ) from None
        except ConnectionTimeout:
            raise ClusterError(
                f"{self._hosts()} gave no answer within {self.target.timeout:g} s to {method} {path}",
                "look at the cluster's health, then run the command again",
            ) from None
        except opensearchpy.ConnectionError as error:
            raise ClusterError(
                f"{self._hosts()} can't be reached: {error.error}",
                "check the address; a dev cluster starts by `provisioner dev up`",
            ) from None
        except SerializationError:
            raise self._no_opensearch(f"{method} {path}: the answer is no JSON") from None
        except TransportError as error:
            type_, reason = _words(error)
            status = error.status_code if isinstance(error.status_code, int) else 0
            raise ApiError(method, path, status, type_, reason) from None

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
            raise self._no_opensearch("GET /: the answer names no version")
        return answer

    def _no_opensearch(self, why: str) -> ClusterError:
        hint = f"check `hosts` of target {self.target.name!r} in provisioner.yml"
        return ClusterError(f"{self._hosts()} does not answer as OpenSearch does ({why})", hint)

    def _hosts(self) -> str:
        return ", ".join(self.target.hosts)


def _check_files(target: Target) -> None:
    """Read certificates and key as a connection would, but now: later it would look like trouble with the server."""
    context = ssl.create_default_context()
    if target.ca:
        context.load_verify_locations(target.ca)
    if target.client_cert:
        context.load_cert_chain(target.client_cert, target.client_key, password=lambda: "")  # never ask on a terminal


def _words(error: TransportError) -> tuple[str, str]:
    """OpenSearch's own type and reason, from whichever form its body has."""
    info = error.info
    if isinstance(info, dict) and isinstance(info.get("error"), dict):
        inner = info["error"]
        cause = (inner.get("caused_by") or {}).get("reason") or ""
        reason = str(inner.get("reason") or "")
        return str(inner.get("type") or ""), f"{reason} ({cause})" if cause and cause not in reason else reason
    if isinstance(info, dict) and isinstance(info.get("error"), str):
        return "", info["error"]
    return "", str(error.error)[:300]
