"""The catalogue of a repository: what must never be stored."""

from __future__ import annotations

import pathlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from provisioner.errors import FindingsError, ProvisionerError

if TYPE_CHECKING:
    from provisioner.model import Body


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The document of kind `redaction`; `body` is as its JSON Schema has it, `file` where it stood."""

    body: Body = field(repr=False)
    file: str

    @classmethod
    def load(cls, path: pathlib.Path | str) -> Catalogue:
        """The one catalogue in a YAML file.

        Raises FindingsError where it is no valid document, ProvisionerError where the file can't be read or holds none.
        """
        from provisioner import schema, source

        file = pathlib.Path(path)
        try:
            text = file.read_text(encoding="utf-8-sig")
        except OSError as error:
            raise ProvisionerError(f"{file} can't be read: {error.strerror}", "name a redaction.yml") from error
        except UnicodeDecodeError as error:
            raise ProvisionerError(f"{file} is not UTF-8", "save the file as UTF-8") from error
        documents, findings = source.parse(text, str(file), {})
        if findings:
            raise FindingsError(findings)
        found = [document for document in documents if document.kind == "redaction"]
        if len(found) != 1:
            hint = "name a file with one document of `kind: redaction`"
            raise ProvisionerError(f"{file} holds {len(found)} catalogues of redaction", hint)
        if problems := list(schema.check(found[0], schema.load("redaction"))):
            raise FindingsError(problems)
        return cls(found[0].body, str(file))

    @classmethod
    def shipped(cls) -> Catalogue:
        """The starter pack's."""
        from provisioner import starter

        return cls.load(starter.folder() / "templates" / "redaction.yml")

    @property
    def detectors(self) -> tuple[str, ...]:
        """The names of its detectors, those switched off too."""
        return tuple(str(detector["name"]) for detector in self.body["detectors"])
