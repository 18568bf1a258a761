"""`provisioner plan`: what apply would do."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from provisioner.cli import _deploying
from provisioner.cli._common import (
    HERE,
    AllTargetsOption,
    Output,
    PlanOutput,
    RepositoryOption,
    TargetsOption,
    load_all,
    out,
    show,
)
from provisioner.cli._deploying import AdoptOption, ForceOption, PruneOption
from provisioner.errors import ProvisionerError

if TYPE_CHECKING:
    from provisioner.model import Plan


def run(
    root: RepositoryOption = HERE,
    target: TargetsOption = None,
    all_targets: AllTargetsOption = False,
    prune: PruneOption = False,
    adopt: AdoptOption = False,
    force: ForceOption = None,
    save: Annotated[
        pathlib.Path | None, typer.Option("--out", help="Write the plan into a file that `apply` takes.")
    ] = None,
    output: Annotated[
        PlanOutput, typer.Option("-o", "--output", help="text for people, json for machines, markdown for a comment.")
    ] = PlanOutput.TEXT,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="End with 1 where there are changes.")] = False,
) -> None:
    """Compare the repository with the cluster and show every change. Nothing is written."""
    from provisioner import deploy, gitinfo, planfile
    from provisioner.cluster import Cluster

    options = _deploying.options(prune, adopt, force)
    loaded = load_all(root, target or [], all_targets, Output.JSON if output is PlanOutput.JSON else Output.TEXT)
    if save and len(loaded) > 1:
        raise ProvisionerError("--out takes the plan of one target", "name one with --target")
    plans: dict[str, Plan] = {}
    for each in loaded:
        wanted = deploy.Wanted(each.resources, options)
        _, planned = deploy.look(Cluster(each.settings), wanted)
        plans[each.settings.target.name] = planned
        if save:
            revision = gitinfo.revision(each.root)
            _write(save, planfile.dump(planned, each.resources, options, each.settings.target.name, revision))
    _print(plans, output)
    if exit_code and any(planned.pending for planned in plans.values()):
        raise typer.Exit(1)


def _print(plans: dict[str, Plan], output: PlanOutput) -> None:
    from provisioner.report import json, markdown, text

    if output is PlanOutput.JSON:
        said: dict[str, Any] = {name: json.plan(planned) for name, planned in plans.items()}
        print(json.dumps(next(iter(said.values())) if len(said) == 1 else {"targets": said}))
    elif output is PlanOutput.MARKDOWN:
        longest = markdown.LONGEST // len(plans)  # together they have to fit into one comment
        print("\n".join(markdown.plan(planned, name, longest=longest) for name, planned in plans.items()))
    else:
        for name, planned in plans.items():
            if len(plans) > 1:
                out.rule(Text(name), align="left")
            show(text.plan(planned))


def _write(file: pathlib.Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ProvisionerError(f"{file} can't be written: {error.strerror}", "name another file") from None
