"""Text for a terminal, in colour where it is one."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import yaml
from rich.text import Text

from provisioner.diff import ORPHAN
from provisioner.model import Action, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from provisioner.model import Body, Change, Event, Finding, Plan

_SIGN = {
    Action.CREATE: ("+", "green"),
    Action.UPDATE: ("~", "yellow"),
    Action.DELETE: ("-", "red"),
    Action.NONE: (" ", "dim"),
}
_DONE = {Action.CREATE: "created", Action.UPDATE: "updated", Action.DELETE: "deleted", Action.NONE: "unchanged"}
_DIFF_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


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


def plan(planned: Plan) -> Iterator[Text]:
    """Every pending change with its diff, what is left behind, and a line of counts."""
    for change in planned.pending:
        yield from _change(change)
    for change in planned.changes:
        if change.why == ORPHAN and change.live is not None:
            yield Text(
                f"  ! {change.kind} {change.key} is no longer in the repository; it stays in the cluster",
                style="magenta",
            )
    yield summary(planned)


def summary(planned: Plan) -> Text:
    """`Plan: 3 to create, 1 to update, 0 to delete, 20 unchanged.`"""
    unchanged = sum(change.action is Action.NONE and change.why != ORPHAN for change in planned.changes)
    if not planned.pending:
        return Text(
            f"No changes: the cluster is as the repository says ({count(unchanged, 'object')}).",
            style="green",
        )
    numbers = [f"{planned.count(action)} to {action.value}" for action in (Action.CREATE, Action.UPDATE, Action.DELETE)]
    return Text(f"Plan: {', '.join(numbers)}, {unchanged} unchanged.", style="bold")


def _change(change: Change) -> Iterator[Text]:
    sign, colour = _SIGN[change.action]
    line = Text(f"  {sign} {change.kind} {change.key}", style=colour)
    line.append(f"  {change.why}", style="dim")
    if change.origin:
        line.append(f"  {change.origin}", style="dim")
    yield line
    for risk in change.risks:
        yield Text(f"      ! {risk}", style="red")
    if change.action is Action.UPDATE and change.before is not None and change.after is not None:
        yield from body_diff(change.before, change.after)


def body_diff(before: Body, after: Body) -> Iterator[Text]:
    """The two bodies as YAML, compared line by line with two lines of surroundings."""
    lines = difflib.unified_diff(_yaml(before), _yaml(after), lineterm="", n=2)
    for line in list(lines)[2:]:
        yield Text(f"      {line}", style=_DIFF_COLOURS.get(line[:1], "dim"))


def _yaml(body: Body) -> list[str]:
    return yaml.dump(body, sort_keys=True, allow_unicode=True, width=110).splitlines()


def event(happened: Event) -> Text:
    """One step of an apply: what was done, how long it took, or why it failed."""
    change = happened.change
    if happened.error:
        return Text(f"  ✗ {change.kind} {change.key}: {happened.error}", style="red")
    sign, colour = _SIGN[change.action]
    return Text(f"  {sign} {change.kind} {change.key} ", style=colour).append(
        f"{_DONE[change.action]} in {happened.seconds:.2f} s", style="dim"
    )


def applied(events: Sequence[Event]) -> Text:
    """`Applied: 3 created, 1 updated, 0 deleted.`, or at which step it stopped."""
    failed = [happened for happened in events if happened.error]
    done = [happened.change.action for happened in events if not happened.error]
    numbers = ", ".join(
        f"{done.count(action)} {_DONE[action]}" for action in (Action.CREATE, Action.UPDATE, Action.DELETE)
    )
    if failed:
        return Text(
            f"Stopped at {failed[0].change.kind} {failed[0].change.key}: {numbers}. Mend it and run apply again.",
            style="bold red",
        )
    return Text(f"Applied: {numbers}.", style="bold green")


def count(number: int, noun: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def lines(texts: Iterable[Text]) -> Text:
    """Several lines as one text."""
    return Text("\n").join(texts)
