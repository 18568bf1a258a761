"""JSON for machines: one object, stable keys, no secret (bodies hold references)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provisioner.model import Change, Event, Finding, Plan


def dumps(value: Any) -> str:
    """Indented JSON, keys in the order given."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def findings(found: Sequence[Finding]) -> dict[str, Any]:
    """`{"findings": [{"code", "severity", "message", "hint", "file", "line", "column"}]}`."""
    return {
        "findings": [
            {
                "code": f.code,
                "severity": f.severity.value,
                "message": f.message,
                "hint": f.hint,
                "file": f.origin.file,
                "line": f.origin.line,
                "column": f.origin.column,
            }
            for f in found
        ]
    }


def plan(planned: Plan) -> dict[str, Any]:
    """`{"changes": [{"action", "kind", "key", "why", "origin", "before", "after", "risks"}]}`, no-ops included."""
    return {"changes": [_change(change) for change in planned.changes]}


def _change(change: Change) -> dict[str, Any]:
    return {
        "action": change.action.value,
        "kind": change.kind,
        "key": change.key,
        "why": change.why,
        "origin": str(change.origin) if change.origin else None,
        "before": change.before,
        "after": change.after,
        "risks": list(change.risks),
    }


def events(happened: Sequence[Event]) -> dict[str, Any]:
    """`{"events": [{"action", "kind", "key", "seconds", "error"}]}`."""
    return {
        "events": [
            {
                "action": e.change.action.value,
                "kind": e.change.kind,
                "key": e.change.key,
                "seconds": round(e.seconds, 3),
                "error": e.error,
            }
            for e in happened
        ]
    }
