"""Labelled events: log lines and nested JSON in which it is known where each secret stands, and what must stay.

A value goes into a slot (`password={}`), the slot into a line (of a web server, sshd, a stack trace, SQL, JSON in
JSON), the line into an event; or a value stands below a key, at any depth. Labels are the path of the text and the
place in it. Always the same events for the same seed.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness import secretforms as forms
from harness.lookalikes import LOOKALIKES, NEUTRAL_KEYS
from harness.secretforms import Form

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Planted:
    """A secret: where it stands (whole value where `end` is 0), and how much around it may go with it."""

    form: str
    group: str
    path: Path
    start: int = 0
    end: int = 0
    widest: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Labelled:
    """An event and what stands in it; `kind` names the look-alike of an event in which nothing was planted."""

    event: dict[str, Any]
    planted: tuple[Planted, ...] = ()
    kind: str = ""


@dataclass(frozen=True)
class _Text:
    """A text with one secret: what stands before it, the secret, what stands behind; widest in characters each way."""

    before: str
    value: str
    after: str
    wide: tuple[int, int] = (0, 0)
    form: Form = field(default=forms.PASSWORD)

    def within(self, line: str) -> _Text:
        """In a template of a line."""
        before, after = line.split("{}")
        return _Text(before + self.before, self.value, self.after + after, self.wide, self.form)

    def escaped(self) -> _Text:
        """As it stands in a JSON string."""
        inner = [json.dumps(part)[1:-1] for part in (self.before, self.value, self.after)]
        return _Text(inner[0], inner[1], inner[2], self.wide, self.form)

    def text(self) -> str:
        return self.before + self.value + self.after

    def planted(self, path: Path) -> Planted:
        start = len(self.before)
        end = start + len(self.value)
        return Planted(self.form.name, self.form.group, path, start, end, (start - self.wide[0], end + self.wide[1]))


PLAIN = (
    "{}",
    "value={}",
    "note: {}",
    "'{}'",
    '"{}"',
    "({})",
    "[{}]",
    "got {}, retrying",
    "arg0={};",
    "<{}>",
    '"data":"{}"',
)
PASSWORD = (
    "password={}", "passwd={}", "pwd={}", "PASSWORD: {}", "db_password={}", "user.password={}", "--password={}",
    "--password {}", "PGPASSWORD={}", "spring.datasource.password={}", "Server=db;User Id=app;Password={};",
    "pass={}", "passphrase: {}", '"password":"{}"', "'password': '{}'", '\\"password\\":\\"{}\\"', "password => {}",
    "/login?user=a&password={}&x=1", "<password>{}</password>", "userPassword={}", "admin-passwd={}",
    "Passwort und password: {}", "new_password={}&confirm=1", "ANSIBLE_VAULT_PASSWORD={}", "password = {}",
    "smtp_pass={}", "root_pwd={}",
)  # fmt: skip
PHRASE = (
    'password="{}"', "password='{}'", '"password": "{}"', '\\"dbPassword\\": \\"{}\\"', 'passphrase => "{}"',
    "'user_password': '{}'", "new-password: '{}'", '"pwd" : "{}"',
)  # fmt: skip
KEY = (
    "api_key={}", "apikey: {}", "X-API-Key: {}", "api-key={}", "client_secret={}", '"clientSecret":"{}"',
    "secret_key={}", "SECRET_KEY={}", "access_token={}", "refresh_token={}", "auth_token={}", "session_token={}",
    "/v1/x?access_token={}&page=2", "encryption_key={}", "signing_key={}", "token={}", "secret={}",
    "STRIPE_API_KEY={}", "'apiKey': '{}'", "webhook_secret: {}",
)  # fmt: skip
AWS_SECRET = ("aws_secret_access_key={}", "AWS_SECRET_ACCESS_KEY={}", '"SecretAccessKey": "{}"', "secretAccessKey={}")
BEARER = (
    "Authorization: «Bearer {}»", "authorization: «bearer {}»", '"Authorization": "«Bearer {}»"',
    "got «Bearer {}» from client", "curl -H 'Authorization: «Bearer {}»' https://example.org",
    "Proxy-Authorization: «BEARER {}»", '\\"authorization\\":\\"«Bearer {}»\\"',
)  # fmt: skip
BASIC = (
    "Authorization: «Basic {}»", '"authorization":"«Basic {}»"', "Proxy-Authorization: «Basic {}»",
    "curl -H 'Authorization: «Basic {}»' https://example.org", "authorization=«basic {}»",
)  # fmt: skip
URL_PASSWORD = (
    "postgres://app:{}@db.example.org:5432/x", "https://anna:{}@example.org/p?q=1",
    "amqp://guest:{}@mq.example.org/", "mongodb+srv://u:{}@c0.example.net/?w=1",
    "redis://:{}@cache.example.org:6379/0", "url='ftp://anna:{}@ftp.example.org'",
    "DATABASE_URL=mysql2://root:{}@127.0.0.1/app",
)  # fmt: skip
_CONNECTION = "DefaultEndpointsProtocol=https;AccountName=acct;AccountKey={};EndpointSuffix=core.windows.net"
_BUS = "Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey={};EntityPath=q"
_SAS = "https://acct.blob.core.windows.net/c/f.csv?sv=2022-11-02&sp=r&sig={}"
_WEBHOOK = "«https://hooks.slack.com/services/T01ABCDEF2/B01ABCDEF34/{}»"

CONTEXTS: tuple[tuple[Form, tuple[str, ...]], ...] = (
    *((form, PLAIN) for form in forms.ANYWHERE),
    (forms.PASSWORD, PASSWORD), (forms.PHRASE, PHRASE), (forms.KEY, KEY), (forms.AWS_SECRET, AWS_SECRET),
    (forms.BEARER, BEARER), (forms.BASIC, BASIC), (forms.URL_PASSWORD, URL_PASSWORD),
    (forms.AZURE_ACCOUNT, (_CONNECTION,)), (forms.AZURE_SHARED, (_BUS,)), (forms.AZURE_SAS, (_SAS,)),
    (forms.SLACK_WEBHOOK, (_WEBHOOK,)),
    (forms.SLACK_ROTATING, ("refreshed «xoxe.{}»", "'«xoxe.{}»'")),
)  # fmt: skip

LINES = (
    "{}", "May 11 14:23:45 web-1 sshd[812]: {}",
    "2026-05-11T14:23:45.123Z INFO  [main] org.example.Auth - request 7f3a: {}",
    "E0511 14:23:45.123456       1 controller.go:114] error syncing x: {} , requeuing",
    "sudo: anna : TTY=pts/0 ; PWD=/home/anna ; USER=root ; COMMAND=/usr/bin/deploy {}",
    "java.lang.IllegalStateException: {}\n\tat org.example.Auth.login(Auth.java:42)\n"
    "\tat java.base/java.lang.Thread.run(Thread.java:1583)",
    'Traceback (most recent call last):\n  File "/app/auth.py", line 42, in login\n'
    "    raise ValueError(text)\nValueError: {}",
    "POST /login HTTP/1.1\r\nHost: example.org\r\nUser-Agent: curl/8.5.0\r\n{}\r\nContent-Length: 12",
    "2026-05-11 14:23:45 UTC [812] app@db LOG:  duration: 12.345 ms  statement: SELECT 1 /* {} */",
    "2026-05-11,web-1,{} ,200,0.123",
    '10.0.0.7 - - [11/May/2026:14:23:45 +0000] "GET /x HTTP/1.1" 200 512 "https://example.org/?next={}" "curl/8.5.0"',
    'ts=2026-05-11T14:23:45Z level=info status=200 msg="{}" took=12ms',
    "UPDATE accounts SET note = '{}' WHERE id = 42", "<event><text>{}</text><status>200</status></event>",
)  # fmt: skip
_CLASHES = {10: " \n\"'", 11: '"', 12: "'", 13: "<>&", 9: ",\n"}
"""Characters that would end the place in a line: such a slot goes into another line."""

SENSITIVE = (
    "password", "passwd", "pwd", "passphrase", "user_password", "db_password", "new_password", "secret",
    "client_secret", "api_key", "x_api_key", "access_token", "refresh_token", "id_token", "auth_token",
    "session_token", "authorization", "proxy_authorization", "cookie", "set_cookie", "private_key", "secret_key",
    "secret_access_key", "ssn", "social_security_number", "credit_card", "credit_card_number", "card_number", "cvv",
    "cvc", "pin", "csrf_token", "encryption_key", "signing_key", "connection_string", "webhook_secret",
)  # fmt: skip
"""Names of the OWASP Logging Cheat Sheet's "data to exclude", as applications write them."""


def style(rng: random.Random, name: str) -> str:
    """The name in one of the usual styles."""
    parts = name.split("_")
    capitals = [part.capitalize() for part in parts]
    return rng.choice(
        (name, name.upper(), "-".join(parts), ".".join(parts), "-".join(capitals), "".join(capitals),
         parts[0] + "".join(capitals[1:]), "app." + name, "_" + name)
    )  # fmt: skip


def _slot(rng: random.Random, form: Form, slots: Sequence[str]) -> _Text:
    slot = rng.choice(slots)
    bare = slot.replace("«", "").replace("»", "")
    before, after = bare.split("{}")
    left = len(slot.split("{}")[0]) - slot.find("«") - 1 if "«" in slot else 0
    right = slot.find("»") - slot.find("{}") - 2 if "»" in slot else 0
    return _Text(before, form.make(rng), after, (left, right), form)


def _line(rng: random.Random, text: _Text) -> _Text:
    """In a line; at times as JSON in it, or as JSON in JSON."""
    deep = rng.random()
    if deep < 0.12:
        return text.escaped().within('{"level":"info","msg":"{}","status":200}')
    if deep < 0.18:
        return text.escaped().escaped().within('{"log":"{\\"msg\\":\\"{}\\",\\"n\\":1}"}')
    inside = text.text()
    fitting = [line for n, line in enumerate(LINES) if not any(c in inside for c in _CLASHES.get(n, ""))]
    return text.within(rng.choice(fitting))


def lookalike(rng: random.Random) -> str:
    """Any of them."""
    return LOOKALIKES[rng.choice(list(LOOKALIKES))](rng)


def _harmless(rng: random.Random) -> Any:
    return rng.choice(
        (lookalike(rng), lookalike(rng), rng.randint(0, 10**12), rng.random(), True, None, "ok", 4111111111111111)
    )


def _base(rng: random.Random, message: str) -> dict[str, Any]:
    """An event of the article's shape."""
    return {
        "@timestamp": "2026-05-11T14:23:45.123Z",
        "event_id": "evt_" + forms.some(rng, 12),
        "category": "authentication",
        "action": "login_failed",
        "severity": "warning",
        "message": message,
        "source": {"ip": "203.0.113.42", "country": "US"},
        "actor": {"user_id": "user_" + forms.some(rng, 6), "username": "jdoe"},
        "context": {"application": "web-app", "version": "2.4.1", "trace_id": forms.some(rng, 32, forms.HEX)},
    }


def _deep(rng: random.Random, leaf: dict[str, Any], top: Path) -> tuple[Any, Path]:
    """The mapping below others and in lists, with harmless neighbours; the path to it."""
    path: list[str | int] = []
    node: Any = leaf
    for _ in range(rng.randint(0, 6)):
        if rng.random() < 0.3:
            before = [_harmless(rng) for _ in range(rng.randint(0, 2))]
            path.insert(0, len(before))
            node = [*before, node, _harmless(rng)]
        else:
            name = rng.choice(("request", "body", "payload", "user", "http.request", "items", "meta"))
            path.insert(0, name)
            node = {rng.choice(NEUTRAL_KEYS): _harmless(rng), name: node}
    return node, (*top, *path)


def _in_line(rng: random.Random, form: Form, slots: Sequence[str]) -> Labelled:
    text = _line(rng, _slot(rng, form, slots))
    return Labelled(_base(rng, text.text()), (text.planted(("message",)),))


def _in_field(rng: random.Random, form: Form, slots: Sequence[str]) -> Labelled:
    """In a text anywhere in the event, below a neutral key."""
    text = _slot(rng, form, slots)
    key = rng.choice(("value", "note", "q", "url", "command", "args", "description"))
    below, path = _deep(rng, {key: text.text(), rng.choice(NEUTRAL_KEYS): _harmless(rng)}, ("labels",))
    return Labelled(_base(rng, "see labels") | {"labels": below}, (text.planted((*path, key)),))


def _below_key(rng: random.Random, name: str) -> Labelled:
    key = style(rng, name)
    several = ([forms.password(rng), "x7"], {"value": forms.some(rng, 9), "n": [17]})
    value: Any = rng.choice((forms.password(rng), forms.some(rng, 24), rng.randint(100, 10**9), *several))
    below, path = _deep(rng, {key: value, rng.choice(NEUTRAL_KEYS): _harmless(rng)}, ("labels",))
    found = tuple(Planted("key " + name, "sensitive key", leaf) for leaf, _ in leaves(value, (*path, key)))
    return Labelled(_base(rng, "see labels") | {"labels": below}, found)


def _alike(rng: random.Random, kind: str) -> Labelled:
    """Nothing to find: look-alikes in a line and in fields."""
    form = Form(kind, "", "", LOOKALIKES[kind])
    line = _line(rng, _slot(rng, form, PLAIN)).text()
    below, _ = _deep(rng, {rng.choice(NEUTRAL_KEYS): form.make(rng), "n": form.make(rng)}, ("labels",))
    return Labelled(_base(rng, line) | {"labels": below}, (), kind)


def leaves(node: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Every value that is no mapping or list, with its path."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from leaves(value, (*path, index))
    else:
        yield path, node


def labelled(per_form: int, seed: int = 20260511) -> Iterator[Labelled]:
    """So many events for each form and each look-alike, by turns in lines and in fields."""
    rng = random.Random(seed)
    for turn in range(per_form):
        for form, slots in CONTEXTS:
            yield (_in_field if turn % 3 == 2 else _in_line)(rng, form, slots)
        for name in SENSITIVE:
            yield _below_key(rng, name)
        for kind in LOOKALIKES:
            yield _alike(rng, kind)
