"""`provisioner doctor`: is everything here, and is the cluster fit?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer
from rich.table import Table
from rich.text import Text

from provisioner.cli._common import HERE, Output, OutputOption, RepositoryOption, TargetOption, print_json, show_table

if TYPE_CHECKING:
    from provisioner.preflight import Check


def run(root: RepositoryOption = HERE, target: TargetOption = None, output: OutputOption = Output.TEXT) -> None:
    """Ask the target's cluster whether it has what provisioner needs. Nothing is written; exit code 1 where not."""
    from dataclasses import asdict

    from provisioner import preflight, settings
    from provisioner.client import Client

    chosen = settings.load(root, target)
    checks = list(preflight.run(Client(chosen.target), chosen.owner))
    if output is Output.JSON:
        print_json({"checks": [asdict(check) for check in checks]})
    else:
        show_table(table(checks))
    if not passed(checks):
        raise typer.Exit(1)


def table(checks: list[Check]) -> Table:
    """One row a check: whether it passed, of what, what was seen, and below that what to do."""
    rows = Table(box=None, pad_edge=False, show_header=False)
    for check in checks:
        sign = (
            Text("✓", style="green")
            if check.ok
            else Text("✗", style="red")
            if check.fatal
            else Text("!", style="yellow")
        )
        said = Text(check.detail, style="dim" if check.ok else "")
        if check.hint:
            said.append(f"\n{check.hint}", style="not dim yellow")
        rows.add_row(sign, Text(check.name), said)
    return rows


def passed(checks: list[Check]) -> bool:
    """Whether nothing fatal failed."""
    return all(check.ok or not check.fatal for check in checks)
