"""Real processes and real ports."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from provisioner.devcluster import process
from provisioner.devcluster.errors import DevClusterError
from provisioner.devcluster.process import ProcessId

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
)


def start(tmp_path: Path, *command: str) -> ProcessId:
    return process.start(command, log=tmp_path / "log", folder=tmp_path, environment=dict(os.environ))


def test_a_process_is_started_recognised_and_stopped(tmp_path: Path) -> None:
    started = start(tmp_path, "sleep", "60")
    assert started.alive
    assert os.getsid(started.pid) == started.pid  # an interrupt at the terminal does not reach it
    assert not ProcessId(started.pid, started.created - 100).alive  # the number has been another process's before
    assert process.stop(started, 10)
    assert not started.alive
    assert process.stop(started, 10)


def test_a_process_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    started = start(tmp_path, sys.executable, "-c", STUBBORN)
    while "ready" not in (tmp_path / "log").read_text():
        time.sleep(0.02)
    assert not process.stop(started, 0.3)
    assert not started.alive


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DevClusterError, match=r"can't start /no/such/program: "):
        start(tmp_path, "/no/such/program")


def test_ports() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not process.port_is_free(port)
        assert process.holder_of(port).startswith(f"process {os.getpid()} (")
        with pytest.raises(DevClusterError, match="--port"):
            process.free_port([port])
    assert process.port_is_free(port)
    assert process.free_port([port]) == port
    assert process.holder_of(port) == "another program"


def test_memory_is_what_the_machine_or_the_container_has_left(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = process.available_megabytes()
    assert 50 < everything < 10_000_000
    monkeypatch.setattr(process, "_container_limits", lambda: (40 * 2**20,))
    assert process.available_megabytes() == 40


def test_an_interrupt_waits_until_what_must_not_be_cut_is_done() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), process.uninterrupted():
        signal.raise_signal(signal.SIGINT)
        done.append("the rest")
    assert done == ["the rest"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_where_nothing_interrupts_nothing_is_raised_and_threads_are_fine() -> None:
    with process.uninterrupted():
        pass
    with ThreadPoolExecutor() as pool:
        pool.submit(process.uninterrupted().__enter__).result()
