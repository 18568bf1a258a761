"""What the commands that redact share: which catalogue, and for which log type."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from provisioner.redaction import Catalogue

CatalogueOption = Annotated[
    pathlib.Path | None,
    typer.Option(
        "--catalogue", metavar="FILE", help="Default: the repository's templates/redaction.yml, or the shipped one."
    ),
]
LogTypeOption = Annotated[
    str | None, typer.Option("--log-type", metavar="NAME", help="For the catalogue's switches by log type.")
]


def catalogue_of(file: pathlib.Path | None, root: pathlib.Path) -> Catalogue:
    """The catalogue that was named; else the repository's, else the shipped one. Raises ProvisionerError."""
    from provisioner.redaction import Catalogue

    own = root / "templates" / "redaction.yml"
    if file is None and not own.is_file():
        return Catalogue.shipped()
    return Catalogue.load(file or own)
