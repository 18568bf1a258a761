"""The errors that reach a person: a sentence on what is wrong and what to do, never a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provisioner.model import Finding


class ProvisionerError(Exception):
    """A usage or environment error: the command line prints its text and ends with exit code 2.

    `hint` says what to do about it.
    """

    exit_code = 2

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class FindingsError(ProvisionerError):
    """The repository has findings of severity error: nothing was applied; exit code 1."""

    exit_code = 1

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(f"{len(findings)} findings", "mend them and run the command again")
        self.findings = tuple(findings)


class ConflictError(ProvisionerError):
    """Something that isn't ours has a name that the repository wants: nothing was applied; exit code 1."""

    exit_code = 1


class LockedError(ProvisionerError):
    """Somebody else is applying: nothing was applied; exit code 1."""

    exit_code = 1


class LimitError(ProvisionerError):
    """The plan exceeds a limit that nobody forced: nothing was applied; exit code 1."""

    exit_code = 1


class AuditError(ProvisionerError):
    """What is to be done can't be recorded in the audit chain: nothing was applied; exit code 1."""

    exit_code = 1


class MovedError(ProvisionerError):
    """Something moved since the plan was made: nothing was applied; exit code 1."""

    exit_code = 1


class ClusterError(ProvisionerError):
    """The cluster can't be reached, or refuses us (connection, TLS, credentials); exit code 2."""


class UnreachableError(ClusterError):
    """No connection came about (refused, unknown name, no answer to the connection itself): nothing was sent."""


class UnclearError(ClusterError):
    """The request may or may not have taken effect: no whole answer came.

    Time ran out, the connection broke, the answer was cut off, or something before the cluster answered for it (502,
    503, 504). `status` is the HTTP status where one came. `retry_after` is how many seconds the server asks to wait.
    """

    def __init__(self, message: str, hint: str = "", status: int | None = None, retry_after: float = 0) -> None:
        super().__init__(message, hint)
        self.status = status
        self.retry_after = retry_after


class ApiError(ProvisionerError):
    """The cluster answered a request with an error status.

    `status` is the HTTP status, `type` and `reason` OpenSearch's own words (empty where the body was no JSON, as
    happens with a DELETE of a monitor that does not exist). `retry_after` is how many seconds the server asks to wait.
    """

    def __init__(self, method: str, path: str, status: int, type_: str, reason: str, *, retry_after: float = 0) -> None:
        super().__init__(
            f"{method} {path}: {status} {type_}: {reason}" if type_ else f"{method} {path}: {status} {reason}"
        )
        self.status = status
        self.type = type_
        self.reason = reason
        self.retry_after = retry_after
