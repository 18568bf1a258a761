"""What the commands that change a cluster share: their options, and how a deployment is shown and asked for."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from provisioner.cli._common import Output, confirm, err, out, show
from provisioner.errors import ProvisionerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provisioner.cluster import Cluster
    from provisioner.deploy import Outcome, Wanted
    from provisioner.model import Event, Options, Plan

PruneOption = Annotated[bool, typer.Option("--prune", help="Delete owned objects that the repository no longer has.")]
AdoptOption = Annotated[
    bool, typer.Option("--adopt", help="Take over objects of these names that nobody's mark is in.")
]
ForceOption = Annotated[
    list[str] | None,
    typer.Option("--force", help="Pass a limit, by its name: deletes, changes, empty, data-loss, lock."),
]
WaitOption = Annotated[
    str, typer.Option("--wait", help="How long to watch indices take a changed ISM policy over, such as 10m.")
]


def options(prune: bool, adopt: bool, force: Sequence[str] | None) -> Options:
    """What the flags say. Raises ProvisionerError for a limit that there is not."""
    from provisioner import limits, schema
    from provisioner.model import Options

    unknown = [name for name in force or () if name not in limits.NAMES]
    if unknown:
        raise ProvisionerError(
            f"--force takes the name of a limit, not {unknown[0]!r}",
            schema.suggest(unknown[0], sorted(limits.NAMES), "limits"),
        )
    return Options(prune, adopt, frozenset(force or ()))


def run(cluster: Cluster, wanted: Wanted, *, yes: bool, output: Output) -> Outcome:
    """Deploy, showing everything as it happens; in JSON nothing is shown. A plan that a person refuses ends with 1."""
    from provisioner.deploy import Hooks, deploy
    from provisioner.report import progress, text

    quiet = output is Output.JSON
    with contextlib.ExitStack() as stack:
        reporters: list[Any] = []

        def show_plan(planned: Plan) -> None:
            if not quiet:
                show(text.plan(planned))

        def ask(planned: Plan) -> bool:
            if quiet and not yes and sys.stdin.isatty():
                raise ProvisionerError(
                    "with --output json no question is asked", "look at the plan first, then add --yes"
                )
            return confirm("Make these changes?", yes)

        def event(happened: Event) -> None:
            if quiet:
                return
            if not reporters:
                reporters.append(stack.enter_context(progress.steps(out, total[0])))
            reporters[0](happened)

        def word(said: str) -> None:
            (err if quiet else out).print(Text(said, style="yellow"))

        total = [0]

        def counted(planned: Plan) -> None:
            total[0] = len(planned.pending)
            show_plan(planned)

        outcome = deploy(cluster, wanted, Hooks(counted, ask, event, word))
    if outcome.declined:
        out.print(Text("Nothing was changed."))
        raise typer.Exit(1)
    if not quiet and outcome.events:
        finish(outcome)
    return outcome


def finish(outcome: Outcome) -> None:
    """How it ended, what ISM has still to take over, and what is not as it should be after all."""
    from provisioner.report import text

    out.print(text.applied(outcome.events))
    for policy, names in outcome.behind.items():
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        out.print(Text(f"  ISM takes {policy} over at its next run for {shown}", style="yellow"))
    if outcome.left is not None and outcome.left.pending:
        err.print(Text("The cluster is not as it should be after this apply; what a new plan says:", style="bold red"))
        show(text.plan(outcome.left), err)
