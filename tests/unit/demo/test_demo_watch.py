"""What of a log is shown before redaction has seen it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from provisioner.demo import count, watch
from provisioner.demo.receivers import Post


@pytest.mark.parametrize("user", ["root", "Administrator", "ftp.user-2", "svc_backup1"])
def test_user_names_are_shown(user: str) -> None:
    assert watch.shown(user) == user


@pytest.mark.parametrize("user", ["4111111111111111", "AKIAABCDEFGHIJKLMNOP", "password=x", "", "219-09-9999", "a b"])
def test_what_may_be_a_secret_is_not(user: str) -> None:
    assert watch.shown(user) == f"a name of {len(user)} characters"
    assert not user or user not in watch.words([("192.0.2.1", user)])


def test_many_pairs_are_told_in_short() -> None:
    pairs = [(f"192.0.2.{number}", "root") for number in range(7)]
    assert watch.words(pairs).endswith("root from 192.0.2.4 and 2 more")


def test_braces_are_set_apart_as_the_monitor_does() -> None:
    assert count.as_key(("192.0.2.1", "{{ctx}}")) == ("192.0.2.1", "{ { ctx}}")
    assert count.as_key(("192.0.2.1", "{x}")) == ("192.0.2.1", "{x}")


def test_a_notification_about_a_redacted_name_is_about_every_name_of_its_address() -> None:
    post = Post(datetime.now(UTC), "/slack", {}, "source.ip, actor.username: 192.0.2.7,password=[password_REDACTED]\n")
    assert watch.post_of([post], ("192.0.2.7", "password=x")) is post
    assert watch.post_of([post], ("192.0.2.71", "password=x")) is None
    assert watch.post_of([post], ("92.0.2.7", "root")) is None
