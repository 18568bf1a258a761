"""Shares of work done by several processes: forked, each has all that was read so far, and sends back what it finds.

Only where that is safe (Linux, one thread) and more than one processor is there; else the work is done here. What a
child could not do, for whatever reason, is done here as well: so the results, and errors, are always as without it.
"""

from __future__ import annotations

import gc
import io
import os
import pickle
import signal
import struct
import sys
import threading
from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_T = TypeVar("_T")

MOST = 4
"""Processes: more would mostly wait for the one that puts the results together."""
_INTERRUPTS = (signal.SIGINT, signal.SIGTERM)
_NUMBER = struct.Struct("i")


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
            found.update(_taken(work, numbers))
            for part in running.results():
                found.update(part)
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
    """The processes that were forked, each with the pipe on which it sends its results."""

    def __init__(self) -> None:
        self.pipes: dict[int, int] = {}

    def start(self, work: Callable[[int], _T], numbers: int) -> None:
        """One more; none where the system gives no more."""
        reading, writing = os.pipe()
        # Ctrl-C in between would find a child that takes itself for the parent, or one that nobody knows of.
        signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPTS)
        try:
            child = os.fork()
            if child == 0:
                _do(work, numbers, writing, [reading, *self.pipes.values()])
            self.pipes[child] = reading
        except OSError:
            os.close(reading)
        finally:
            os.close(writing)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPTS)

    def results(self) -> Iterator[dict[int, _T]]:
        """What each of them found; nothing of one that failed."""
        for child, pipe in list(self.pipes.items()):
            with io.FileIO(pipe, closefd=False) as file:
                content = file.read()
            _, status = os.waitpid(child, 0)
            os.close(self.pipes.pop(child))
            if status == 0:
                yield pickle.loads(content)  # noqa: S301 (our own child wrote it, on a pipe that nobody else has)

    def end(self) -> None:
        """None is left behind, whatever happened."""
        for child, pipe in self.pipes.items():
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(pipe)


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
        content = pickle.dumps(dict(_taken(work, numbers)), pickle.HIGHEST_PROTOCOL)
        with io.FileIO(pipe, "w") as file:
            written = memoryview(content)
            while written:
                written = written[file.write(written) :]
        code = 0
    finally:
        os._exit(code)
