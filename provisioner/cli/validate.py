"""`provisioner validate`: check a repository without a cluster."""

from __future__ import annotations

import typer
from rich.text import Text

from provisioner.cli._common import HERE, Output, OutputOption, RepositoryOption, TargetOption, out, print_findings


def run(root: RepositoryOption = HERE, target: TargetOption = None, output: OutputOption = Output.TEXT) -> None:
    """Check every file: YAML, schema, references, fields, templates. No cluster is asked.

    Exit code 0: nothing to say; 1: findings; 2: there is no repository here.
    """
    from provisioner import repository
    from provisioner.errors import FindingsError
    from provisioner.report.text import count

    try:
        loaded = repository.load(root, target)
    except FindingsError as error:
        print_findings(error.findings, output)
        raise typer.Exit(1) from None
    print_findings(loaded.findings, output)
    if loaded.findings:
        raise typer.Exit(1)
    if output is Output.TEXT:
        documents = count(len(loaded.source.documents), "document")
        out.print(Text(f"{documents} and {count(len(loaded.resources), 'resource')}: all good.", style="green"))
