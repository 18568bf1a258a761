"""The steps of an apply while they happen: a line for each, and on a terminal a bar below them."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from provisioner.report import text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console

    from provisioner.model import Event
    from provisioner.ruletest.runner import Result


@contextmanager
def steps(console: Console, total: int) -> Iterator[Callable[[Event], None]]:
    """Give a function that takes each event, from any thread. The bar goes away at the end, however that comes.

    What follows the last step (indices take a policy over, the cluster is looked at again) is said to be a check.
    """
    if not console.is_terminal:
        yield lambda event: console.print(text.event(event))
        return
    columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("applying", total=total)

        def happened(event: Event) -> None:
            console.print(text.event(event))
            bar.advance(task)
            if bar.finished:
                bar.update(task, description="checking")

        yield happened


@contextmanager
def tests(console: Console, total: int) -> Iterator[Callable[[Result], None]]:
    """Give a function that takes each result; a bar on a terminal, elsewhere nothing."""
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("storing events", total=total)

        def ended(_: Result) -> None:
            bar.update(task, description="testing", advance=1)

        yield ended


@contextmanager
def backtest(console: Console, total: int) -> Iterator[Callable[[str, float], None]]:
    """Give a function that takes the rule at work and how much of its time is done; no rule: it is done."""
    if not console.is_terminal:
        yield lambda _, __: None
        return
    columns = (TextColumn("  {task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("looking at the data", total=total)
        done = 0

        def got(rule: str, share: float) -> None:
            nonlocal done
            if not rule:
                done += 1
                bar.update(task, completed=done)
            else:
                bar.update(task, description=rule, completed=done + share)

        yield got


@contextmanager
def bytes_read(console: Console, sizes: Sequence[int]) -> Iterator[Callable[[int], None]]:
    """Give a function that takes how far into the file at work reading has come; going back means the next file."""
    columns = (TextColumn("  {task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("redacting", total=sum(sizes))
        ended = last = 0
        rest = list(sizes)

        def come(to: int) -> None:
            nonlocal ended, last
            if to < last and rest:
                ended += rest.pop(0)
            last = to
            bar.update(task, completed=ended + to)

        yield come


@contextmanager
def documents(console: Console) -> Iterator[tuple[Callable[[int], None], Callable[[int], None]]]:
    """Give two functions: one takes how many documents there will be, the other how many more were looked at."""
    if not console.is_terminal:
        yield (lambda _: None), (lambda _: None)
        return
    columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("counting", total=None)
        yield (
            (lambda total: bar.update(task, description="looking", total=total)),
            (lambda more: bar.advance(task, more)),
        )


@contextmanager
def verified(console: Console, total: int) -> Iterator[Callable[[int], None]]:
    """Give a function that takes how many bytes more were read; after a second a bar on a terminal, else nothing."""
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("  verifying"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=console, transient=True)
    task, begun, shown = bar.add_task("", total=total or None), time.monotonic(), False

    def advance(count: int) -> None:
        nonlocal shown
        bar.advance(task, count)
        if not shown and time.monotonic() - begun > 1:
            shown = True
            bar.start()

    try:
        yield advance
    finally:
        if shown:
            bar.stop()
