"""Sending a message through a channel, and what the plugin reports on it."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

import orjson

from provisioner.devcluster.standin.errors import status_exception
from provisioner.devcluster.standin.notifications.http import Delivery, HttpSender
from provisioner.devcluster.standin.notifications.smtp import send_mail
from provisioner.devcluster.standin.plugin import SendResult

# The AWS services are out of a development cluster's reach: nothing is sent, and the status says so.
NO_AWS = "Failed to send notification: the development stand-in cannot reach AWS"


class Configs(Protocol):
    """Where configs are looked up."""

    async def config(self, channel_id: str) -> dict[str, Any] | None:
        """A stored config, or None."""
        ...

    async def denied_hosts(self) -> list[str]:
        """The setting host_deny_list."""
        ...


class Sender:
    """Sends to channels of every type."""

    def __init__(self, configs: Configs) -> None:
        self._configs = configs
        self._http = HttpSender()

    async def close(self) -> None:
        """Close kept connections."""
        await self._http.close()

    async def send(
        self, channel_id: str, subject: str, message: str, *, severity: str, reference: str, html: str | None = None
    ) -> SendResult:
        """See `plugin.Notifier.send`. `reference` is what `event_source.reference_id` shows."""
        source = {"title": subject, "reference_id": reference, "severity": severity, "tags": []}
        # The plugin refuses to build an event without a title or message.
        for value, reason in ((subject, "name is null or empty"), (message, "text_description is null or empty")):
            if not value:
                return _refused(400, reason, {"event_source": source, "status_list": []})
        config = await self._configs.config(channel_id)
        if config is None:
            missing = Delivery(404, f"Channel {channel_id} not found")
            return _report(source, _status(channel_id, "none", "invalid-config", missing))
        event = {"event_source": source, "status_list": []}
        kind = config["config_type"]
        # Both are enum names where the plugin then reads a number: it fails with these words.
        if not config["is_enabled"]:
            return _refused(400, 'For input string: "LOCKED"', event, status=423)
        if kind in ("smtp_account", "ses_account", "email_group"):
            return _refused(400, 'For input string: "NOT_FOUND"', event)
        if kind == "email":
            return await self._mail(channel_id, config, source, message, html)
        if kind == "sns":
            return _report(source, _status(channel_id, kind, config["name"], Delivery(424, NO_AWS)))
        denied = await self._configs.denied_hosts()
        delivery = await self._http.send(kind, config[kind], subject, message, denied)
        return _report(source, _status(channel_id, kind, config["name"], delivery))

    async def _mail(
        self, channel_id: str, config: dict[str, Any], source: dict[str, Any], message: str, html: str | None
    ) -> SendResult:
        email = config["email"]
        account = await self._configs.config(email["email_account_id"])
        if account is None:
            # An e-mail's event must name recipients: without a sender the plugin can't build it.
            return _refused(400, "Failed requirement.", {"event_source": source, "status_list": []})
        groups = {id_: await self._configs.config(id_) for id_ in email["email_group_id_list"]}
        listed = [email, *(g["email_group"] for g in groups.values() if g and "email_group" in g)]
        recipients = list(dict.fromkeys(r["recipient"] for group in listed for r in group["recipient_list"]))
        deliveries = await asyncio.gather(
            *(self._mail_one(account, recipient, source["title"], message, html) for recipient in recipients)
        )
        results = list(zip(recipients, deliveries, strict=True))
        results += [
            ("unknown-recipient@example.com", Delivery(404, f"Recipient {id_} not found"))
            for id_, group in groups.items()
            if group is None
        ]
        if not results:
            return _refused(400, "List is empty.", {"event_source": source, "status_list": []})
        overall = results[0][1]
        if any(delivery.status != overall.status for _, delivery in results):
            overall = Delivery(207, "Errors")
        status = _status(channel_id, "email", config["name"], overall)
        status["email_recipient_status"] = [
            {"recipient": recipient, "delivery_status": _delivery_status(delivery)} for recipient, delivery in results
        ]
        return _report(source, status)

    async def _mail_one(
        self, account: dict[str, Any], recipient: str, subject: str, message: str, html: str | None
    ) -> Delivery:
        if account["config_type"] == "ses_account":
            return Delivery(424, NO_AWS)
        return await send_mail(account, recipient, title=subject, message=message, html=html)


def _delivery_status(delivery: Delivery) -> dict[str, str]:
    return {"status_code": str(delivery.status), "status_text": delivery.text}


def _status(channel_id: str, kind: str, name: str, delivery: Delivery) -> dict[str, Any]:
    return {
        "config_id": channel_id,
        "config_type": kind,
        "config_name": name,
        "email_recipient_status": [],
        "delivery_status": _delivery_status(delivery),
    }


def _report(source: dict[str, Any], status: dict[str, Any]) -> SendResult:
    """The result for a channel whose status is known: an error, with the whole status as its reason, unless 200."""
    event = {"event_source": source, "status_list": [status]}
    code, text = int(status["delivery_status"]["status_code"]), status["delivery_status"]["status_text"]
    if code == 200:
        return SendResult(code, text, event)
    reason = '{"event_status_list": [' + orjson.dumps(status).decode() + "]}"
    return SendResult(code, text, event, status_exception(code, reason).body)


def _refused(code: int, reason: str, event: dict[str, Any], *, status: int | None = None) -> SendResult:
    return SendResult(status or code, reason, event, status_exception(code, reason).body)
