"""Notifications of our own through real channels to a real web server and a real mail server."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from provisioner import notify
from provisioner.demo.receivers import Receivers
from provisioner.errors import ProvisionerError
from provisioner.kinds import all_kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clusters import Cluster

    from provisioner.client import Client

SUBJECT = 'drift: {{ctx.monitor.name}} "quoted" ü☃ <b>&amp;'
MESSAGE = """\
{{ctx.trigger.name}} {{{x}}} {{=<% %>=}} <% y %> {{/z}}
  - path: "C:\\\\x"\ttab
{"a": {"b": [1]}} ünï☃ 🚨 $1 ${env:HOME} %alerts%

end }}"""


@pytest.fixture(scope="module")
def client(cluster: Cluster) -> Client:
    return cluster.client()


@pytest.fixture(scope="module")
def receivers() -> Iterator[Receivers]:
    made = Receivers(19785, 19786)
    made.open()
    yield made
    made.close()


@pytest.fixture(scope="module")
def channels(client: Client, receivers: Receivers) -> Iterator[None]:
    def webhook(url: str) -> dict[str, Any]:
        return {"url": url, "method": "POST", "header_params": {}}

    host, port = receivers.smtp.rsplit(":", 1)
    recipients = [{"recipient": "one@example.org"}, {"recipient": "two@example.org"}]
    wanted: dict[str, tuple[str, bool, dict[str, Any]]] = {
        "notify-hook": ("webhook", True, webhook(f"{receivers.http}/hook")),
        "notify-off": ("webhook", False, webhook(f"{receivers.http}/off")),
        "notify-dead": ("webhook", True, webhook("http://127.0.0.1:9/s3cret")),
        "notify-smtp": (
            "smtp_account",
            True,
            {"host": host, "port": int(port), "method": "none", "from_address": "from@example.org"},
        ),
        "notify-mail": (
            "email",
            True,
            {"email_account_id": "notify-smtp", "recipient_list": recipients, "email_group_id_list": []},
        ),
    }
    kind = all_kinds()["channel"]
    for key, (type_, enabled, inner) in wanted.items():
        body = {"name": key, "description": "", "is_enabled": enabled, "config_type": type_, type_: inner}
        kind.create(client, key, body)
    yield
    for live in kind.live(client, dict.fromkeys(reversed(wanted))):
        kind.delete(client, live)


def arrived(kept: list[Any], before: int, count: int = 1) -> list[Any]:
    deadline = time.monotonic() + 5
    while len(kept) < before + count and time.monotonic() < deadline:
        time.sleep(0.02)
    return kept[before:]


@pytest.mark.usefixtures("channels")
@pytest.mark.parametrize("format_", notify.FORMATS)
def test_a_webhook_gets_the_text_to_the_letter(client: Client, receivers: Receivers, format_: str) -> None:
    before = len(receivers.posts)
    notify.send(client, "notify-hook", SUBJECT, MESSAGE, format_)
    (post,) = arrived(receivers.posts, before)
    assert post.body == notify.filled(SUBJECT, MESSAGE, format_)
    if format_ == "json":
        assert json.loads(post.body) == {"subject": SUBJECT, "message": MESSAGE}


@pytest.mark.usefixtures("channels")
def test_mail_goes_to_each_recipient_with_its_subject(client: Client, receivers: Receivers) -> None:
    before = len(receivers.mails)
    notify.send(client, "notify-mail", f"{SUBJECT}\n second line", MESSAGE)
    mails = arrived(receivers.mails, before, 2)
    assert sorted(recipient for mail in mails for recipient in mail.recipients) == [
        "one@example.org",
        "two@example.org",
    ]
    for mail in mails:
        assert mail.subject.strip() == f"{SUBJECT} second line"  # a long header is folded before its first word
        assert mail.text.rstrip("\r\n") == f"{SUBJECT} second line\n\n{MESSAGE}"


@pytest.mark.usefixtures("channels")
def test_a_text_longer_than_a_script_may_be_arrives_whole(client: Client, receivers: Receivers) -> None:
    before = len(receivers.posts)
    notify.send(client, "notify-hook", "long", "{{x}}\x01é\n" * 30_000)
    (post,) = arrived(receivers.posts, before)
    assert post.body == "long\n\n" + "{{x}}\x01é\n" * 30_000


@pytest.mark.usefixtures("channels")
@pytest.mark.parametrize("channel", ["notify-off", "notify-dead", "notify-smtp", "notify-missing"])
def test_what_can_not_be_sent_is_an_error(client: Client, receivers: Receivers, channel: str) -> None:
    before = len(receivers.posts)
    with pytest.raises(ProvisionerError, match=f"through the channel '{channel}': ") as caught:
        notify.send(client, channel, SUBJECT, MESSAGE)
    assert "s3cret" not in caught.value.message
    assert len(receivers.posts) == before


@pytest.mark.usefixtures("channels")
def test_nothing_is_left_in_the_cluster(client: Client) -> None:
    def count() -> tuple[int, int]:
        alerts = client.request("GET", "/_plugins/_alerting/monitors/alerts")["totalAlerts"]
        query = {"size": 10, "query": {"match_all": {}}}
        return alerts, client.request("POST", "/_plugins/_alerting/monitors/_search", query)["hits"]["total"]["value"]

    before = count()
    notify.send(client, "notify-hook", SUBJECT, MESSAGE)
    assert count() == before
