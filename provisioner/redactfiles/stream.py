"""Chunks through one or several processes: in their order, and only a few at a time."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from typing import TYPE_CHECKING

from provisioner.errors import ProvisionerError
from provisioner.redactfiles.inputs import IDLE, Withheld
from provisioner.redactfiles.work import Counts, Worker

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future

    from provisioner.redaction import Catalogue

Setup = tuple["Catalogue", str | None, bytes | None, str | None, bool]
"""The arguments of a worker."""
_AHEAD = 3
"""Chunks begun for each process."""
_worker: Worker | None = None


class Stream:
    """Processes at work; `close` ends them. With one, this one does it all."""

    def __init__(self, setup: Setup, processes: int) -> None:
        self._own = Worker(*setup)  # also where a key is refused before anything is read
        self._most = processes * _AHEAD
        self._pool = None
        if processes > 1:
            self._pool = ProcessPoolExecutor(processes, initializer=_begin, initargs=(os.getpid(), *setup))

    def run(self, chunks: Iterable[bytes | Withheld]) -> Iterator[tuple[bytes, Counts]]:
        """Each chunk redacted, in order. Raises ProvisionerError where a process was killed."""
        begun: deque[Future[tuple[bytes, Counts]] | tuple[bytes, Counts]] = deque()
        try:
            for chunk in chunks:
                if chunk == IDLE:
                    while begun:
                        yield _result(begun.popleft())
                    continue
                if isinstance(chunk, Withheld):
                    begun.append((self._own.withheld + b"\n", Counts(lines=1, withheld=1)))
                elif self._pool is None:
                    begun.append(self._own.chunk(chunk))
                else:
                    begun.append(_submit(self._pool, chunk))
                while len(begun) >= (self._most if self._pool else 1):
                    yield _result(begun.popleft())
            while begun:
                yield _result(begun.popleft())
        except BrokenExecutor:
            raise ProvisionerError(
                "a process that redacts was killed (by the system, for want of memory?)", "take fewer: -j 1"
            ) from None

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)


def _result(done: Future[tuple[bytes, Counts]] | tuple[bytes, Counts]) -> tuple[bytes, Counts]:
    return done if isinstance(done, tuple) else done.result()


def _submit(pool: ProcessPoolExecutor, chunk: bytes) -> Future[tuple[bytes, Counts]]:
    """Processes are made here, and take over which signals are blocked: Ctrl-C is the parent's business alone."""
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        return pool.submit(_chunk, chunk)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _begin(parent: int, *setup: object) -> None:
    """A process begins: without a parent it ends."""
    global _worker  # noqa: PLW0603 (what a process of a pool keeps can stand nowhere else)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _worker = Worker(*setup)  # type: ignore[arg-type]


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _chunk(data: bytes) -> tuple[bytes, Counts]:
    return _worker.chunk(data)  # type: ignore[union-attr]  # `_begin` came first
