"""Processes and ports: start in the background, recognise later, stop cleanly, and say who holds a port."""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from provisioner.devcluster.errors import DevClusterError

# Kept so that the interpreter neither warns of a running child nor loses its exit status: they outlive us on purpose.
_started: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class ProcessId:
    """A process, and when it was created (seconds since 1970): a number alone may be another process by now."""

    pid: int
    created: float

    def process(self) -> psutil.Process | None:
        """The running process, or None if it has ended."""
        try:
            process = psutil.Process(self.pid)
            return process if abs(process.create_time() - self.created) < 1 and not _dead(process) else None
        except psutil.NoSuchProcess:
            return None

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process() is not None


def _dead(process: psutil.Process) -> bool:
    """Ended, though perhaps not buried: not every container does. A JVM's first thread ends before those that write."""
    return process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1


def start(
    command: Sequence[str], *, log: Path, folder: Path, environment: Mapping[str, str], uid: int | None = None
) -> ProcessId:
    """Start `command` in the background, in a session of its own, as the user `uid`, its output appended to `log`.

    Raises DevClusterError if it can't be started at all.
    """
    try:
        with log.open("ab") as output:
            child = subprocess.Popen(  # noqa: S603  a list of our own making, no shell
                command,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=uid,
                group=uid,
                extra_groups=None if uid is None else (),
            )
    except (OSError, subprocess.SubprocessError) as error:
        as_whom = (
            ""
            if uid is None
            else f" as the user id {uid} (the server refuses to run as root; run this as another user)"
        )
        raise DevClusterError(f"can't start {command[0]}{as_whom}: {error}.") from error
    _started.append(child)
    return ProcessId(child.pid, psutil.Process(child.pid).create_time())


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold back an interrupt until the end of a block that must not be cut in two, such as a start and its record."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread is ever interrupted
        yield
        return
    held: list[int] = []
    handlers = {
        number: signal.signal(number, lambda caught, _frame: held.append(caught))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for caught in held[:1]:
            signal.raise_signal(caught)


def stop(process_id: ProcessId, patience: float) -> bool:
    """Ask the process to end, wait `patience` seconds, then kill it. Returns whether it ended by itself."""
    try:
        return _stop(process_id, patience)
    finally:
        for child in _started:
            child.poll()  # bury those that were ours and have ended


def _stop(process_id: ProcessId, patience: float) -> bool:
    process = process_id.process()
    if process is None:
        return True
    try:
        process.terminate()
        if _ended_within(process_id, patience):
            return True
        process.kill()
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        raise DevClusterError(
            f"process {process_id.pid} belongs to another user: stop the cluster as that user."
        ) from None
    _ended_within(process_id, 10)
    return False


def _ended_within(process_id: ProcessId, seconds: float) -> bool:
    """Wait for an end. A process that nobody has buried yet counts as ended: not every container does."""
    end = time.monotonic() + seconds
    while process_id.alive:
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback address now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port(candidates: Iterable[int]) -> int:
    """The first of the ports that is free. Raises DevClusterError if none is."""
    for port in candidates:
        if port_is_free(port):
            return port
    raise DevClusterError("no free port left near the asked one: choose another with --port.")


def holder_of(port: int) -> str:
    """Who listens on a port, such as `process 4711 (java)`; `another program` where the system doesn't tell."""
    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
            if listens and connection.pid:
                return f"process {connection.pid} ({psutil.Process(connection.pid).name()})"
    except psutil.Error:
        pass
    return "another program"


def available_megabytes() -> int:
    """Memory that a new process could use now: of the machine, or of our container if that allows less."""
    return min((psutil.virtual_memory().available, *_container_limits())) // 2**20


def _container_limits() -> tuple[int, ...]:
    """What our control group (version 2) still allows, in bytes; nothing where it sets no limit."""
    group = Path("/sys/fs/cgroup")
    try:
        limit = (group / "memory.max").read_text().strip()
        used = int((group / "memory.current").read_text())
        statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        # File pages count as used but are given back when memory is asked for.
        return () if limit == "max" else (int(limit) - used + int(statistics.get("inactive_file", 0)),)
    except (OSError, ValueError):
        return ()
