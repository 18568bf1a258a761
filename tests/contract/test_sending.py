"""Messages as receivers get them: over HTTP and SMTP, compared with what the real plugin delivered (emails.json)."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import ssl
from collections.abc import Iterator, Sequence
from email import message_from_bytes, message_from_string
from email.message import Message
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from replay import RECORDINGS
from serving import Mailbox, Receiver, Served, free_port, serve

from provisioner.devcluster.certificates import issue
from provisioner.devcluster.standin.node import Node
from provisioner.devcluster.standin.notifications.http import HttpSender
from provisioner.devcluster.standin.notifications.plugin import NotificationsPlugin
from provisioner.devcluster.standin.notifications.smtp import build_mail, send_mail
from provisioner.devcluster.standin.plugin import Plugin, SendResult
from provisioner.devcluster.standin.settings import ClusterSettings

CONFIGS = "/_plugins/_notifications/configs"


def assemble(node: Node) -> Sequence[Plugin]:
    settings = ClusterSettings(node)
    return [settings, NotificationsPlugin(node, settings)]


@pytest.fixture
def served(empty_node: str) -> Iterator[Served]:
    with serve(empty_node, assemble) as served:
        yield served


@pytest.fixture
def client(served: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, timeout=30) as client:
        yield client


def create(client: httpx.Client, id_: str, config_type: str, data: dict[str, Any], **more: Any) -> None:
    config = {"name": id_, "config_type": config_type, config_type: data, **more}
    client.post(CONFIGS, json={"config_id": id_, "config": config}).raise_for_status()


def send(served: Served, channel: str, subject: str, message: str) -> SendResult:
    notifier = next(plugin for plugin in served.plugins if isinstance(plugin, NotificationsPlugin))
    return served.call(notifier.send(channel, subject, message))


def skeleton(mail: Message) -> list[tuple[str, str, str]]:
    """Content type, transfer encoding and text of every part; header names and values that don't vary."""
    fixed = [(name, mail[name], "") for name in ("From", "To", "Subject", "MIME-Version")]
    parts = []
    for part in mail.walk():
        text = "" if part.is_multipart() else part.get_payload().replace("\r\n", "\n").strip()
        charset = str(part.get_content_charset() or "")
        encoding = str(part["Content-Transfer-Encoding"] or "")
        parts.append((f"{part.get_content_type()} {charset}", encoding, text))
    return fixed + parts


def test_mails_have_the_form_of_the_real_ones(served: Served, client: httpx.Client, mailbox: Mailbox) -> None:
    account = {"host": "127.0.0.1", "port": mailbox.port, "method": "none", "from_address": "alerts@example.org"}
    create(client, "em-acc", "smtp_account", account)
    create(client, "em-grp", "email_group", {"recipient_list": [{"recipient": "b@example.org"}]})
    recipients = [{"recipient": "a@example.org"}]
    email = {"email_account_id": "em-acc", "recipient_list": recipients, "email_group_id_list": ["em-grp"]}
    create(client, "em-ch", "email", email)
    client.post("/_plugins/_notifications/feature/test/em-ch").raise_for_status()
    sent = send(served, "em-ch", 'Subj qu\\"ote <b>', 'Body line 1\nuser qu\\"ote <b> raw qu"ote <b>')
    assert sent.delivered, sent
    recorded = json.loads((RECORDINGS / "emails.json").read_text())
    expected = sorted(skeleton(message_from_string(mail["data"])) for mail in recorded)
    assert sorted(skeleton(message_from_bytes(mail.data)) for mail in mailbox.got) == expected
    assert sorted(mail.recipients for mail in mailbox.got) == sorted(mail["to"] for mail in recorded)
    assert {mail.sender for mail in mailbox.got} == {mail["from"] for mail in recorded}


def test_lines_end_as_smtp_wants_them() -> None:
    mail = build_mail("a@example.org", "b@example.org", "subject", "one\ntwo\n" * 600, None)
    assert b"\n" not in mail.replace(b"\r\n", b"")


def test_a_line_break_in_a_subject_starts_no_header(served: Served, client: httpx.Client, mailbox: Mailbox) -> None:
    account = {"host": "127.0.0.1", "port": mailbox.port, "method": "none", "from_address": "a@example.org"}
    create(client, "acc", "smtp_account", account)
    create(client, "ch", "email", {"email_account_id": "acc", "recipient_list": [{"recipient": "b@example.org"}]})
    send(served, "ch", "über\r\nBcc: c@example.org", "text ☃")
    [mail] = mailbox.got
    parsed = message_from_bytes(mail.data)
    assert parsed["Bcc"] is None
    assert mail.recipients == ["b@example.org"]
    text = next(part for part in parsed.walk() if part.get_content_type() == "text/plain")
    assert bytes(text.get_payload(decode=True)).decode() == "text ☃"


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # what `ssl` encrypts, aiosmtpd does not see
@pytest.mark.parametrize("method", ["ssl", "start_tls"])
def test_tls_is_verified_and_credentials_are_sent_over_it_alone(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = issue(dt.datetime.now(dt.UTC))
    (tmp_path / "ca.pem").write_bytes(issued.authority)
    (tmp_path / "server.pem").write_bytes(issued.node.certificate + issued.node.key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "server.pem")
    logins: list[tuple[bytes, bytes]] = []
    mails: list[bytes] = []

    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, login: LoginPassword) -> AuthResult:
        logins.append((login.login, login.password))
        return AuthResult(success=login.password == b"s3cret")

    class Handler:
        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
            mails.append(envelope.content)
            return "250 taken"

    tls = {"ssl_context": context} if method == "ssl" else {"tls_context": context}
    login = {"authenticator": authenticate, "auth_required": True, "auth_require_tls": method == "start_tls"}
    controller = Controller(Handler(), hostname="127.0.0.1", port=free_port(), **tls, **login)
    data = {"host": "127.0.0.1", "port": controller.port, "method": method, "from_address": "a@example.org"}
    config = {"name": "Mail-1", "config_type": "smtp_account", "smtp_account": data}
    monkeypatch.setenv("OPENSEARCH_NOTIFICATIONS_EMAIL_MAIL_1_USERNAME", "user")
    monkeypatch.setenv("OPENSEARCH_NOTIFICATIONS_EMAIL_MAIL_1_PASSWORD", "s3cret")
    controller.start()
    try:
        refused = asyncio.run(send_mail(config, "b@example.org", title="t", message="m"))
        assert (refused.status, mails, logins) == (424, [], [])
        assert "CERTIFICATE_VERIFY_FAILED" in refused.text
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        taken = asyncio.run(send_mail(config, "b@example.org", title="t", message="m"))
    finally:
        controller.stop()
    assert (taken.status, len(mails), logins) == (200, 1, [(b"user", b"s3cret")])


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_webhook_gets_the_message_alone_with_the_channels_headers(
    served: Served, client: httpx.Client, receiver: Receiver, method: str
) -> None:
    url = f"http://{receiver.address}/hook?x=1"
    headers = {"X-Routing": "k1", "Content-Type": "application/json", "Authorization": "Bearer t"}
    create(client, "wh", "webhook", {"url": url, "method": method, "header_params": headers})
    create(client, "bare", "webhook", {"url": url})
    result = send(served, "wh", "subject", '{"a": "ü"}')
    assert (result.delivered, result.status, result.text) == (True, 200, '{"ok":true}')
    send(served, "bare", "subject", "{}")
    first, second = receiver.got
    assert (first.method, first.path, first.body) == (method, "/hook?x=1", '{"a": "ü"}')
    assert headers.items() <= first.headers.items()
    assert (second.method, second.headers["Content-type"]) == ("POST", "application/json")


@pytest.mark.parametrize(("kind", "key"), [("slack", "text"), ("chime", "Content"), ("microsoft_teams", "text")])
def test_chat_services_get_title_and_message_in_json(receiver: Receiver, kind: str, key: str) -> None:
    async def deliver() -> None:
        sender = HttpSender()
        delivery = await sender.send(kind, {"url": f"http://{receiver.address}/chat"}, "Title", 'line "1"')
        await sender.close()
        assert delivery.status == 200

    # The plugin takes only the services' own hosts for these channels, so the sender is called without it.
    asyncio.run(deliver())
    [got] = receiver.got
    assert json.loads(got.body) == {key: 'Title\n\nline "1"'}


def test_denied_hosts_are_not_called(served: Served, client: httpx.Client, receiver: Receiver) -> None:
    create(client, "wh", "webhook", {"url": f"http://{receiver.address}/hook"})
    name = "opensearch.notifications.core.http.host_deny_list"
    client.put("/_cluster/settings", json={"persistent": {name: ["127.0.0.0/8"]}}).raise_for_status()
    shown = client.get("/_cluster/settings", params={"flat_settings": "true"}).json()
    assert shown["persistent"] == {name: ["127.0.0.0/8"]}
    result = send(served, "wh", "s", "m")
    assert (result.delivered, result.status, receiver.got) == (False, 400, [])
    client.put("/_cluster/settings", json={"persistent": {name: None}}).raise_for_status()
    assert send(served, "wh", "s", "m").delivered


def test_what_cannot_be_sent_is_told(served: Served, client: httpx.Client, receiver: Receiver) -> None:
    arn = "arn:aws:sns:us-east-1:123456789012:t"
    create(client, "aws", "sns", {"topic_arn": arn})
    create(client, "off", "webhook", {"url": f"http://{receiver.address}/hook"}, is_enabled=False)
    create(client, "group", "email_group", {"recipient_list": [{"recipient": "b@example.org"}]})
    statuses = {id_: send(served, id_, "s", "m").status for id_ in ("missing", "off", "group", "aws")}
    assert statuses == {"missing": 404, "off": 423, "group": 400, "aws": 424}
    assert receiver.got == []
    answer = client.post("/_plugins/_notifications/feature/test/aws")
    assert answer.status_code == 424
    assert "cannot reach AWS" in answer.text


def test_unknown_plugin_settings_are_the_nodes_to_refuse(client: httpx.Client) -> None:
    answer = client.put("/_cluster/settings", json={"persistent": {"plugins.alerting.bogus": 1}})
    assert answer.status_code == 400
    assert "not recognized" in answer.json()["error"]["reason"]
    assert "x-provisioner-stand-in" not in answer.headers
