"""What replaying the Alerting recordings needs beyond `replay`: times moved to now, and UUIDs as ids."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from replay import Outcome, Recording, Replay
from serving import Served

from provisioner.devcluster.standin.alerting import AlertingPlugin
from provisioner.devcluster.standin.alerting.clock import Clock
from provisioner.devcluster.standin.node import Node
from provisioner.devcluster.standin.notifications.plugin import NotificationsPlugin
from provisioner.devcluster.standin.plugin import Plugin
from provisioner.devcluster.standin.settings import ClusterSettings

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# A run's window and an action's time; scores depend on what else lies in the index.
_TIMES = re.compile(r"\.(period_start|period_end|executionTime|last_execution_time|timestamp|_score|max_score)$")
_SHARDS = re.compile(r"\.(active|unassigned)(_primary)?_shards(_percent_as_number)?$")
_MASKS = (
    # An execution: the job's id (nothing for a dry run), the time, a UUID.
    (re.compile(rf"_\d{{4}}-\d\d-\d\dT[\d:.]+_{_UUID.pattern}"), " <execution>"),
    (_UUID, "<uuid>"),
    # Times and durations in rendered messages.
    (re.compile(r"(?<!\d)1[78]\d{11}(?!\d)"), "<ms>"),
    (re.compile(r"took=\d+"), "took=<ms>"),
    # Which shards failed, and Java's names of the exceptions inside: REST tells them in another way.
    (re.compile(r"shardFailures \{.*", re.DOTALL), "shardFailures <details>"),
    (re.compile(r"(DefaultMustache|URLClassLoader )@[0-9a-f]+"), r"\1@<hash>"),
)
_MILLIS = re.compile(r"(?<!\d)1795[34]\d{8}(?!\d)")
_INSTANT = re.compile(r"\b2026-11-23T\d\d:\d\d:\d\d(?:\.\d{1,9})?Z")


def assemble(node: Node) -> Sequence[Plugin]:
    """The plugins that the Alerting recordings need."""
    settings = ClusterSettings(node)
    notifier = NotificationsPlugin(node, settings)
    return [settings, notifier, AlertingPlugin(node, notifier, StoppedClock())]


class StoppedClock(Clock):
    """A clock that stands still until it is set: how long the replay itself takes does not matter."""

    def __init__(self) -> None:
        super().__init__()
        self._at = super().now()

    def now(self) -> int:
        """The time to which it was set last."""
        return self._at

    def go_to(self, moment: int) -> None:
        """Set the clock."""
        self._at = max(self._at, moment)
        super().go_to(moment)


def alerting_of(served: Served) -> AlertingPlugin:
    """The plugin whose clock the replay sets."""
    return next(plugin for plugin in served.plugins if isinstance(plugin, AlertingPlugin))


def shifted(recordings: Iterable[Recording], now: float, longest: float) -> list[Recording]:
    """The recordings as if the first had been made at `now` (seconds since 1970), and no pause were `longest` or more.

    Monitors look at the last minutes, so documents, windows and expected values must move together.
    """
    moved: list[Recording] = []
    delta = last = 0.0
    for recording in recordings:
        delta = delta if moved else now - recording.t
        last = last if moved else recording.t
        delta -= max(0.0, recording.t - last - longest)
        last = recording.t
        by = timedelta(seconds=delta)
        moved.append(
            replace(
                recording,
                t=recording.t + delta,
                query=_moved(recording.query, by),
                body=_moved(recording.body, by),
                response=_moved(recording.response, by),
            )
        )
    return moved


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

    _by_time = False

    def one(self, recording: Recording) -> Outcome:
        """Replay one recording and compare."""
        # Runs that were due at the same second end in any order, and so their alerts have any order in time.
        self._by_time = recording.query.get("sortString") == "start_time"
        return super().one(recording)

    def _differences(self, expected: Any, actual: Any, at: str) -> list[str]:
        if self._by_time and at == ".alerts":
            expected, actual = sorted(expected, key=_place), sorted(actual, key=_place)
        if (
            (_TIMES.search(at) or _SHARDS.search(at))
            and isinstance(expected, int | float)
            and isinstance(actual, int | float)
        ):
            return []
        return super()._differences(expected, actual, at)

    def _same_text(self, expected: str, actual: str) -> bool:
        if expected.startswith("{") and actual.startswith("{") and _same_json(expected, actual):
            return True
        for pattern, mask in _MASKS:
            expected, actual = pattern.sub(mask, expected), pattern.sub(mask, actual)
        return super()._same_text(expected, actual)

    def _of_objects(self, expected: dict[str, Any], actual: dict[str, Any], at: str) -> list[str]:
        old, new = ([key for key in side if _UUID.fullmatch(key)] for side in (expected, actual))
        names = dict(zip(old, new, strict=False))
        renamed = {names.get(key, key): value for key, value in expected.items()}
        if at.endswith("cluster_results[0]") or "cluster_name" in actual:
            renamed = _named_like(renamed, actual)
        if "total_findings" in renamed and "total_findings" in actual:
            renamed, actual = _ordered(renamed), _ordered(actual)
        return super()._of_objects(renamed, actual, at)


def _place(alert: dict[str, Any]) -> tuple[str, ...]:
    return (
        alert["monitor_name"],
        alert["trigger_id"],
        alert["state"],
        *alert["related_doc_ids"],
        *alert.get("agg_alert_content", {}).get("bucket_keys", []),
    )


def _named_like(expected: dict[str, Any], actual: dict[str, Any]) -> dict[str, Any]:
    """A cluster's name is another one."""
    if "cluster_name" in actual:
        return {**expected, "cluster_name": actual["cluster_name"]}
    return dict(zip(actual, expected.values(), strict=False))


def _same_json(one: str, other: str) -> bool:
    """A document as a client sent it, and as the stand-in prints it again: equal but for white space."""
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False


def _ordered(findings: dict[str, Any]) -> dict[str, Any]:
    """Findings come in the order of their random ids: put them in the order of monitors and documents."""

    def place(item: dict[str, Any]) -> tuple[str, str, str]:
        finding, [document] = item["finding"], item["document_list"]
        return finding["monitor_name"], finding["index"], json.loads(document["document"] or "{}").get("@timestamp", "")

    return {**findings, "findings": sorted(findings["findings"], key=place)}
