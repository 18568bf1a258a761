"""What a channel's configuration may be, and how GET shows it.

The rules are those of OpenSearch 3.4.0 (recordings: notifications.jsonl). Unknown fields are dropped, the first object
that is named like a type is the configuration's data, and defaults are filled in.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from provisioner.devcluster.standin.errors import OpenSearchError, illegal_argument, status_exception
from provisioner.devcluster.standin.located import Path, expect_array, expect_object
from provisioner.devcluster.standin.scalars import boolean, integer, text

TYPES = ("slack", "chime", "microsoft_teams", "webhook", "email", "sns", "ses_account", "smtp_account", "email_group")
# Those that a message can be sent to.
CHANNEL_TYPES = ("slack", "chime", "microsoft_teams", "webhook", "email", "sns")

_ID_CHARS = re.compile(r"[A-Za-z0-9+/_-]")
_JAVA_PROTOCOLS = ("http", "https", "ftp", "file", "jar", "mailto", "jrt", "jmod")
# RFC 5322 dot-atom or quoted local part; a domain of at least two labels, or an address literal.
_EMAIL = re.compile(
    r"""(?:[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*|"(?:[^"\\\n]|\\.)*")"""
    r"@(?:(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]*[a-z0-9])?|\[[0-9a-f.:]+\])",
    re.IGNORECASE,
)
_TOPIC_ARN = re.compile(r"arn:aws(-[^:]+)?:sns:([a-zA-Z0-9-]+):([0-9]{12}):([a-zA-Z_0-9+=,.@\-/]+)")
_ROLE_ARN = re.compile(r"arn:aws(-[^:]+)?:iam::([0-9]{12}):([a-zA-Z_0-9+=,.@\-/]+)")

# Checked when a config is written: (pattern that the URL must contain, the reason when it doesn't).
_HOST_RULES = {
    "slack": (
        re.compile(r"https://hooks\.(?:gov-)?slack\.com/services"),
        'Wrong Slack url. Should contain "hooks.slack.com/services/" or "hooks.gov-slack.com/services/"',
    ),
    "chime": (
        re.compile(r"https://hooks\.chime\.aws/incomingwebhooks/.*\?token="),
        'Wrong Chime url. Should contain "hooks.chime.aws/incomingwebhooks/" and "?token="',
    ),
    "microsoft_teams": (
        re.compile(r"https://.*\.webhook\.office\.com"),
        'Wrong Microsoft Teams url. Should contain "webhook.office.com"',
    ),
}


@dataclass(frozen=True)
class Wanted:
    """A parsed create or update request: the id that the client chose, if any, and the normalized config."""

    config_id: str | None
    config: dict[str, Any]


def parse_request(body: Any) -> Wanted:
    """Read `{"config_id"?, "config": {…}}`. Raises 400 illegal_argument_exception, or UnexpectedTokenError."""
    config_id: str | None = None
    config: dict[str, Any] | None = None
    for name, value in expect_object(body, ()).items():
        if name == "config_id":
            config_id = None if value is None else text(value)
        elif name == "config":
            config = parse_config(value, ("config",))
    if config is None:
        raise illegal_argument("config field absent")
    return Wanted(config_id, config)


def check_id(config_id: str) -> None:
    """Raise 400 for an id with characters that the plugin refuses."""
    bad = _ID_CHARS.sub("", config_id)
    if bad or not config_id:
        raise illegal_argument(f"Invalid characters in id : {bad}")


def parse_config(value: Any, path: Path) -> dict[str, Any]:
    """Normalize one config: `{"name", "description", "config_type", "is_enabled", <type>: {…}}` in this order."""
    fields = expect_object(value, path)
    data: tuple[str, dict[str, Any]] | None = None
    for name, inner in fields.items():
        if name in TYPES and data is None:
            data = name, _DATA[name](expect_object(inner, (*path, name)), (*path, name))
    for required in ("name", "config_type"):
        if fields.get(required) is None:
            raise illegal_argument(f"{required} field absent")
    name, config_type = text(fields["name"]), text(fields["config_type"])
    if not name:
        raise illegal_argument("name is null or empty")
    known = config_type in TYPES
    if known and (data is None or data[0] != config_type):
        raise illegal_argument(f"ConfigType: {config_type} and data doesn't match")
    config: dict[str, Any] = {
        "name": name,
        "description": text(fields.get("description", "")),
        "config_type": config_type if known else "none",
        "is_enabled": boolean(fields.get("is_enabled", True)),
    }
    if known and data is not None:
        config[config_type] = data[1]
    return config


def check_type(config: dict[str, Any]) -> None:
    """What the plugin checks after parsing, of a config alone. Raises 406 or 400 status_exception."""
    config_type = config["config_type"]
    if config_type == "none":
        raise status_exception(406, "NotificationConfig with type NONE is not acceptable")
    if config_type in _HOST_RULES:
        pattern, reason = _HOST_RULES[config_type]
        if not pattern.search(config[config_type]["url"]):
            raise status_exception(400, reason)


def _needed(data: dict[str, Any], name: str) -> str:
    if data.get(name) is None:
        raise illegal_argument(f"{name} field absent")
    return text(data[name])


def _url_of(data: dict[str, Any]) -> str:
    url = _needed(data, "url")
    if not url:
        raise illegal_argument("URL is null or empty")
    scheme, colon, _ = url.partition(":")
    if not colon or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme):
        raise OpenSearchError(500, "malformed_u_r_l_exception", f"no protocol: {url}")
    if scheme.lower() not in _JAVA_PROTOCOLS:
        raise OpenSearchError(500, "malformed_u_r_l_exception", f"unknown protocol: {scheme.lower()}")
    if scheme.lower() not in ("http", "https"):
        raise illegal_argument("Invalid URL or unsupported")
    try:
        _ = urlsplit(url).port
    except ValueError:
        port = urlsplit(url).netloc.rpartition(":")[2]
        raise OpenSearchError(500, "malformed_u_r_l_exception", f'For input string: "{port}"') from None
    return url


def _email_address(address: str) -> str:
    if not _EMAIL.fullmatch(address):
        raise illegal_argument("Invalid email address")
    return address


def _role(data: dict[str, Any]) -> dict[str, Any]:
    if data.get("role_arn") is None:
        return {}
    role = text(data["role_arn"])
    if not _ROLE_ARN.fullmatch(role):
        raise illegal_argument(f"Invalid AWS role ARN: {role} ")
    return {"role_arn": role}


def _recipients(data: dict[str, Any], path: Path) -> list[dict[str, str]]:
    where = (*path, "recipient_list")
    made = []
    for number, entry in enumerate(expect_array(data["recipient_list"], where)):
        recipient = _needed(expect_object(entry, (*where, number)), "recipient")
        made.append({"recipient": _email_address(recipient)})
    return made


def _chat(data: dict[str, Any], _path: Path) -> dict[str, Any]:
    return {"url": _url_of(data)}


def _webhook(data: dict[str, Any], path: Path) -> dict[str, Any]:
    headers = expect_object(data.get("header_params", {}), (*path, "header_params"))
    method = text(data.get("method", "POST"))
    return {
        "url": _url_of(data),
        "header_params": {k: text(v) for k, v in headers.items()},
        # An unknown method silently becomes POST.
        "method": method if method in ("POST", "PUT", "PATCH") else "POST",
    }


def _email(data: dict[str, Any], path: Path) -> dict[str, Any]:
    account = _needed(data, "email_account_id")
    if not account:
        raise illegal_argument("emailAccountID is null or empty")
    groups = expect_array(data.get("email_group_id_list", []), (*path, "email_group_id_list"))
    return {
        "email_account_id": account,
        "recipient_list": _recipients(data, path) if "recipient_list" in data else [],
        "email_group_id_list": [text(g) for g in groups],
    }


def _email_group(data: dict[str, Any], path: Path) -> dict[str, Any]:
    if data.get("recipient_list") is None:
        raise illegal_argument("recipient_list field absent")
    return {"recipient_list": _recipients(data, path)}


def _sns(data: dict[str, Any], _path: Path) -> dict[str, Any]:
    topic = _needed(data, "topic_arn")
    if not _TOPIC_ARN.fullmatch(topic):
        raise illegal_argument(f"Invalid AWS SNS topic ARN: {topic}")
    return {"topic_arn": topic, **_role(data)}


def _smtp_account(data: dict[str, Any], _path: Path) -> dict[str, Any]:
    host, port = _needed(data, "host"), _needed(data, "port")
    method, sender = _needed(data, "method"), _needed(data, "from_address")
    if not host:
        raise illegal_argument("host is null or empty")
    if integer(port) <= 0:
        raise illegal_argument("port should be positive value")
    return {
        "host": host,
        "port": integer(port),
        # An unknown method silently becomes none.
        "method": method if method in ("none", "ssl", "start_tls") else "none",
        "from_address": _email_address(sender),
    }


def _ses_account(data: dict[str, Any], _path: Path) -> dict[str, Any]:
    region, sender = _needed(data, "region"), _needed(data, "from_address")
    if not region:
        raise illegal_argument("awsRegion is null or empty")
    return {"region": region, **_role(data), "from_address": _email_address(sender)}


_DATA: dict[str, Callable[[dict[str, Any], Path], dict[str, Any]]] = {
    "slack": _chat,
    "chime": _chat,
    "microsoft_teams": _chat,
    "webhook": _webhook,
    "email": _email,
    "email_group": _email_group,
    "sns": _sns,
    "smtp_account": _smtp_account,
    "ses_account": _ses_account,
}
