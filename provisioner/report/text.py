"""Text for a terminal, in colour where it is one."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from provisioner.model import Action, Severity
from provisioner.report import history, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from provisioner.model import Change, Diff, Event, Finding, Line, Plan
    from provisioner.report.history import Release

SIGNS = {
    Action.CREATE: ("+", "green"),
    Action.UPDATE: ("~", "yellow"),
    Action.ADOPT: ("→", "blue"),
    Action.DELETE: ("-", "red"),
    Action.NONE: (" ", "dim"),
}
_WIDEST = 120
"""Origins stand at the right of their lines, but not further away than this."""
_INDENT = " " * 6
_DIFF_COLOURS = {"+": "green", "-": "red"}
_OUTCOMES = {"complete": "green", "stopped": "red", "interrupted": "red", "running": "yellow"}
_NAMED = 3


def findings(found: Sequence[Finding]) -> Iterator[Text]:
    """A line for each finding, `file:line:column: CODE message`, and one on how to mend it; then how many."""
    for finding in found:
        colour = "red" if finding.severity is Severity.ERROR else "yellow"
        line = Text(str(finding.origin), style="bold")
        yield (
            line.append(": ", style="not bold")
            .append(finding.code, style=f"not bold {colour}")
            .append(f" {finding.message}", style="not bold")
        )
        if finding.hint:
            yield Text(f"    {finding.hint}", style="dim")
    errors = sum(finding.severity is Severity.ERROR for finding in found)
    warnings = len(found) - errors
    if found:
        yield Text(f"Found {count(errors, 'error')}" + (f" and {count(warnings, 'warning')}." if warnings else "."))


def plan(planned: Plan, width: int | None = None, now: int | None = None) -> Iterator[Text]:
    """Every pending change with its risks and diffs, what stays behind, limits that are exceeded, and counts.

    `width` is that of the terminal, `now` the cluster's time in milliseconds; None: of this one, of this machine.
    """
    now = int(time.time() * 1000) if now is None else now
    columns = _columns(width)
    for change in planned.pending:
        yield from _change(change, columns, now)
    for change in words.orphans(planned):
        yield Text(f"  ! {change.kind} {change.key} {words.orphan(change)}", style="magenta")
    for exceeded in planned.limits:
        yield Text(f"  refused: {words.limit(exceeded)}", style="bold red")
    yield summary(planned)


def summary(planned: Plan) -> Text:
    """`Plan: 3 to create, 1 to update, 0 to delete, 20 unchanged.`"""
    if not planned.pending:
        objects = count(words.unchanged(planned), "object")
        return Text(f"No changes: the cluster is as the repository says ({objects}).", style="green")
    return Text(f"Plan: {words.to_do(planned)}.", style="bold")


def _change(change: Change, width: int, now: int) -> Iterator[Text]:
    yield from _header(change, width)
    for risk in change.risks:
        yield Text(f"{_INDENT}! {risk}", style="red")
    if change.doomed:
        yield Text(f"{_INDENT}! {words.doomed(change.doomed)}:", style="red")
        for line in words.doomed_indices(change.doomed, now):
            yield Text(f"{_INDENT}    {line}", style="red")
    yield from _diffs(change, width)


def _header(change: Change, width: int) -> Iterator[Text]:
    """One line, or several where that would be wider than the terminal."""
    sign, colour = SIGNS[change.action]
    line = Text(f"  {sign} {change.kind} {change.key}", style=colour)
    for part in (change.why, str(change.origin or "")):
        if part and line.cell_len + 2 + cell_len(part) > width:
            yield line
            line = Text(f"{_INDENT}{part}", style="dim")
        elif part:
            line.append(f"  {part}", style="dim")
    yield line


def _diffs(change: Change, width: int | None) -> Iterator[Text]:
    for each in change.diffs:
        yield from diff(each, width, change.origin.file if change.origin else "")


def diff(shown: Diff, width: int | None = None, file: str = "") -> Iterator[Text]:
    """A diff under its title; the place of a value stands at the right, without the file where that is `file`."""
    yield Text(f"{_INDENT}{shown.title}:", style="dim")
    before, columns = None, min(_columns(width), _WIDEST)
    for line in shown.lines:
        text = Text(f"{_INDENT}{line.sign} {line.text}", style=_DIFF_COLOURS.get(line.sign, "dim"))
        if line.origin and line.origin != before:
            _place(text, line, columns, file)
        before = line.origin or before
        yield text


def _place(text: Text, line: Line, width: int, file: str) -> None:
    """The line's origin at the right of it: whole where it fits, else line and column alone, else behind it."""
    if line.origin is None:
        return
    place = str(line.origin)
    if text.cell_len + 2 + cell_len(place) > width and line.origin.file == file:
        place = f":{line.origin.line}:{line.origin.column}"
    text.append(" " * max(2, width - text.cell_len - cell_len(place)) + place, style="dim default")


def _columns(width: int | None) -> int:
    return shutil.get_terminal_size().columns if width is None else width


def event(happened: Event) -> Text:
    """One step of an apply: what was done, how long it took and how often it was tried, or why it failed."""
    change = happened.change
    attempts = f" after {happened.attempts} attempts" if happened.attempts > 1 else ""
    if happened.error:
        return Text(f"  ✗ {change.kind} {change.key}{attempts}: {happened.error}", style="red")
    sign, colour = SIGNS[change.action]
    return Text(f"  {sign} {change.kind} {change.key} ", style=colour).append(
        f"{words.DONE[change.action]} in {happened.seconds:.2f} s{attempts}", style="dim"
    )


def applied(events: Sequence[Event]) -> Text:
    """`Applied: 3 created, 1 updated, 0 deleted.`, or at which steps it stopped."""
    failed = [happened.change for happened in events if happened.error]
    numbers = words.done(Counter(happened.change.action for happened in events if not happened.error))
    if not failed:
        return Text(f"Applied: {numbers}.", style="bold green")
    names = [f"{change.kind} {change.key}" for change in failed[:_NAMED]]
    if len(failed) > _NAMED:
        names.append(f"{len(failed) - _NAMED} more")
    them = "it" if len(failed) == 1 else "them"
    return Text(f"Stopped at {_listed(names)}: {numbers}. Mend {them} and run apply again.", style="bold red")


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def releases(rows: Sequence[Release]) -> Iterator[Text]:
    """A line for each release, in the order given: number, time, outcome, what it did, commit, who."""
    cells = [
        (str(row.number), history.time(row), row.outcome, history.done(row), row.revision or "-", history.who(row))
        for row in rows
    ]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    for row, (number, *others) in zip(rows, cells, strict=True):
        line = Text(number.rjust(widths[0]), style="bold")
        for cell, width, style in zip(
            others, widths[1:], ("", _OUTCOMES.get(row.outcome, ""), "", "cyan", "dim"), strict=True
        ):
            line.append(f"  {cell}{' ' * (width - cell_len(cell))}", style=f"not bold {style}")
        line.rstrip()
        yield line


def release(row: Release, changes: Iterable[Change] = (), width: int | None = None) -> Iterator[Text]:
    """One release: what is known of it, then its steps and how they went, with the diffs of these changes.

    `changes` are those from the release before; what no step names comes last.
    """
    head = Text(f"Release {row.number}", style="bold")
    yield head.append(f" of {history.time(row)}: ", "not bold").append(row.outcome, _OUTCOMES.get(row.outcome, ""))
    by = f"  by {history.who(row)} with provisioner {row.tool}"
    yield Text(f"{by}, revision {row.revision}" if row.revision else by, style="dim")
    known = {change.ref: change for change in changes}
    for step in row.steps:
        yield _step(step, history.unclear(row))
        if change := known.pop((step["kind"], step["key"]), None):
            yield from _diffs(change, width)
    for change in known.values():
        yield from _header(change, _columns(width))
        yield from _diffs(change, width)
    yield Text(f"{history.done(row)}.", style="bold")


def _step(step: Mapping[str, str], unclear: bool) -> Text:
    action, name = Action(step["action"]), f"{step['kind']} {step['key']}"
    if step.get("error"):
        return Text(f"  ✗ {name}: {step['error']}", style="red")
    sign, colour = SIGNS[action]
    return Text(f"  {sign} {name}  ", style=colour).append(f"to {action}" if unclear else words.DONE[action], "dim")


def count(number: int, noun: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def lines(texts: Iterable[Text]) -> Text:
    """Several lines as one text."""
    return Text("\n").join(texts)
