"""A proxy in front of the cluster that does harm at one chosen request, as networks, load balancers and crashes do."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import select
import signal
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from clusters import Cluster

STALL = 10.0
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host"})
_ONLY_ASKS = frozenset({"_search", "_count", "_mget", "_msearch", "_explain", "_validate", "_simulate", "_analyze"})
_ASKS_OF_PLUGINS = ("/_plugins/_ism/explain", "/_scripts/painless/_execute", "/_plugins/_alerting/monitors/_execute")


def writes(method: str, path: str) -> bool:
    """Whether a request changes something."""
    bare = path.partition("?")[0]
    asks = bare.rsplit("/", 1)[-1] in _ONLY_ASKS or bare.startswith(_ASKS_OF_PLUGINS) or "/_simulate/" in bare
    return method not in ("GET", "HEAD") and not (method == "POST" and asks)


@dataclass(frozen=True)
class Fault:
    """What happens (a key of EFFECTS) to the request number `at`, counted among "write", "read" or "any" requests.

    `times`: the same request meets it so often, one try after the other; None: so does everything from there on.
    `strike` is what a "killed" effect does; `headers` are those of an answer that the proxy makes up.
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


class _Exchange(BaseHTTPRequestHandler):
    """One connection. What the effects need: `take`, `send`, `made_up`, `reset`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body go out apart, and the second would wait for the client's ACK
    proxy: FaultProxy

    def _pass(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        self._body: bytes | None = None
        self._size = size
        fault = self.proxy.arrived(Seen(self.command, self.path, size, time.monotonic()))
        try:
            if fault:
                EFFECTS[fault.effect](self, fault)
            else:
                self.send(*self.take())
        except ResetError:
            self._reset()
        except OSError:  # the client has gone: killed, or tired of waiting
            self.close_connection = True
        finally:
            self.proxy.left()

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _pass  # noqa: N815 (the library's names)

    def read(self) -> bytes:
        """The request's body."""
        if self._body is None:
            self._body = self.rfile.read(self._size)
        return self._body

    def take(self) -> tuple[int, list[tuple[str, str]], bytes]:
        """The cluster's own answer."""
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP}
        return self.proxy.forward(self.command, self.path, headers, self.read())

    def send(self, status: int, headers: list[tuple[str, str]], body: bytes, length: int | None = None) -> None:
        """Answer; a `length` beyond the body's own makes the client wait for more."""
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in _HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def made_up(self, status: int, headers: Mapping[str, str]) -> None:
        """An answer as the cluster (429, 500) or a load balancer before it (502, 503, 504) gives."""
        self.read()
        said = [*headers.items()]
        if status in (429, 500):
            error = {"type": "made_up_exception", "reason": "the proxy made this up"}
            body = json.dumps({"error": {**error, "root_cause": [error]}, "status": status}).encode()
            self.send(status, [*said, ("Content-Type", "application/json")], body)
        else:
            page = f"<html><head><title>{status}</title></head><body><center>nginx</center></body></html>"
            self.send(status, [*said, ("Content-Type", "text/html")], page.encode())

    @property
    def client_is_there(self) -> bool:
        """Whether the other end still waits."""
        ready, _, _ = select.select([self.connection], [], [], 0)
        return not ready or bool(self.connection.recv(1, socket.MSG_PEEK))

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.rfile.close()
        self.connection.close()

    def log_message(self, *_: object) -> None:
        pass


def _refused(status: int) -> Callable[[_Exchange, Fault], None]:
    return lambda exchange, fault: exchange.made_up(status, fault.headers)


def _written_and(status: int) -> Callable[[_Exchange, Fault], None]:
    def effect(exchange: _Exchange, fault: Fault) -> None:
        exchange.take()
        exchange.made_up(status, fault.headers)

    return effect


def _reset(*, written: bool) -> Callable[[_Exchange, Fault], None]:
    def effect(exchange: _Exchange, _: Fault) -> None:
        if written:
            exchange.take()
        raise ResetError

    return effect


def _half(*, whole_length: bool) -> Callable[[_Exchange, Fault], None]:
    def effect(exchange: _Exchange, _: Fault) -> None:
        status, headers, body = exchange.take()
        part = body[: len(body) // 2]
        exchange.send(status, headers, part, len(body) if whole_length else None)
        if whole_length:
            time.sleep(0.05)  # an RST at once could overtake what was sent
            raise ResetError

    return effect


def _stalled_before(exchange: _Exchange, _: Fault) -> None:
    exchange.read()
    time.sleep(STALL)
    if not exchange.client_is_there:
        raise ResetError
    exchange.send(*exchange.take())


def _stalled_and_written_late(exchange: _Exchange, _: Fault) -> None:
    exchange.read()
    time.sleep(STALL)
    exchange.send(*exchange.take())


def _stalled_after(exchange: _Exchange, _: Fault) -> None:
    answer = exchange.take()
    time.sleep(STALL)
    exchange.send(*answer)


def _killed(*, written: bool) -> Callable[[_Exchange, Fault], None]:
    def effect(exchange: _Exchange, fault: Fault) -> None:
        exchange.read()
        if written:
            exchange.take()
        assert fault.strike, "nobody to kill"
        fault.strike()
        raise ResetError

    return effect


EFFECTS: dict[str, Callable[[_Exchange, Fault], None]] = {
    "killed before the write": _killed(written=False),
    "killed after the write": _killed(written=True),
    "429": _refused(429),
    "500": _refused(500),
    "500 after the write": _written_and(500),
    "502": _refused(502),
    "502 after the write": _written_and(502),
    "503": _refused(503),
    "503 after the write": _written_and(503),
    "504 after the write": _written_and(504),
    "reset before the body": _reset(written=False),
    "reset after the body": _reset(written=True),
    "reset within the answer": _half(whole_length=True),
    "truncated JSON": _half(whole_length=False),
    "10 s stall before the write": _stalled_before,
    "10 s stall after the write": _stalled_after,
    "10 s stall, written all the same": _stalled_and_written_late,
}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Killed clients leave broken connections; what matters is seen in the cluster."""


def sigkill(pid: int) -> None:
    """Kill a child of ours, and come back when it is dead."""
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # it stays for its Popen to collect


@contextmanager
def proxied(cluster: Cluster) -> Iterator[FaultProxy]:
    """Run the proxy."""
    proxy = FaultProxy(cluster)
    handler = type("Exchange", (_Exchange,), {"proxy": proxy})
    server = _Server(("127.0.0.1", 0), handler)
    proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
