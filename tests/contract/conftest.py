"""A real node, the stand-in in front of it, and real receivers for the contract tests.

`CONTRACT_NODE=http://host:port` takes a bare node that runs already, and empties it; otherwise the dev cluster's engine
starts one.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from aiosmtpd.controller import Controller
from serving import Delivered, Mail, Mailbox, Receiver, free_port
from stepped_ism import Ism, stepped
from told import SECTIONS

COUNTS: dict[str, tuple[int, int]] = {}


@pytest.fixture(scope="session")
def node_url() -> Iterator[str]:
    """The URL of a bare OpenSearch node without anything in it."""
    given = os.environ.get("CONTRACT_NODE")
    if given:
        yield given.rstrip("/")
        return
    from provisioner.devcluster import cluster

    name = "contract"
    made = cluster.up(name, int(os.environ.get("CONTRACT_PORT", "19350")), stand_in=False)
    try:
        yield made.url
    finally:
        cluster.down(name, delete=True)


@pytest.fixture
def empty_node(node_url: str) -> str:
    """The same node, emptied: no index, template, pipeline or setting of an earlier test."""
    with httpx.Client(base_url=node_url, timeout=60) as client:
        client.delete("/_data_stream/*").raise_for_status()
        client.delete("/*,.*", params={"expand_wildcards": "all"}).raise_for_status()
        for kind in ("_index_template", "_component_template", "_ingest/pipeline", "_template"):
            client.delete(f"/{kind}/*")
        nothing = {"persistent": {"*": None}, "transient": {"*": None}}
        client.put("/_cluster/settings", json=nothing).raise_for_status()
    return node_url


@pytest.fixture
def ism(empty_node: str) -> Iterator[Ism]:
    """ISM whose clock the test sets forward, on a node of its own."""
    with stepped(empty_node) as made:
        yield made


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A real HTTP server on a free port."""
    got: list[Delivered] = []

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0"))).decode()
            got.append(Delivered(self.command, self.path, dict(self.headers), body))
            self.send_response(500 if self.path.startswith("/fail") else 200)
            answer = b'{"ok":true}'
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_POST = do_PUT = do_PATCH = _take  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Receiver(f"127.0.0.1:{server.server_address[1]}", got)
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A real SMTP server on a free port."""
    got: list[Mail] = []

    class Handler:
        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
            got.append(Mail(envelope.mail_from, list(envelope.rcpt_tos), envelope.content))
            return "250 taken"

    controller = Controller(Handler(), hostname="127.0.0.1", port=free_port())
    controller.start()
    yield Mailbox(controller.port, got)
    controller.stop()


@pytest.fixture
def count() -> Callable[[str, int, int], None]:
    """Report (file, replayed, unsupported) for the summary at the end."""

    def add(file: str, replayed: int, listed: int) -> None:
        COUNTS[file] = (replayed, listed)

    return add


def replayed() -> list[str]:
    """How many recordings were replayed, and how many are listed as unsupported."""
    lines = [
        f"{file}: {equal} recordings replayed, {listed} listed as unsupported"
        for file, (equal, listed) in sorted(COUNTS.items())
    ]
    equal, listed = (sum(counts[n] for counts in COUNTS.values()) for n in (0, 1))
    return [*lines, f"recordings: {equal} replayed and equal, {listed} unsupported (docs/stand-in.md)"] if lines else []


SECTIONS["contract with the real plugins"] = replayed
