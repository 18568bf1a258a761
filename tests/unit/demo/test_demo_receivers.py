"""The demo's own web server and mail server, spoken to over the network."""

from __future__ import annotations

import smtplib
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from email.message import EmailMessage

import pytest

from provisioner.demo import watch
from provisioner.demo.errors import DemoError
from provisioner.demo.receivers import LARGEST, Receivers
from provisioner.devcluster.process import free_port


@pytest.fixture
def receivers() -> Iterator[Receivers]:
    made = Receivers(19660, 19660)
    made.open()
    yield made
    made.close()


def test_a_post_is_kept_with_its_path_headers_and_body(receivers: Receivers) -> None:
    request = urllib.request.Request(
        f"{receivers.http}/slack", data="10.0.0.1,jörg".encode(), headers={"X-Routing-Key": "abc"}
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.status == 200
    [post] = receivers.posts
    assert (post.path, post.body, post.headers["X-Routing-Key"]) == ("/slack", "10.0.0.1,jörg", "abc")
    assert watch.post_of(receivers.posts, ("10.0.0.1", "jörg")) is post
    assert watch.post_of(receivers.posts, ("10.0.0.1", "root")) is None


def test_a_post_that_is_too_large_is_refused(receivers: Receivers) -> None:
    with socket.create_connection(("127.0.0.1", receivers.http_port), timeout=5) as connection:
        connection.sendall(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {LARGEST + 1}\r\n\r\n".encode())
        assert b" 413 " in connection.recv(100)
    assert receivers.posts == []


def test_a_mail_is_kept_with_its_subject_and_text(receivers: Receivers) -> None:
    mail = EmailMessage()
    mail["Subject"] = "[High] Brute-force login"
    mail.set_content('source.ip, actor.username: 10.0.0.1,o"brien\n')
    with smtplib.SMTP("127.0.0.1", receivers.smtp_port, timeout=5) as server:
        server.send_message(mail, "alerts@example.org", ["security@example.org"])
    [kept] = receivers.mails
    assert (kept.subject, kept.recipients) == ("[High] Brute-force login", ("security@example.org",))
    assert watch.mail_of(receivers.mails, ("10.0.0.1", 'o"brien')) is kept


def test_a_mail_with_a_log_line_beyond_the_limit_of_smtp_arrives(receivers: Receivers) -> None:
    with smtplib.SMTP("127.0.0.1", receivers.smtp_port, timeout=5) as server:
        server.sendmail("a@example.org", ["b@example.org"], "Subject: long\n\n" + "x" * 5000)
    assert receivers.mails[0].text.strip() == "x" * 5000


def test_a_taken_port_gives_way_to_the_next_free_one(receivers: Receivers) -> None:
    other = Receivers(receivers.http_port, receivers.http_port)
    with closing(other):
        other.open()
        ports = {receivers.http_port, receivers.smtp_port, other.http_port, other.smtp_port}
        assert len(ports) == 4
        with smtplib.SMTP("127.0.0.1", other.smtp_port, timeout=5) as server:
            server.sendmail("a@example.org", ["b@example.org"], "Subject: other\n\ntext")
    assert (len(other.mails), receivers.mails) == (1, [])


def test_where_no_port_can_be_had_a_sentence_says_so_and_nothing_stays_open(
    receivers: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provisioner.demo.receivers._TRIED", 1)
    http, smtp = free_port(range(receivers.smtp_port + 1, 19700)), receivers.smtp_port
    with pytest.raises(
        DemoError, match=f"no port from {smtp} to {smtp} can be used: Address already in use"
    ) as failure:
        Receivers(http, smtp).open()
    assert failure.value.hint == "choose another by --smtp-port"
    assert free_port([http]) == http
    with pytest.raises(DemoError, match=f"no port from {receivers.http_port} to"):
        Receivers(receivers.http_port, http).open()


def test_closing_twice_is_fine(receivers: Receivers) -> None:
    receivers.close()
    receivers.close()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(receivers.http, timeout=1)
