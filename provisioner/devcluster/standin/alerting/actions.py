"""Running a trigger's actions: rendering by the node's mustache, throttling, sending through the notifier."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from provisioner.devcluster.standin.alerting.alerts import AUDIT, Alert
from provisioner.devcluster.standin.alerting.clock import Clock
from provisioner.devcluster.standin.alerting.model import BUCKET, DOC, Job, Json
from provisioner.devcluster.standin.errors import StandInError, reason_of
from provisioner.devcluster.standin.mustache import render_all
from provisioner.devcluster.standin.node import Node
from provisioner.devcluster.standin.plugin import Notifier, SendResult, SettingsReader

DEFAULT_SUBJECT = "Alerting-Notification Action"
DEFAULT_CATEGORIES = ["DEDUPED", "NEW"]
# Beyond so many alerts a run's actions run once for all of them, without a throttle; -1: never.
_MOST, _MOST_BY_DEFAULT = "plugins.alerting.max_actionable_alert_count", 50


@dataclass(frozen=True)
class Outcome:
    """An action's run: `shown` is its entry in the run result, `message` what an alert in state ERROR says of it."""

    shown: Json
    message: str | None = None

    @property
    def alert_message(self) -> str | None:
        """The message of an alert in state ERROR, None when the action did well."""
        return None if self.message is None else f"Failed running action:\n{self.message}"


class Actions:
    """Runs actions on behalf of all runners."""

    def __init__(self, node: Node, notifier: Notifier, clock: Clock, settings: SettingsReader | None = None) -> None:
        self._settings = settings
        self._node = node
        self._clock = clock
        self._notifier = notifier

    async def run(self, action: Json, ctx: Json, *, dryrun: bool) -> Outcome:
        """Render the subject and the message and, unless it is a dry run, send them."""
        subject_template = action.get("subject_template", {}).get("source", "")
        templates = [subject_template, action["message_template"]["source"]]
        try:
            subject, message = await render_all(self._node, templates, {"ctx": ctx}, ordered=True)
        except StandInError as error:
            # A template that can't be rendered has no script stack, which is all that the alert would say.
            return _failed(action, _template_error(error, templates[1]), "", self._clock.now())
        if not message:
            reason = f"Message content missing in the Destination with id: {action['destination_id']}"
            return _failed(action, reason, reason, self._clock.now())
        output = {"subject": subject, "message": message}
        if not dryrun:
            channel = action["destination_id"]
            if not channel or not await self._notifier.exists(channel):
                reason = f"Unable to find a Notification Channel or Destination config with id [{channel}]"
                return _failed(action, reason, reason, self._clock.now())
            sent = await self._notifier.send(channel, subject or DEFAULT_SUBJECT, message)
            if sent.error is not None:
                reason = reason_of(sent.error)
                return _failed(action, reason, f"OpenSearchStatusException[{reason}]", self._clock.now())
            output["messageId"] = _event(sent)
        return Outcome(_result(action, output, None, self._clock.now()))

    async def for_each(self, alerts: int) -> bool:
        """Whether actions run for each of so many alerts, if they say so."""
        said = await self._settings.get(_MOST) if self._settings else None
        most = _MOST_BY_DEFAULT if said is None else int(said)
        return most < 0 or alerts <= most

    def throttled(self, action: Json, alert: Alert | None) -> Outcome | None:
        """The outcome of an action that ran too short a time ago, None when it may run."""
        if alert is None or not action["throttle_enabled"] or "throttle" not in action:
            held = alert is not None and alert.state == AUDIT
        else:
            last = next(
                (
                    entry["last_execution_time"]
                    for entry in alert.action_execution_results
                    if entry["action_id"] == action["id"]
                ),
                None,
            )
            held = last is not None and last >= self._clock.now() - action["throttle"]["value"] * 60_000
        if not held:
            return None
        return Outcome({**_result(action, {}, None, None), "throttled": True})


def scope(action: Json, job: Job) -> list[str] | None:
    """The categories of alerts for each of which an action runs; None: once for the whole run."""
    policy: Mapping[str, Json] | None = action.get("action_execution_policy", {}).get("action_execution_scope")
    if policy is None:
        return DEFAULT_CATEGORIES if job.monitor_type in (BUCKET, DOC) else None
    if "per_alert" in policy:
        categories: list[str] = policy["per_alert"]["actionable_alerts"]
        return categories
    return None


def _result(action: Json, output: Json, error: str | None, now: int | None) -> Json:
    return {
        "id": action["id"],
        "name": action["name"],
        "output": output,
        "throttled": False,
        "executionTime": now,
        "error": error,
    }


def _failed(action: Json, reason: str, message: str, now: int) -> Outcome:
    return Outcome(_result(action, {}, reason, now), message)


def _template_error(error: StandInError, template: str) -> str:
    """What the plugin says of a template: why it does not compile, but not why it could not be filled in."""
    body = error.body.get("error", {}) if isinstance(error.body, dict) else {}
    if body.get("type") == "script_exception":
        return str(body["reason"])
    return f"Error running com.github.mustachejava.codes.DefaultMustache@{zlib.crc32(template.encode()):x}"


def _event(sent: SendResult) -> str:
    return orjson.dumps(sent.event).decode()
