"""`provisioner scan`: secrets and personal data in what is stored already."""

from __future__ import annotations

import pathlib
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
    print_json,
    show,
    show_table,
)
from provisioner.cli._redaction import CatalogueOption, LogTypeOption, catalogue_of
from provisioner.errors import ProvisionerError

if TYPE_CHECKING:
    from provisioner.redaction import Catalogue, Redactor
    from provisioner.scan.reader import Scan
    from provisioner.scan.tally import Tally

_SAMPLE, _MOST = 1_000, 10_000


_Index = Annotated[
    list[str] | None,
    typer.Option("--index", metavar="PATTERN", help="Data streams or indices; default: logs-*-<namespace>."),
]
_Sample = Annotated[
    int | None,
    typer.Option("--sample", min=1, max=_MOST, metavar="N", help=f"N of each at random; default: {_SAMPLE:,}."),
]
_Every = Annotated[bool, typer.Option("--all", help="All documents instead of a sample.")]
_Since = Annotated[str, typer.Option("--since", metavar="7d", help="Only what has happened since then.")]
_Limit = Annotated[int | None, typer.Option("--limit", min=1, metavar="N", help="Look at N documents in all at most.")]
_Slices = Annotated[
    int, typer.Option("--slices", min=1, max=32, metavar="N", help="Parts of a data stream read at once.")
]
_Page = Annotated[pathlib.Path | None, typer.Option("--html", metavar="FILE", help="Write a page as well.")]


def run(
    root: RepositoryOption = HERE,
    target: TargetOption = None,
    index: _Index = None,
    sample: _Sample = None,
    every: _Every = False,
    since: _Since = "",
    limit: _Limit = None,
    slices: _Slices = 2,
    catalogue: CatalogueOption = None,
    log_type: LogTypeOption = None,
    output: OutputOption = Output.TEXT,
    page: _Page = None,
) -> None:
    """Find secrets and personal data in what is stored already; nothing is written, and no value is shown.

    Looks with the redaction's catalogue at a sample of the target's data streams, or at all of them. Exit code 1 where
    something was found.
    """
    from provisioner import settings
    from provisioner.client import Client
    from provisioner.scan import reader, tally
    from provisioner.scan.reader import Scan, Wanted

    if every and sample is not None:
        raise ProvisionerError("--all and --sample exclude each other", "give one of them")
    chosen = settings.load(root, target)
    client = Client(chosen.target)
    wanted = Wanted(None if every else sample or _SAMPLE, _since(since), limit)
    names = _names(reader.streams(client, index or [f"logs-*-{chosen.target.namespace}"]), index)
    from provisioner.report import progress

    with progress.documents(err) as (begin, advance):
        scan = Scan(client, wanted, slices, advance)
        for name in names:
            scan.count(name)
        begin(scan.total())
        whole = _look(scan, catalogue_of(catalogue, root), log_type, chosen.target.namespace)
    _print(scan.tallies, output, whole=whole)
    if page is not None:
        from provisioner.report import scanpage

        _write(page, scanpage.page(scan.tallies, chosen.target.name, whole=whole))
    if not whole:
        raise typer.Exit(130)
    if tally.leaks(scan.tallies):
        raise typer.Exit(1)


def _since(text: str) -> str:
    from provisioner import durations

    if text:
        try:
            durations.ms(text)
        except ValueError as error:
            raise ProvisionerError(f"--since: {error}", "write for example 7d or 12h") from None
    return text


def _names(found: list[str], index: list[str] | None) -> list[str]:
    if not found:
        asked = " ".join(index) if index else "of the target's namespace"
        raise ProvisionerError(f"there is no data stream or index {asked}", "name some by --index")
    return found


def _look(scan: Scan, catalogue: Catalogue, log_type: str | None, namespace: str) -> bool:
    """Whether nobody interrupted."""
    from provisioner.redaction import Redactor

    redactors: dict[str | None, Redactor] = {}
    for tally in scan.tallies:
        name = tally.stream.removeprefix("logs-").removesuffix(f"-{namespace}")
        own = name if tally.stream == f"logs-{name}-{namespace}" else None
        used = log_type or own
        try:
            scan.run(tally, redactors.setdefault(used, Redactor(catalogue, used)))
        except KeyboardInterrupt:
            return False
    return True


def _print(tallies: list[Tally], output: Output, *, whole: bool) -> None:
    from provisioner.report import scan as report

    if output is Output.JSON:
        print_json(report.json(tallies, whole=whole))
        return
    if any(tally.leaks for tally in tallies):
        show_table(report.table(tallies))
    show(report.lines(tallies, whole=whole))


def _write(file: pathlib.Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        raise ProvisionerError(f"{file} can't be written: {error.strerror}", "name another file") from None
    err.print(Text(f"Written to {file}"))
