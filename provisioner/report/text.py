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
from provisioner.yamltext import visible

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


def plan(
    planned: Plan, width: int | None = None, now: int | None = None, says: str = "the repository says"
) -> Iterator[Text]:
    """Every pending change with its risks and diffs, what stays behind, limits that are exceeded, and counts.

    `width` is that of the terminal, `now` the cluster's time in milliseconds; None: of this one, of this machine.
    `says`: as what the cluster is to be.
    """
    now = int(time.time() * 1000) if now is None else now
    columns = _columns(width)
    for change in planned.pending:
        yield from _change(change, columns, now)
    for change in words.orphans(planned):
        yield _safe(f"  ! {change.kind} {change.key} {words.orphan(change)}", "magenta")
    for exceeded in planned.limits:
        yield _safe(f"  refused: {words.limit(exceeded)}", "bold red")
    yield summary(planned, says)


def summary(planned: Plan, says: str = "the repository says") -> Text:
    """`Plan: 3 to create, 1 to update, 0 to delete, 20 unchanged.`"""
    if not planned.pending:
        objects = count(words.unchanged(planned), "object")
        if left := words.orphans(planned):
            stays = "stays" if len(left) == 1 else "stay"
            return _safe(f"No changes: {objects} as {says}; {count(len(left), 'other')} {stays}.", "yellow")
        return _safe(f"No changes: the cluster is as {says} ({objects}).", "green")
    return _safe(f"Plan: {words.to_do(planned)}.", "bold")


def _change(change: Change, width: int, now: int) -> Iterator[Text]:
    yield from _header(change, width)
    for risk in change.risks:
        yield _safe(f"{_INDENT}! {risk}", "red")
    if change.doomed:
        yield _safe(f"{_INDENT}! {words.doomed(change.doomed)}:", "red")
        for line in words.doomed_indices(change.doomed, now):
            yield _safe(f"{_INDENT}    {line}", "red")
    yield from _diffs(change, width)


def _header(change: Change, width: int, sign: tuple[str, str] | None = None) -> Iterator[Text]:
    """One line, or several where that would be wider than the terminal."""
    mark, colour = sign or SIGNS[change.action]
    line = _safe(f"  {mark} {change.kind} {change.key}", colour)
    for value in (change.why, str(change.origin or "")):
        part = _safe(value, "dim")
        if part and line.cell_len + 2 + part.cell_len > width:
            yield line
            line = Text(_INDENT).append(part)
        elif part:
            line.append("  ").append(part)
    yield line


def _diffs(change: Change, width: int | None) -> Iterator[Text]:
    for each in change.diffs:
        yield from diff(each, width, change.origin.file if change.origin else "")


def diff(shown: Diff, width: int | None = None, file: str = "") -> Iterator[Text]:
    """A diff under its title; the place of a value stands at the right, without the file where that is `file`."""
    yield _safe(f"{_INDENT}{shown.title}:", "dim")
    before, columns = None, min(_columns(width), _WIDEST)
    for line in shown.lines:
        text = _safe(f"{_INDENT}{line.sign} {line.text}", _DIFF_COLOURS.get(line.sign, "dim"))
        if line.origin and line.origin != before:
            _place(text, line, columns, file)
        before = line.origin or before
        yield text


def _place(text: Text, line: Line, width: int, file: str) -> None:
    """The line's origin at the right of it: whole where it fits, else line and column alone, else behind it."""
    if line.origin is None:
        return
    place = visible(str(line.origin))
    if text.cell_len + 2 + cell_len(place) > width and line.origin.file == file:
        place = f":{line.origin.line}:{line.origin.column}"
    text.append(" " * max(2, width - text.cell_len - cell_len(place)) + place, style="dim default")


def _columns(width: int | None) -> int:
    """That of the terminal where none is given; in a file or a pipe a header stays on one line, whatever its length."""
    return shutil.get_terminal_size((10_000, 0)).columns if width is None else width


def event(happened: Event) -> Text:
    """One step of an apply: what was done, how long it took and how often it was tried, or why it failed."""
    change = happened.change
    attempts = f" after {happened.attempts} attempts" if happened.attempts > 1 else ""
    if happened.error:
        return _safe(f"  ✗ {change.kind} {change.key}{attempts}: {happened.error}", "red")
    sign, colour = SIGNS[change.action]
    return _safe(f"  {sign} {change.kind} {change.key} ", colour).append(
        f"{words.DONE[change.action]} in {happened.seconds:.2f} s{attempts}", style="dim"
    )


def applied(events: Sequence[Event]) -> Text:
    """`Applied: 3 created, 1 updated, 0 deleted.`, or at which steps it stopped."""
    failed = [happened.change for happened in events if happened.error]
    numbers = words.done(Counter(happened.change.action for happened in events if not happened.error))
    if not failed:
        return _safe(f"Applied: {numbers}.", "bold green")
    names = [f"{change.kind} {change.key}" for change in failed[:_NAMED]]
    if len(failed) > _NAMED:
        names.append(f"{len(failed) - _NAMED} more")
    them = "it" if len(failed) == 1 else "them"
    return _safe(f"Stopped at {_listed(names)}: {numbers}. Mend {them} and run apply again.", "bold red")


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def releases(rows: Sequence[Release]) -> Iterator[Text]:
    """A line for each release, in the order given: number, time, outcome, what it did, commit, who."""
    cells = [[visible(cell) for cell in history.cells(row)] for row in rows]
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
    head = _safe(f"Release {row.number}", "bold")
    colour = _OUTCOMES.get(row.outcome, "")
    yield head.append(_safe(f" of {history.time(row)}: ", "not bold")).append(_safe(row.outcome, colour))
    by = f"  by {history.who(row)} with provisioner {row.tool}"
    yield _safe(f"{by}, revision {row.revision}" if row.revision else by, "dim")
    if row.forced:
        yield _safe(f"  forced: {', '.join(row.forced)}", "yellow")
    known = {change.ref: change for change in changes}
    for step in row.steps:
        yield _step(step, history.unclear(row))
        if change := known.pop((step["kind"], step["key"]), None):
            yield from _diffs(change, width)
    for change in known.values():
        yield from _header(change, _columns(width))
        yield from _diffs(change, width)
    yield _safe(f"{history.done(row)}.", "bold")


def _step(step: Mapping[str, str], unclear: bool) -> Text:
    action, name = Action(step["action"]), f"{step['kind']} {step['key']}"
    if step.get("error"):
        return _safe(f"  ✗ {name}: {step['error']}", "red")
    sign, colour = SIGNS[action]
    return _safe(f"  {sign} {name}  ", colour).append(f"to {action}" if unclear else words.DONE[action], "dim")


def drift(changes: Sequence[Change], objects: int, width: int | None = None) -> Iterator[Text]:
    """What differs from what the last apply left, of so many objects."""
    for change in changes:
        yield from _header(change, _columns(width), ("!", "yellow"))
        yield from _diffs(change, width)
    if changes:
        differ = "differs" if len(changes) == 1 else "differ"
        yield _safe(f"Drift: {len(changes)} of {count(objects, 'object')} {differ} from what was applied.", "bold")
    else:
        yield _safe(f"No drift: the cluster is as it was applied ({count(objects, 'object')}).", "green")


def _safe(value: str, style: str) -> Text:
    """One line; names and errors from the cluster may hold what a terminal obeys."""
    return Text(visible(value.replace("\n", " ")), style=style)


def count(number: int, noun: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def lines(texts: Iterable[Text]) -> Text:
    """Several lines as one text."""
    return Text("\n").join(texts)
