"""`provisioner backtest`: how often rules would have fired on data that is there."""

from __future__ import annotations

import pathlib
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from provisioner.cli._common import (
    HERE,
    Output,
    OutputOption,
    RepositoryOption,
    TargetOption,
    err,
    out,
    print_findings,
    print_json,
    show,
    show_table,
)
from provisioner.errors import ProvisionerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provisioner.backtest.engine import Job
    from provisioner.backtest.tally import Tally
    from provisioner.client import Client

_DAY = 86_400_000


def run(
    rules: Annotated[list[str], typer.Argument(metavar="RULE", help="Ids of rules; * stands for any characters.")],
    root: RepositoryOption = HERE,
    target: TargetOption = None,
    days: Annotated[int, typer.Option("--days", min=1, metavar="N", help="The last N days.")] = 7,
    begin: Annotated[
        str, typer.Option("--from", metavar="TIME", help="Begin here instead: 2026-11-01, or with T12:00:00Z.")
    ] = "",
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="End here; default: now.")] = "",
    step: Annotated[
        str,
        typer.Option(
            "--step", metavar="10m", help="As if every rule ran this often: fewer searches, times and counts less fine."
        ),
    ] = "",
    output: OutputOption = Output.TEXT,
    page: Annotated[
        pathlib.Path | None, typer.Option("--html", metavar="FILE", help="Write a page with plots as well.")
    ] = None,
) -> None:
    """Show how often rules would have fired on the target's data, by their rendered monitors; nothing is written there.

    An event counts as stored when it occurred. Rules have their own schedules, and are run even where they are off.
    Ctrl-C ends it early and prints what was counted. Times are UTC.
    """
    from provisioner.backtest import jobs
    from provisioner.client import Client

    _check(step)
    now = int(time.time() * 1_000)
    last = _time(end, "--to") if end else now
    first = _time(begin, "--from") if begin else last - days * _DAY
    if first >= last:
        raise ProvisionerError("the begin lies behind the end", "mend --from and --to")
    loaded = jobs.load(root, target, step or None)
    if loaded.errors:
        print_findings(loaded.findings, output)
        raise typer.Exit(1)
    wanted = jobs.jobs(loaded, rules, first, last)
    tallies, whole = _run(Client(loaded.settings.target), wanted)
    _print(tallies, output)
    if page is not None:
        from provisioner.report import backtestpage

        _write(page, backtestpage.page(tallies, loaded.settings.owner, loaded.settings.target.name))
    if not whole:
        raise typer.Exit(130)


def _run(client: Client, wanted: Sequence[Job]) -> tuple[list[Tally], bool]:
    """The tallies, and whether nobody interrupted."""
    from provisioner.backtest.engine import Backtest
    from provisioner.report import progress

    tallies: list[Tally] = []
    with progress.backtest(err, len(wanted)) as advance:
        for job in wanted:
            each = Backtest(client, job)
            tallies.append(each.tally)
            try:
                each.run(lambda at, job=job: advance(job.rule.id, (at - job.begin) / (job.end - job.begin)))  # type: ignore[misc]
            except KeyboardInterrupt:
                return tallies, False
            advance("", 1)
    return tallies, True


def _print(tallies: Sequence[Tally], output: Output) -> None:
    from provisioner.report import backtest as report

    if output is Output.JSON:
        print_json(report.json(tallies))
        return
    out.print(report.period(tallies))
    show_table(report.table(tallies))
    show(report.lines(tallies))


def _check(step: str) -> None:
    from provisioner import durations

    try:
        durations.period(step or "1m")
    except ValueError as error:
        raise ProvisionerError(f"--step: {error}") from None


def _time(text: str, option: str) -> int:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ProvisionerError(
            f"{option}: {text!r} is no time", "write for example 2026-11-01 or 2026-11-01T12:00:00Z"
        ) from None
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1_000)


def _write(file: pathlib.Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        raise ProvisionerError(f"{file} can't be written: {error.strerror}", "name another file") from None
    err.print(Text(f"Written to {file}"))
