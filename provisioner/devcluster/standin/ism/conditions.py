"""Whether a rollover or a transition is due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim

from provisioner.devcluster.standin.ism.units import byte_count, milliseconds, shown_bytes, shown_time


@dataclass(frozen=True)
class Measured:
    """An index as the node measures it: primaries' documents and bytes, its largest primary shard, its age in ms."""

    docs: int
    size: int
    largest_shard: int
    largest_shard_id: int
    age: int
    created: int


def rollover_report(body: Mapping[str, Any], measured: Measured) -> dict[str, dict[str, Any]]:
    """What `info.conditions` shows: each condition of the action with its current value."""
    report: dict[str, dict[str, Any]] = {}
    if "min_index_age" in body:
        report["min_index_age"] = {
            "condition": body["min_index_age"],
            "current": shown_time(measured.age),
            "creationDate": measured.created,
        }
    if "min_doc_count" in body:
        report["min_doc_count"] = {"condition": body["min_doc_count"], "current": measured.docs}
    if "min_size" in body:
        report["min_size"] = {"condition": body["min_size"], "current": shown_bytes(measured.size)}
    if "min_primary_shard_size" in body:
        report["min_primary_shard_size"] = {
            "condition": body["min_primary_shard_size"],
            "current": shown_bytes(measured.largest_shard),
            "shard": measured.largest_shard_id,
        }
    return report


def rollover_due(body: Mapping[str, Any], measured: Measured) -> bool:
    """One met condition is enough; without any the index rolls over at once."""
    results = []
    if "min_doc_count" in body:
        results.append(body["min_doc_count"] <= measured.docs)
    if "min_index_age" in body:
        results.append(milliseconds(body["min_index_age"]) <= measured.age)
    if "min_size" in body:
        results.append(byte_count(body["min_size"]) <= measured.size)
    if "min_primary_shard_size" in body:
        results.append(byte_count(body["min_primary_shard_size"]) <= measured.largest_shard)
    return any(results) or not results


def transition_due(
    conditions: Mapping[str, Any] | None,
    *,
    now: int,
    created: int,
    step_started: int,
    state_started: int,
    rolled_over: int | None,
    aliases: int,
    measured: Measured | None,
) -> bool:
    """Whether a transition's one condition is met; a transition without condition always is. Times in ms."""
    if not conditions:
        return True
    [(name, value)] = conditions.items()
    match name:
        case "min_index_age":
            return milliseconds(value) <= now - created
        case "min_rollover_age":
            return rolled_over is not None and milliseconds(value) <= now - rolled_over
        case "min_state_age":
            return milliseconds(value) <= now - state_started
        case "min_doc_count":
            return measured is not None and value <= measured.docs
        case "min_size":
            return measured is not None and byte_count(value) <= measured.size
        case "no_alias":
            return bool(value) == (aliases == 0)
        case "cron":
            return _next_time(value["cron"], step_started) <= now
    return False


def _next_time(cron: Mapping[str, str], after: int) -> float:
    start = datetime.fromtimestamp(after / 1000, ZoneInfo(cron["timezone"]))
    found: datetime = next(CronSim(cron["expression"], start))
    return (found - datetime.fromtimestamp(0, found.tzinfo)) / timedelta(milliseconds=1)
