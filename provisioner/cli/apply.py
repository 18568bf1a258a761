"""`provisioner apply`: make the cluster as the repository says."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer
from rich.text import Text

from provisioner.cli._common import (
    HERE,
    Output,
    OutputOption,
    RepositoryOption,
    TargetOption,
    YesOption,
    confirm,
    load,
    out,
    show,
)

if TYPE_CHECKING:
    from provisioner.model import Event
    from provisioner.repository import Repository


def run(
    root: RepositoryOption = HERE,
    target: TargetOption = None,
    yes: YesOption = False,
    output: OutputOption = Output.TEXT,
) -> None:
    """Plan, ask on a terminal, and make the changes in the order of their dependencies.

    Exit code 0: done, or nothing to do; 1: findings, a conflict, or a step that failed; 2: no repository or no cluster.
    """
    from provisioner.report import json

    events = push(load(root, target, output), yes=yes, output=output)
    if output is Output.JSON:
        print(json.dumps(json.events(events)))
    if any(event.error for event in events):
        raise typer.Exit(1)


def push(loaded: Repository, *, yes: bool, output: Output) -> list[Event]:
    """Plan, ask, apply, print; one event a step, none where nothing was to be done. Ends the command on a no."""
    from provisioner import gitinfo
    from provisioner.apply import apply
    from provisioner.cluster import Cluster
    from provisioner.errors import ProvisionerError
    from provisioner.plan import build
    from provisioner.report import text

    cluster = Cluster(loaded.settings)
    known = cluster.look(loaded.resources)
    planned = build(loaded.resources, known)
    quiet = output is Output.JSON
    if not quiet:
        show(text.plan(planned))
    if not planned.pending:
        return []
    if quiet and not yes and sys.stdin.isatty():
        raise ProvisionerError("with --output json no question is asked", "look at the plan first, then add --yes")
    if not confirm("Make these changes?", yes):
        out.print(Text("Nothing was changed."))
        raise typer.Exit(1)

    def report(event: Event) -> None:
        if not quiet:
            out.print(text.event(event))

    events = apply(planned, cluster, known, gitinfo.revision(loaded.root), report)
    if not quiet:
        out.print(text.applied(events))
    return events
