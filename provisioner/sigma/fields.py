"""Fields by the names that rules use: those of the schema documents, and those that an import adds to them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from provisioner.sigma.terms import Field, UnsayableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provisioner.source import Source

_NAME = re.compile(r"[@a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
_DEEPEST = 8
"""`mapping.depth` in templates/index/common.yml."""
MESSAGE = Field("message", "text")
MAP = "map it in the sigma_pipeline document, by `field_name_mapping`"


@dataclass(frozen=True, slots=True)
class Added:
    """A field that the schema of a log type lacks."""

    field: Field
    description: str


@dataclass(slots=True)
class Fields:
    """The fields of every log type. What rules need besides is collected in `added`."""

    catalogue: Mapping[str, Mapping[str, Any]]
    base: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    own: dict[str, dict[str, Mapping[str, Any]]] = field(default_factory=dict)
    added: dict[str, dict[str, Added]] = field(default_factory=dict)

    def find(self, name: str, log_type: str, sigma_name: str, new: dict[str, Added]) -> Field:
        """A field by its name in the schema; one that is not there is put into `new`. Raises UnsayableError."""
        name = self.aliases.get(name, name)
        if not _NAME.fullmatch(name) or name.count(".") >= _DEEPEST:
            raise UnsayableError(f"{sigma_name!r} has no name that a schema takes ({name!r})", MAP)
        own = self.own.get(log_type, {})
        if name in own:
            return _field(name, own[name])
        known = self.base.get(name)
        spec = self.catalogue.get(name)
        if known is not None and (spec is None or _field(name, known) == _listed(name, spec)):
            return _field(name, known)
        if any(name.startswith(f"{above}.") for above in self._open()):
            return Field(name, "flat_object")
        here = {*self.base, *self.aliases, *own, *self.added.get(log_type, {}), *new}
        for other in sorted(here):
            if other.startswith(f"{name}.") or name.startswith(f"{other}."):
                raise UnsayableError(f"{sigma_name!r} would be the field {name}, but there is {other}", MAP)
        found = _listed(name, spec) if spec else Field(name, ignore_case=True)
        about = str(spec["description"]) if spec else f"Sigma's {' '.join(sigma_name.split())}."
        new[name] = Added(found, about)
        return found

    def keep(self, log_type: str, new: Mapping[str, Added]) -> None:
        """The fields of a rule that is imported."""
        if new:
            self.added.setdefault(log_type, {}).update(new)

    def _open(self) -> list[str]:
        return [name for name, spec in self.base.items() if spec.get("type") == "flat_object"]


def known(read: Source, catalogue: Mapping[str, Mapping[str, Any]]) -> Fields:
    """The fields of the repository's schema documents."""
    found = Fields(catalogue)
    for document in read.of_kind("schema"):
        specs = document.body.get("fields")
        specs = {n: s for n, s in specs.items() if isinstance(s, dict)} if isinstance(specs, dict) else {}
        log_types = document.body.get("log_types")
        if isinstance(log_types, list):
            for log_type in log_types:
                found.own.setdefault(str(log_type), {}).update(specs)
        else:
            found.base.update(specs)
        found.aliases.update({s["ecs"]: n for n, s in specs.items() if isinstance(s.get("ecs"), str)})
    return found


def snake(name: str) -> str:
    """A name of Sigma's in lower case with underscores: `userIdentity.sessionName` → `user_identity.session_name`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    parts = (re.sub(r"[^a-z0-9]+", "_", part).strip("_") for part in spaced.split("."))
    return ".".join(part if part[:1].isalpha() else f"n{part}" for part in parts if part)


def _field(name: str, spec: Mapping[str, Any]) -> Field:
    return Field(name, str(spec.get("type", "keyword")), bool(spec.get("ignore_case", False)))


def _listed(name: str, spec: Mapping[str, Any]) -> Field:
    """A field of the pipeline's `fields`, where keywords don't regard case unless they are told to."""
    return Field(name, str(spec["type"]), bool(spec.get("ignore_case", spec["type"] == "keyword")))
