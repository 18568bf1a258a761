"""Events to measure with, of the starter pack's schema: about 270 bytes (a message and whence), or 1 KB and nested.

Clean ones hold ids, addresses, digests and URLs as logs do, dense ones three secrets in the message and two below keys
(short ones one and one), mixed ones are clean but for every twentieth.
"""

from __future__ import annotations

import random
import uuid
from typing import Any

import orjson

from harness import labelled, secretforms

_MESSAGES = (
    "GET /api/v1/orders/{id}?page={n}&sort=-created 200 {n}ms",
    "session {uuid} opened for user {name} from {ip} port {n}",
    "Failed login attempt {n} for {name}: invalid password",
    "Accepted publickey for {name} from {ip} port {n} ssh2: ED25519 SHA256:{digest}",
    "job {id} finished after {n} ms, wrote s3://logs/2026/05/11/{uuid}.parquet",
    "connection to db.example.org:5432 took {n} ms (attempt {n} of 5)",
    "TLS handshake with {ip} done: TLS_AES_256_GCM_SHA384, session {digest}",
    "user {name} changed role of {id} from viewer to editor, ticket OPS-{n}",
)
_AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile Safari/604.1",
)
SHORT, LONG = 270, 1024


def _message(rng: random.Random) -> str:
    return rng.choice(_MESSAGES).format(
        id=secretforms.some(rng, 10), n=rng.randint(1, 65000), uuid=uuid.UUID(bytes=rng.randbytes(16)),
        name=rng.choice(("john.doe", "anna", "root", "deploy", "svc-backup")),
        ip=".".join(str(rng.randint(1, 254)) for _ in range(4)), digest=secretforms.some(rng, 43),
    )  # fmt: skip


def _secret(rng: random.Random) -> str:
    form, slots = rng.choice([each for each in labelled.CONTEXTS if not each[0].name.startswith(("pem", "pgp", "jwe"))])
    return rng.choice(slots).replace("«", "").replace("»", "").replace("{}", form.make(rng))


def _event(rng: random.Random, size: int, secrets: bool) -> dict[str, Any]:
    message = _message(rng)
    if secrets:
        message = "request failed: " + " ".join(_secret(rng)[:100] for _ in range(1 if size == SHORT else 3))
    event: dict[str, Any] = {
        "@timestamp": f"2026-05-11T14:{rng.randint(10, 59)}:45.123Z",
        "event_id": "evt_" + secretforms.some(rng, 10, secretforms.HEX),
        "category": "authentication",
        "action": "login_failed",
        "severity": "warning",
        "message": message,
        "source": {"ip": f"203.0.113.{rng.randint(1, 254)}"},
    }
    if size == SHORT:
        if secrets:
            event["labels"] = {rng.choice(labelled.SENSITIVE): secretforms.password(rng)}
        return _filled(event, size, rng)
    agent = _AGENTS[0][:11] if secrets else rng.choice(_AGENTS)
    event["source"] |= {"user_agent": agent, "country": "US", "port": rng.randint(1024, 65535)}
    event["actor"] = {"user_id": "user_abc123", "username": "john.doe", "session_id": f"sess_{rng.getrandbits(64):x}"}
    event["outcome"] = {"status": "failure", "reason": "invalid_password", "attempt_number": rng.randint(1, 9)}
    trace = {"trace_id": f"{rng.getrandbits(128):032x}", "request_id": str(uuid.UUID(bytes=rng.randbytes(16)))}
    event["context"] = {"application": "web-app", "environment": "production", "version": "2.4.1", **trace}
    event["host"] = {"name": "web-1.example.org", "ip": "10.0.0.7"}
    labels: dict[str, Any] = {
        "kubernetes": {"pod": {"name": "web-6d4b75cb6d-hx2zq"}, "labels": {"app": "web", "tier": "front"}},
        "http": {"request": {"method": "POST", "headers": [{"name": "accept", "value": "*/*"}]}, "status": 401},
    }
    if secrets:
        headers = labels["http"]["request"]["headers"]
        headers += [{labelled.style(rng, rng.choice(labelled.SENSITIVE)): secretforms.password(rng)} for _ in range(2)]
    event["labels"] = labels
    return _filled(event, size, rng)


def _filled(event: dict[str, Any], size: int, rng: random.Random) -> dict[str, Any]:
    """The message longer, until the whole is as long as wanted."""
    while (missing := size - len(orjson.dumps(event))) > 12:
        event["message"] += " " + _message(rng)[: missing - 1]
    return event


def events(kind: str, size: int, count: int) -> list[dict[str, Any]]:
    """`clean`, `dense` or `mixed` ones; always the same."""
    rng = random.Random(f"{kind}-{size}")
    every = {"clean": 0, "dense": 1, "mixed": 20}[kind]
    return [_event(rng, size, bool(every) and n % every == 0) for n in range(count)]


def lines(made: list[dict[str, Any]]) -> list[bytes]:
    """As JSON."""
    return [orjson.dumps(event) for event in made]
