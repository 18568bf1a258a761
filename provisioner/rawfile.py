"""Objects of the cluster as raw documents: what `provisioner pull` writes."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from provisioner import fingerprint, secretrefs, source
from provisioner.bodytemplates import TemplateError
from provisioner.compile import Compiler
from provisioner.yamlwrite import dump

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Container

    from provisioner.model import Body, Live, Path, SecretPaths
    from provisioner.settings import Settings

    Change = Callable[[Any, Path, bool], Any]

FOLDERS = {
    "channel": "rules/pulled/channels",
    "monitor": "rules/pulled/monitors",
    "workflow": "rules/pulled/workflows",
    "ism_policy": "ilm/pulled",
    "component_template": "templates/pulled/component_templates",
    "index_template": "templates/pulled/index_templates",
    "ingest_pipeline": "templates/pulled/ingest_pipelines",
    "data_stream": "templates/pulled/data_streams",
    "role": "rules/pulled/roles",
    "role_mapping": "rules/pulled/role_mappings",
}
"""Where documents of each kind are written; in the order in which they are."""
_FIRST = ("type", "monitor_type", "name", "config_type", "description", "enabled", "is_enabled")
_LONGEST_ID = 80


@dataclass(frozen=True, slots=True)
class RawFile:
    """One document to be written. `variables` are the names of those that must hold its secrets."""

    kind: str
    name: str
    id: str
    file: str
    text: str
    variables: tuple[str, ...] = ()


class UnwritableError(Exception):
    """The object can't be said by a document; the text says why."""


@dataclass(slots=True)
class Writer:
    """Makes documents whose ids, files and variables are no others'. What it gives has been read back and compared."""

    root: pathlib.Path
    settings: Settings
    into: str | None = None
    ids: set[str] = field(default_factory=set)
    variables: set[str] = field(default_factory=set)
    _compiler: Compiler = field(init=False)

    def __post_init__(self) -> None:
        # `catch` changes channels on their way to a development cluster: a document is compared without that.
        target = replace(self.settings.target, catch=None)
        self._compiler = Compiler(self.root, replace(self.settings, target=target), source.Source({}, ()))

    def file(self, live: Live, secret_paths: SecretPaths) -> RawFile:
        """The object's document. Raises UnwritableError."""
        title = str(live.body.get("name") or live.key) if live.kind == "channel" else live.key
        id_, file = self._place(live.kind, live.key, title)
        names: list[str] = []

        def masked(value: Any, at: Path, secret: bool) -> Any:
            if secret and value not in (None, "", True, False):
                if not isinstance(value, str):
                    raise UnwritableError(f"{_words(at)} is secret, but no text")
                names.append(self._variable(f"{id_}_{at[-1]}", names))
                return f"${{env:{names[-1]}}}"
            if isinstance(value, str) and secretrefs.REFERENCE.search(value):
                raise UnwritableError(f"{_words(at)} holds text that would be taken for a reference to a secret")
            return value

        body: Body = _mapped(live.body, masked, secret_paths)
        masked(live.key, ("name",), False)
        document = {"kind": "raw", "id": id_, "resource": live.kind, "name": live.key, "body": _ordered(body)}
        text = _header(live, names) + dump(_mapped(document, _literal))
        self._check(text, file, live, body)
        self.ids.add(id_)
        self.variables.update(names)
        return RawFile(live.kind, live.key, id_, file, text, tuple(names))

    def _place(self, kind: str, key: str, title: str) -> tuple[str, str]:
        """An id and a file that are free."""
        folder = f"{self.into}/{kind}" if self.into else FOLDERS[kind]
        slug, digest = slugged(title), hashlib.sha256(f"{kind} {key}".encode()).hexdigest()[:8]
        word = kind.replace("_", "-")
        for id_ in (slug, f"{slug}-{word}", f"{slug}-{digest}") if slug else (f"{word}-{digest}",):
            file = f"{folder}/{id_}.yml"
            if id_ not in self.ids and not (self.root / file).exists():
                return id_, file
        raise UnwritableError(f"{file} exists already")

    def _variable(self, words: str, names: Container[str]) -> str:
        """A variable's name that no other secret has."""
        name = first = "PROVISIONER_" + re.sub("[^A-Z0-9]+", "_", words.upper()).strip("_")
        number = 1
        while name in names or name in self.variables:
            number += 1
            name = f"{first}_{number}"
        return name

    def _check(self, text: str, file: str, live: Live, body: Body) -> None:
        """Read it as a plan would: what comes out must be what the cluster holds. Raises UnwritableError."""
        documents, findings = source.parse(text, file, self.settings.target.vars)
        found = [*findings, *(finding for document in documents for finding in self._compiler.check(document))]
        if found:
            raise UnwritableError(f"{found[0].message} ({found[0].code})")
        try:
            resource = self._compiler.resource(documents[0])
        except TemplateError as error:
            raise UnwritableError(f"{error} ({error.where})") from error
        if resource.ref != live.ref or fingerprint.of(resource.body) != fingerprint.of(body):
            raise UnwritableError("templates/raw.yml.j2 changes it")


def slugged(name: str) -> str:
    """The name as an id: lower-case ASCII letters, digits, hyphens and underscores; empty where none are left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9_]+", "-", plain).strip("-_")[:_LONGEST_ID].rstrip("-_")


def _mapped(value: Any, change: Change, secret_paths: SecretPaths = (), at: Path = ()) -> Any:
    """The value with every plain value in it changed, which learns where it stands and whether it is a secret."""
    if isinstance(value, list):
        return [_mapped(child, change, secret_paths, at) for child in value]
    if isinstance(value, dict):
        return {
            key: _mapped(child, change, tuple(p[1:] for p in secret_paths if not p or p[0] in (key, "*")), (*at, key))
            for key, child in value.items()
        }
    return change(value, at, () in secret_paths)


def _literal(value: Any, at: Path, secret: bool) -> Any:
    return source.literal(value) if isinstance(value, str) else value


def _ordered(body: Body) -> Body:
    """What a reader looks for first; the rest in the server's order."""
    first = {key: body[key] for key in _FIRST if key in body}
    return {**first, **body}


def _header(live: Live, names: list[str]) -> str:
    """What people should know of it: where it came from, and what it needs."""
    lines = [f"# Pulled from the cluster: {live.kind.replace('_', ' ')} {live.server_id}."]
    if names:
        lines.append(f"# Its secrets are taken from {', '.join(names)}.")
    return "".join(f"{line}\n" for line in lines if line.isprintable())


def _words(at: Path) -> str:
    return ".".join(map(str, at))
