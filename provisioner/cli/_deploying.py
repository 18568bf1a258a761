"""What the commands that change a cluster share: their options, and how a deployment is shown and asked for."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from provisioner.cli._common import Output, agreed, err, out, show, warn
from provisioner.errors import ProvisionerError

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Sequence

    from provisioner.audit import Trail
    from provisioner.cluster import Cluster
    from provisioner.deploy import Outcome, Wanted
    from provisioner.model import Event, Options, Plan
    from provisioner.settings import Settings

PruneOption = Annotated[bool, typer.Option("--prune", help="Delete owned objects that the repository no longer has.")]
AdoptOption = Annotated[
    bool, typer.Option("--adopt", help="Take over objects of these names that nobody's mark is in.")
]
ForceOption = Annotated[
    list[str] | None,
    typer.Option(
        "--force", metavar="LIMIT", help="Pass a limit, by its name: deletes, changes, empty, data-loss, lock, audit."
    ),
]
AuditOption = Annotated[
    list[str] | None,
    typer.Option("--force", metavar="LIMIT", help="Go on without a record: audit. It is the only limit here."),
]
WaitOption = Annotated[
    str,
    typer.Option(
        "--wait",
        metavar="DURATION",
        help="How long to watch indices take a changed ISM policy over, such as 10m; 0s: not at all.",
    ),
]

WAIT = 10.0
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
_DURATION = re.compile(rf"(?:[0-9]{{1,9}}(?:{'|'.join(_UNITS)}))+")
_LONGEST = 86_400


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


def forced(force: Sequence[str] | None) -> list[str]:
    """The same where there is but one limit to pass: `audit`. Raises ProvisionerError for another one."""
    from provisioner import limits

    if unknown := [name for name in force or () if name != limits.AUDIT]:
        raise ProvisionerError(f"--force takes {limits.AUDIT!r} here, not {unknown[0]!r}", "leave it out")
    return sorted(set(force or ()))


def ask(trail: Trail, question: str, yes: bool, output: Output, said: str) -> None:
    """Ask; after a no it is recorded, `said`, and the command ends with 1. Raises as `agreed`."""
    from provisioner.audit import events

    if not agreed(question, yes, output):
        trail.ended(events.declined())
        out.print(Text(said))
        raise typer.Exit(1)


def seconds(duration: str) -> float:
    """A duration such as `10s`, `1m30s` or `0`. Raises ProvisionerError for anything else."""
    if duration == "0":
        return 0
    if not _DURATION.fullmatch(duration):
        said = "has no unit" if duration.isdecimal() else "is no duration"
        raise ProvisionerError(f"--wait: {duration!r} {said}", "give numbers with ms, s, m or h, such as 90s or 1m30s")
    total = sum(int(number) * _UNITS[unit] for number, unit in re.findall("([0-9]+)([a-z]+)", duration))
    if total > _LONGEST:
        raise ProvisionerError(f"--wait: {duration!r} is too long", "give at most 24h")
    return total


@dataclass(frozen=True)
class Place:
    """What an apply is recorded as: the command, for these settings, from the repository in this folder."""

    command: str
    settings: Settings
    root: pathlib.Path


def run(
    cluster: Cluster,
    wanted: Wanted,
    place: Place,
    *,
    yes: bool,
    output: Output,
    says: str = "the repository says",
) -> Outcome:
    """Deploy, showing everything as it happens; in JSON nothing is shown. A plan that a person refuses ends with 1.

    `says`: as what the cluster is to be, in words.
    """
    from provisioner.audit import Trail, events
    from provisioner.deploy import Hooks, deploy

    force = sorted(wanted.options.force)
    trail = Trail(place.settings, place.command, place.root, tell=warn, changes=True, forced=force)
    with trail, contextlib.ExitStack() as stack:
        trail.ready()
        screen = _Screen(stack, yes, quiet=output is Output.JSON, says=says)
        hooks = Hooks(screen.show, screen.ask, screen.event, screen.word, trail.intend, trail.left)
        try:
            outcome = deploy(cluster, wanted, hooks)
            trail.ended(events.deployed(outcome), acted=bool(outcome.events))
        except KeyboardInterrupt:
            done = (
                "what was done is recorded; the next apply goes on from there" if screen.stepped else "no step was done"
            )
            screen.word(f"Interrupted: {done}.")
            raise
    if outcome.events:
        trail.ship(cluster.client)
    if outcome.declined:
        out.print(Text("Nothing was changed."))
        raise typer.Exit(1)
    if output is not Output.JSON and outcome.events:
        finish(outcome)
    return outcome


class _Screen:
    """What a person sees of a deployment, and is asked; the progress bar begins with the first step."""

    def __init__(self, stack: contextlib.ExitStack, yes: bool, quiet: bool, says: str) -> None:
        self._stack, self._yes, self._quiet, self._says = stack, yes, quiet, says
        self._steps = 0
        self.stepped = False
        self._report: Callable[[Event], None] | None = None

    def show(self, planned: Plan) -> None:
        from provisioner.report import text

        self._steps = len(planned.pending)
        if not self._quiet:
            show(text.plan(planned, says=self._says))

    def ask(self, _: Plan) -> bool:
        return agreed("Make these changes?", self._yes, Output.JSON if self._quiet else Output.TEXT)

    def event(self, happened: Event) -> None:
        from provisioner.report import progress

        self.stepped = True
        if self._quiet:
            return
        if self._report is None:
            self._report = self._stack.enter_context(progress.steps(out, self._steps))
        self._report(happened)

    def word(self, said: str) -> None:
        (err if self._quiet else out).print(Text(said, style="yellow"))


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
