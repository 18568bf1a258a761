"""A proxy in front of the cluster that does harm at one chosen request, as networks, load balancers and crashes do."""

from __future__ import annotations

import contextlib
import http.client
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from clusters import Cluster

HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host"})
_ONLY_ASKS = frozenset({"_search", "_count", "_mget", "_msearch", "_explain", "_validate", "_simulate", "_analyze"})
_ASKS_OF_PLUGINS = ("/_plugins/_ism/explain", "/_scripts/painless/_execute", "/_plugins/_alerting/monitors/_execute")


def writes(method: str, path: str) -> bool:
    """Whether a request changes something."""
    bare = path.partition("?")[0]
    asks = bare.rsplit("/", 1)[-1] in _ONLY_ASKS or bare.startswith(_ASKS_OF_PLUGINS) or "/_simulate/" in bare
    return method not in ("GET", "HEAD") and not (method == "POST" and asks)


@dataclass(frozen=True)
class Fault:
    """What happens to the request number `at`, counted among "write", "read" or "any" requests.

    `effect` is a key of faulteffects.EFFECTS. `times`: the same request meets it so often, one try after the other;
    None: so does everything from there on. `strike` is what a "killed" effect does; `headers` are those of
    an answer that the proxy makes up.
    """

    effect: str
    at: int
    among: str = "write"
    times: int | None = 1
    strike: Callable[[], None] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """One request that came: `size` is the length of its body, `effect` the fault that it met ("": none)."""

    method: str
    path: str
    size: int
    at: float
    effect: str = ""

    @property
    def same(self) -> tuple[str, str, int]:
        """What a repetition has in common with the first try."""
        return (self.method, self.path.partition("?")[0], self.size)

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return writes(self.method, self.path)


class ResetError(Exception):
    """The connection is to be torn down with RST."""


class FaultProxy:
    """Counts requests, does the harm that is asked for, and remembers what came. Every method may be called at any
    time, from any thread."""

    def __init__(self, cluster: Cluster) -> None:
        self.url = ""
        self.seen: list[Seen] = []
        self._parts = urlsplit(cluster.url)
        self._tls = ssl.create_default_context(cafile=cluster.ca)
        if not cluster.verify:
            self._tls.check_hostname, self._tls.verify_mode = False, ssl.CERT_NONE
        self._changed = threading.Condition()
        self._active = 0
        self._fault: Fault | None = None
        self._victim: tuple[str, str, int] | None = None
        self._counts = {"write": 0, "read": 0, "any": 0}

    def arm(self, fault: Fault | None) -> None:
        """Begin to count anew; with None nothing happens any more."""
        with self._changed:
            self._fault, self._victim = fault, None
            self._counts = dict.fromkeys(self._counts, 0)
            self.seen = []

    @property
    def hits(self) -> list[Seen]:
        """The requests that met the fault."""
        with self._changed:
            return [seen for seen in self.seen if seen.effect]

    def count(self, among: str) -> int:
        """How many came since `arm`."""
        with self._changed:
            return self._counts[among]

    def settle(self, seconds: float = 60) -> None:
        """Wait until nothing is under way any more: requests of a killed process, too, come to the cluster."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._active == 0, seconds), "requests hang in the proxy"

    def arrived(self, seen: Seen) -> Fault | None:
        """Count a request; the fault that it meets."""
        with self._changed:
            self._active += 1
            kinds = ("any", "write" if seen.writes else "read")
            for kind in kinds:
                self._counts[kind] += 1
            fault = self._meets(seen, kinds)
            self.seen.append(replace(seen, effect=fault.effect if fault else ""))
            return fault

    def _meets(self, seen: Seen, kinds: tuple[str, str]) -> Fault | None:
        fault = self._fault
        if fault is None or fault.among not in kinds:
            return None
        number = self._counts[fault.among]
        if fault.times is None:
            return fault if number >= fault.at else None
        if number == fault.at:
            self._victim = seen.same
            return fault
        tries = sum(bool(other.effect) for other in self.seen)
        return fault if self._victim == seen.same and tries < fault.times else None

    def left(self) -> None:
        """A request is done with."""
        with self._changed:
            self._active -= 1
            self._changed.notify_all()

    def forward(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Ask the cluster. A connection for each request: none can be stale. Raises ResetError where it is away."""
        host, port = self._parts.hostname or "", self._parts.port
        made = (
            http.client.HTTPSConnection(host, port, timeout=120, context=self._tls)
            if self._parts.scheme == "https"
            else http.client.HTTPConnection(host, port, timeout=120)
        )
        try:
            with contextlib.closing(made):
                made.request(method, path, body, dict(headers))
                answer = made.getresponse()
                return answer.status, answer.getheaders(), answer.read()
        except (OSError, http.client.HTTPException):
            raise ResetError from None
