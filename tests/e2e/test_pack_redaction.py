"""The redaction pipeline on the server's own Painless: what must go, what must stay, and that nobody gets around it."""

from __future__ import annotations

import copy
import hashlib
import uuid
from typing import Any

import pytest
from pack_cluster import OWNER, STREAMS, Pack

from provisioner.errors import ApiError

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
GITHUB = "ghp_" + "a1B2" * 9
EVENT = {
    "@timestamp": "2026-05-11T14:23:45.123Z",
    "category": "authentication",
    "action": "login_failed",
    "severity": "warning",
    "message": "Failed login attempt",
}

# text, what becomes of it
GONE = [
    # passwords: any key that ends so, any case, any separator, quoted or not
    ("login password=hunter2 from web", "login password=[password_REDACTED] from web"),
    ("PASSWORD: hunter2", "PASSWORD: [password_REDACTED]"),
    ('{"password":"hun\\"ter2","user":"x"}', '{"password":"[password_REDACTED]","user":"x"}'),
    ('{ "dbPassword" : "a b c" }', '{ "dbPassword" : "[password_REDACTED]" }'),
    ('b={\\"user_password\\":\\"hunter2\\",\\"n\\":1}', 'b={\\"user_password\\":\\"[password_REDACTED]\\",\\"n\\":1}'),
    ("user-passwd='x y'; next", "user-passwd='[password_REDACTED]'; next"),
    ("(pwd=hunter2)", "(pwd=[password_REDACTED])"),
    ("passphrase => open sesame", "passphrase => [password_REDACTED] sesame"),
    ("mysql --password hunter2 -h db", "mysql --password [password_REDACTED] -h db"),
    ("mysql --password=hunter2 -h db", "mysql --password=[password_REDACTED] -h db"),
    ('"password": ["a", "b"], "x": 1', '"password": [password_REDACTED], "x": 1'),
    ("pin: 1234", "pin: [password_REDACTED]"),
    ("postgres://app:s3cret@db.internal/x", "postgres://app:[password_REDACTED]@db.internal/x"),
    ("?user=a&password=b&x=c", "?user=a&password=[password_REDACTED]&x=c"),
    ('["web-1","--password hunter2"]', '["web-1","--password [password_REDACTED]"]'),
    ("web-1,--password hunter2", "web-1,--password [password_REDACTED]"),
    ("(--password hunter2)", "(--password [password_REDACTED])"),
    # a value without quotes ends where JSON within JSON goes on, and at a backtick; a backslash in it is part of it
    (
        '{"log":"{\\"msg\\":\\"DB_PASSWORD=4f8a\\",\\"n\\":1}"}',
        '{"log":"{\\"msg\\":\\"DB_PASSWORD=[password_REDACTED]\\",\\"n\\":1}"}',
    ),
    ('{"log":"password=a\\\\\\"x\\\\\\""}', '{"log":"password=[password_REDACTED]\\\\\\"x\\\\\\""}'),
    ('"a.ini": "password=x1\\nBACKUP=true"', '"a.ini": "password=[password_REDACTED]\\nBACKUP=true"'),
    ('"h":"Cookie: a=1; b=2\\r\\nHost: x"', '"h":"Cookie: [access_token_REDACTED]\\r\\nHost: x"'),
    ("password=ab\\cd\\", "password=[password_REDACTED]"),
    ("key := `password=x1`; y", "key := `password=[password_REDACTED]`; y"),
    ("password=`x1` y", "password=`[password_REDACTED]` y"),
    # the last part of a dotted key
    ("app.pin=1234 spring.mail.pass: x", "app.pin=[password_REDACTED] spring.mail.pass: [password_REDACTED]"),
    (
        "http.request.headers.authorization=abc http.request.headers.cookie: a=1; b=2",
        "http.request.headers.authorization=[access_token_REDACTED] "
        "http.request.headers.cookie: [access_token_REDACTED]",
    ),
    ("GITHUB_PASSWORD=\nDB_PASSWORD=x1\nNEXT=2", "GITHUB_PASSWORD=\nDB_PASSWORD=[password_REDACTED]\nNEXT=2"),
    # payment cards of every issuer
    *[
        (f"card {number} used", "card [credit_card_REDACTED] used")
        for number in (
            "4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111", "5555555555554444", "2223003122003222",
            "378282246310005", "3782 822463 10005", "6011111111111117", "3530111333300000", "30569309025904",
            "3056 930902 5904", "4222222222222", "6205500000000000004",
        )
    ],
    ("pan:4111111111111111,exp", "pan:[credit_card_REDACTED],exp"),
    ("4111111111111111 and 5555555555554444", "[credit_card_REDACTED] and [credit_card_REDACTED]"),
    (".".join(["4111111111111111"] * 8), ".".join(["[credit_card_REDACTED]"] * 8)),
    # social security numbers that can exist
    ("ssn 123-45-6789.", "ssn [ssn_REDACTED]."),
    # tokens
    ("Authorization: Bearer abcdef1234567890", "Authorization: Bearer [access_token_REDACTED]"),
    ("Authorization: Api-Token 22cb987851bc, x", "Authorization: [access_token_REDACTED], x"),
    ("Proxy-Authorization: ApiKey dGVzdDE6==\nHost: a", "Proxy-Authorization: [access_token_REDACTED]\nHost: a"),
    ("authorization: denied 203.0.113.42", "authorization: [access_token_REDACTED] 203.0.113.42"),
    ("authorization=granted request_id=abc12345", "authorization=[access_token_REDACTED] request_id=abc12345"),
    ("BeArEr abcdef1234567890, ok", "BeArEr [access_token_REDACTED], ok"),
    ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic [access_token_REDACTED]"),
    (f"got {JWT} from client", "got [access_token_REDACTED] from client"),
    ('"access_token": "abc"', '"access_token": "[access_token_REDACTED]"'),
    ("refreshToken=abc", "refreshToken=[access_token_REDACTED]"),
    # keys: by name, and by their vendors' prefixes
    ("X-API-Key: abc123", "X-API-Key: [api_key_REDACTED]"),
    ("api.key=abc123", "api.key=[api_key_REDACTED]"),
    (f"pushed with {GITHUB}", "pushed with [api_key_REDACTED]"),
    ("key AKIAIOSFODNN7EXAMPLE.", "key [api_key_REDACTED]."),
    (
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- end",
        "[api_key_REDACTED] end",
    ),
]  # fmt: skip

STAY = [
    "",
    "Failed password for invalid user root from 203.0.113.42 port 22 ssh2",
    "Accepted publickey for alice from 2001:db8::1 port 22 ssh2: ED25519 SHA256:" + "Ab1" * 14 + "x",
    "password reset requested",
    "pass; user unknown",
    "sudo: alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/bin/ls",
    f"trace_id={uuid.UUID(int=0x4111111111111111_4111111111111111)}",
    f"sha256 {hashlib.sha256(b'x').hexdigest()}",
    f"md5:{hashlib.md5(b'x').hexdigest()}",
    "span 4111111111111111a",
    "counter 4111111111111112",  # fails Luhn
    "order 1234567812345670",  # passes Luhn, and no issuer begins with 1
    "took 0.4111111111111111 s",
    "at 1733813746123 and 1733813746123456 and 1733813746123456789",
    "2026-05-11T14:23:45.123Z",
    "000-12-3456 666-12-3456 900-12-3456 123-00-4567 123-45-0000 1123-45-6789 123-45-67890",
    "tel 123-456-7890",
    "bearer of bad news",
    "eyJ is how a token begins",
    "john.doe@example.org logged in",
    "10.0.0.1 - - [11/May/2026:14:23:45 +0000] GET /index.html?page=2 200",
    "ghp_tooshort AKIAnot",
    "password: null",
    "GITHUB_PASSWORD=\nDYNATRACE_PASSWORD:\r\njdbc.snowflake.url=x",
    '{"env":"PASSWORD=\\nHOME=/root"}',
    "Cookie:\nHost: a",
    "mysql --password \nx",
    "a--password x",
    "set `password=` and go on",
    "app.pin. app.secrets=3 pinned.at=4",
    "env.PWD=/home/alice",
    "https://example.org:8443/path?x=1",
]


def texts(pack: Pack, values: list[str]) -> list[str]:
    return [event["message"] for event in pack.simulate("redaction", [EVENT | {"message": value} for value in values])]


def test_what_must_go_goes_and_the_rest_of_the_text_stays(pack: Pack) -> None:
    got = texts(pack, [text for text, _ in GONE])
    assert dict(zip((text for text, _ in GONE), got, strict=True)) == dict(GONE)


def test_what_must_stay_stays(pack: Pack) -> None:
    assert texts(pack, STAY) == STAY


def test_a_second_pass_changes_nothing(pack: Pack) -> None:
    once = pack.simulate("redaction", [EVENT | {"message": text, "labels": {"password": text}} for text, _ in GONE])
    assert pack.simulate("redaction", once) == once


def test_keys_at_any_depth_lists_and_numbers(pack: Pack) -> None:
    event: dict[str, Any] = EVENT | {
        "Password": "a",
        "labels": {
            "user": {"apiKey": ["a", 1, None, True, {"inner": 2.5}], "name": "john.doe"},
            "list": [{"client_secret": "x"}, "plain", 4111111111111111, ["card 4111111111111111"]],
            "user.password": "dotted",
            "password": {"old": "a", "new": ""},
            "count": 7,
            "ratio": 0.5,
            "flag": False,
            "nothing": None,
        },
    }
    (got,) = pack.simulate("redaction", [event])
    assert got.pop("ingest") == {
        "redacted": {
            "detectors": ["api_key", "credit_card", "password"],
            "fields": [
                "Password", "labels.list", "labels.list.client_secret", "labels.password", "labels.user.apiKey",
                "labels.user.password",
            ],
        }
    }  # fmt: skip
    key, password = "[api_key_REDACTED]", "[password_REDACTED]"
    assert got == EVENT | {
        "Password": password,
        "labels": {
            "user": {"apiKey": [key, key, None, True, {"inner": key}], "name": "john.doe"},
            "list": [{"client_secret": key}, "plain", 4111111111111111, ["card [credit_card_REDACTED]"]],
            "user.password": password,
            "password": {"old": password, "new": ""},
            "count": 7,
            "ratio": 0.5,
            "flag": False,
            "nothing": None,
        },
    }


def test_depth_hides_nothing(pack: Pack) -> None:
    nested: Any = {"password": "hunter2", "text": "4111111111111111"}
    for _ in range(200):
        nested = [{"level": nested}]
    (got,) = pack.simulate("redaction", [EVENT | {"labels": {"deep": nested}}])
    assert "hunter2" not in str(got)
    assert "4111111111111111" not in str(got)
    assert got["ingest"]["redacted"]["detectors"] == ["credit_card", "password"]


def test_an_event_without_anything_to_hide_is_left_alone(pack: Pack) -> None:
    assert pack.simulate("redaction", [EVENT]) == [EVENT]


def test_what_runs_before_it_may_fail(pack: Pack) -> None:
    """The event is kept, says so, has a time, and is redacted: the words of the error too."""
    body = copy.deepcopy(pack.body("ingest_pipeline", "redaction"))
    script, head = body["processors"][0]["script"], "void normalize(Map event, Map p) {"
    assert head in script["source"]
    broken = f"{head} if (p != null) {{ throw new IllegalStateException('' + event.message); }}"
    script["source"] = script["source"].replace(head, broken)
    docs = [{"_source": {"message": "password=hunter2", "ingest": "x"}}]
    answer = pack.client.request("POST", "/_ingest/pipeline/_simulate", {"pipeline": body, "docs": docs})
    made = answer["docs"][0]["doc"]["_source"]
    assert "hunter2" not in str(made)
    assert made["message"] == "password=[password_REDACTED]"
    assert made["@timestamp"]
    assert made["ingest"]["error"] == ["before the redaction: password=[password_REDACTED]"]


def test_a_senders_own_ingest_that_is_no_mapping_goes(pack: Pack) -> None:
    pack.clear("application")
    (answer,) = pack.ship("application", [EVENT | {"ingest": "x"}], "_none")
    assert answer["status"] == 201
    (stored,) = pack.search("application")
    assert stored["ingest"].keys() == {"received"}


def test_an_earlier_report_is_kept(pack: Pack) -> None:
    before = {"ingest": {"redacted": {"detectors": ["ssn"], "fields": ["actor.username"]}}}
    (got,) = pack.simulate("redaction", [EVENT | before | {"message": "password=x"}])
    assert got["ingest"]["redacted"] == {"detectors": ["password", "ssn"], "fields": ["actor.username", "message"]}


@pytest.mark.parametrize("log_type", STREAMS)
def test_no_stream_and_no_pipeline_gets_around_it(pack: Pack, log_type: str) -> None:
    pack.clear(log_type)
    for pipeline in (None, "_none", "normalize", "sshd"):
        (answer,) = pack.ship(log_type, [EVENT | {"message": "password=hunter2 4111111111111111"}], pipeline)
        assert answer["status"] == 201
    stored = pack.search(log_type)
    assert [event["message"] for event in stored] == ["password=[password_REDACTED] [credit_card_REDACTED]"] * 4
    for event in stored:
        assert event["event_id"].startswith("evt_")  # `normalize` can't be skipped either
        assert event["ingest"]["received"]
        assert event["ingest"]["redacted"] == {"detectors": ["credit_card", "password"], "fields": ["message"]}


@pytest.mark.parametrize("message", ["changed", "x" * 1_100_000])
def test_no_event_is_replaced_in_its_backing_index(pack: Pack, message: str) -> None:
    """The server allows it with the event's number to whoever may create events; a data stream itself refuses."""
    pack.clear("application")
    (made,) = pack.ship("application", [EVENT])
    path = f"/{made['_index']}/_doc/{made['_id']}"
    number = {"if_seq_no": made["_seq_no"], "if_primary_term": made["_primary_term"]}
    for pipeline in ({}, {"pipeline": "_none"}):
        with pytest.raises(ApiError, match="events are append-only"):
            pack.client.request("PUT", path, EVENT | {"message": message}, number | pipeline)
    (stored,) = pack.search("application")
    assert stored["message"] == EVENT["message"]


def test_what_the_script_cannot_check_is_stored_without_content(pack: Pack) -> None:
    """A text beyond a million characters is more than one Painless loop takes."""
    pack.clear("application")
    secret = "password=hunter2 "
    event = EVENT | {"message": secret + "x" * 1_100_000, "actor": {"username": "4111111111111111"}, "event_id": secret}
    (answer,) = pack.ship("application", [event, EVENT][:1])
    assert answer["status"] == 201
    (stored,) = pack.search("application")
    assert stored.pop("ingest").keys() == {"received", "error", "redacted"}
    assert stored.pop("event_id").startswith("evt_")
    assert stored == EVENT | {"message": "[content_REDACTED]"}


def test_without_content_nothing_a_sender_wrote_is_kept(pack: Pack) -> None:
    pack.clear("application")
    long = "x" * 1_100_000
    pack.ship(
        "application", [EVENT | {"message": long, "action": "password=hunter2", "category": ["4111111111111111"]}]
    )
    (stored,) = pack.search("application")
    assert set(stored) == {"@timestamp", "event_id", "severity", "message", "ingest"}
    assert "hunter2" not in str(stored)
    assert "4111" not in str(stored)


def test_long_hostile_texts_neither_stop_the_node_nor_get_through(pack: Pack) -> None:
    """What makes regular expressions explode: long runs of what a pattern could begin with."""
    tail = " password=hunter2"
    hostile = [
        unit * (60_000 // len(unit)) + tail
        for unit in ("a", "1", "1 ", "=", '"', "\\", "-", "eyJ", "@", ":/", "[", "4111-")
    ]
    got = texts(pack, hostile)
    assert [text for text in got if "hunter2" in text] == []


def test_the_catalogue_decides(pack: Pack) -> None:
    """E-mail addresses stay as the catalogue stands; with the detector switched on they go."""
    body = copy.deepcopy(pack.body("ingest_pipeline", "redaction"))
    body["processors"][-1]["script"]["params"]["finders"]["email"] = "email"
    path = f"/_ingest/pipeline/{OWNER}-with-email"
    pack.client.request("PUT", path, body)
    try:
        (got,) = pack.simulate("with-email", [EVENT | {"message": "mail john.doe+x@mail.example.org, or a@b"}])
    finally:
        pack.client.request("DELETE", path)
    assert got["message"] == "mail [email_REDACTED], or a@b"
