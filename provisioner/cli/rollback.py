"""`provisioner rollback`: make the cluster as it was after an earlier release."""

from __future__ import annotations

from typing import Annotated

import typer

from provisioner.cli import _deploying
from provisioner.cli._common import (
    HERE,
    Output,
    OutputOption,
    RepositoryOption,
    TargetOption,
    YesOption,
    print_json,
    show,
    warn,
)
from provisioner.cli._deploying import WAIT, ForceOption, WaitOption
from provisioner.cli.history import find


def run(
    number: Annotated[int, typer.Argument(metavar="RELEASE", help="Its number, as `history` prints it.")],
    root: RepositoryOption = HERE,
    target: TargetOption = None,
    yes: YesOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and end.")] = False,
    force: ForceOption = None,
    wait: WaitOption = f"{WAIT:g}s",
    output: OutputOption = Output.TEXT,
) -> None:
    """Plan back to what a release left in the cluster, ask on a terminal, and apply it: a new release.

    Objects that are owned now and were not then are deleted. The repository's files are not read and not changed: the
    next `apply` makes the cluster as they say again. Exit code 0: done, or nothing to do; 1: a limit or a failed step.
    """
    from provisioner import releases, settings
    from provisioner.audit import Trail, events
    from provisioner.cluster import Cluster
    from provisioner.deploy import Wanted, look
    from provisioner.report import json, text

    watched = _deploying.seconds(wait)
    options = _deploying.options(True, False, force)
    chosen = settings.load(root, target)
    cluster = Cluster(chosen)
    release = find(cluster.store, number)
    blobs = cluster.store.blobs(address for e in release.manifest or () for address in (e.sent, e.document))
    resources = [r for r in releases.resources(release, blobs) if cluster.applies(r.kind)]
    revision = f"rollback to release {number}" + (f" ({release.revision})" if release.revision else "")
    says = f"release {number} left it"
    wanted = Wanted(resources, options, revision, wait=watched)
    if dry_run:
        with Trail(chosen, "plan", root, tell=warn) as trail:
            trail.begin()
            _, planned = look(cluster, wanted)
            trail.ended(events.looked(planned))
        if output is Output.JSON:
            print_json(json.plan(planned))
        else:
            show(text.plan(planned, says=says))
        return
    place = _deploying.Place("rollback", chosen, root)
    outcome = _deploying.run(cluster, wanted, place, yes=yes, output=output, says=says)
    if output is Output.JSON:
        print_json(json.outcome(outcome))
    if outcome.failed:
        raise typer.Exit(1)
