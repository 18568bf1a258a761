"""Starts beside each other, and ends that are interrupted: real processes and ports, no server."""

from __future__ import annotations

import os
import pathlib
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from provisioner.devcluster import cluster as module
from provisioner.devcluster import process
from provisioner.devcluster.assemble import Distribution
from provisioner.devcluster.java import Java
from provisioner.devcluster.places import Places
from provisioner.devcluster.process import ProcessId
from provisioner.devcluster.record import Cluster, save

from .conftest import Told

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"


@pytest.fixture
def open_until_the_end() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_neighbours_that_start_at_once_choose_different_inner_ports(
    places: Places, told: Told, monkeypatch: pytest.MonkeyPatch, open_until_the_end: ExitStack
) -> None:
    """A port that was found free is nobody's until the server listens, which takes it some seconds."""

    def listen_after_a_while(planned: Cluster, *_rest: object) -> Cluster:
        time.sleep(0.3)
        for port in (planned.node_port, planned.transport_port):
            open_until_the_end.enter_context(socket.create_server(("127.0.0.1", port)))
        return planned

    java, server = Java(pathlib.Path("/java"), "25", ""), Distribution(pathlib.Path("/server"), "3.4.0", "")
    parts = module._Parts(java, server, (), ("alerting",))
    all_gathered = threading.Barrier(3, timeout=20)

    def gather(*_: object, **__: object) -> module._Parts:
        all_gathered.wait()
        return parts

    monkeypatch.setattr(module, "_gather", gather)
    monkeypatch.setattr(module, "_start", listen_after_a_while)
    first = next(p for p in range(21000, 22000, 3) if all(process.port_is_free(p + n) for n in range(3)))
    wanted = {"one": first, "two": first + 1, "three": first + 2}
    with ThreadPoolExecutor(len(wanted)) as pool:
        up = [pool.submit(module.up, name, port, progress=told) for name, port in wanted.items()]
        clusters = [job.result() for job in up]
    assert told.steps == ["waiting while another cluster starts"] * 2
    assert len({port for c in clusters for port in (c.port, c.node_port, c.transport_port)}) == 9


def stubborn(tmp_path: pathlib.Path, name: str) -> ProcessId:
    """A process that does not end when asked to."""
    log = tmp_path / name
    started = process.start([sys.executable, "-c", STUBBORN], log=log, folder=tmp_path, environment=dict(os.environ))
    while not log.read_text():
        time.sleep(0.02)
    return started


def test_a_second_interrupt_ends_at_once_what_the_first_asked_to_end(places: Places, tmp_path: pathlib.Path) -> None:
    node, stand_in = stubborn(tmp_path, "node"), stubborn(tmp_path, "stand-in")
    home = places.home("dev")
    home.mkdir(parents=True)
    save(Cluster("dev", home, "3.4.0", 19290, 19291, 19292, 512, secure=False, java="25", node=node, stand_in=stand_in))
    began = time.monotonic()
    threading.Timer(0.3, signal.raise_signal, [signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        module.down("dev")
    assert time.monotonic() - began < 5
    assert not node.alive
    assert not stand_in.alive
    assert module.status("dev").node is None
