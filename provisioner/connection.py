"""One host: a request goes out as bytes, and comes back as an answer, or as an error that says what is known of it."""

from __future__ import annotations

import http.client
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

import opensearchpy
import urllib3.exceptions

from provisioner.errors import ClusterError, UnclearError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Mapping

_HANDSHAKE = ("CERT", "HANDSHAKE", "PROTOCOL", "VERSION", "UNKNOWN_CA", "HTTP_REQUEST", "UNSUPPORTED", "ACCESS_DENIED")
"""Words in OpenSSL's reasons that only a handshake gives: nothing was sent, or the server took nothing."""
_AGAIN = "look at the cluster's health, then run the command again"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer. `broken` says why its body is not whole; the status holds even so."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    broken: str = ""


class Connection(opensearchpy.Urllib3HttpConnection):
    """The library's connection, for its settings (TLS, credentials, pool); its requests lose what we must know.

    They lose the status where the body breaks, and the headers of an error; and they log bodies and addresses.
    """

    def ask(self, method: str, url: str, body: bytes | None, timeout: float, connect: float) -> Answer:
        """Send a request, once. Raises UnreachableError, UnclearError; ClusterError where TLS does not come about.

        `timeout` is how long the answer may be silent, `connect` how long a connection may take to come about.
        """
        what = f"{method} {url.partition('?')[0]}"
        headers = dict(self.headers)
        if callable(self.http_auth):
            headers |= self.http_auth(method, f"{self.host}{self.url_prefix}{url}", body)
        try:
            response = self.pool.urlopen(
                method,
                self.url_prefix + url,
                body,
                headers=headers,
                retries=False,
                redirect=False,
                preload_content=False,
                timeout=urllib3.Timeout(connect=connect, read=timeout),
            )
        except urllib3.exceptions.SSLError as error:
            raise self._tls(error, what) from None
        except urllib3.exceptions.NewConnectionError as error:
            raise self._unreachable(_words(error)) from None
        except urllib3.exceptions.ConnectTimeoutError:
            raise self._unreachable(f"no connection within {seconds(connect)}") from None
        except urllib3.exceptions.TimeoutError:
            raise UnclearError(f"{self.host} gave no answer within {seconds(timeout)} to {what}", _AGAIN) from None
        except urllib3.exceptions.LocationValueError:  # such as a part of more than 63 letters
            raise self._unreachable("no name of a host can be like this") from None
        except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as error:
            words = f"{self.host} broke off before it answered {what}: {_words(error)}"
            raise UnclearError(words, self._again()) from None
        try:
            return Answer(response.status, response.headers, response.read())
        except urllib3.exceptions.TimeoutError:
            return Answer(response.status, response.headers, b"", f"it stopped for {seconds(timeout)}")
        except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as error:
            return Answer(response.status, response.headers, b"", f"it was cut off: {_words(error)}")
        finally:
            response.release_conn()

    def _again(self) -> str:
        """A server that speaks TLS ends a connection that does not."""
        return _AGAIN if self.host.startswith("https:") else f"{_AGAIN}; is the address https?"

    def _unreachable(self, why: str) -> UnreachableError:
        hint = "check the address; a dev cluster starts by `provisioner dev up`"
        return UnreachableError(f"{self.host} can't be reached: {why}", hint)

    def _tls(self, error: urllib3.exceptions.SSLError, what: str) -> ClusterError:
        inner = next((arg for arg in error.args if isinstance(arg, Exception)), error)
        if isinstance(inner, ssl.CertificateError):
            return ClusterError(
                f"the certificate of {self.host} can't be verified: {inner}",
                "give the cluster's own authority as `ca` in provisioner.yml",
            )
        reason = str(getattr(inner, "reason", None) or "")
        if any(word in reason for word in _HANDSHAKE):
            return ClusterError(
                f"no TLS connection to {self.host} comes about: {reason.replace('_', ' ').lower()}",
                "check that the address is https, and ca, client_cert and client_key in provisioner.yml",
            )
        return UnclearError(f"{self.host} broke off before it answered {what}: {reason or inner}", _AGAIN)


def seconds(value: float) -> str:
    """A time limit for people."""
    return f"{round(value, 2):g} s"


def _words(error: BaseException) -> str:
    """What the innermost error says: the system's own words, without the library's around them."""
    inner = next((arg for arg in error.args if isinstance(arg, Exception)), error.__cause__)
    if inner is not None and inner is not error:
        return _words(inner)
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
