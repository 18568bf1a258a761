"""What replaying the Alerting recordings needs beyond `replay`: times moved to now, and UUIDs as ids."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from replay import Recording, Replay

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# A run's window and an action's time; scores depend on what else lies in the index.
_TIMES = re.compile(r"\.(period_start|period_end|executionTime|last_execution_time|timestamp|_score|max_score)$")
_MASKS = (
    # An execution: the job's id (nothing for a dry run), the time, a UUID.
    (re.compile(rf"_\d{{4}}-\d\d-\d\dT[\d:.]+_{_UUID.pattern}"), " <execution>"),
    (_UUID, "<uuid>"),
    (re.compile(r"DefaultMustache@[0-9a-f]+"), "DefaultMustache@<hash>"),
)
_MILLIS = re.compile(r"\b1795[34]\d{8}\b")
_INSTANT = re.compile(r"\b2026-11-23T\d\d:\d\d:\d\d(?:\.\d{1,9})?Z")


def shifted(recordings: Iterable[Recording], now: float) -> list[Recording]:
    """The recordings as if the first had been made at `now` (seconds since 1970).

    Monitors look at the last minutes, so documents, windows and expected values must move together.
    """
    ordered = list(recordings)
    delta = timedelta(seconds=now - ordered[0].t)
    return [
        replace(
            recording,
            t=recording.t + delta.total_seconds(),
            query=_moved(recording.query, delta),
            body=_moved(recording.body, delta),
            response=_moved(recording.response, delta),
        )
        for recording in ordered
    ]


def _moved(value: Any, delta: timedelta) -> Any:
    def millis(found: re.Match[str]) -> str:
        return str(int(found[0]) + round(delta.total_seconds() * 1000))

    def instant(found: re.Match[str]) -> str:
        text = found[0]
        digits = len(text.partition(".")[2]) - 1
        base = datetime.fromisoformat(text[:26].rstrip("Z")).replace(tzinfo=UTC) + delta
        moved = base.strftime("%Y-%m-%dT%H:%M:%S")
        return f"{moved}.{base.microsecond:06d}000"[: len(moved) + 1 + digits] + "Z" if digits > 0 else f"{moved}Z"

    return json.loads(_INSTANT.sub(instant, _MILLIS.sub(millis, json.dumps(value, ensure_ascii=False))))


class AlertingReplay(Replay):
    """Takes UUIDs (doc-level alerts and findings) as ids of the server, also as keys, and knows more of its times."""

    def _differences(self, expected: Any, actual: Any, at: str) -> list[str]:
        if _TIMES.search(at) and isinstance(expected, int | float) and isinstance(actual, int | float):
            return []
        return super()._differences(expected, actual, at)

    def _same_text(self, expected: str, actual: str) -> bool:
        for pattern, mask in _MASKS:
            expected, actual = pattern.sub(mask, expected), pattern.sub(mask, actual)
        return super()._same_text(expected, actual)

    def _of_objects(self, expected: dict[str, Any], actual: dict[str, Any], at: str) -> list[str]:
        old, new = ([key for key in side if _UUID.fullmatch(key)] for side in (expected, actual))
        names = dict(zip(old, new, strict=False))
        return super()._of_objects({names.get(key, key): value for key, value in expected.items()}, actual, at)
