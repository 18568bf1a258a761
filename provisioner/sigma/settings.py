"""What the repository's `sigma_pipeline` document says; where it has none, the starter pack's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sigma.exceptions import SigmaError
from sigma.processing.pipeline import ProcessingPipeline

from provisioner import schema, source, starter
from provisioner.errors import FindingsError, ProvisionerError
from provisioner.model import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provisioner.model import Document
    from provisioner.source import Source

FILE = "templates/sigma/pipeline.yml"


@dataclass(frozen=True, slots=True)
class Pipeline:
    """pySigma's pipeline, and what our rules need besides."""

    processing: ProcessingPipeline
    schedule: str
    runbook: str
    severities: Mapping[str, str]
    fields: Mapping[str, Mapping[str, Any]]


def load(read: Source) -> Pipeline:
    """The pipeline. Raises FindingsError where its document is wrong, ProvisionerError where there are several."""
    documents = read.of_kind("sigma_pipeline") or _of_starter()
    if len(documents) > 1:
        places = ", ".join(str(document.origin) for document in documents)
        raise ProvisionerError(f"there are several sigma_pipeline documents: {places}", "keep one of them")
    return parse(documents[0])


def parse(document: Document) -> Pipeline:
    """A document's pipeline. Raises FindingsError."""
    if findings := list(schema.check(document, schema.load("sigma_pipeline"))):
        raise FindingsError(findings)
    body = document.body
    parts = {"name": document.id, "vars": body.get("vars", {}), "transformations": body["transformations"]}
    try:
        processing = ProcessingPipeline.from_dict(parts)
    except (SigmaError, TypeError, ValueError, KeyError, AttributeError) as error:  # pySigma trusts its pipelines
        place = document.at(("transformations",))
        finding = Finding("DOC002", f"pySigma refuses the pipeline: {error}", place, "see pySigma's documentation")
        raise FindingsError([finding]) from error
    return Pipeline(processing, body["schedule"], body["runbook"], body["severities"], body.get("fields", {}))


def _of_starter() -> tuple[Document, ...]:
    text = (starter.folder() / FILE).read_text(encoding="utf-8")
    documents, findings = source.parse(text, FILE, {})
    if findings:
        raise FindingsError(findings)
    return tuple(documents)
