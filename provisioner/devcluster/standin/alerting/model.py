"""Monitors, workflows and their triggers as the runners see them, and small facts about their form."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]

NO_ID = ""
QUERY, BUCKET, DOC, CLUSTER = (
    "query_level_monitor",
    "bucket_level_monitor",
    "doc_level_monitor",
    "cluster_metrics_monitor",
)
STANDARD_TYPES = (QUERY, BUCKET, DOC, CLUSTER)
UPDATED_SCHEMA_VERSION = 9  # what the plugin writes at every update; a new monitor has 0


def data_sources() -> Json:
    """Where a monitor's queries, findings, alerts and comments lie: the same for all."""
    return {
        "query_index": ".opensearch-alerting-queries",
        "findings_index": ".opensearch-alerting-finding-history-write",
        "findings_index_pattern": "<.opensearch-alerting-finding-history-{now/d}-1>",
        "alerts_index": ".opendistro-alerting-alerts",
        "alerts_history_index": ".opendistro-alerting-alert-history-write",
        "alerts_history_index_pattern": "<.opendistro-alerting-alert-history-{now/d}-1>",
        "comments_index": ".opensearch-alerting-comments-history-write",
        "comments_index_pattern": "<.opensearch-alerting-comments-history-{now/d}-1>",
        "query_index_mappings_by_type": {},
        "findings_enabled": False,
    }


def new_id() -> str:
    """An id like the server's own: 20 characters of URL-safe base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(15)).decode()


def instant(ms: int) -> str:
    """A time as Java's `Instant` prints it: with milliseconds only where there are some."""
    moment = datetime.fromtimestamp(ms / 1000, UTC)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{ms % 1000:03d}Z" if ms % 1000 else f"{text}Z"


@dataclass(frozen=True)
class Trigger:
    """One trigger: its kind (`query_level_trigger`, …) and its stored form."""

    kind: str
    body: Json

    @property
    def id(self) -> str:
        """The trigger's id, the client's own if it sent one."""
        return str(self.body["id"])

    @property
    def name(self) -> str:
        """The trigger's name."""
        return str(self.body["name"])

    @property
    def severity(self) -> str:
        """`"1"` to `"5"` by convention; any text is taken."""
        return str(self.body["severity"])

    @property
    def actions(self) -> list[Json]:
        """The actions in order."""
        actions: list[Json] = self.body["actions"]
        return actions

    @property
    def script(self) -> Json:
        """The condition's script: `{source, lang, params?}`."""
        script: Json = self.body["condition"]["script"]
        return script


@dataclass(frozen=True)
class Job:
    """A monitor or a workflow as stored; `id` is empty for one that is only executed inline."""

    id: str
    version: int
    body: Json

    @property
    def name(self) -> str:
        """The name."""
        return str(self.body["name"])

    @property
    def is_workflow(self) -> bool:
        """Whether this is a workflow."""
        return "workflow_type" in self.body

    @property
    def monitor_type(self) -> str:
        """The monitor's type; unknown types are stored and never run."""
        return str(self.body.get("monitor_type", ""))

    @property
    def enabled(self) -> bool:
        """Whether it runs on schedule."""
        return bool(self.body["enabled"])

    @property
    def triggers(self) -> list[Trigger]:
        """The triggers in order."""
        return [Trigger(kind, body) for item in self.body["triggers"] for kind, body in item.items()]

    @property
    def inputs(self) -> list[tuple[str, Json]]:
        """The inputs in order: kind (`search`, `doc_level_input`, `uri`, `composite_input`) and body."""
        return [(kind, body) for item in self.body["inputs"] for kind, body in item.items()]


@dataclass(frozen=True)
class Period:
    """The window of one run, in milliseconds since 1970."""

    start: int
    end: int


def text_of(value: Any) -> str:
    """A JSON value as the server's parser gives it as text: `1` is `"1"`, `true` is `"true"`."""
    return str(value).lower() if isinstance(value, bool) else str(value)
