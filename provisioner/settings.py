"""`provisioner.yml`: the owner and the targets of a repository."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provisioner import schema, yamlfile
from provisioner.errors import FindingsError, ProvisionerError
from provisioner.model import Document, Finding, Origin
from provisioner.quantities import Shares

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provisioner.model import Body

FILE = "provisioner.yml"


@dataclass(frozen=True, slots=True)
class Aws:
    """An Amazon OpenSearch domain (`es`) or collection (`aoss`), whose requests are signed."""

    region: str
    service: str = "es"
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class AuditCheckpoints:
    """A reference to the Ed25519 key (PEM) that signs checkpoints of the audit chain, and where they go: `file:` with
    an absolute path, or `stream:` with a data stream of the target."""

    key: str
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Audit:
    """Where our own audit chain is, an absolute path, and a reference to the root key that signs it.

    None: a file in the user's own state folder, and a key made at random beside it. `key_id` goes into the records:
    another key has another id. `checkpoints` None: none are made.
    """

    file: str | None = None
    key: str | None = None
    key_id: str = "k1"
    checkpoints: AuditCheckpoints | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """One cluster: where it is, how we prove who we are, and the values that documents take from it.

    Secrets (`username`, `password`, `token`) are references still. `schedule` and `catch` are for development: see
    docs/architecture.md. `parallel` is how many steps an apply makes at once, `lock_timeout` how long it waits for
    another one's lock.
    """

    name: str
    hosts: tuple[str, ...]
    namespace: str = "default"
    username: str | None = None
    password: str | None = None
    token: str | None = None
    aws: Aws | None = None
    ca: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    verify: bool = True
    timeout: float = 30.0
    schedule: str | None = None
    catch: Mapping[str, str] | None = None
    access: bool = False
    limits: Shares = field(default_factory=Shares)
    parallel: int = 4
    lock_timeout: str | None = None
    vars: Mapping[str, Any] = field(default_factory=dict)
    audit: Audit = field(default_factory=Audit)


@dataclass(frozen=True, slots=True)
class Settings:
    """Who owns the objects, and the target chosen."""

    owner: str
    target: Target


def load(root: Path, target: str | None) -> Settings:
    """Read `provisioner.yml` and choose a target: the named one, else the default one, else the only one.

    Raises ProvisionerError where there is no such file or target, FindingsError where the file is wrong.
    """
    return load_all(root, [target] if target else [], all_targets=False)[0]


def load_all(root: Path, names: Sequence[str], all_targets: bool) -> list[Settings]:
    """Read `provisioner.yml` once, and choose the targets named, in that order, each once; or all that it has.

    Without names it is the one that `load` chooses. Raises as `load` does.
    """
    body = _read(root).body
    wanted: list[str | None] = list(body["targets"]) if all_targets else [*dict.fromkeys(names)] or [None]
    return [Settings(body["owner"], _choose(body, name, root)) for name in wanted]


def _read(root: Path) -> Document:
    file = root / FILE
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ProvisionerError(
            f"there is no {FILE} in {root}", "run `provisioner init` here, or name the repository with -C"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ProvisionerError(f"{file} can't be read: {error}", "it must be a readable file in UTF-8") from None
    documents, findings = yamlfile.read(text, FILE)
    if not findings and (len(documents) != 1 or not isinstance(documents[0].value, dict)):
        findings = [
            Finding("CFG001", "this file must hold one mapping", Origin(FILE), "begin with `owner:` and `targets:`")
        ]
    if findings:
        raise FindingsError(findings)
    parsed = documents[0]
    document = Document("provisioner", FILE, parsed.value, parsed.origins, parsed.key_origins)
    findings = list(schema.check(document, schema.load("provisioner"), "CFG001"))
    if findings:
        raise FindingsError(findings)
    return document


def _choose(body: Body, wanted: str | None, root: Path) -> Target:
    targets = body["targets"]
    name = wanted or body.get("default_target") or (next(iter(targets)) if len(targets) == 1 else None)
    if name is None:
        raise ProvisionerError(
            "there are several targets and no default one", f"name one with --target: {', '.join(targets)}"
        )
    if name not in targets:
        raise ProvisionerError(f"there is no target {name!r} in {FILE}", schema.suggest(name, targets, "targets"))
    given = targets[name]
    limits = {"from_objects" if key == "from" else key: value for key, value in given.get("limits", {}).items()}
    typed = {"hosts": tuple(given["hosts"]), "limits": Shares(**limits)}
    typed["audit"] = _audit({**body.get("audit", {}), **given.get("audit", {})}, root)
    if "aws" in given:
        typed["aws"] = Aws(**given["aws"])
    return Target(name=name, **{**given, **typed})


def _audit(said: Mapping[str, Any], root: Path) -> Audit:
    """A path is relative to the repository, whichever folder the command is run in."""

    def whole(path: str) -> str:
        return str((root / Path(path).expanduser()).absolute())

    file, checkpoints = said.get("file"), said.get("checkpoints")
    if checkpoints is not None:
        places = (each.partition(":") for each in checkpoints["to"])
        to = tuple(f"file:{whole(where)}" if kind == "file" else f"{kind}:{where}" for kind, _, where in places)
        checkpoints = AuditCheckpoints(checkpoints["key"], to)
    return Audit(**{**said, "file": None if file is None else whole(file), "checkpoints": checkpoints})
