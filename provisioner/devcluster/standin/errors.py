"""Errors in the JSON shapes of OpenSearch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class StandInError(Exception):
    """An answer that is an error: `status`, the whole JSON `body` and further headers, sent as they are."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status}: {reason_of(body)}")
        self.status = status
        self.body = body
        self.headers = headers or {}


class OpenSearchError(StandInError):
    """`{"error": {"root_cause": [{type, reason, …}], type, reason, …}, "status"}`, as OpenSearch writes an exception.

    `details` (index, line, col, …) stand in both the error and its root cause, `caused_by` only in the error.
    """

    def __init__(self, status: int, type_: str, reason: str | None, *, caused_by: Any = None, **details: Any) -> None:
        root = {"type": type_, "reason": reason, **details}
        error = {"root_cause": [root], **root}
        if caused_by is not None:
            error["caused_by"] = caused_by
        super().__init__(status, {"error": error, "status": status})
        self.type = type_
        self.reason = reason


def illegal_argument(reason: str) -> OpenSearchError:
    """400 illegal_argument_exception: most of what a client gets wrong."""
    return OpenSearchError(400, "illegal_argument_exception", reason)


def status_exception(status: int, reason: str) -> OpenSearchError:
    """An OpenSearchStatusException: the status the plugin chose."""
    return OpenSearchError(status, "status_exception", reason)


def plain_error(status: int, reason: str) -> StandInError:
    """`{"error": "<reason>", "status"}`: the shape of errors from before a handler is found."""
    return StandInError(status, {"error": reason, "status": status})


def reason_of(body: Any) -> str:
    """The reason inside an error body, or the body as text when it has another shape."""
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict):
        return str(error.get("reason"))
    return str(error if error is not None else body)
