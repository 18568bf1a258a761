"""A chain as the end of Python's logging, and of structlog.

chain = Chain("/var/log/secure/audit.jsonl", KeyRing({"k1": key}))
logging.getLogger("audit").addHandler(ChainHandler(chain))
logging.getLogger("audit").warning("Failed login", extra={"event": {"action": "login_failed", "actor": {...}}})

structlog.configure(processors=[..., ChainProcessor(chain)])
"""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from provisioner.integrity.chain import Chain

FIELDS = frozenset(
    {
        *("@timestamp", "timestamp", "event_id", "category", "action", "severity", "message", "occurrences", "source"),
        *("actor", "target", "outcome", "details", "destination", "network", "context", "labels", "host", "process"),
        "ingest",
    }
)
"""The fields that an event has at its top (templates/schema/event.yml); everything else goes into `labels`."""
_SEVERITIES = ((logging.CRITICAL, "critical"), (logging.ERROR, "high"), (logging.WARNING, "warning"))
_LEVELS = {"critical": "critical", "exception": "high", "error": "high", "warning": "warning", "warn": "warning"}


def event(fields: Mapping[str, Any], **defaults: Any) -> dict[str, Any]:
    """An event of any fields: those that an event does not have become labels."""
    made = {**defaults, **{name: value for name, value in fields.items() if name in FIELDS}}
    others = {name: value for name, value in fields.items() if name not in FIELDS}
    if others:
        labels = made.get("labels")
        made["labels"] = {**others, **(labels if isinstance(labels, dict) else {})}
    return made


class ChainHandler(logging.Handler):
    """Signs and appends log records. `extra={"event": {...}}` gives an event's fields; the rest comes from the record.

    What can't be written is handled as logging does (`logging.raiseExceptions`): a line on standard error.
    """

    def __init__(self, chain: Chain, level: int = logging.NOTSET) -> None:
        super().__init__(level)
        self.chain = chain

    def emit(self, record: logging.LogRecord) -> None:
        """Append one record."""
        try:
            self.chain.append(self.event(record))
        except Exception:  # noqa: BLE001 (a log call must not end the program)
            self.handleError(record)

    def event(self, record: logging.LogRecord) -> dict[str, Any]:
        """The event of a log record."""
        given = getattr(record, "event", None)
        made = event(
            given if isinstance(given, dict) else {},
            timestamp=int(record.created * 1_000),
            category="application",
            action="unclassified",
            severity=next((name for level, name in _SEVERITIES if record.levelno >= level), "info"),
            message=record.getMessage(),
            context={"application": record.name},
            process={"name": record.processName, "pid": record.process},
        )
        if record.exc_info and record.exc_info[0] is not None:
            labels = made.get("labels")
            text = "".join(traceback.format_exception(*record.exc_info))
            made["labels"] = {**(labels if isinstance(labels, dict) else {}), "exception": text}
        return made

    def flush(self) -> None:
        """Make all that was appended durable."""
        self.chain.sync()


class ChainProcessor:
    """A processor of structlog: signs and appends, and gives the event on. `last`: it drops it, as nothing follows."""

    def __init__(self, chain: Chain, *, last: bool = False) -> None:
        self.chain, self._last = chain, last

    def __call__(self, logger: Any, method: str, event_dict: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Append one event. Raises OSError where it can't be written."""
        fields = {name: value for name, value in event_dict.items() if name not in ("event", "level", "logger")}
        level = str(event_dict.get("level", method))
        said = {
            "category": "application",
            "action": "unclassified",
            "severity": _LEVELS.get(level, "info"),
            "message": str(event_dict.get("event", "")),
        }
        if "logger" in event_dict:
            said["context"] = {"application": event_dict["logger"]}  # type: ignore[assignment]
        self.chain.append(event(fields, **said))
        if self._last:
            from structlog import DropEvent

            raise DropEvent
        return event_dict
