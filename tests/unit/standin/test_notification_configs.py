"""Channels: normal forms, refusals, list filters."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.devcluster.standin.errors import OpenSearchError
from provisioner.devcluster.standin.located import UnexpectedTokenError, locate
from provisioner.devcluster.standin.notifications.http import build_request
from provisioner.devcluster.standin.notifications.model import check_id, check_type, parse_request
from provisioner.devcluster.standin.notifications.query import FILTERS, filter_by, sort_by


def parse(config_type: str, data: Any, **more: Any) -> dict[str, Any]:
    config = {"name": "n", "config_type": config_type, config_type: data, **more}
    return parse_request({"config": config}).config


@pytest.mark.parametrize(
    ("config_type", "sent", "shown"),
    [
        ("webhook", {"url": "http://x/y"}, {"url": "http://x/y", "header_params": {}, "method": "POST"}),
        ("webhook", {"url": "HTTP://x", "method": "GET"}, {"url": "HTTP://x", "header_params": {}, "method": "POST"}),
        (
            "email",
            {"email_account_id": "a"},
            {"email_account_id": "a", "recipient_list": [], "email_group_id_list": []},
        ),
        (
            "smtp_account",
            {"host": "h", "port": "25", "method": "weird", "from_address": "a@b.de"},
            {"host": "h", "port": 25, "method": "none", "from_address": "a@b.de"},
        ),
        ("ses_account", {"region": "r", "from_address": "a@b.de"}, {"region": "r", "from_address": "a@b.de"}),
        ("sns", {"topic_arn": "arn:aws:sns:eu:123456789012:t"}, {"topic_arn": "arn:aws:sns:eu:123456789012:t"}),
        (
            "email_group",
            {"recipient_list": [{"recipient": "a@b.de", "x": 1}]},
            {"recipient_list": [{"recipient": "a@b.de"}]},
        ),
    ],
)
def test_normal_forms(config_type: str, sent: dict[str, Any], shown: dict[str, Any]) -> None:
    assert parse(config_type, {**sent, "bogus": 1}, bogus=2) == {
        "name": "n",
        "description": "",
        "config_type": config_type,
        "is_enabled": True,
        config_type: shown,
    }


@pytest.mark.parametrize(
    ("config_type", "sent", "status", "reason"),
    [
        ("webhook", {}, 400, "url field absent"),
        ("webhook", {"url": ""}, 400, "URL is null or empty"),
        ("webhook", {"url": "foo://x"}, 500, "unknown protocol: foo"),
        ("webhook", {"url": "http://x:port/"}, 500, 'For input string: "port"'),
        ("webhook", {"url": {"a": 1}}, 500, "Can't get text on a START_OBJECT at 1:1"),
        (
            "smtp_account",
            {"host": "h", "port": 0, "method": "ssl", "from_address": "a@b.de"},
            400,
            "port should be positive value",
        ),
        ("smtp_account", {"host": "h", "port": 1, "from_address": "a@b.de"}, 400, "method field absent"),
        ("email", {}, 400, "email_account_id field absent"),
        ("email_group", {}, 400, "recipient_list field absent"),
        ("email_group", {"recipient_list": [{"recipient": "a@b\nBcc: c@d.de"}]}, 400, "Invalid email address"),
        ("ses_account", {"region": "", "from_address": "a@b.de"}, 400, "awsRegion is null or empty"),
        ("sns", {"topic_arn": "arn:aws:sns:eu:123456789012:t", "role_arn": "r"}, 400, "Invalid AWS role ARN: r "),
    ],
)
def test_refusals(config_type: str, sent: dict[str, Any], status: int, reason: str) -> None:
    with pytest.raises(OpenSearchError) as refused:
        parse(config_type, sent)
    assert (refused.value.status, refused.value.reason) == (status, reason)


def test_the_first_object_named_like_a_type_is_the_data() -> None:
    slack = {"url": "https://hooks.slack.com/services/x"}
    with pytest.raises(OpenSearchError, match="ConfigType: webhook and data doesn't match"):
        parse_request(
            {"config": {"name": "n", "config_type": "webhook", "slack": slack, "webhook": {"url": "http://x"}}}
        )


@pytest.mark.parametrize(
    ("config_type", "url", "allowed"),
    [
        ("slack", "https://hooks.slack.com/services/a", True),
        ("slack", "https://hooks.gov-slack.com/services/a", True),
        ("slack", "http://hooks.slack.com/services/a", False),
        ("chime", "https://hooks.chime.aws/incomingwebhooks/x?token=y", True),
        ("chime", "https://hooks.chime.aws/incomingwebhooks/x", False),
        ("microsoft_teams", "https://acme.webhook.office.com/x", True),
        ("microsoft_teams", "https://webhook.office.com.evil.example/x", False),
    ],
)
def test_chat_urls_must_be_the_services_own(config_type: str, url: str, allowed: bool) -> None:
    config = parse(config_type, {"url": url})
    if allowed:
        check_type(config)
    else:
        with pytest.raises(OpenSearchError, match="Wrong"):
            check_type(config)


@pytest.mark.parametrize("id_", ["", "a b", "ü", "a.b", "a:b"])
def test_ids_of_other_characters_are_refused(id_: str) -> None:
    with pytest.raises(OpenSearchError, match="Invalid characters in id"):
        check_id(id_)


def test_a_token_is_located_in_nested_arrays() -> None:
    text = '{"a": [1, {"b": "x,]}"}, [true]],\n "c": {"d":\n  5}}'
    assert locate(text, ("a", 1, "b")) == (1, 17)
    assert locate(text, ("a", 2)) == (1, 26)
    assert locate(text, ("c", "d")) == (3, 3)
    with pytest.raises(UnexpectedTokenError):
        parse("email_group", {"recipient_list": "a@b.de"})


def test_filters_and_sort_order() -> None:
    assert {"name", "config_type", "query", "slack.url", "email.recipient_list.recipient"} <= FILTERS
    assert sort_by(None, None) == [{"metadata.last_updated_time_ms": "asc"}]
    assert sort_by("config_type", "DESC") == [{"config.config_type": "desc"}]
    filters = filter_by(
        {"config_type": "slack,chime", "created_time_ms": "1..2", "email.recipient_list.recipient": "a"}
    )
    assert filters["bool"]["filter"] == [
        {"terms": {"config.config_type": ["slack", "chime"]}},
        {"range": {"metadata.created_time_ms": {"gte": "1", "lte": "2"}}},
        {
            "nested": {
                "path": "config.email.recipient_list",
                "query": {"match": {"config.email.recipient_list.recipient": "a"}},
            }
        },
    ]
    with pytest.raises(OpenSearchError, match="No enum constant"):
        sort_by("name", "sideways")
    with pytest.raises(OpenSearchError, match="Invalid Range format"):
        filter_by({"created_time_ms": "1..2..3"})


def test_a_webhooks_own_headers_take_the_place_of_the_default() -> None:
    data = {"url": "http://x/y?z=1", "method": "PUT", "header_params": {"X-A": "b"}}
    request = build_request("webhook", data, "t", "ü")
    assert (request.method, str(request.url), request.content) == ("PUT", "http://x/y?z=1", "ü".encode())
    assert request.headers["x-a"] == "b"
    assert request.headers["content-type"] == "text/plain; charset=UTF-8"
