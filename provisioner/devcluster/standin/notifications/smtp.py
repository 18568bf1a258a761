"""Delivering e-mail over SMTP."""

from __future__ import annotations

import asyncio
import os
import re
import smtplib
import ssl
from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import formatdate, make_msgid
from typing import Any

from provisioner.devcluster.standin.notifications.http import Delivery

_TIMEOUT = 30.0
# opensearch.notifications.core.email: minimum_header_length and size_limit, as the plugin has them by default.
_HEADER_LENGTH, _SIZE_LIMIT = 160, 10_000_000


async def send_mail(
    config: dict[str, Any], recipient: str, *, title: str, message: str, html: str | None = None
) -> Delivery:
    """Send one message to one recipient through an smtp_account's config. Never raises: the status tells.

    The account's user name and password stand in the environment as `credentials` says (the real plugin reads them
    from the node's keystore) and are used, as there, only with `ssl` and `start_tls`.
    """
    account = config["smtp_account"]
    if _HEADER_LENGTH + len(title) + len(message) + len(html or "") > _SIZE_LIMIT:
        return Delivery(413, f"Email size larger than {_SIZE_LIMIT}")
    mail = build_mail(account["from_address"], recipient, title, message, html)
    try:
        await asyncio.to_thread(_transmit, config["name"], account, recipient, mail)
    except (ConnectionError, TimeoutError, OSError) as failure:
        return _failed(failure, account)
    except smtplib.SMTPException as failure:
        return _failed(failure, account)
    return Delivery(200, "Success")


def build_mail(sender: str, recipient: str, title: str, message: str, html: str | None) -> bytes:
    """multipart/mixed around multipart/alternative around text/plain (and text/html): the plugin's own form."""
    alternative = MIMEMultipart("alternative")
    alternative.attach(_text(message, "plain"))
    if html is not None:
        alternative.attach(_text(html, "html"))
    mail = MIMEMultipart("mixed")
    mail.attach(alternative)
    # A line break in a header would start another header.
    subject = " ".join(title.splitlines())
    mail["Date"] = formatdate()
    mail["From"] = sender
    mail["To"] = recipient
    mail["Message-ID"] = make_msgid(domain="localhost")
    mail["Subject"] = subject if subject.isascii() else str(Header(subject, "utf-8").encode())
    return mail.as_bytes(policy=compat32.clone(linesep="\r\n"))  # a strict server takes no bare line feeds


def credentials(account_name: str) -> tuple[str, str] | None:
    """User name and password of an account, from `OPENSEARCH_NOTIFICATIONS_EMAIL_<NAME>_USERNAME` and `…_PASSWORD`.

    NAME is the account config's name in capitals, everything else than letters and digits as `_`. None unless both
    are set.
    """
    stem = "OPENSEARCH_NOTIFICATIONS_EMAIL_" + re.sub(r"[^A-Z0-9]", "_", account_name.upper())
    user, password = os.environ.get(f"{stem}_USERNAME"), os.environ.get(f"{stem}_PASSWORD")
    return (user, password) if user and password else None


def _transmit(account_name: str, account: dict[str, Any], recipient: str, mail: bytes) -> None:
    method, host, port = account["method"], account["host"], account["port"]
    context = ssl.create_default_context() if method != "none" else None
    connection: smtplib.SMTP
    if method == "ssl":
        connection = smtplib.SMTP_SSL(host, port, timeout=_TIMEOUT, context=context)
    else:
        connection = smtplib.SMTP(host, port, timeout=_TIMEOUT)
    with connection as server:
        if method == "start_tls":
            server.starttls(context=context)
        login = credentials(account_name)
        if login is not None and method != "none":
            server.login(*login)
        server.sendmail(account["from_address"], [recipient], mail)


def _failed(failure: Exception, account: dict[str, Any]) -> Delivery:
    """The plugin's status for a failed sending: 503 no connection, 502 refused recipient, 424 anything else."""
    match failure:
        case smtplib.SMTPRecipientsRefused():
            return Delivery(502, "sendEmail Error, status:Invalid Addresses")
        case ConnectionError() | TimeoutError() | smtplib.SMTPConnectError():
            where = f"Couldn't connect to host, port: {account['host']}, {account['port']}; timeout -1"
            return Delivery(503, f"sendEmail Error, status:{where}")
        case _:
            return Delivery(424, f"sendEmail Error, status:{type(failure).__name__}: {failure}")


def _text(content: str, subtype: str) -> MIMEText:
    part = MIMEText(content, subtype, "us-ascii" if content.isascii() else "utf-8")
    part.set_param("charset", "UTF-8")
    return part
