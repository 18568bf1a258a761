"""What goes on while it goes on: on a terminal a bar, once it takes more than a second; of an apply a line per step.

rich's bars are only loaded on a terminal. All functions that are given may be called from any thread.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from provisioner.report import text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console
    from rich.progress import Progress, TaskID
    from rich.text import Text

    from provisioner.model import Event
    from provisioner.ruletest.runner import Result

PATIENCE = 1.0
"""Seconds before a bar is shown: what is over sooner needs none."""
COUNT, SIZE, TIME = "count", "size", "time"
"""What a bar counts: things, bytes, or nothing that a person would name."""


def put(console: Console, line: Text) -> None:
    """Print a line; where there is no terminal as it is, which is much quicker than rich."""
    if console.is_terminal:
        console.print(line)
    else:
        print(line.plain, file=console.file, flush=True)  # who pipes it looks on


class Bar:
    """A bar of one line, or of nothing where there is no terminal."""

    def __init__(self, bar: Progress | None = None, task: TaskID | None = None) -> None:
        self._bar, self._task = bar, task

    def update(
        self,
        *,
        advance: float | None = None,
        completed: float | None = None,
        total: float | None = None,
        says: str = "",
    ) -> None:
        """Go on by that much or to there; `says` what is done now."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, advance=advance, completed=completed, total=total, description=says or None)

    @property
    def full(self) -> bool:
        """Whether everything is done."""
        return self._bar is not None and self._bar.finished


@contextmanager
def shown(console: Console, says: str, total: float | None, counts: str) -> Iterator[Bar]:
    """A bar that comes after a second and goes away at the end, however that comes."""
    if not console.is_terminal:
        yield Bar()
        return
    bar = _progress(console, counts)
    one_at_a_time, over = threading.Lock(), False

    def show() -> None:
        with one_at_a_time:
            if not over:
                bar.start()

    later = threading.Timer(PATIENCE, show)
    later.daemon = True
    later.start()
    try:
        yield Bar(bar, bar.add_task(says, total=total))
    finally:
        with one_at_a_time:
            over = True
        later.cancel()
        if bar.live.is_started:
            bar.stop()


def _progress(console: Console, counts: str) -> Progress:
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = [TextColumn("  {task.description}"), BarColumn(), TimeRemainingColumn(elapsed_when_finished=True)]
    if counts != TIME:
        columns.insert(2, MofNCompleteColumn() if counts == COUNT else DownloadColumn())
    return Progress(*columns, console=console, transient=True)


@contextmanager
def steps(console: Console, total: int) -> Iterator[Callable[[Event], None]]:
    """Give a function that takes each event.

    What follows the last step (indices take a policy over, the cluster is looked at again) is said to be a check.
    """
    with shown(console, "applying", total, COUNT) as bar:

        def happened(event: Event) -> None:
            put(console, text.event(event))
            bar.update(advance=1)
            if bar.full:
                bar.update(says="checking")

        yield happened


@contextmanager
def tests(console: Console, total: int) -> Iterator[Callable[[Result], None]]:
    """Give a function that takes each result."""
    with shown(console, "storing events", total, COUNT) as bar:
        yield lambda _: bar.update(says="testing", advance=1)


@contextmanager
def backtest(console: Console, total: int) -> Iterator[Callable[[str, float], None]]:
    """Give a function that takes the rule at work and how much of its time is done; no rule: it is done."""
    with shown(console, "looking at the data", total, TIME) as bar:
        done = 0

        def got(rule: str, share: float) -> None:
            nonlocal done
            if not rule:
                done += 1
            bar.update(completed=done + (share if rule else 0), says=rule)

        yield got


@contextmanager
def bytes_read(console: Console, sizes: Sequence[int]) -> Iterator[Callable[[int], None]]:
    """Give a function that takes how far into the file at work reading has come; going back means the next file."""
    with shown(console, "redacting", sum(sizes), SIZE) as bar:
        ended = last = 0
        rest = list(sizes)

        def come(to: int) -> None:
            nonlocal ended, last
            if to < last and rest:
                ended += rest.pop(0)
            last = to
            bar.update(completed=ended + to)

        yield come


@contextmanager
def documents(console: Console) -> Iterator[tuple[Callable[[int], None], Callable[[int], None]]]:
    """Give two functions: one takes how many documents there will be, the other how many more were looked at."""
    with shown(console, "counting", None, COUNT) as bar:
        yield (lambda total: bar.update(says="looking", total=total)), (lambda more: bar.update(advance=more))


@contextmanager
def verified(console: Console, total: int) -> Iterator[Callable[[int], None]]:
    """Give a function that takes how many bytes more were read."""
    with shown(console, "verifying", total or None, SIZE) as bar:
        yield lambda count: bar.update(advance=count)
