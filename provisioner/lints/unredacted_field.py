"""RED001: text that no redaction looks into.

What a sender writes into a text, a keyword or a `flat_object` may hold a secret. The catalogue of the final pipeline
looks into every field, unless each of its detectors leaves one out: by `fields`, by `except`, or by being switched off
(`enabled`, `log_types`). Told as well are a redaction that has no detector switched on, and a data stream whose index
template names no redaction as its final pipeline: a client can skip any other (`?pipeline=_none`).

Bad:

    detectors:
      - {name: password, action: mask, names: [password], except: [labels]}   # the only one

Good:

    detectors:
      - {name: password, action: mask, names: [password], except: [labels.color]}

To mend it, name less in `except` and more in `fields`, switch a detector on, or give the index template the redaction
as its `final_pipeline`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provisioner.model import Finding, Severity
from provisioner.values import each, mapping, names, some

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.lints import View
    from provisioner.model import Body, Document, Resource

CODE = "RED001"
_TEXTS = frozenset({"text", "match_only_text", "keyword", "wildcard", "flat_object", "flattened"})
_OURS = "ingest.redacted."


def check(view: View) -> Iterator[Finding]:
    """A finding for each such field, redaction and data stream."""
    left: dict[tuple[str, str, str], list[str]] = {}
    redactions = {document.id: document for document in view.source.of_kind("redaction")}
    for template in view.source.of_kind("index_template"):
        name, log_type = template.body.get("final_pipeline"), str(template.body.get("log_type"))
        redaction = redactions.get(name) if isinstance(name, str) else None
        if redaction is None:
            continue
        active = [each_ for each_ in each(redaction.body.get("detectors")) if _is_on(each_, log_type)]
        if not active and any(_anywhere(one) for one in each(redaction.body.get("detectors"))):
            message = f"redaction {redaction.id!r} has no detector switched on for log type {log_type!r}"
            yield _warn(message, template, ("final_pipeline",), "switch one on in its `log_types`")
        for schema in _schemas(view, template, log_type) if active else ():
            for field, about in mapping(schema.body.get("fields")).items():
                text = mapping(about).get("type") in _TEXTS and not str(field).startswith(_OURS)
                if text and not any(_looks(detector, str(field)) for detector in active):
                    left.setdefault((schema.id, str(field), redaction.id), []).append(log_type)
    for redaction in redactions.values():
        if not any(map(_anywhere, each(redaction.body.get("detectors")))):
            message = f"redaction {redaction.id!r} has no detector switched on: all content is stored as it comes"
            yield _warn(message, redaction, ("detectors",), "take `enabled: false` from those that are needed")
    for (schema_id, field, id_), types in left.items():
        schema = view.source.documents["schema", schema_id]
        message = f"no detector of redaction {id_!r} looks into {field!r} (log type {some(types, ', ')})"
        yield _warn(message, schema, ("fields", field), "name less in the detectors' `except`, or more in `fields`")
    yield from _streams(view)


def _warn(message: str, document: Document, path: tuple[str, ...], hint: str) -> Finding:
    return Finding(CODE, message, document.key_origins.get(path) or document.at(path), hint, Severity.WARNING)


def _schemas(view: View, template: Document, log_type: str) -> Iterator[Document]:
    """Those that the starter pack's body template puts together."""
    for schema in view.source.of_kind("schema"):
        if schema.id == template.body.get("schema") or log_type in names(schema.body.get("log_types")):
            yield schema


def _anywhere(detector: Body) -> bool:
    return detector.get("enabled", True) is not False or True in mapping(detector.get("log_types")).values()


def _is_on(detector: Body, log_type: str) -> bool:
    return mapping(detector.get("log_types")).get(log_type, detector.get("enabled", True)) is not False


def _looks(detector: Body, field: str) -> bool:
    """Whether a detector looks into a field, or into all but a part of it."""
    only = detector.get("fields")
    if isinstance(only, list) and not _within(field, names(only)):
        return False
    return not _within(field, names(detector.get("except")))


def _within(field: str, fields: list[str]) -> bool:
    return any(field == other or field.startswith(f"{other}.") for other in fields)


def _streams(view: View) -> Iterator[Finding]:
    """Data streams whose final pipeline, as it is compiled, is no redaction and calls none."""
    templates = [one for one in view.resources if one.kind == "index_template"]
    parts = {one.key: one.body for one in view.resources if one.kind == "component_template"}
    pipelines = {one.key: one for one in view.resources if one.kind == "ingest_pipeline"}
    for template in templates:
        if not isinstance(template.body.get("data_stream"), dict):
            continue
        bodies = [*(parts.get(name, {}) for name in names(template.body.get("composed_of"))), template.body]
        final = ""
        for body in bodies:
            final = _final(mapping(mapping(body.get("template")).get("settings"))) or final
        if _redacts(final, pipelines, 0):
            continue
        what = f"the final pipeline {final!r} is no redaction" if final not in ("", "_none") else "no final pipeline"
        message = f"{what}: what data streams of index template {template.key!r} are sent is stored as it comes"
        hint = "give it `index.final_pipeline` with the pipeline of the redaction"
        yield Finding(CODE, message, template.origin, hint, Severity.WARNING)


def _final(settings: Body) -> str:
    for found in (settings.get("index.final_pipeline"), mapping(settings.get("index")).get("final_pipeline")):
        if isinstance(found, str):
            return found
    return str(settings.get("final_pipeline") or "")


def _redacts(name: str, pipelines: dict[str, Resource], depth: int) -> bool:
    pipeline = pipelines.get(name)
    if pipeline is None or depth > len(pipelines):
        return False
    if pipeline.document is not None and pipeline.document.kind == "redaction":
        return True
    called: list[Any] = [mapping(one.get("pipeline")).get("name") for one in each(pipeline.body.get("processors"))]
    return any(isinstance(other, str) and _redacts(other, pipelines, depth + 1) for other in called)
