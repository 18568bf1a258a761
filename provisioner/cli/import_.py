"""`provisioner import`: rules of other projects as rules of this repository."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from provisioner.cli import Command, Group
from provisioner.cli._common import (
    HERE,
    Output,
    OutputOption,
    RepositoryOption,
    TargetOption,
    err,
    out,
    print_json,
    show_table,
)

if TYPE_CHECKING:
    from provisioner.sigma.outcome import Imported, Outcome

app = typer.Typer(cls=Group, help="Write rules of other projects as rules of this repository.", no_args_is_help=True)

_STYLES = {"created": "green", "updated": "yellow"}
_ORDER = ("created", "updated", "unchanged", "folded", "skipped", "refused")


@app.callback()
def _group() -> None:
    """A group, also while there is one command alone."""


@app.command(cls=Command)
def sigma(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Files, folders or patterns of Sigma rules.")],
    select: Annotated[
        list[str] | None,
        typer.Option(
            "--select",
            metavar="KEY=VALUE",
            help="Only rules of this level, status or tag, such as level=high or tag=attack.t1110*; several values of "
            "a key: any of them. Without status=, deprecated and unsupported rules are left out.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be written, and write nothing.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 where a rule can't be converted.")] = False,
    root: RepositoryOption = HERE,
    target: TargetOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Convert Sigma's rules into rules of this repository, by the document templates/sigma/pipeline.yml.

    Rules that are there already are updated in place: keys that were changed here are kept, and comments too. Fields
    that the schema lacks go into templates/schema/sigma-<log type>.yml. What can't be converted is told by name and
    reason, and stops nothing.
    """
    try:
        import sigma.collection  # noqa: F401  needs all that the extra brings
    except ImportError as error:
        from provisioner.errors import ProvisionerError

        raise ProvisionerError(
            f"{error.name} is missing", "install the extra: pip install 'provisioner[sigma]'"
        ) from None
    from provisioner import settings, source
    from provisioner.sigma import importing, outcome
    from provisioner.sigma import settings as pipelines

    wanted = _selected(select or [])
    chosen = settings.load(root, target)
    read = source.load(root, chosen.target.vars)
    importer = importing.Importer(root, chosen, read, pipelines.load(read), wanted)
    imported = importer.run(paths)
    if not dry_run:
        outcome.write(root, imported)
    if output is Output.JSON:
        _print_json(imported, written=not dry_run)
    else:
        _print_text(imported, written=not dry_run)
    if strict and any(each.action == "refused" for each in imported.outcomes):
        raise typer.Exit(1)


def _selected(select: list[str]) -> dict[str, list[str]]:
    """`level=high` and the like, by key. Raises ProvisionerError."""
    from provisioner.errors import ProvisionerError
    from provisioner.sigma.importing import SELECTABLE

    found: dict[str, list[str]] = {}
    for each in select:
        key, sign, value = each.partition("=")
        if key not in SELECTABLE or not sign or not value:
            raise ProvisionerError(f"{each!r} selects nothing", f"write one of {', '.join(SELECTABLE)}, = and a value")
        found.setdefault(key, []).append(value)
    return found


def _print_json(imported: Imported, *, written: bool) -> None:
    import dataclasses

    print_json(
        {
            "written": written,
            "rules": [dataclasses.asdict(each) for each in imported.outcomes],
            "files": sorted(imported.files),
            "warnings": imported.warnings,
        }
    )


def _print_text(imported: Imported, *, written: bool) -> None:
    from provisioner.report.text import count
    from provisioner.yamltext import visible

    for each in imported.outcomes:
        if each.action in _STYLES:
            out.print(
                Text(f"{each.action} ", style=_STYLES[each.action]).append(visible(each.written), style="default")
            )
        for key in each.kept:
            out.print(Text(visible(f"  kept: {key} of {each.id}, which was changed here"), style="dim"))
        for note in each.notes:
            out.print(Text(visible(f"  note: {each.id}: {note}"), style="dim"))
    _print_sources(imported.outcomes)
    _print_refused([each for each in imported.outcomes if each.action == "refused"])
    for warning in imported.warnings:
        err.print(Text(visible(f"warning: {warning}"), style="yellow"))
    numbers = Counter(each.action for each in imported.outcomes)
    summary = ", ".join(f"{numbers[action]} {action}" for action in _ORDER if numbers[action])
    files = count(len(imported.files), "file")
    done = f"Wrote {files}." if written else f"Would write {files}; nothing was written."
    out.print(Text(f"{count(len(imported.outcomes), 'rule')}: {summary or 'nothing to do'}. {done}", style="bold"))


def _print_sources(outcomes: list[Outcome]) -> None:
    """How much of each product's rules could be converted."""
    from rich.table import Table

    table = Table("log source", "converted", "of", "share", box=None, pad_edge=False)
    whole = Counter(_product(each) for each in outcomes if each.action != "skipped")
    taken = Counter(_product(each) for each in outcomes if each.action not in ("refused", "skipped"))
    for name, number in sorted(whole.items()):
        table.add_row(Text(name), str(taken[name]), str(number), f"{100 * taken[name] / number:.1f} %")
    if whole:
        show_table(table)


def _product(each: Outcome) -> str:
    return each.log_source if each.log_source.startswith("correlation/") else each.log_source.partition("/")[0] or "?"


def _print_refused(refused: list[Outcome]) -> None:
    """What could not be converted, by name and reason."""
    from rich.table import Table

    from provisioner.yamltext import visible

    if not refused:
        return
    table = Table("can't be converted", "reason", "what to do", "file", box=None, pad_edge=False)
    for each in refused:
        table.add_row(*(Text(visible(cell)) for cell in (each.title, each.reason, each.hint, each.file)))
    show_table(table)
