"""Where secrets may stand: only where their kind masks what the server shows.

The server gives a body back with its secrets resolved. Where a kind knows of none, the value would be kept in the state
and printed as it is, so a reference there is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from provisioner import fingerprint, secretrefs
from provisioner.model import Finding, SecretPaths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from provisioner.model import Document, Origin, Path, Resource

_HOOK = (("slack", "url"), ("chime", "url"), *(("custom_webhook", name) for name in ("url", "path", "password")))
_DESTINATION = (*_HOOK, ("custom_webhook", "query_params", "*"), ("custom_webhook", "header_params", "*"))
"""An ISM policy's own way to notify, older than channels: the plugin takes and shows it still."""

PLACES: Mapping[str, SecretPaths] = {
    "channel": (
        ("slack", "url"),
        ("chime", "url"),
        ("microsoft_teams", "url"),
        ("webhook", "url"),
        ("webhook", "header_params", "*"),
    ),
    "ism_policy": tuple(
        (*where, "destination", *path)
        for where in (("error_notification",), ("states", "actions", "notification"))
        for path in _DESTINATION
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
        if secretrefs.MARK in fingerprint.encoded(resource.body)
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
    return place(resource.document, lambda value: reference in secretrefs.references(value)) or resource.origin


def place(document: Document | None, wanted: Callable[[Any], bool]) -> Origin | None:
    """Where the first such value stands in the document, looked for among those that hold no others."""
    path = _find(document.body, (), wanted) if document else None
    return document.at(path) if document and path is not None else None


def _find(value: Any, path: Path, wanted: Callable[[Any], bool]) -> Path | None:
    if isinstance(value, dict):
        children: Iterable[tuple[str | int, Any]] = value.items()
    elif isinstance(value, list):
        children = enumerate(value)
    else:
        return path if wanted(value) else None
    found = (_find(child, (*path, key), wanted) for key, child in children)
    return next((way for way in found if way is not None), None)
