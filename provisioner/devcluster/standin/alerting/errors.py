"""Errors as the Alerting plugin words them: `alerting_exception` around the Java exception that was the cause."""

from __future__ import annotations

from provisioner.devcluster.standin.errors import OpenSearchError, StandInError, reason_of

ILLEGAL_ARGUMENT = "java.lang.IllegalArgumentException"
ILLEGAL_STATE = "java.lang.IllegalStateException"
PARSING = "org.opensearch.core.common.ParsingException"
STATUS = "org.opensearch.OpenSearchStatusException"
# How the node's REST error types are called in Java, where they come up inside the plugin.
JAVA_NAMES = {
    "parsing_exception": PARSING,
    "illegal_argument_exception": ILLEGAL_ARGUMENT,
    "x_content_parse_exception": "org.opensearch.core.xcontent.XContentParseException",
    "json_parse_exception": "com.fasterxml.jackson.core.JsonParseException",
}


def refusal(status: int, reason: str, cause: str, detail: str | None = None) -> OpenSearchError:
    """An `alerting_exception`: `cause` is the Java class, `detail` its message where that is not the reason."""
    caused_by = {"type": "exception", "reason": f"{cause}: {reason if detail is None else detail}"}
    return OpenSearchError(status, "alerting_exception", reason, caused_by=caused_by)


def invalid(reason: str) -> OpenSearchError:
    """400: what the plugin checks and refuses."""
    return refusal(400, reason, ILLEGAL_ARGUMENT)


def broken(reason: str) -> OpenSearchError:
    """500: what the plugin did not expect from a client."""
    return refusal(500, reason, ILLEGAL_STATE)


def unset(name: str) -> OpenSearchError:
    """500: a required field of a trigger, action or doc-level query is missing."""
    return refusal(
        500, f"lateinit property {name} has not been initialized", "kotlin.UninitializedPropertyAccessException"
    )


def unparsable(reason: str) -> OpenSearchError:
    """500: a value of the wrong kind, or a query that the server can't parse."""
    return refusal(500, reason, PARSING)


def status_error(status: int, reason: str) -> OpenSearchError:
    """A status that the plugin chose."""
    return refusal(status, reason, STATUS)


def wrapped(error: StandInError, status: int | None = None) -> OpenSearchError:
    """An error of the node as the plugin passes it on."""
    kind = "exception"
    if isinstance(error.body, dict) and isinstance(error.body.get("error"), dict):
        kind = str(error.body["error"].get("type"))
    return refusal(status or error.status, reason_of(error.body), JAVA_NAMES.get(kind, kind))


def lost_index(indices: str, missing: str) -> OpenSearchError:
    """404: a monitor names a concrete index that is not there."""
    cause = "org.opensearch.index.IndexNotFoundException"
    return refusal(404, f"Configured indices are not found: [{indices}]", cause, f"no such index [{missing}]")


def conflict(reason: str) -> OpenSearchError:
    """409: the sequence number sent is not the stored one."""
    return refusal(409, reason, "org.opensearch.index.engine.VersionConflictEngineException")
