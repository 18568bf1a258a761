"""Telling the story: numbered steps with timings, a spinner or a bar only where there is a terminal."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.control import strip_control_codes
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console, RenderableType

INDENT = 3


def printable(text: str) -> str:
    """A text that strangers wrote, without what a terminal would obey; line breaks and tabs stay."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in strip_control_codes(text)
    )


class Teller:
    """Prints steps to a console. It also is the listener that a dev cluster's start reports to."""

    def __init__(self, console: Console, steps: int) -> None:
        """Tell a story of `steps` steps."""
        self.console = console
        self._steps = steps
        self._number = 0
        self._began = time.monotonic()
        self._bar: Progress | None = None

    @property
    def seconds(self) -> float:
        """Seconds since the story began."""
        return time.monotonic() - self._began

    @contextmanager
    def part(self, title: str) -> Iterator[None]:
        """A step: its title, what it says, and how long it took, unless it fails."""
        self._number += 1
        began = time.monotonic()
        self.console.print()
        self.console.print(Text(f"{self._number}/{self._steps} ", style="bold cyan").append(title, style="bold white"))
        try:
            yield
        finally:
            self._close_bar()
        self.say(f"done in {time.monotonic() - began:.1f} s", style="dim")

    def say(self, text: str, style: str = "", mark: str = "") -> None:
        """Lines of a step's result, each with the mark in front; wrapped only where there is a terminal to fit."""
        margin = " " * INDENT + mark
        for line in Text(printable(text), style=style).split("\n", allow_blank=True):
            fitted = line.wrap(self.console, self.console.width - len(margin)) if self.console.is_terminal else [line]
            for piece in fitted or [line]:
                self.console.print(Text(margin).append_text(piece), soft_wrap=True)

    def show(self, what: RenderableType) -> None:
        """A table or text, indented."""
        self.console.print(Padding(what, (0, 0, 0, INDENT), expand=False))

    @contextmanager
    def waiting(self, text: str) -> Iterator[Callable[[str], None]]:
        """A spinner whose text can be changed, while something takes its time; a plain line without a terminal."""
        if not self.console.is_terminal or self.console.is_dumb_terminal:
            self.say(f"{text} ...", style="dim")
            yield lambda _text: None
            return
        with self.console.status(f"  {text}") as status:
            yield lambda more: status.update(Text(f"  {printable(more)}"))

    @contextmanager
    def counting(self, text: str, total: int) -> Iterator[Callable[[int], None]]:
        """A bar that moves to the number given; a plain line without a terminal."""
        if not self.console.is_terminal or self.console.is_dumb_terminal:
            self.say(f"{text} ...", style="dim")
            yield lambda _done: None
            return
        columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self.console, transient=True) as bar:
            task = bar.add_task(text, total=total)
            yield lambda done: bar.update(task, completed=done)

    def step(self, text: str) -> None:
        """What the start of a dev cluster does now."""
        self.say(text, style="dim")

    def downloaded(self, done: int, total: int) -> None:
        """How much of what the cluster needs is fetched, in bytes."""
        if self._bar is None:
            self.say(f"fetching {total / 1e6:.0f} MB, this once", style="dim")
            columns = (TextColumn("  fetching"), BarColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal)
            self._bar.add_task("fetching", total=total)
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], completed=done, total=total)
        if done >= total:
            self._close_bar()

    def _close_bar(self) -> None:
        if self._bar:
            self._bar.stop()
            self._bar = None
