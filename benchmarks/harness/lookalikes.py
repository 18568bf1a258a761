"""Texts that look like secrets and are none: what an analyst needs in a log, and must find there again."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import uuid

from harness import secretforms
from harness.secretforms import ALNUM, DIGITS, HEX, LOWER, UPPER, Make, luhn, some


def _digest(rng: random.Random) -> str:
    name = rng.choice(("md5", "sha1", "sha224", "sha256", "sha384", "sha512"))
    made = hashlib.new(name, rng.randbytes(16), usedforsecurity=False)
    form = rng.randint(0, 3)
    if form == 0:
        return made.hexdigest().upper()
    if form == 1:
        return base64.b64encode(made.digest()).decode()
    return f"{name}:{made.hexdigest()}" if form == 2 else made.hexdigest()


def _wrong_luhn(rng: random.Random) -> str:
    """A card's first digits and length, the check digit wrong: orders, counters, references."""
    prefix = rng.choice(("4", "51", "5500", "2221", "6011", "65", "62", "3530"))
    digits = prefix + some(rng, 15 - len(prefix), DIGITS)
    number = digits + str((luhn(digits) + rng.randint(1, 9)) % 10)
    return secretforms.grouped(number, [4, 4, 4, 4], " ") if rng.random() < 0.2 else number


def _not_issued(rng: random.Random) -> str:
    """The check digit right, the first digits nobody's."""
    digits = rng.choice(("0", "1", "7", "8", "9")) + some(rng, 14, DIGITS)
    return digits + str(luhn(digits))


def _imei(rng: random.Random) -> str:
    """3GPP TS 23.003: 15 digits with Luhn, most begin with 35 or 86."""
    digits = rng.choice(("35", "86", "01")) + some(rng, 12, DIGITS)
    return digits + str(luhn(digits))


def _iccid(rng: random.Random) -> str:
    """ITU-T E.118: SIM cards, 89 in front, Luhn behind."""
    digits = "89" + some(rng, 16, DIGITS)
    return digits + str(luhn(digits))


def _epoch(rng: random.Random) -> str:
    seconds = rng.randint(1_600_000_000, 1_899_999_999)
    return f"{seconds}{some(rng, rng.choice((0, 3, 6, 9)), DIGITS)}"


def _timestamp(rng: random.Random) -> str:
    date = f"20{rng.randint(10, 39)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    clock = f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02}"
    fraction, zone = rng.choice(("", ".123", ".123456", ".123456789")), rng.choice(("Z", "", "+02:00"))
    return f"{date}{rng.choice('T ')}{clock}{fraction}{zone}"


def _never_ssn(rng: random.Random) -> str:
    """What the Social Security Administration never gives."""
    area, group, serial = rng.randint(1, 665), rng.randint(1, 99), rng.randint(1, 9999)
    return rng.choice(
        (
            f"000-{group:02}-{serial:04}", f"666-{group:02}-{serial:04}",
            f"{rng.randint(900, 999)}-{group:02}-{serial:04}", f"{area:03}-00-{serial:04}",
            f"{area:03}-{group:02}-0000", f"{area:03}-{group:02}-{serial:04}-{group:02}",
            f"{rng.randint(10, 99)}-{area:03}-{group:02}-{serial:04}", f"v{area:03}-{group:02}-{serial:04}rc",
        )
    )  # fmt: skip


def _wrong_iban(rng: random.Random) -> str:
    """Wrong check digits, an unknown country, or one account digit too many or too few."""
    country = rng.choice(list(secretforms.IBANS))
    bban = secretforms.account(rng, secretforms.IBANS[country])
    right = int(secretforms.check_digits(country, bban))
    wrong = 2 + (right - 2 + rng.randint(1, 96)) % 97
    kind = rng.randint(0, 2)
    if kind == 0:
        return f"{country}{wrong:02}{bban}"
    other = rng.choice(("XX", "ZZ", "QQ", "US", "CN")) if kind == 1 else country
    bban = bban if kind == 1 else bban + "7"
    return other + secretforms.check_digits(other, bban) + bban


def _version(rng: random.Random) -> str:
    parts = [str(rng.randint(0, 40)) for _ in range(rng.randint(2, 4))]
    return (
        rng.choice(("", "v", "go"))
        + ".".join(parts)
        + rng.choice(("", "-rc.1", f"+build.{rng.randint(1, 99999)}", "-SNAPSHOT"))
    )


def _address(rng: random.Random) -> str:
    kind = rng.randint(0, 3)
    if kind == 0:
        return ".".join(str(rng.randint(0, 255)) for _ in range(4)) + rng.choice(("", ":8443", "/24"))
    if kind == 1:
        return ":".join(some(rng, 4, HEX) for _ in range(8))
    return (":" if kind == 2 else "-").join(some(rng, 2, HEX) for _ in range(6))


def _order(rng: random.Random) -> str:
    return rng.choice(
        (
            f"ORD-{rng.randint(2000, 2039)}-{some(rng, 8, DIGITS)}", f"INV{some(rng, 10, DIGITS)}",
            "req_" + some(rng, 14), "evt_" + some(rng, 24), f"1Z{some(rng, 16, UPPER + DIGITS)}",
            f"#{some(rng, 7, DIGITS)}", "cus_" + some(rng, 14),
            f"978-3-{some(rng, 2, DIGITS)}-{some(rng, 6, DIGITS)}-{some(rng, 1, DIGITS)}", "pi_" + some(rng, 24),
        )
    )  # fmt: skip


def _blob(rng: random.Random) -> str:
    """Base64: pictures, cursors, protocol buffers, JSON without a signature."""
    if rng.random() < 0.3:
        return base64.b64encode(json.dumps({"after": rng.randint(1, 10**9), "size": 50}).encode()).decode()
    text = base64.b64encode(rng.randbytes(rng.randint(12, 120))).decode()
    return "data:image/png;base64," + text if rng.random() < 0.3 else text


def _nearly(rng: random.Random) -> str:
    """The marks of vendors' keys, too short, inside a word, or in a sentence."""
    return rng.choice(
        (
            "AKIA" + some(rng, 8, UPPER + DIGITS), "the ghp_ prefix", "ghp_short", "sk_live_", "xoxb-", "glpat-",
            "AIza", "MAKIAVELLIANISMUSPRINZIP", "npm_config_registry", "hf_hub_download", "SG.mail", "pypi-server",
            "task-ant-hill", "risk-projection", "disk_test_result", "pk_live_" + some(rng, 24),
            f"github_pat_{some(rng, 4)}", "whsec_",
        )
    )  # fmt: skip


def _resource(rng: random.Random) -> str:
    number = some(rng, 12, DIGITS)
    return rng.choice(
        (
            f"arn:aws:iam::{number}:role/deploy-{some(rng, 6, LOWER)}",
            f"s3://bucket-{some(rng, 8, LOWER)}/2026/05/x.parquet", f"i-0{some(rng, 16, HEX)}",
            f"projects/p-{some(rng, 6, DIGITS)}/secrets/db/versions/3",
            f"registry.example/app@sha256:{some(rng, 64, HEX)}",
            f"/subscriptions/{uuid.UUID(bytes=rng.randbytes(16))}/x", f"subnet-{some(rng, 17, HEX)}",
            "ecdsa-sha2-nistp256", "aes256-gcm@openssh.com", "kubernetes.io/service-account",
        )
    )  # fmt: skip


def _url(rng: random.Random) -> str:
    """URLs without a password, some with a colon and an @."""
    return rng.choice(
        (
            "https://example.org:8443/users/@me", "ssh://git@git.example.org:22/x.git",
            "git@git.example.org:team/repo.git", f"https://example.org/a?page={rng.randint(1, 99)}&sort=-created",
            "http://[2001:db8::1]:9200/_search", "https://example.org/@scope/pkg/-/pkg-1.2.3.tgz",
            "jdbc:postgresql://db.example.org:5432/app?ssl=true", "https://example.org/x#access",
            "amqp://broker.example.org:5672/%2F", "mailto:", "@media(min-width:600px)",
        )
    )  # fmt: skip


def _words(rng: random.Random) -> str:
    """Sentences about secrets that hold none."""
    return rng.choice(
        (
            "password reset requested", "invalid password for user bob", "the bearer of bad news",
            "basic auth is disabled", "token expired 5 minutes ago", "secret sharing scheme",
            "Accepted password for root from 10.0.0.1 port 22", "authorization denied by policy",
            "api key rotated by admin", "no password supplied", "private key not found",
            "-----BEGIN CERTIFICATE-----", "cookie consent given", "passphrase is too short",
            "Basic authentication failed", "Bearer token missing", "changed the password policy",
            "pin the dependency", "missing authorization header",
        )
    )  # fmt: skip


def _number(rng: random.Random) -> str:
    kind = rng.randint(0, 4)
    if kind == 0:
        return f"0.{some(rng, 16, DIGITS)}"
    if kind == 1:
        return f"{rng.randint(1, 999)},{some(rng, 3, DIGITS)},{some(rng, 3, DIGITS)}"
    return (
        some(rng, rng.choice((5, 9, 10, 11, 12)), DIGITS)
        if kind < 4
        else f"-{rng.randint(1, 90)}.{some(rng, 6, DIGITS)}"
    )


LOOKALIKES: dict[str, Make] = {
    "digest": _digest,
    "uuid": lambda rng: str(uuid.UUID(bytes=rng.randbytes(16), version=4)),
    "trace or span id": lambda rng: some(rng, rng.choice((16, 32)), HEX),
    "traceparent": lambda rng: f"00-{some(rng, 32, HEX)}-{some(rng, 16, HEX)}-01",
    "git hash": lambda rng: some(rng, rng.choice((7, 12, 40)), HEX),
    "counter that fails Luhn": _wrong_luhn,
    "number of no issuer": _not_issued,
    "IMEI": _imei,
    "ICCID": _iccid,
    "epoch time": _epoch,
    "timestamp": _timestamp,
    "never a US SSN": _never_ssn,
    "wrong IBAN": _wrong_iban,
    "version or build": _version,
    "IP or MAC address": _address,
    "order or event id": _order,
    "base64": _blob,
    "short or inner prefix": _nearly,
    "cloud resource": _resource,
    "URL without a password": _url,
    "sentence": _words,
    "number": _number,
    "random id": lambda rng: some(rng, rng.randint(20, 44), ALNUM),
    "ULID": lambda rng: some(rng, 26, DIGITS + "ABCDEFGHJKMNPQRSTVWXYZ"),
}

NEUTRAL_KEYS = (
    "password_changed_at", "password_policy", "password_age_days", "token_count", "max_tokens", "tokenizer",
    "secretary", "passenger", "compass", "keyboard", "monkey", "author", "public_key_id", "key", "keys", "session",
    "hash", "digest", "card_type", "last_login", "bypass", "passed", "cookie_consent", "auth_method", "authorized",
    "spin", "pinned", "fingerprint", "access", "account", "certificate", "checksum", "etag", "signature_algorithm",
    "api_version", "api_keyring",
)  # fmt: skip
"""Names that hold a sensitive word or are near one, and say nothing secret."""
