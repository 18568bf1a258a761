"""`provisioner hold`: data that nothing may delete while an incident or a lawsuit lasts."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from provisioner.cli import Command, Group
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
from provisioner.cli._deploying import AuditOption, ask, forced
from provisioner.errors import ProvisionerError

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Mapping, Sequence

    from provisioner.audit import Trail
    from provisioner.holds import Hold, Was
    from provisioner.settings import Settings
    from provisioner.state import StateStore

_UNCHANGED = "Nothing was changed."

app = typer.Typer(
    cls=Group,
    help="Hold data: no retention and no apply deletes it, and nobody changes it, until the hold is released.",
    no_args_is_help=True,
)

HoldId = Annotated[str, typer.Argument(metavar="ID", help="The hold's id, such as inc-2026-017.")]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stands in the audit chain too.")]


@app.command(cls=Command)
def add(
    hold_id: HoldId,
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Log types, data streams or indices.")],
    reason: ReasonOption,
    yes: YesOption = False,
    force: AuditOption = None,
    root: RepositoryOption = HERE,
    target: TargetOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Hold all events that these have now: no retention, and no change of one, whatever is applied meanwhile.

    A data stream is rolled over first; later events are not held. Once more with the same id holds what came since, and
    mends a hold that was cut off. Exit code 0: held; 1: not all of it, or a no; 2: no such data, or no cluster.
    """
    from provisioner import holding, holds
    from provisioner.audit import events

    if not holds.ID.fullmatch(hold_id):
        raise ProvisionerError(
            f"{hold_id!r} is no id of a hold", "use small letters, digits and -, such as inc-2026-017"
        )
    chosen, store, trail = _begin(root, target, force)
    with trail:
        trail.ready()
        found = holding.find(store.client, names, chosen.target.namespace)
        before = {each.id: each for each in store.read().holds}
        if output is Output.TEXT:
            show(Text(f"  {each.stream or each.indices[0]}", style="bold") for each in found)
        ask(trail, f"Hold what they have now as {hold_id}?", yes, output, _UNCHANGED)
        said = events.holding("add", hold_id, names, reason)
        trail.begin(said)
        indices: dict[str, Was] = {}
        for each in found:
            indices |= holding.look(store.client, holding.roll(store.client, each))
        others = [each for each in before.values() if each.id != hold_id]
        was = {name: holds.as_it_was(name, now, others) for name, now in indices.items()}
        made = before.get(hold_id) or _new(hold_id, names, reason, trail)
        every = dict(sorted({**was, **made.indices}.items()))
        made = replace(made, names=tuple(dict.fromkeys([*made.names, *names])), indices=every)
        store.put_hold(made)  # before anything is changed: a hold that is cut off is seen, and what it changed is known
        holding.take(store.client, holding.look(store.client, made.indices))
        wrong = holding.broken(store.client, made.indices)
        trail.ended(events.held(said, len(made.indices), len(wrong)), acted=True)
    _finish(chosen, store, trail, made, wrong, output)


@app.command("list", cls=Command)
def list_(
    every: Annotated[bool, typer.Option("--all", help="Those that ended too.")] = False,
    root: RepositoryOption = HERE,
    target: TargetOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """List the holds that last, and look whether each is as it should be. Exit code 1 where one is not."""
    from provisioner import holding, settings
    from provisioner.cluster import Cluster
    from provisioner.report import holds as report

    store = Cluster(settings.load(root, target)).store
    found = [each for each in store.holds() if every or each.released is None]
    wrong = {each.id: holding.broken(store.client, each.indices) for each in found if each.released is None}
    if output is Output.JSON:
        print_json(report.json(found, wrong))
    else:
        show(report.text(found, wrong))
    if any(wrong.values()):
        raise typer.Exit(1)


@app.command(cls=Command)
def release(
    hold_id: HoldId,
    reason: ReasonOption,
    yes: YesOption = False,
    force: AuditOption = None,
    root: RepositoryOption = HERE,
    target: TargetOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """End a hold: its indices are as they were, and their retention goes on; what is past its term is deleted soon.

    What another hold names stays held. Exit code 0: released; 1: an index that ISM does not manage again, or a no.
    """
    from provisioner import actor, holding, holds, schema
    from provisioner.audit import events
    from provisioner.integrity.complete import now

    chosen, store, trail = _begin(root, target, force)
    with trail:
        trail.ready()
        lasting = {each.id: each for each in store.read().holds}
        hold = lasting.get(hold_id)
        if hold is None:
            raise ProvisionerError(f"there is no hold {hold_id!r}", schema.suggest(hold_id, lasting, "holds"))
        still = holds.held(each for each in lasting.values() if each.id != hold_id)
        freed = {name: was for name, was in hold.indices.items() if name not in still}
        ask(trail, f"Release {len(freed)} of {len(hold.indices)} indices?", yes, output, _UNCHANGED)
        said = events.holding("release", hold_id, hold.names, reason)
        trail.begin(said)
        wrong = holding.let_go(store.client, freed)
        ended = replace(hold, released={"at": now(), "by": actor.user(), "reason": reason, "audit": trail.run.id})
        store.put_hold(ended)
        trail.ended(events.held(said, len(hold.indices), len(wrong)), acted=True)
    _finish(chosen, store, trail, ended, wrong, output)


def _begin(root: pathlib.Path, target: str | None, force: Sequence[str] | None) -> tuple[Settings, StateStore, Trail]:
    from provisioner import settings
    from provisioner.audit import Trail
    from provisioner.cluster import Cluster

    chosen = settings.load(root, target)
    trail = Trail(chosen, "hold", root, tell=warn, changes=True, forced=forced(force))
    return chosen, Cluster(chosen).store, trail


def _new(hold_id: str, names: Sequence[str], reason: str, trail: Trail) -> Hold:
    from provisioner import actor
    from provisioner.holds import Hold
    from provisioner.integrity.complete import now

    return Hold(hold_id, reason, actor.user(), socket.gethostname(), now(), tuple(names), audit=trail.run.id)


def _finish(
    settings: Settings, store: StateStore, trail: Trail, hold: Hold, wrong: Mapping[str, str], output: Output
) -> None:
    from provisioner.report import holds as report

    trail.ship(store.client)
    if output is Output.JSON:
        print_json(report.json([hold], {hold.id: wrong}))
    else:
        show(report.text([hold], {hold.id: wrong}))
    if wrong:
        raise typer.Exit(1)
