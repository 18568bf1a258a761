"""`provisioner plan`: what apply would do."""

from __future__ import annotations

import pathlib
import shlex
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from provisioner.cli import _deploying
from provisioner.cli._common import (
    HERE,
    AllTargetsOption,
    PlanOutput,
    RepositoryOption,
    TargetsOption,
    load_all,
    out,
    print_error,
    show,
    warn,
)
from provisioner.cli._deploying import AdoptOption, ForceOption, PruneOption
from provisioner.cli._targets import end, print_errors, print_outcomes, rule, tried
from provisioner.errors import ProvisionerError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provisioner.model import Options, Plan
    from provisioner.repository import Repository


def run(
    root: RepositoryOption = HERE,
    target: TargetsOption = None,
    all_targets: AllTargetsOption = False,
    prune: PruneOption = False,
    adopt: AdoptOption = False,
    force: ForceOption = None,
    save: Annotated[
        pathlib.Path | None,
        typer.Option("--out", metavar="FILE", help="Write the plan into a file that `apply` takes."),
    ] = None,
    output: Annotated[
        PlanOutput, typer.Option("-o", "--output", help="text for people, json for machines, markdown for a comment.")
    ] = PlanOutput.TEXT,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="End with 1 where there are changes, or a limit is exceeded.")
    ] = False,
) -> None:
    """Compare the repository with the cluster and show every change. Nothing is written.

    Exit code 0: planned, whatever it says; 1: findings, or objects of others in the way; 2: no repository or no
    cluster. Of several targets all are planned, and the highest code counts.
    """
    options = _deploying.options(prune, adopt, force)
    loaded = load_all(root, target or [], all_targets, output)
    if save and len(loaded) > 1:
        raise ProvisionerError("--out takes the plan of one target", "name one with --target")
    ended = {each.settings.target.name: tried(partial(_plan, each, options, save)) for each in loaded}
    _print(ended, output, save)
    plans = [planned for planned in ended.values() if not isinstance(planned, ProvisionerError)]
    end(ended.values(), otherwise=exit_code and any(planned.pending or planned.limits for planned in plans))


def _plan(loaded: Repository, options: Options, save: pathlib.Path | None) -> Plan:
    from provisioner import deploy, gitinfo, planfile
    from provisioner.audit import Trail, events
    from provisioner.cluster import Cluster

    settings, resources = loaded.settings, loaded.resources
    with Trail(settings, "plan", loaded.root, tell=warn) as trail:
        trail.begin()
        _, planned = deploy.look(Cluster(settings), deploy.Wanted(resources, options))
        trail.ended(events.looked(planned))
    if save:
        revision = gitinfo.revision(loaded.root)
        _write(save, planfile.dump(planned, resources, options, settings.target.name, revision))
    return planned


def _print(ended: Mapping[str, Plan | ProvisionerError], output: PlanOutput, save: pathlib.Path | None) -> None:
    from provisioner import limits
    from provisioner.report import json, markdown, text

    if output is PlanOutput.JSON:
        print_outcomes(ended, json.plan)
    elif output is PlanOutput.MARKDOWN:
        longest = markdown.LONGEST // len(ended)  # together they have to fit into one comment
        comments = (
            markdown.failed(planned, name, longest=longest)
            if isinstance(planned, ProvisionerError)
            else markdown.plan(planned, name, longest=longest)
            for name, planned in ended.items()
        )
        print("\n".join(comments))
        print_errors(ended)
    else:
        for name, planned in ended.items():
            rule(name, len(ended))
            if isinstance(planned, ProvisionerError):
                print_error(planned, f"{name}: " if len(ended) > 1 else "")
                continue
            show(text.plan(planned))
            if save:
                command = f"provisioner apply {shlex.quote(str(save))} {limits.options(planned.limits)}".rstrip()
                out.print(Text(f"Saved to {save}: `{command}` makes exactly these changes."))


def _write(file: pathlib.Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ProvisionerError(f"{file} can't be written: {error.strerror}", "name another file") from None
