"""What an import of Sigma's rules came to, and its files on the disk."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from provisioner.errors import ProvisionerError

if TYPE_CHECKING:
    import pathlib


@dataclass(slots=True)
class Outcome:
    """What became of one rule: created, updated, unchanged, folded, skipped or refused."""

    file: str
    title: str
    action: str
    reason: str = ""
    hint: str = ""
    id: str = ""
    type: str = ""
    written: str = ""
    log_source: str = ""
    notes: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Imported:
    """Every rule's outcome, the files to write, and what else should be known."""

    outcomes: list[Outcome] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def write(root: pathlib.Path, imported: Imported) -> None:
    """Write the files. Raises ProvisionerError."""
    for name, text in imported.files.items():
        path = root / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise ProvisionerError(f"{path} can't be written: {error.strerror}", "check the folder") from None
