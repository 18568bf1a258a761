"""`provisioner init`: a new repository with the starter pack."""

from __future__ import annotations

import pathlib
from typing import Annotated

import typer
from rich.text import Text

from provisioner.cli._common import out


def run(
    folder: Annotated[
        pathlib.Path, typer.Argument(help="The folder for the new repository; it is made if missing.")
    ] = pathlib.Path(),
    owner: Annotated[
        str, typer.Option(help="Prefix of every name in the cluster: lower-case letters, digits, hyphens.")
    ] = "acme",
) -> None:
    """Write the starter pack (rules, templates, retention) and a provisioner.yml; nothing is overwritten."""
    import re

    from provisioner import starter
    from provisioner.errors import ProvisionerError

    if not re.fullmatch(r"[a-z][a-z0-9-]{0,31}", owner):
        hint = "begin with a lower-case letter; then letters, digits, hyphens; at most 32"
        raise ProvisionerError(f"{owner!r} can't be an owner", hint)
    written = starter.write(folder, starter.settings_text(owner))
    out.print(Text(f"Wrote {len(written)} files to {folder.resolve()}.", style="green"))
    out.print(Text("Next: `provisioner validate`, `provisioner dev up`, `provisioner bootstrap`."))
