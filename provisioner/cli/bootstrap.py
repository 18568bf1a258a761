"""`provisioner bootstrap`: a cluster from nothing, proved by canary events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer
from rich.table import Table
from rich.text import Text

from provisioner.cli import apply, doctor
from provisioner.cli._common import HERE, Output, RepositoryOption, TargetOption, YesOption, load, out, show_table, warn

if TYPE_CHECKING:
    from provisioner.audit.events import Ended
    from provisioner.canary import Proof
    from provisioner.client import Client
    from provisioner.repository import Repository

_UNFIT = "unfit"


def run(root: RepositoryOption = HERE, target: TargetOption = None, yes: YesOption = False) -> None:
    """Preflight, plan, apply, and a canary event for each data stream that proves the setup and is removed again.

    Exit code 0: all proved; 1: findings, an unfit cluster, a failed step or a canary that shows something wrong.
    """
    from provisioner.audit import Trail
    from provisioner.audit.events import Ended
    from provisioner.client import Client

    loaded = load(root, target, Output.TEXT)
    client = Client(loaded.settings.target)
    trail = Trail(loaded.settings, "bootstrap", loaded.root, tell=warn, changes=True)
    with trail:
        trail.begin()
        trail.ended(Ended("failure", "not_applied", "it was not applied"))  # unless it goes on
        how = _bootstrap(loaded, client, yes)
        trail.ended(how, acted=how.reason != _UNFIT)
    if how.reason != _UNFIT:
        trail.ship(client)
    if how.reason:
        raise typer.Exit(1)


def _bootstrap(loaded: Repository, client: Client, yes: bool) -> Ended:
    """Its three parts, until one fails."""
    from provisioner import preflight
    from provisioner.audit.events import Ended

    out.rule("Preflight", align="left")
    checks = list(preflight.run(client, loaded.settings.owner))
    show_table(doctor.table(checks))
    if not doctor.passed(checks):
        out.print(Text("The cluster is not fit; nothing was applied.", style="bold red"))
        return Ended("failure", _UNFIT, "the cluster is not fit; nothing was applied")
    out.rule("Apply", align="left")
    if apply.push(loaded, yes=yes, output=Output.TEXT).failed:
        return Ended("failure", "step_failed", "the apply failed")
    out.rule("Canary", align="left")
    proofs = prove(loaded)
    show_table(table(proofs))
    bad = [proof.stream for proof in proofs if not proof.ok]
    if bad:
        out.print(Text("Not everything is as it should be: see the table.", style="bold red"))
        return Ended("failure", "canary_failed", f"not as it should be: {', '.join(bad)}")
    out.print(
        Text(
            f"{len(proofs)} data streams take events, redact, keep and watch them as the repository says.",
            style="bold green",
        )
    )
    return Ended("success", words=f"{len(proofs)} data streams proved")


def prove(loaded: Repository) -> list[Proof]:
    """A canary for each data stream of the repository."""
    from provisioner import canary
    from provisioner.cluster import Cluster

    cluster = Cluster(loaded.settings)
    monitors = {resource.key: None for resource in loaded.resources if resource.kind == "monitor"}
    live = cluster.live({"monitor": dict(monitors)}) if monitors else {}
    enabled = {found.key: bool(found.body.get("enabled")) for found in live.values()}
    names = {found.server_id: found.key for found in live.values()}
    alerts = cluster.client.request(
        "GET", "/_plugins/_alerting/monitors/alerts", params={"alertState": "ERROR", "size": 1000}
    )
    errors = frozenset(names[alert["monitor_id"]] for alert in alerts["alerts"] if alert["monitor_id"] in names)
    schemas = loaded.source.of_kind("schema")
    redacted = bool(loaded.source.of_kind("redaction"))
    expected = canary.expectations(loaded.resources, redacted=redacted)
    return [canary.prove(cluster.client, each, schemas, enabled, errors) for each in expected]


def table(proofs: list[Proof]) -> Table:
    """A row for each data stream, a column for each aspect."""
    columns = list(dict.fromkeys(name for proof in proofs for name in proof.aspects))
    rows = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    rows.add_column("data stream", no_wrap=True)
    for name in columns:
        rows.add_column(name, overflow="fold")
    for proof in proofs:
        cells = [proof.aspects.get(name, "") for name in columns]
        rows.add_row(proof.stream, *(Text(cell, style="green" if cell.startswith("ok") else "red") for cell in cells))
    return rows
