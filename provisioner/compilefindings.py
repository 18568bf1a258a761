"""What compiling has to say: references that lead nowhere, names that two documents make, circles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provisioner import graph, schema
from provisioner.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from provisioner.bodytemplates import TemplateError
    from provisioner.model import Document, Ref, Resource


class MissingReferenceError(ValueError):
    """A body template asks for a document that is not there. `places` are the documents that may have named it."""

    def __init__(self, kind: str, id_: str, known: list[str], places: list[Document]) -> None:
        super().__init__(f"there is no {kind} {id_!r}")
        self.kind = kind
        self.id = id_
        self.hint = schema.suggest(str(id_), known, "there are")
        self.places = places


def named_otherwise(document: Document) -> Iterator[Finding]:
    """A monitor is found by its name where nothing else is known of it: two names would make it again and again."""
    name, body = document.body["name"], document.body["body"]
    if document.body["resource"] in ("monitor", "workflow") and body.get("name") != name:
        message = f"the {document.body['resource']}'s body must have the document's name, {schema.show(name)}"
        yield Finding("DOC002", message, document.at(("body", "name")), "give `name` and `body.name` the same value")


def problem(document: Document, error: TemplateError) -> Finding:
    """A missing document is a finding at the value that names it; anything else is one at the document."""
    missing = error.__cause__
    if isinstance(missing, MissingReferenceError):
        named = ((place, path) for place in missing.places for path in place.origins if path)
        places = [(place, path) for place, path in named if _value(place.body, path) == missing.id]
        # A title may read the same: prefer a value whose key speaks of the kind, as `channels` does of a channel.
        places.sort(key=lambda found: missing.kind not in str(found[1]))
        place, path = places[0] if places else (document, ())
        return Finding("REF001", str(missing), place.at(path), missing.hint)
    return Finding(
        "TPL001",
        f"{document.kind} {document.id!r} can't be rendered: {error} ({error.where})",
        document.origin,
        "mend the template or the document",
    )


def collision(first: Resource, second: Resource) -> Finding:
    """Two documents make an object of the same name."""
    message = f"{second.kind} {second.key!r} is made already by the document at {first.origin}"
    return Finding("DOC003", message, second.origin, "give one of the two another id")


def circles(resources: Mapping[Ref, Resource]) -> Iterator[Finding]:
    """Resources of which none can be made first."""
    found = graph.circle({ref: resource.depends_on for ref, resource in resources.items()})
    if found:
        message = f"these depend on each other: {graph.words(found)}"
        yield Finding("REF002", message, resources[found[0]].origin, "take one of the references out")


def _value(body: Any, path: tuple[str | int, ...]) -> Any:
    try:
        for key in path:
            body = body[key]
    except (LookupError, TypeError):
        return None
    return body
