"""`provisioner validate`: check a repository without a cluster."""

from __future__ import annotations

import typer
from rich.text import Text

from provisioner.cli._common import (
    HERE,
    AllTargetsOption,
    Output,
    OutputOption,
    RepositoryOption,
    TargetsOption,
    choose,
    once,
    out,
    print_findings,
)


def run(
    root: RepositoryOption = HERE,
    target: TargetsOption = None,
    all_targets: AllTargetsOption = False,
    output: OutputOption = Output.TEXT,
) -> None:
    """Check every file: YAML, schema, references, fields, templates. No cluster is asked.

    With the variables of one target, or of each of several. Exit code 0: nothing to say; 1: findings; 2: there is no
    repository here.
    """
    from provisioner import repository
    from provisioner.errors import FindingsError
    from provisioner.report.text import count

    try:
        loaded = [repository.load_for(root, chosen) for chosen in choose(root, target or [], all_targets)]
    except FindingsError as error:
        print_findings(error.findings, output)
        raise typer.Exit(1) from None
    found = once(each.findings for each in loaded)
    print_findings(found, output)
    if found:
        raise typer.Exit(1)
    if output is Output.TEXT:
        documents, resources = count(len(loaded[0].source.documents), "document"), len(loaded[0].resources)
        checked = f"{documents} and {count(resources, 'resource')}"
        targets = f"{documents} for {count(len(loaded), 'target')}"
        out.print(Text(f"{targets if len(loaded) > 1 else checked}: all good.", style="green"))
