"""A text of our own through a channel: how `drift` tells people.

The Notifications plugin sends for other plugins only; over REST it has no more than a test message of its own. But
Alerting runs a monitor that comes with the request (`_execute` without `dryrun`), actions included, and keeps neither
the monitor nor an alert of it. Subject and message travel as the names of that monitor and of its trigger: values are
not rendered again, whatever braces they hold, and the limit for the length of a script does not apply to them.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from provisioner.errors import ProvisionerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.client import Client
    from provisioner.model import Body

FORMATS = ("text", "short", "json", "pagerduty")
"""As documents of channels name them in `message`: see templates/monitors/actions.yml.j2."""

_NOWHERE = "provisioner-searches-nothing-*"
"""A monitor needs an input. A pattern that matches no index costs nothing and needs no right to read anything."""
_SUMMARY = 1024  # the most that PagerDuty takes
_BEHIND_HOST = re.compile(r"(https?://[^/\s\"']+)/[^\s\"'\]]+")
"""What follows the host in an address: with Slack and its like, that is the secret."""


def send(client: Client, channel_id: str, subject: str, message: str, format_: str = "text") -> None:
    """Send, and wait until the receiver has taken it. Raises ProvisionerError where it did not arrive."""
    title = " ".join(subject.split()) or "provisioner"
    monitor = _monitor(channel_id, title, filled(title, message, format_))
    answer = client.request("POST", "/_plugins/_alerting/monitors/_execute", monitor)
    problems = list(_problems(answer))
    if problems:
        raise ProvisionerError(
            f"the message could not be sent through the channel {channel_id!r}: {'; '.join(problems)}",
            "check that the channel exists, is enabled and is no sender or group, and that its receiver answers",
        )


def format_of(channel: Body) -> str:
    """The format that a channel's document asks for, else the usual one of its type, as for alerts."""
    return str(channel.get("message") or {"webhook": "json", "sns": "short"}.get(channel["type"], "text"))


def filled(subject: str, message: str, format_: str) -> str:
    """What a channel of this format gets; webhooks and chats send no subject, so it stands in the message as well."""
    if format_ == "json":
        return json.dumps({"subject": subject, "message": message}, ensure_ascii=False)
    if format_ == "pagerduty":
        payload = {
            "summary": subject[:_SUMMARY],
            "source": "provisioner",
            "severity": "warning",
            "custom_details": {"message": message},
        }
        return json.dumps({"event_action": "trigger", "payload": payload}, ensure_ascii=False)
    if format_ == "short":
        return f"{subject}: {' '.join(message.split())}"
    return f"{subject}\n\n{message}"


def _monitor(channel_id: str, subject: str, text: str) -> Body:
    action = {
        "id": "send",
        "name": "send",
        "destination_id": channel_id,
        "subject_template": {"lang": "mustache", "source": "{{{ctx.monitor.name}}}"},
        "message_template": {"lang": "mustache", "source": "{{{ctx.trigger.name}}}"},
        "throttle_enabled": False,
    }
    always = {"script": {"lang": "painless", "source": "return true"}}
    return {
        "type": "monitor",
        "monitor_type": "query_level_monitor",
        "name": subject,
        "enabled": False,
        "schedule": {"period": {"interval": 1, "unit": "MINUTES"}},
        "inputs": [{"search": {"indices": [_NOWHERE], "query": {"size": 0, "query": {"match_none": {}}}}}],
        "triggers": [
            {
                "query_level_trigger": {
                    "id": "always",
                    "name": text,
                    "severity": "1",
                    "condition": always,
                    "actions": [action],
                }
            }
        ],
    }


def _problems(answer: Any) -> Iterator[str]:
    """The plugin's words on what went wrong: failures are told in the body, never by the status.

    An input that failed is one of them only where nothing was sent: the message does not depend on it.
    """
    if not isinstance(answer, dict):
        yield "Alerting gave no answer"
        return
    triggers = (answer.get("trigger_results") or {}).values()
    actions = [action for trigger in triggers for action in (trigger.get("action_results") or {}).values()]
    yield from (_BEHIND_HOST.sub(r"\1/(secret)", str(action["error"])) for action in actions if action.get("error"))
    if not actions:
        said = [answer.get("error"), (answer.get("input_results") or {}).get("error")]
        said += [trigger.get("error") for trigger in triggers]
        yield from [str(words) for words in said if words] or ["Alerting ran no action"]
