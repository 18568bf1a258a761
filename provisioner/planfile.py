"""A plan as a file: `plan --out` writes it, `apply` takes it.

It holds what is wanted, so that the plan can be made again and compared by its digest, and the plan itself for people
and machines to read. Secrets are references in it, as they are in documents and bodies. A checksum tells a file that
somebody edited before anything in it is taken for what we wrote; it is no signature.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources as package
from typing import TYPE_CHECKING, Any

import orjson

from provisioner import __version__, schema, yamlfile
from provisioner.errors import ProvisionerError
from provisioner.model import Document, Options, Origin, Resource
from provisioner.report import json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from provisioner.model import Body, Finding, Path, Plan

FORMAT = 1
HINT = "give a file that `provisioner plan --out` wrote"
SAME_VERSION = "plan and apply with the same version of provisioner"
_AGAIN = "make the plan again: provisioner plan --out; a plan's file is not for editing"


@dataclass(frozen=True, slots=True)
class PlanFile:
    """What a file says: who wants what of which cluster, and the digest of the plan that came of it."""

    owner: str
    target: str
    cluster: str
    digest: str
    options: Options
    resources: tuple[Resource, ...]
    revision: str | None


def dump(plan: Plan, resources: Sequence[Resource], options: Options, target: str, revision: str | None) -> str:
    """The text of a plan's file, with a line end."""
    whole = {
        "format": FORMAT,
        "written_by": __version__,
        "target": target,
        "revision": revision,
        "options": {"prune": options.prune, "adopt": options.adopt, "force": sorted(options.force)},
        "plan": json.plan(plan),
        "resources": [_packed(resource) for resource in resources],
    }
    return f"{json.dumps({**whole, 'checksum': _checksum(whole)})}\n"


def load(text: str, file: str) -> PlanFile:
    """What the file says. Raises ProvisionerError where it is no plan, one of another version, or doesn't fit."""
    whole = _read(text, file)
    for finding in schema.check(Document("plan", file, whole, {(): Origin(file)}), _schema()):
        raise ProvisionerError(f"{_place(text, file, finding)}: {finding.message}", _AGAIN)
    if whole.pop("checksum") != _checksum(whole):
        raise ProvisionerError(f"{file} is not as it was written: somebody edited it, or it was damaged", _AGAIN)
    plan, options = whole["plan"], whole["options"]
    resources = tuple(_resource(packed) for packed in whole["resources"])
    seen: set[tuple[str, str]] = set()
    for resource in resources:
        if resource.ref in seen:
            raise ProvisionerError(f"{file}: {resource.kind} {resource.key!r} stands twice among the resources", _AGAIN)
        seen.add(resource.ref)
    return PlanFile(
        plan["owner"],
        whole["target"],
        plan["cluster"],
        plan["digest"],
        Options(options["prune"], options["adopt"], frozenset(options["force"])),
        resources,
        whole["revision"],
    )


def _checksum(whole: Body) -> str:
    """Of all values, whatever the order of keys and the spaces are. Empty where no file of ours can be that deep."""
    try:
        return hashlib.sha256(orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)).hexdigest()
    except orjson.JSONEncodeError:
        return ""


@cache
def _schema() -> Body:
    parsed: Body = orjson.loads((package.files("provisioner") / "planfile.schema.json").read_bytes())
    return parsed


def _read(text: str, file: str) -> Body:
    try:
        whole = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ProvisionerError(
            f"{Origin(file, error.lineno, error.colno)}: not JSON: {error.msg}",
            HINT,
        ) from None
    if not isinstance(whole, dict) or "format" not in whole:
        raise ProvisionerError(f"{file} is not a plan's file", HINT)
    if whole["format"] != FORMAT or isinstance(whole["format"], bool):
        raise ProvisionerError(
            f"{file} has the format {schema.show(whole['format'])}, this provisioner knows {FORMAT}",
            SAME_VERSION,
        )
    return whole


def _place(text: str, file: str, finding: Finding) -> Origin:
    """Where the mistake stands: JSON is YAML, and our reader of that knows places. It is slow, and only asked now."""
    documents, _ = yamlfile.read(text, file)
    if not documents:
        return Origin(file)
    read = documents[0]
    placed = Document("plan", file, read.value, read.origins, read.key_origins)
    return next(
        (again.origin for again in schema.check(placed, _schema()) if again.message == finding.message), placed.origin
    )


def _packed(resource: Resource) -> dict[str, Any]:
    document = resource.document
    return {
        "kind": resource.kind,
        "key": resource.key,
        "origin": str(resource.origin),
        "depends_on": sorted(map(list, resource.depends_on)),
        "body": resource.body,
        "document": document
        and {
            "kind": document.kind,
            "id": document.id,
            "body": document.body,
            "places": {
                pointer: str(document.origins[path])
                for pointer, path in _paths(document.body)
                if path in document.origins
            },
        },
    }


def _resource(packed: Mapping[str, Any]) -> Resource:
    document = packed["document"]
    return Resource(
        packed["kind"],
        packed["key"],
        packed["body"],
        _origin(packed["origin"]),
        frozenset((kind, key) for kind, key in packed["depends_on"]),
        document and Document(document["kind"], document["id"], document["body"], _places(document)),
    )


def _places(document: Mapping[str, Any]) -> dict[Path, Origin]:
    places = document["places"]
    return {path: _origin(places[pointer]) for pointer, path in _paths(document["body"]) if pointer in places}


def _paths(value: Any, pointer: str = "", path: Path = ()) -> Iterator[tuple[str, Path]]:
    """Every value's JSON Pointer and path, the whole one first."""
    yield pointer, path
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _paths(child, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}", (*path, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _paths(child, f"{pointer}/{index}", (*path, index))


def _origin(text: str) -> Origin:
    file, line, column = text.rsplit(":", 2)
    return Origin(file, int(line), int(column))
