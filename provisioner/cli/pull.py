"""`provisioner pull`: what exists in a cluster, as documents of this repository."""

from __future__ import annotations

from collections import Counter
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
    warn,
)

if TYPE_CHECKING:
    from provisioner.pull import Pulled


def run(
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", help="Only this kind (several times: these); default: all but role and role_mapping."),
    ] = None,
    name: Annotated[
        list[str] | None, typer.Option("--name", help="Only names that this pattern takes (* and ?).")
    ] = None,
    into: Annotated[str | None, typer.Option("--into", help="The folder to write to, below rules/, say.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be written, and write nothing.")] = False,
    root: RepositoryOption = HERE,
    target: TargetOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Write monitors, channels, policies, templates and more that were made elsewhere as raw documents.

    Only files are written, and none is overwritten. What bears an owner's mark is left out. Secrets become references.
    """
    from provisioner import pull, repository
    from provisioner.audit import Trail, events
    from provisioner.cluster import Cluster
    from provisioner.errors import FindingsError

    try:
        loaded = repository.load(root, target).checked()
    except FindingsError as error:
        print_findings(error.findings, output)
        raise typer.Exit(1) from None
    with Trail(loaded.settings, "pull", loaded.root, tell=warn) as trail:
        trail.begin()
        pulled = pull.read(Cluster(loaded.settings), loaded, pull.Wanted(kind or (), name or (), into))
        if not dry_run:
            pull.write(loaded.root, pulled.files)
        trail.ended(events.pulled(len(pulled.files), written=not dry_run))
    if output is Output.JSON:
        _print_json(pulled, written=not dry_run)
    else:
        _print_text(pulled, written=not dry_run)


def _print_json(pulled: Pulled, *, written: bool) -> None:
    files = [
        {"file": f.file, "kind": f.kind, "name": f.name, "id": f.id, "variables": list(f.variables)}
        for f in pulled.files
    ]
    left = [{"kind": each.kind, "name": each.name, "reason": each.reason} for each in pulled.left_out]
    print_json({"written": written, "files": files, "left_out": left})


def _print_text(pulled: Pulled, *, written: bool) -> None:
    from provisioner.report.text import count
    from provisioner.yamltext import visible

    for file in pulled.files:
        out.print(Text(file.file, style="green").append(visible(f"  {file.kind} {file.name}"), style="default"))
    for reason, number in Counter(left.reason for left in pulled.left_out if left.expected).items():
        err.print(Text(f"left out: {count(number, 'object')} that {visible(reason)}", style="dim"))
    for left in pulled.left_out:
        if not left.expected:
            err.print(Text(visible(f"left out: {left.kind} {left.name}: {left.reason}"), style="yellow"))
    variables = [(name, file) for file in pulled.files for name in file.variables]
    if variables:
        out.print(Text("Set these variables to the secrets, which stand in no file:", style="bold"))
        for name, file in variables:
            out.print(Text(f"  {name}").append(visible(f"  {file.kind} {file.name}"), style="dim"))
    files = count(len(pulled.files), "file")
    if not pulled.files:
        out.print(Text("There is nothing to pull."))
    elif written:
        out.print(Text(f"Wrote {files}. `provisioner plan --adopt` shows what taking them over would change."))
    else:
        out.print(Text(f"Would write {files}; nothing was written."))
