"""Where secrets may stand: only where their kind masks what the server shows.

The server gives a body back with its secrets resolved. Where a kind knows of none, the value would be kept in the state
and printed as it is, so a reference there is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from provisioner import secretrefs
from provisioner.model import Finding, SecretPaths

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from provisioner.model import Origin, Path, Resource

PLACES: Mapping[str, SecretPaths] = {
    "channel": (
        ("slack", "url"),
        ("chime", "url"),
        ("microsoft_teams", "url"),
        ("webhook", "url"),
        ("webhook", "header_params", "*"),
    ),
    "user": (("password",), ("hash",)),
}
"""The ways to the secrets in each kind's bodies; kinds that are not here hold none."""


def misplaced(resources: Iterable[Resource], secret_paths: Mapping[str, SecretPaths] = PLACES) -> list[Finding]:
    """A finding for each reference that stands where its value would be shown; `secret_paths` are each kind's own."""
    return [
        Finding(
            "DOC004",
            f"the secret {reference} would be shown by the cluster to everyone who may read the {resource.kind}",
            _origin(resource, reference),
            _hint(secret_paths.get(resource.kind, ())),
        )
        for resource in resources
        for reference in dict.fromkeys(_shown(resource.body, secret_paths.get(resource.kind, ())))
    ]


def _hint(paths: SecretPaths) -> str:
    if not paths:
        return "write the value itself, or a variable of the target, {{ name }}: there is no place for secrets here"
    places = ", ".join(".".join(path) for path in paths)
    return f"secrets may stand here: {places}; for anything else take a variable of the target, {{{{ name }}}}"


def _shown(value: Any, paths: SecretPaths) -> Iterator[str]:
    """The references outside of these paths, as `fingerprint.masked` reads them; keys are never resolved."""
    if () in paths:
        return
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _shown(child, tuple(path[1:] for path in paths if path[0] in (key, "*")))
    elif isinstance(value, list):
        for child in value:
            yield from _shown(child, paths)
    else:
        yield from secretrefs.references(value)


def _origin(resource: Resource, reference: str) -> Origin:
    """Where the reference stands in the document; a template may have written it, then where the document begins."""
    document = resource.document
    path = _find(document.body, (), reference) if document else None
    return document.at(path) if document and path is not None else resource.origin


def _find(value: Any, path: Path, reference: str) -> Path | None:
    if isinstance(value, dict):
        children: Iterable[tuple[str | int, Any]] = value.items()
    elif isinstance(value, list):
        children = enumerate(value)
    else:
        return path if reference in secretrefs.references(value) else None
    found = (_find(child, (*path, key), reference) for key, child in children)
    return next((way for way in found if way is not None), None)
