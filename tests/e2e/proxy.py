"""A proxy in front of the cluster that writes down every request: what a command asked for, whatever else goes on."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
from clusters import Cluster

_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "host"})


@dataclass
class Recorded:
    """The proxy's address, and all requests so far as `METHOD /path`."""

    url: str
    requests: list[str] = field(default_factory=list)

    @property
    def writes(self) -> list[str]:
        """Those that are no plain reading: any but GET, HEAD and a POST to a `_search`."""
        return [r for r in self.requests if not r.startswith(("GET ", "HEAD ")) and not _is_search(r)]


def _is_search(request: str) -> bool:
    return request.startswith("POST ") and request.partition("?")[0].endswith("/_search")


@contextmanager
def recording(cluster: Cluster) -> Iterator[Recorded]:
    """Run the proxy."""
    verify = ssl.create_default_context(cafile=cluster.ca) if cluster.verify else False
    upstream = httpx.Client(base_url=cluster.url, verify=verify, timeout=60)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            recorded.requests.append(f"{self.command} {self.path}")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP}
            answer = upstream.request(self.command, self.path, content=body, headers=headers)
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.lower() not in _HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.content)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _pass  # noqa: N815 (the library's names)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    recorded = Recorded(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        with upstream:
            yield recorded
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
