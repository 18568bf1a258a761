"""What a fault proxy does to the request that it was told of, and the server around it."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from clusters import Cluster
from faultproxy import HOP, Fault, FaultProxy, ResetError, Seen

STALL = 10.0


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
        headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP}
        return self.proxy.forward(self.command, self.path, headers, self.read())

    def send(self, status: int, headers: list[tuple[str, str]], body: bytes, length: int | None = None) -> None:
        """Answer; a `length` beyond the body's own makes the client wait for more."""
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in HOP:
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
