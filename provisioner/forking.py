"""Shares of work done by several processes: forked, each has all that was read so far, and sends back what it finds.

Only where that is safe (Linux, one thread) and more than one processor is there; else the work is done here. What a
child could not do, for whatever reason, is done here as well: so the results, and errors, are always as without it.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import pickle
import signal
import struct
import sys
import threading
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_T = TypeVar("_T")

MOST = 4
"""Processes: more would mostly wait for the one that puts the results together."""
_INTERRUPTS = (signal.SIGINT, signal.SIGTERM)
_NUMBER = struct.Struct("i")
_LENGTH = struct.Struct("Q")
_PIPE = 1 << 20
"""Bytes that wait in a pipe, where the system gives as much: a child then waits for nobody to take its results."""


def together(work: Callable[[int], _T], count: int, meanwhile: Callable[[], object] = lambda: None) -> list[_T]:
    """What `work` gives for each number below `count`, in this order, as `shares.alone` does.

    Results must be picklable. Each process takes the next number from a common pipe: all end at about the same time.
    `meanwhile` is called first in this process, while the others have begun.
    """
    children = min(_processors(), count) - 1
    if children < 1:
        meanwhile()
        return [work(number) for number in range(count)]
    found: dict[int, _T] = {}
    numbers = _numbers(count)
    try:
        running: _Children[_T] = _Children()
        try:
            for _ in range(children):
                running.start(work, numbers)
            meanwhile()
            for number, result in _taken(work, numbers):
                found[number] = result
                found.update(running.results())
            found.update(running.results(last=True))
        finally:
            running.end()
    finally:
        os.close(numbers)
    return [found[number] if number in found else work(number) for number in range(count)]


def _processors() -> int:
    if sys.platform != "linux" or threading.active_count() > 1:
        return 1
    return min(len(os.sched_getaffinity(0)), MOST)


def _numbers(count: int) -> int:
    """A pipe that holds all numbers: whoever reads one has it for himself."""
    reading, writing = os.pipe()
    with io.FileIO(writing, "w") as file:
        file.write(b"".join(map(_NUMBER.pack, range(count))))
    return reading


def _taken(work: Callable[[int], _T], numbers: int) -> Iterator[tuple[int, _T]]:
    while number := os.read(numbers, _NUMBER.size):
        yield _NUMBER.unpack(number)[0], work(_NUMBER.unpack(number)[0])


class _Children(Generic[_T]):
    """The processes that were forked, each with the pipe of its results, and what has come of the next one."""

    def __init__(self) -> None:
        self.pipes: dict[int, int] = {}
        self.come: dict[int, bytearray] = {}

    def start(self, work: Callable[[int], _T], numbers: int) -> None:
        """One more; none where the system gives no more."""
        import fcntl  # which Windows has not

        reading, writing = os.pipe()
        with contextlib.suppress(OSError):
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIPE)
        # Ctrl-C in between would find a child that takes itself for the parent, or one that nobody knows of.
        signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPTS)
        try:
            child = os.fork()
            if child == 0:
                _do(work, numbers, writing, [reading, *self.pipes.values()])
            self.pipes[child], self.come[child] = reading, bytearray()
        except OSError:
            os.close(reading)
        finally:
            os.close(writing)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPTS)

    def results(self, *, last: bool = False) -> Iterator[tuple[int, _T]]:
        """What they have found since, each with its number; with `last` all until their ends."""
        for child, pipe in list(self.pipes.items()):
            os.set_blocking(pipe, last)
            come = self.come[child]
            with contextlib.suppress(BlockingIOError):
                while part := os.read(pipe, _PIPE):
                    come += part
                    yield from _whole(come)
            if last:  # only now: its end takes its time as well
                os.waitpid(child, 0)
                os.close(self.pipes.pop(child))

    def end(self) -> None:
        """None is left behind, whatever happened."""
        for child, pipe in self.pipes.items():
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(pipe)


def _whole(come: bytearray) -> Iterator[tuple[int, Any]]:
    """The results that are there whole; the beginning of the next one stays."""
    begin = 0
    while len(come) >= (start := begin + _LENGTH.size) and len(come) >= (
        end := start + _LENGTH.unpack_from(come, begin)[0]
    ):
        yield pickle.loads(memoryview(come)[start:end])  # noqa: S301 (our own child wrote it, on a pipe of ours)
        begin = end
    del come[:begin]


def _do(work: Callable[[int], _T], numbers: int, pipe: int, others: list[int]) -> NoReturn:
    """A child's whole life. It never returns, prints nothing, and ends quietly when it is interrupted."""
    code = 1
    try:
        for interrupt in _INTERRUPTS:
            signal.signal(interrupt, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPTS)
        gc.disable()  # looking for garbage would copy all that is shared with the parent
        for other in others:  # with them open, it would not notice that the parent is gone
            os.close(other)
        with io.FileIO(pipe, "w") as file:
            for result in _taken(work, numbers):
                content = pickle.dumps(result, pickle.HIGHEST_PROTOCOL)
                written = memoryview(_LENGTH.pack(len(content)) + content)
                while written:
                    written = written[file.write(written) :]
        code = 0
    finally:
        os._exit(code)
