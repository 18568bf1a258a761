"""What the contract tests stand on: the stand-in in a thread of its own, and what receivers got."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from provisioner.devcluster.standin.app import build
from provisioner.devcluster.standin.node import Node
from provisioner.devcluster.standin.plugin import Plugin
from provisioner.devcluster.standin.serving import server as make_server

T = TypeVar("T")


@dataclass(frozen=True)
class Served:
    """A stand-in that runs in a thread of its own. `call` runs a coroutine inside it and waits for the result."""

    url: str
    plugins: Sequence[Plugin]
    loop: asyncio.AbstractEventLoop

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run in the stand-in's event loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(120)


@contextmanager
def serve(node_url: str, assemble: Callable[[Node], Sequence[Plugin]], port: int = 0) -> Iterator[Served]:
    """Serve a stand-in with the plugins that `assemble` makes, on a port that is free unless one is given."""
    started: list[Served] = []
    failed: list[Exception] = []
    ready = threading.Event()
    stopping = threading.Event()

    async def run() -> None:
        node = Node(node_url)
        plugins = assemble(node)
        server = make_server(build(node, plugins), host="127.0.0.1", port=port)
        serving = asyncio.create_task(server.serve())
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)
        if server.started:
            bound = server.servers[0].sockets[0].getsockname()[1]
            started.append(Served(f"http://127.0.0.1:{bound}", plugins, asyncio.get_running_loop()))
            ready.set()
            while not stopping.is_set() and not serving.done():
                await asyncio.sleep(0.02)
            server.should_exit = True
        await serving

    def main() -> None:
        try:
            asyncio.run(run())
        except Exception as error:  # noqa: BLE001 - raised again in the test's own thread
            failed.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=main, name="stand-in")
    thread.start()
    ready.wait(60)
    try:
        if not started:
            raise RuntimeError("the stand-in did not start") from (failed[0] if failed else None)
        yield started[0]
    finally:
        stopping.set()
        thread.join(30)
    if failed:
        raise failed[0]


@dataclass(frozen=True)
class Delivered:
    """One request that a webhook receiver got."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


@dataclass(frozen=True)
class Receiver:
    """A webhook receiver that answers 200 `{"ok":true}`, and 500 under /fail."""

    address: str
    got: list[Delivered]


@dataclass(frozen=True)
class Mail:
    """One message as an SMTP server got it."""

    sender: str
    recipients: list[str]
    data: bytes


@dataclass(frozen=True)
class Mailbox:
    """An SMTP server."""

    port: int
    got: list[Mail]


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
