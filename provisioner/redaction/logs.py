"""Redaction where a Python program logs: a filter for `logging`, a processor for structlog."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from provisioner.redaction.redactor import Redactor

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
"""What every record has; all else came by `extra`."""


class RedactingFilter(logging.Filter):
    """Redacts records: message with its arguments, `extra`, exception and stack. It never drops one.

    Put it on handlers: a logger's filters don't see what its children log. Arguments are put into the message, and an
    exception becomes its text, so that no handler behind sees the originals.
    """

    def __init__(self, redactor: Redactor, name: str = "") -> None:
        super().__init__(name)
        self._redactor = redactor

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact one record, in place."""
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 (the program's own arguments: whatever they raise, logging goes on)
            message = str(record.msg)
        record.msg, record.args = self._redactor.text(message), None
        if record.exc_info and not record.exc_text:
            record.exc_text = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
        record.exc_info = None
        if record.exc_text:
            record.exc_text = self._redactor.text(record.exc_text)
        if record.stack_info:
            record.stack_info = self._redactor.text(record.stack_info)
        extra = {key: value for key, value in vars(record).items() if key not in _OWN}
        if extra:
            then = self._redactor.event(extra)
            for key in extra:
                if key not in then:
                    delattr(record, key)
            vars(record).update(then)
        return True


class RedactingProcessor:
    """A structlog processor: `structlog.configure(processors=[..., RedactingProcessor(redactor), JSONRenderer()])`.

    Stands before the renderer and behind what makes texts (`format_exc_info`, `StackInfoRenderer`).
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def __call__(self, logger: Any, method: str, event_dict: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """The event redacted."""
        return self._redactor.event(dict(event_dict))
