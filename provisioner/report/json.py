"""JSON for machines: one object, stable keys, no secret (bodies hold references)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from provisioner.errors import FindingsError
from provisioner.model import Action
from provisioner.quantities import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from provisioner.deploy import Outcome
    from provisioner.errors import ProvisionerError
    from provisioner.model import Change, Diff, Event, Finding, Plan
    from provisioner.report.history import Release


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


def error(raised: ProvisionerError) -> dict[str, Any]:
    """`{"error": {"message", "hint", "exit_code"}}`; the findings as above where those are the error."""
    if isinstance(raised, FindingsError):
        return findings(raised.findings)
    return {"error": {"message": raised.message, "hint": raised.hint, "exit_code": raised.exit_code}}


def plan(planned: Plan) -> dict[str, Any]:
    """`{"owner", "cluster", "release", "digest", "counts", "limits", "changes"}`.

    `counts` has a number for each action; `limits` are `{"name", "message"}`, those that are exceeded. `changes`,
    no-ops included, are `{"action", "kind", "key", "why", "origin", "before", "after", "risks", "doomed", "diffs"}`.
    A doomed index that is closed or unavailable has no `documents` and `bytes`: null, which is not 0.
    """
    return {
        "owner": planned.owner,
        "cluster": planned.cluster,
        "release": planned.release,
        "digest": planned.digest,
        "counts": {action.value: planned.count(action) for action in Action},
        "limits": [{"name": limit.name, "message": limit.message} for limit in planned.limits],
        "changes": [_change(change) for change in planned.changes],
    }


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
        "doomed": [
            {
                "name": index.name,
                "documents": None if index.documents == UNKNOWN else index.documents,
                "bytes": None if index.bytes == UNKNOWN else index.bytes,
                "created": index.created,
                "rolled_over": index.rolled_over,
            }
            for index in change.doomed
        ],
        "diffs": diffs(change.diffs),
    }


def diffs(shown: Iterable[Diff]) -> list[dict[str, Any]]:
    """`[{"title", "lines": [{"sign", "text", "origin"}]}]`."""
    return [
        {
            "title": diff.title,
            "lines": [
                {"sign": line.sign, "text": line.text, "origin": str(line.origin) if line.origin else None}
                for line in diff.lines
            ],
        }
        for diff in shown
    ]


def events(happened: Sequence[Event]) -> dict[str, Any]:
    """`{"events": [{"action", "kind", "key", "seconds", "attempts", "error"}]}`."""
    return {
        "events": [
            {
                "action": e.change.action.value,
                "kind": e.change.kind,
                "key": e.change.key,
                "seconds": round(e.seconds, 3),
                "attempts": e.attempts,
                "error": e.error,
            }
            for e in happened
        ]
    }


def outcome(done: Outcome) -> dict[str, Any]:
    """The events as above, with `"failed"`, `"left"` (the changes that a new plan would still make) and `"behind"`: the
    indices that have still to take an ISM policy over, by its name."""
    left = done.left.pending if done.left else ()
    changes = [_change(change) for change in left]
    return {**events(done.events), "failed": done.failed, "left": changes, "behind": dict(done.behind)}


def drift(changes: Iterable[Change]) -> dict[str, Any]:
    """`{"changes": [...]}` as in a plan: what differs from what the last apply left."""
    return {"changes": [_change(change) for change in changes]}


def releases(rows: Sequence[Release]) -> dict[str, Any]:
    """`{"releases": [{"number", "at", "who", "host", "revision", "tool", "outcome", "counts", "forced"}]}`."""
    return {"releases": [_release(row) for row in rows]}


def release(row: Release, changes: Iterable[Change] = ()) -> dict[str, Any]:
    """One release as above, its steps (`{"action", "kind", "key", "error"}`), and the changes from the one before."""
    steps = [{name: step.get(name, "") for name in ("action", "kind", "key", "error")} for step in row.steps]
    return {**_release(row), "steps": steps, "changes": [_change(change) for change in changes]}


def _release(row: Release) -> dict[str, Any]:
    names = ("number", "at", "who", "host", "revision", "tool", "outcome")
    return {**{name: getattr(row, name) for name in names}, "counts": dict(row.counts), "forced": list(row.forced)}
