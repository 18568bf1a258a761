"""`provisioner ack`: somebody looks after alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from provisioner.cli._common import (
    HERE,
    Output,
    OutputOption,
    RepositoryOption,
    TargetOption,
    YesOption,
    err,
    out,
    print_json,
    show,
    warn,
)
from provisioner.cli._deploying import AuditOption, ask, forced
from provisioner.errors import ProvisionerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provisioner.alerts import Alert, Answer
    from provisioner.audit import Trail
    from provisioner.client import Client

Rules = Annotated[list[str] | None, typer.Argument(metavar="[RULE]...", help="Ids of rules: all their active alerts.")]
AlertsOption = Annotated[
    list[str] | None, typer.Option("--alert", metavar="ID", help="An alert by its id; may be given several times.")
]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stands in the audit chain.")]


def run(
    rules: Rules = None,
    alert: AlertsOption = None,
    every: Annotated[bool, typer.Option("--all", help="All active alerts of this owner's rules.")] = False,
    reason: ReasonOption = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List them and end.")] = False,
    yes: YesOption = False,
    force: AuditOption = None,
    root: RepositoryOption = HERE,
    target: TargetOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Acknowledge active alerts: who does looks after them, and they notify no more until they are over.

    Alerts of other owners are left alone. Exit code 0: done, or there are none; 1: a no, or one that could not be
    acknowledged; 2: no such rule, or no cluster.
    """
    from provisioner import alerts, settings
    from provisioner.audit import Trail
    from provisioner.client import Client
    from provisioner.report import alerts as report

    if not (rules or alert or every):
        raise ProvisionerError("name rules, alerts by --alert, or --all", "see them: provisioner ack --all --dry-run")
    chosen = settings.load(root, target)
    client = Client(chosen.target)
    if dry_run:
        found = _wanted(client, chosen.owner, rules or [], alert or [], every)
        if output is Output.JSON:
            print_json(report.json([alerts.Answer(each) for each in found], written=False))
        else:
            show(report.text(found))
            out.print(Text(f"{len(found)} active; nothing was acknowledged.", style="bold"))
        return
    with Trail(chosen, "ack", root, tell=warn, changes=True, forced=forced(force)) as trail:
        trail.ready()
        found = _wanted(client, chosen.owner, rules or [], alert or [], every)
        if output is Output.TEXT:
            show(report.text(found))
        answers = _acknowledge(client, trail, found, reason, yes=yes, output=output)
    if answers:
        trail.ship(client)
    if output is Output.JSON:
        print_json(report.json(answers, written=True))
    else:
        show(report.answers(answers))
    if any(each.error for each in answers):
        raise typer.Exit(1)


def _wanted(client: Client, owner: str, rules: Sequence[str], ids: Sequence[str], every: bool) -> list[Alert]:
    """The active alerts that were named. Raises ProvisionerError for a rule, or an alert, that there is not."""
    from provisioner import alerts, schema

    found, more = alerts.active(client, owner)
    if more:
        err.print(Text("There are more alerts than one answer holds: run it again afterwards.", style="yellow"))
    missing = set(rules) - {alert.rule for alert in found}
    known = alerts.rules(client, owner) if missing else set()
    if unknown := sorted(missing - known):
        hint = schema.suggest(unknown[0], known, "rules in the cluster")
        raise ProvisionerError(f"{owner} has no rule {unknown[0]!r} in the cluster", hint)
    if gone := sorted(set(ids) - {alert.id for alert in found}):
        raise ProvisionerError(f"{owner} has no active alert {gone[0]!r}", "see them: provisioner ack --all --dry-run")
    return [alert for alert in found if every or alert.rule in rules or alert.id in ids]


def _acknowledge(
    client: Client, trail: Trail, found: Sequence[Alert], reason: str, *, yes: bool, output: Output
) -> list[Answer]:
    """Ask, record, do it, record."""
    from provisioner import alerts
    from provisioner.audit import events

    if not found:
        trail.ended(events.Ended("success", "nothing_to_do", "no active alerts", results=0))
        return []
    ask(trail, f"Acknowledge {len(found)}?", yes, output, "Nothing was acknowledged.")
    said = events.acknowledging([alert.rule for alert in found], reason)
    trail.begin(said)
    answers: list[Answer] = []
    try:
        for group in alerts.acknowledge(client, found):
            answers += group
    finally:
        done = sum(not each.error for each in answers)
        trail.ended(events.acknowledged(said, done), acted=True)
    return answers
