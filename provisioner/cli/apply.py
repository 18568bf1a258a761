"""`provisioner apply`: make the cluster as the repository says."""

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
    OutputOption,
    RepositoryOption,
    TargetsOption,
    YesOption,
    load_all,
    out,
)
from provisioner.cli._deploying import AdoptOption, ForceOption, PruneOption, WaitOption
from provisioner.errors import MovedError, ProvisionerError

if TYPE_CHECKING:
    from provisioner.deploy import Outcome
    from provisioner.model import Options
    from provisioner.repository import Repository

PlanFile = Annotated[
    pathlib.Path | None, typer.Argument(metavar="PLAN", help="A file that `plan --out` wrote: exactly it is applied.")
]


def run(
    file: PlanFile = None,
    root: RepositoryOption = HERE,
    target: TargetsOption = None,
    all_targets: AllTargetsOption = False,
    yes: YesOption = False,
    prune: PruneOption = False,
    adopt: AdoptOption = False,
    force: ForceOption = None,
    wait: WaitOption = "10s",
    output: OutputOption = Output.TEXT,
) -> None:
    """Plan, ask on a terminal, and make the changes in the order of their dependencies.

    Exit code 0: done, or nothing to do; 1: findings, a conflict, a limit, a lock, or a step that failed; 2: no
    repository or no cluster. Of several targets those behind one that fails are left alone.
    """
    if file is not None:
        if prune or adopt or target or all_targets:
            raise ProvisionerError("a plan's file says itself what it is for", "give --prune and the like to `plan`")
        _report({"": _apply_file(root, file, force, yes, wait, output)}, output)
        return
    options = _deploying.options(prune, adopt, force)
    loaded = load_all(root, target or [], all_targets, output)
    outcomes: dict[str, Outcome] = {}
    for each in loaded:
        name = each.settings.target.name
        if len(loaded) > 1 and output is Output.TEXT:
            out.rule(Text(name), align="left")
        outcomes[name if len(loaded) > 1 else ""] = push(each, yes=yes, output=output, options=options, wait=wait)
        if outcomes[name if len(loaded) > 1 else ""].failed:
            break
    _report(outcomes, output)


def push(
    loaded: Repository, *, yes: bool, output: Output, options: Options | None = None, wait: str = "10s"
) -> Outcome:
    """Plan, ask, apply, print. Ends the command on a no."""
    from provisioner import gitinfo
    from provisioner.cluster import Cluster
    from provisioner.deploy import Wanted
    from provisioner.model import Options

    revision, seconds = gitinfo.revision(loaded.root), _deploying.seconds(wait)
    wanted = Wanted(loaded.resources, options or Options(), revision, wait=seconds)
    return _deploying.run(Cluster(loaded.settings), wanted, yes=yes, output=output)


def _apply_file(
    root: pathlib.Path, file: pathlib.Path, force: list[str] | None, yes: bool, wait: str, output: Output
) -> Outcome:
    from dataclasses import replace

    from provisioner import planfile, settings
    from provisioner.cluster import Cluster
    from provisioner.deploy import Wanted

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProvisionerError(f"{file} can't be read: {error}", "make it by `provisioner plan --out`") from None
    saved = planfile.load(text, str(file))
    chosen = settings.load(root, saved.target)
    if chosen.owner != saved.owner:
        raise MovedError(f"the plan is {saved.owner}'s, but {root} belongs to {chosen.owner}", "make a new plan")
    asked = _deploying.options(False, False, force)
    options = replace(saved.options, force=saved.options.force | asked.force)
    wanted = Wanted(saved.resources, options, saved.revision, saved.digest, _deploying.seconds(wait))
    return _deploying.run(Cluster(chosen), wanted, yes=yes, output=output)


def _report(outcomes: dict[str, Outcome], output: Output) -> None:
    """JSON where asked for; exit code 1 where something failed."""
    from provisioner.report import json

    if output is Output.JSON:
        said: dict[str, Any] = {name: json.outcome(outcome) for name, outcome in outcomes.items()}
        print(json.dumps(said.get("", {"targets": said})))
    if any(outcome.failed for outcome in outcomes.values()):
        raise typer.Exit(1)
