"""Strings that no redaction may touch: digests, ids, times, versions and addresses, alone and in all that stands around."""

# ruff: noqa: E501 (rows of samples)

from __future__ import annotations

import base64
import hashlib
import random
import uuid

AROUND = [
    "{}", "id: {}", "id={}", "request {} took 12 ms", '{{"id":"{}"}}', "({})", "[{}]", "a,{},b", "key {} found",
    "https://example.org/x/{}?page=2", "{};", "commit {} by jane",
]  # fmt: skip


def _luhn(digits: str) -> bool:
    doubled = [int(c) * 2 - 9 * (int(c) > 4) if i % 2 else int(c) for i, c in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def _counter(source: random.Random) -> str:
    """Sixteen digits that are no card's: the check digit is wrong."""
    while _luhn(digits := str(source.randrange(10**15, 10**16))):
        pass
    return digits


def values(seed: int = 7, rounds: int = 12) -> list[str]:
    """The bare strings."""
    source = random.Random(seed)
    made = []
    for _ in range(rounds):
        salt = source.randbytes(12)
        for algorithm in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512"):
            digest = hashlib.new(algorithm, salt)
            made += [
                digest.hexdigest(),
                digest.hexdigest().upper(),
                base64.b64encode(digest.digest()).decode(),
                base64.urlsafe_b64encode(digest.digest()).decode().rstrip("="),
                f"{algorithm}={digest.hexdigest()}",
                f"{algorithm}:{digest.hexdigest()}",
            ]
        some = uuid.UUID(int=source.getrandbits(128), version=4)
        octets = [source.randrange(256) for _ in range(6)]
        number = source.randrange(10_000)
        made += [
            str(some), str(some).upper(), some.hex, some.hex[:16], f"evt_{some.hex[:10]}", f"sess_{some.hex[:20]}",
            f"00-{some.hex}-{some.hex[:16]}-01", hashlib.sha1(salt).hexdigest()[:7], _counter(source), _counter(source),
            f"2026-05-{number % 28 + 1:02}T14:{number % 60:02}:45.{number % 1000:03}Z", f"{1_733_000_000 + number}",
            f"{1_733_813_746_000 + number}", f"{1_733_813_746_123_000 + number}", f"11/May/2026:14:23:{number % 60:02} +0000",
            f"{number % 9}.{number % 20}.{number % 100}", f"v2.4.1-rc.{number}+build.{number}", f"1.18.4+20260511.{number}",
            f"{octets[0]}.{octets[1]}.{octets[2]}.{octets[3]}", f"2001:db8::{octets[0]:x}:{octets[1]:x}",
            f"10.{octets[0]}.{octets[1]}.{octets[2]}:8443", ":".join(f"{o:02x}" for o in octets),
            "-".join(f"{o:02X}" for o in octets), f"arn:aws:iam::{number:012}:role/reader", f"i-0{some.hex[:16]}",
            f"ORD-2026-{number:06}", f"user_{some.hex[:8]}", f"pid={number} port={number}", f"{number / 7:.12f}",
        ]  # fmt: skip
    return made


def strings() -> list[str]:
    """Alone and within something: some 4,000."""
    source = random.Random(11)
    made = values()
    return list(dict.fromkeys(made + [source.choice(AROUND[1:]).format(value) for value in made for _ in range(4)]))
