"""`provisioner apply`: make the cluster as the repository says."""

from __future__ import annotations

import pathlib
from functools import partial
from typing import TYPE_CHECKING, Annotated

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
    err,
    load_all,
)
from provisioner.cli._deploying import WAIT, AdoptOption, ForceOption, PruneOption, WaitOption
from provisioner.cli._targets import end, print_errors, print_outcomes, rule, tried
from provisioner.errors import MovedError, ProvisionerError

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    wait: WaitOption = f"{WAIT:g}s",
    output: OutputOption = Output.TEXT,
) -> None:
    """Plan, ask on a terminal, and make the changes in the order of their dependencies.

    Exit code 0: done, or nothing to do; 1: findings, objects of others in the way, a limit, a lock, a plan's file that
    is out of date, a no, or a step that failed; 2: no repository or no cluster; 130: interrupted. Of several targets
    those behind one that fails are left alone.
    """
    seconds = _deploying.seconds(wait)
    if file is not None:
        if prune or adopt or target or all_targets:
            raise ProvisionerError("a plan's file says itself what it is for", "give --prune and the like to `plan`")
        _report({"": _apply_file(root, file, force, yes, seconds, output)}, output)
        return
    options = _deploying.options(prune, adopt, force)
    loaded = load_all(root, target or [], all_targets, output)
    ended: dict[str, Outcome | ProvisionerError | None] = dict.fromkeys(each.settings.target.name for each in loaded)
    for each in loaded:
        name = each.settings.target.name
        if output is Output.TEXT:
            rule(name, len(loaded))
        outcome = tried(partial(push, each, yes=yes, output=output, options=options, wait=seconds))
        ended[name] = outcome
        if isinstance(outcome, ProvisionerError) or outcome.failed:
            break
    _report(ended, output)


def push(
    loaded: Repository, *, yes: bool, output: Output, options: Options | None = None, wait: float = WAIT
) -> Outcome:
    """Plan, ask, apply, print. Ends the command on a no."""
    from provisioner import gitinfo
    from provisioner.cluster import Cluster
    from provisioner.deploy import Wanted
    from provisioner.model import Options

    revision = gitinfo.revision(loaded.root)
    wanted = Wanted(loaded.resources, options or Options(), revision, wait=wait)
    place = _deploying.Place("apply", loaded.settings, loaded.root)
    return _deploying.run(Cluster(loaded.settings), wanted, place, yes=yes, output=output)


def _apply_file(
    root: pathlib.Path, file: pathlib.Path, force: list[str] | None, yes: bool, wait: float, output: Output
) -> Outcome:
    from dataclasses import replace

    from provisioner import planfile, settings
    from provisioner.cluster import Cluster
    from provisioner.deploy import Wanted

    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ProvisionerError(f"{file} can't be read: {error.strerror}", planfile.HINT) from None
    except UnicodeDecodeError:
        raise ProvisionerError(f"{file} is not in UTF-8", planfile.HINT) from None
    saved = planfile.load(text, str(file))
    chosen = settings.load(root, saved.target)
    if chosen.owner != saved.owner:
        raise MovedError(f"the plan is {saved.owner}'s, but {root} belongs to {chosen.owner}", "make a new plan")
    asked = _deploying.options(False, False, force)
    options = replace(saved.options, force=saved.options.force | asked.force)
    wanted = Wanted(saved.resources, options, saved.revision, saved.digest, wait)
    cluster = Cluster(chosen)
    if unknown := sorted({resource.kind for resource in saved.resources} - set(cluster.kinds)):
        raise ProvisionerError(f"{file}: this provisioner knows no {unknown[0]!r}", planfile.SAME_VERSION)
    there = str(cluster.client.greet().get("cluster_uuid", ""))
    if there != saved.cluster:
        raise MovedError(
            f"the plan was made for another cluster ({saved.cluster}) than the target {saved.target} is now ({there})",
            "nothing was changed; make a new plan and look at it",
        )
    return _deploying.run(cluster, wanted, _deploying.Place("apply", chosen, root), yes=yes, output=output)


def _report(ended: Mapping[str, Outcome | ProvisionerError | None], output: Output) -> None:
    """JSON where asked for, what went wrong, and the exit code. None: a target that was left alone."""
    from provisioner.report import json

    if output is Output.JSON:
        print_outcomes(ended, lambda done: json.outcome(done) if done else {"skipped": True})
    else:
        print_errors(ended)
    if left := [name for name, each in ended.items() if each is None]:
        err.print(Text(f"Left alone: {', '.join(left)}.", style="bold"))
    outcomes = [each for each in ended.values() if each and not isinstance(each, ProvisionerError)]
    end(ended.values(), otherwise=any(outcome.failed for outcome in outcomes))
