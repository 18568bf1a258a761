"""`provisioner doctor`: is everything here, and is the cluster fit?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer
from rich.table import Table
from rich.text import Text

from provisioner.cli._common import HERE, Output, OutputOption, RepositoryOption, TargetOption, print_json, show_table

if TYPE_CHECKING:
    from provisioner.client import Client
    from provisioner.preflight import Check
    from provisioner.settings import Settings


def run(root: RepositoryOption = HERE, target: TargetOption = None, output: OutputOption = Output.TEXT) -> None:
    """Ask the target's cluster whether it has what provisioner needs. Nothing is written; exit code 1 where not."""
    from dataclasses import asdict

    from provisioner import preflight, settings
    from provisioner.client import Client

    chosen = settings.load(root, target)
    client = Client(chosen.target)
    checks = list(preflight.run(client, chosen.owner))
    checks.append(_audit(client, chosen))
    if output is Output.JSON:
        print_json({"checks": [asdict(check) for check in checks]})
    else:
        show_table(table(checks))
    if not passed(checks):
        raise typer.Exit(1)


def _audit(client: Client, settings: Settings) -> Check:
    """Whether plans and applies can be recorded, and whether the record reaches the cluster."""
    from provisioner.audit import place, shipping
    from provisioner.errors import ProvisionerError
    from provisioner.preflight import Check
    from provisioner.quantities import count

    file = place.file(settings)
    try:
        place.chain(settings, "never").close()
    except (ProvisionerError, OSError) as error:
        said = error.message if isinstance(error, ProvisionerError) else error.strerror or str(error)
        hint = "apply refuses to run: mend that, or name another file (`audit:` in provisioner.yml)"
        return Check("audit", False, f"{file} can't be written: {said}", hint)
    try:
        left = shipping.waiting(client, shipping.stream(settings), file)
    except (ProvisionerError, OSError) as error:
        return Check("audit", True, f"{file}; what of it is in the cluster can't be told: {error}", fatal=False)
    if left is None:
        return Check("audit", True, f"{file}; there is no {shipping.stream(settings)}, so it stays here", fatal=False)
    waiting = f"{count(left, 'record')} for the next apply that writes" if left else "all of it is in the cluster"
    return Check("audit", True, f"{file}; {waiting}", fatal=False)


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
