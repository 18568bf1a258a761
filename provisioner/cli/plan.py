"""`provisioner plan`: what apply would do."""

from __future__ import annotations

from typing import Annotated

import typer

from provisioner.cli._common import HERE, Output, OutputOption, RepositoryOption, TargetOption, load, show


def run(
    root: RepositoryOption = HERE,
    target: TargetOption = None,
    output: OutputOption = Output.TEXT,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="End with 1 where there are changes.")] = False,
) -> None:
    """Compare the repository with the cluster and show every change. Nothing is written."""
    from provisioner.cluster import Cluster
    from provisioner.plan import build
    from provisioner.report import json, text

    loaded = load(root, target, output)
    cluster = Cluster(loaded.settings)
    planned = build(loaded.resources, cluster.look(loaded.resources))
    if output is Output.JSON:
        print(json.dumps(json.plan(planned)))
    else:
        show(text.plan(planned))
    if exit_code and planned.pending:
        raise typer.Exit(1)
