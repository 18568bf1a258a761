"""Writes that may be repeated without harm, tried again while the cluster is busy or the answer remains unclear."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from provisioner import backoff
from provisioner.errors import ApiError, UnclearError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable

TOO_MANY = 429
"""The status by which OpenSearch refuses before it does anything: always safe to send again."""


def passing(error: Exception) -> bool:
    """Whether an error may be gone at the next try: busy, no whole answer, nobody there. A plain 500 never is."""
    return isinstance(error, UnclearError | UnreachableError) or (
        isinstance(error, ApiError) and error.status == TOO_MANY
    )


def write(call: Callable[[], Any]) -> Any:
    """The call's answer. **Only for requests that may take effect twice**: each failing try is followed by another."""
    for pause in backoff.waits():
        try:
            return call()
        except (ApiError, UnclearError, UnreachableError) as error:
            if not passing(error):
                raise
            wait = backoff.at_least(pause, getattr(error, "retry_after", 0))
        time.sleep(wait)
    return call()
