"""Events to redact, made up by a seed: secrets of every detector, what looks like one, and what stands around them."""

# ruff: noqa: E501, RUF001 (rows of samples)

from __future__ import annotations

import base64
import random
import string
from typing import Any

ALPHANUMERIC = string.ascii_letters + string.digits
CLASSES = {
    "alphanumeric": ALPHANUMERIC,
    "upper": string.ascii_uppercase + string.digits,
    "hex": "0123456789abcdef",
    "word": ALPHANUMERIC + "_-",
    "token": ALPHANUMERIC + "_-.",
    "path": ALPHANUMERIC + "_-/",
    "base64": ALPHANUMERIC + "_-+/=",
}
KEYS = [
    "password", "Password", "user_password", "dbPasswd", "PASS", "pwd", "pin", "user.password", "api-key", "X-API-KEY",
    "api.key", "apiKey", "client_secret", "secretKey", "token", "access_token", "accessToken", "id-token", "cookie",
    "Set-Cookie", "authorization", "jwt", "ssn", "card_number", "creditCard", "cvv", "iban", "customer_iban", "phone",
    "AccountKey", "private_key", "secret", "pass_", "pass-word", "mobile", "PWD", "sig", "passwort",
    "app.secret", "app.pin", "headers.authorization", "x.cookie", "env.PWD", "app.pin.", "Proxy-Authorization",
]  # fmt: skip
HARMLESS_KEYS = [
    "message", "source", "ip", "actor", "username", "labels", "name", "trace.id", "count", "a", "", "@timestamp", "note",
    "context", "outcome", "reason", "passport", "tokens", "key", "keys", "spinning", "compass", "é", "名前", "😀", "a b", "x=y",
    "list", "deep", "ingest", "redacted", "detectors",
]  # fmt: skip
GLUE = [
    " ", "", "", "=", ": ", ":", ", ", ";", "&", "\"", "'", "\\\"", "\\", "\\\\", "/", "-", "--", " --", "_", ".", "\n",
    "\r\n", "\t", "(", ")", "[", "]", "{", "}", "|", "<", ">", "@", "://", "?", "#", "=>", " => ", "==", "\u00a0", "é", "ſ", "K",
    "İ", "😀", "\u2028", "１", "\x00", "\x7f", "Bearer ", "bearer", "basic ", "BASIC ", "Digest ", "null", "true", "None", "x", "1", "b",
    "B", "eyJ", "sig=", "-----", "[a_REDACTED]", "[credit_card_REDACTED:1111]", "[email_REDACTED:k1:0123456789abcdef]", "_REDACTED]",
    "[x_REDACTED", "[_REDACTED]", "[a_REDACTED:12]", "+", "%3D", "%2B", "https://", "postgres://u:", "PWD=/", "cookie: ",
    "`", "\\n", "\\\\r", "\\t", "\\\\\"", ",--", "=\n", ":\r\n", "Authorization: Api-Token ", "authorization: X ", "Api_Key abc12345",
]  # fmt: skip
LEFT = [
    "4111111111111112", "0.4111111111111111", "4111 11111111 1111", "000-12-3456", "666-12-3456", "123-45-67890",
    "DE88370400440532013000", "2026-11-29T15:00:00.123Z", "10.0.0.1", "203.0.113.42:8080", "d41d8cd98f00b204e9800998ecf8427e",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "123e4567-e89b-12d3-a456-426614174000", "a@b",
    "AKIAIOSFODNN7EXAMPLES", "ghp_short", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", "/var/log/auth.log",
    "login failed", "user", "bearer of news", "basic security", "2001:db8::1", "1733813746123", "4-1-1", "1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
    "00:1a:2b:3c:4d:5e", "-----BEGIN CERTIFICATE-----", "-----END PRIVATE KEY-----", "v1.2.3-rc.4+build.5678",
]  # fmt: skip
CARDS = [
    "4111111111111111", "5555555555554444", "2223003122003222", "378282246310005", "6011111111111117", "3530111333300000",
    "30569309025904", "4222222222222", "6205500000000000004",
]  # fmt: skip
IBANS = [
    "DE89370400440532013000", "GB82WEST12345698765432", "NO9386011117947", "FR1420041010050500013M02606",
    "MT84MALT011000012345MTLCAST001S", "BE68539007547034",
]  # fmt: skip

HOSTILE = (
    "=", ":", "://", "eyJ", "1", "1 ", "-", "--", '"', "'", "\\", "[", "{", "@", "4111-", "a@", "a.", ".", " ", "password=", "password:[",
    'password="', "bearer=", "bearer ", "Basic ", "-----BEGIN PRIVATE KEY-----", "-----BEGIN ", "sk-ant-", "glpat-", "sig=", "DE89 ", "a:b@",
    "eyJ.", "eyJaaaaaaaaa.", "[a_REDACTED]", "[a_", "+1 ", "(212) ", "--password ", "aaaaaaaaaaaaaaaa ", "123-45-", "/", "_",
    "authorization: a ", "authorization:a ", "pin=\\", "a.pin=", "pin=` ", "+49 30 901820", "pin=x\\\\a",
    "curl -u abcdefghij:klmnopqrst ", "curl ", "curl x\n", "-curl x\n", "curl -u \"", "-u 'x ", "8Q~", "aaa8Q~", "123456789:AA", ".atlasv1.", "aaaaaaaaaaaaaa.atlasv1.", "de89 ", "de89370400440532013",
)  # fmt: skip


class Maker:
    """Makes texts and events; the same ones for the same seed. `catalogue` is the document's body."""

    def __init__(self, seed: int, catalogue: dict[str, Any]) -> None:
        self.random = random.Random(seed)
        self.prefixes = [p for detector in catalogue["detectors"] for p in detector.get("prefixes", ())]

    def some(self, characters: str, count: int) -> str:
        return "".join(self.random.choices(characters, k=count))

    def prefixed(self) -> str:
        prefix = self.random.choice(self.prefixes)
        least, most = prefix["min"], prefix.get("max", prefix["min"]) or 300
        count = self.random.choice([least, most, least - 1, most + 1, self.random.randint(least, most)])
        return prefix["text"] + self.some(CLASSES[prefix["chars"]], count)

    def card(self) -> str:
        number = self.random.choice(CARDS)
        separator = self.random.choice(["", "", " ", "-", ".", "\u00a0", "--"])
        sizes = [4, 6, 5] if len(number) == 15 and self.random.random() < 0.5 else [4] * 5
        parts = []
        for size in sizes:
            parts.append(number[:size])
            number = number[size:]
        return separator.join(filter(None, parts))

    def iban(self) -> str:
        number = self.random.choice(IBANS)
        by_four = " ".join(number[i : i + 4] for i in range(0, len(number), 4))
        return number if self.random.random() < 0.5 else by_four

    def secret(self) -> str:
        """A secret that some detector knows by its form, most of the time."""
        token = self.some(ALPHANUMERIC, self.random.randint(6, 24))
        name = self.random.choice(KEYS)
        return self.random.choice([
            self.card, self.card, self.iban, self.prefixed, self.prefixed, self.prefixed,
            lambda: self.random.choice(["123-45-6789", "899-99-9999", "078-05-1120"]),
            lambda: f"eyJ{self.some(CLASSES['word'], self.random.randint(5, 20))}.{self.some(CLASSES['token'], self.random.randint(5, 40))}",
            lambda: f"{self.random.choice(['Bearer', 'bearer', 'BeArEr'])} {token}",
            lambda: "Basic " + base64.b64encode(f"user:{token}".encode()).decode(),
            lambda: f"postgres://app:{token}@db.internal/x",
            lambda: f"{name}={token}", lambda: f"{name}: {token}", lambda: f'"{name}": "{token} b"', lambda: f"--{name} {token}",
            lambda: f"{{\\\"{name}\\\":\\\"{token}\\\"}}", lambda: f"{name} = ['{token}', 2]", lambda: f"Cookie: a={token}; b=2",
            lambda: f"-----BEGIN RSA PRIVATE KEY-----\n{token}\n-----END RSA PRIVATE KEY-----",
            lambda: f"Authorization: {self.random.choice(['Api-Token', 'Key', 'x', '1a', 'none', 'é'])} {token}{self.random.choice(['', '=', '==x', '.', ','])}",
            lambda: f"sig={self.some(CLASSES['alphanumeric'], 40)}%2B+/{self.random.choice(['=', '%3D', ''])}",
            lambda: f"{self.random.randint(10**7, 10**10)}:AA{self.some(CLASSES['word'], self.random.choice([32, 33, 33, 34]))}",
            lambda: f"{self.some(ALPHANUMERIC, self.random.choice([13, 14, 14]))}.atlasv1.{self.some(CLASSES['word'], self.random.choice([59, 60, 67, 70, 71]))}",
            lambda: f"{self.some(ALPHANUMERIC + '._~', 3)}{self.random.choice('48x')}Q~{self.some(CLASSES['token'] + '~', self.random.randint(30, 35))}",
            lambda: self.random.choice(["curl -u ", "curl -u", "curl --user=", "curl -s -U '", 'curl --proxy-user "', "curl -X"])
            + f"bob:{token}" + self.random.choice(["", "'", '"', " -u a:b"]),
            lambda: self.iban().lower(),
            lambda: f"-----BEGIN PGP PRIVATE KEY BLOCK-----{token}{self.random.choice(['', '-----END PGP PRIVATE KEY BLOCK-----'])}",
            lambda: f"john.{token}+x@mail.example.org", lambda: "+49 30 901820", lambda: "(212) 555-0142",
        ])()  # fmt: skip

    def text(self, pieces: int = 4) -> str:
        made = []
        for _ in range(self.random.randint(0, pieces)):
            kind = self.random.random()
            made.append(
                self.random.choice(["", ".", "+"]).join([self.secret()] * 7) if kind < 0.01
                else self.secret() if kind < 0.3
                else self.random.choice(LEFT) if kind < 0.5
                else self.random.choice(KEYS) if kind < 0.6
                else self.random.choice(GLUE)
            )  # fmt: skip
            if self.random.random() < 0.6:
                made.append(self.random.choice(GLUE))
        return "".join(made)

    def key(self) -> str:
        kind = self.random.random()
        if kind < 0.08:
            return self.text(2)
        return self.random.choice(KEYS if kind < 0.25 else HARMLESS_KEYS)

    def value(self, depth: int) -> Any:
        kind = self.random.random()
        if depth > 0 and kind < 0.2:
            return {self.key(): self.value(depth - 1) for _ in range(self.random.randint(0, 4))}
        if depth > 0 and kind < 0.3:
            return [self.value(depth - 1) for _ in range(self.random.randint(0, 4))]
        if kind < 0.42:
            numbers = [0, 7, -1, 2.5, 4111111111111111, 123456789012, True, False, None, "", 9223372036854775807, 1e-7]
            return self.random.choice(numbers)
        return self.text(6)

    def event(self) -> dict[str, Any]:
        made = {self.key(): self.value(4) for _ in range(self.random.randint(1, 7))}
        kind = self.random.random()
        if kind < 0.03:
            inner: Any = {"password": self.text(), "text": self.text()}
            for i in range(20):
                inner = [inner] if i % 3 == 0 else {self.key(): inner, "n": i}
            made["deep"] = inner
        elif kind < 0.035:
            made["message"] = self.text() + self.text(6) * 3_000
            made["message"] = made["message"][:100_000] + self.text()
        elif kind < 0.06:
            made["ingest"] = {
                "redacted": {
                    "detectors": ["ssn", self.text(2), 5],
                    "fields": [self.text(2), "a.b"],
                },
                "error": [self.text(2)],
            }
        return made
