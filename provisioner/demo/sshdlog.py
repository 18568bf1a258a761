"""An auth.log of our own making: the message forms of a real OpenSSH server, the same for the same seed.

Forms and proportions follow OpenSSH 8 and 9 on Debian with rsyslog: most lines come from failing strangers. Addresses
are those set aside for documentation (RFC 5737, RFC 3849), secrets are made up at run time and valid by checksum only.
"""

from __future__ import annotations

import base64
import random
import string
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

Pair = tuple[str, str]
"""Source address and user name: what a brute-force alert is about."""

Style = Literal["classic", "rfc3339"]
"""Syslog's `Dec 10 06:55:46`, in UTC, or `2026-12-10T06:55:46.000000+00:00`."""

HOST = "web-1"
WINDOW = 300  # seconds, of the starter pack's brute-force rule
_USERS = ("alice", "bob", "carol", "deploy")
_STRANGERS = (
    "admin",
    "test",
    "guest",
    "oracle",
    "postgres",
    "ubuntu",
    "pi",
    "git",
    "ftpuser",
    "support",
    "www",
    "mysql",
)


@dataclass(frozen=True, slots=True)
class Secret:
    """A made-up secret in the log, and the detector of the starter pack that must take it out."""

    detector: str
    value: str


@dataclass(frozen=True, slots=True)
class Log:
    """Lines in the order of time; the pairs that reach five failures within 300 s; the secrets to be redacted."""

    lines: tuple[str, ...]
    planted: frozenset[Pair]
    secrets: tuple[Secret, ...]


def generate(end: datetime, seed: int = 1, style: Style = "classic") -> Log:
    """A quarter of an hour of a server's log, up to `end` (with a time zone; cut to the second), about 600 lines.

    The bursts lie in the last five minutes, so that a monitor that looks at now sees them.
    """
    writer = _Writer(random.Random(seed), end.replace(microsecond=0))  # noqa: S311 (a demo's dice, no cryptography)
    planted = _attackers(writer)
    _near_misses(writer)
    _background(writer)
    secrets = _administration(writer)
    return Log(writer.lines(style), frozenset(planted), tuple(secrets))


@dataclass(slots=True)
class _Writer:
    """Collects what the programs of one host say; `ago` is in seconds before the log's end."""

    dice: random.Random
    end: datetime
    said: list[tuple[datetime, str, str]] = field(default_factory=list)

    def say(self, ago: float, program: str, text: str) -> None:
        at = self.end - timedelta(seconds=max(0, round(ago)))
        self.said.append((at, program, text))

    def process(self, name: str = "sshd") -> str:
        return f"{name}[{self.dice.randint(1000, 99999)}]"

    def port(self) -> int:
        return self.dice.randint(32768, 60999)

    def stranger(self, network: str = "192.0.2") -> str:
        return f"{network}.{self.dice.randint(1, 254)}"

    def lines(self, style: Style) -> tuple[str, ...]:
        ordered = sorted(self.said, key=lambda entry: entry[0])  # stable: what a session says stays in its order
        return tuple(f"{stamp(at, style)} {HOST} {program}: {text}" for at, program, text in ordered)


def stamp(at: datetime, style: Style) -> str:
    """A time as syslog writes it."""
    if style == "rfc3339":
        return at.isoformat(timespec="microseconds")
    return f"{at:%b} {at.day:2d} {at:%H:%M:%S}"


def _attackers(writer: _Writer) -> list[Pair]:
    """Five who reach the threshold, each in another way."""
    hammer, slow, guesser, winner, sixth = (
        ("203.0.113.42", "root"),
        ("198.51.100.23", "admin"),
        ("203.0.113.77", "oracle"),
        ("198.51.100.99", "bob"),
        ("2001:db8::66", "root"),
    )
    _hammer(writer, *hammer, ago=150, times=6)
    # Exactly five, the first and the last exactly one window apart: its edges count.
    for ago in (WINDOW + 2, 240, 160, 70, 2):
        _guess(writer, ago, *slow, known=False)
    for ago in range(130, 20, -9):
        _guess(writer, ago + writer.dice.randint(0, 3), *guesser, known=False)
    for ago in range(110, 62, -7):
        _guess(writer, ago, *winner, known=True)
    _session(writer, 55, *reversed(winner), key=False, length=40)
    _hammer(writer, *sixth, ago=60, times=5)
    return [hammer, slow, guesser, winner, sixth]


def _near_misses(writer: _Writer) -> None:
    """Those who come close, and must stay silent."""
    for ago in (WINDOW + 4, 240, 160, 70, 3):  # five, one second more than a window apart
        _guess(writer, ago, "203.0.113.5", "backup", known=False)
    for ago in (200, 150, 90, 40):  # four
        _guess(writer, ago, "198.51.100.4", "carol", known=True)
    for number, user in enumerate(_STRANGERS):  # one address that tries many users
        _guess(writer, 270 - 20 * number, "203.0.113.200", user, known=False)
    for number in range(9):  # many addresses that try one user
        _guess(writer, 250 - 25 * number, f"192.0.2.{100 + number}", "root", known=True)


def _background(writer: _Writer) -> None:
    """A quarter of an hour of strangers, scanners, users who mistype, and cron."""
    dice = writer.dice
    for ago in range(890, 8, -17):
        address = writer.stranger()
        roll = dice.random()
        if roll < 0.55:
            _guess(writer, ago, address, dice.choice(_STRANGERS), known=False)
        elif roll < 0.8:
            _guess(writer, ago, address, "root", known=True)
        else:
            _scan(writer, ago, address)
    for ago in range(870, 60, -75):
        user, address = dice.choice(_USERS), f"10.20.0.{dice.randint(2, 60)}"
        if dice.random() < 0.3:
            writer.say(
                ago + 4, writer.process(), f"Failed password for {user} from {address} port {writer.port()} ssh2"
            )
        _session(writer, ago, user, address, key=user == "deploy" or dice.random() < 0.6, length=dice.randint(10, 55))
    for ago in range(840, 0, -300):
        job = writer.process("CRON")
        writer.say(ago, job, "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)")
        writer.say(ago - 1, job, "pam_unix(cron:session): session closed for user root")


def _guess(writer: _Writer, ago: float, address: str, user: str, *, known: bool) -> None:
    """One connection with one wrong password."""
    process, port = writer.process(), writer.port()
    failure = "authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost="
    if known:
        writer.say(ago + 2, process, f"pam_unix(sshd:auth): {failure}{address}  user={user}")
        writer.say(ago, process, f"Failed password for {user} from {address} port {port} ssh2")
        who = f"authenticating user {user}"
    else:
        writer.say(ago + 2, process, f"Invalid user {user} from {address} port {port}")
        writer.say(ago + 2, process, "pam_unix(sshd:auth): check pass; user unknown")
        writer.say(ago + 2, process, f"pam_unix(sshd:auth): {failure}{address} ")
        writer.say(ago, process, f"Failed password for invalid user {user} from {address} port {port} ssh2")
        who = f"invalid user {user}"
    if writer.dice.random() < 0.6:
        writer.say(ago - 1, process, f"Received disconnect from {address} port {port}:11: Bye Bye [preauth]")
        writer.say(ago - 1, process, f"Disconnected from {who} {address} port {port} [preauth]")
    else:
        writer.say(ago - 1, process, f"Connection closed by {who} {address} port {port} [preauth]")


def _hammer(writer: _Writer, address: str, user: str, *, ago: float, times: int) -> None:
    """One connection with `times` wrong passwords; rsyslog writes all but the first as one line."""
    process, port = writer.process(), writer.port()
    peer = f"{user} from {address} port {port} ssh2"
    rhost = f"logname= uid=0 euid=0 tty=ssh ruser= rhost={address}  user={user}"
    writer.say(ago + 2, process, f"pam_unix(sshd:auth): authentication failure; {rhost}")
    writer.say(ago, process, f"Failed password for {peer}")
    last = ago - 3 * times
    writer.say(last, process, f"message repeated {times - 1} times: [ Failed password for {peer}]")
    writer.say(last, process, f"error: maximum authentication attempts exceeded for {peer} [preauth]")
    ending = "Too many authentication failures [preauth]"
    writer.say(last, process, f"Disconnecting authenticating user {user} {address} port {port}: {ending}")
    writer.say(last, process, f"PAM {times - 1} more authentication failures; {rhost}")
    writer.say(last, process, f"PAM service(sshd) ignoring max retries; {times} > 3")


def _scan(writer: _Writer, ago: float, address: str) -> None:
    """A connection that never gets as far as a password."""
    process, port = writer.process(), writer.port()
    offer = "no matching host key type found. Their offer: ssh-rsa [preauth]"
    forms = (
        (f"Connection closed by {address} port {port} [preauth]",),
        (f"Connection reset by {address} port {port}",),
        (f"Did not receive identification string from {address} port {port}",),
        (f"banner exchange: Connection from {address} port {port}: invalid format",),
        (f"Unable to negotiate with {address} port {port}: {offer}",),
        (
            "error: kex_exchange_identification: Connection closed by remote host",
            f"Connection closed by {address} port {port}",
        ),
    )
    for text in writer.dice.choice(forms):
        writer.say(ago, process, text)


def _session(writer: _Writer, ago: float, user: str, address: str, *, key: bool, length: int) -> None:
    """A login that works, and its end `length` seconds later."""
    process, port = writer.process(), writer.port()
    if key:
        fingerprint = base64.b64encode(writer.dice.randbytes(32)).decode().rstrip("=")
        how, proof = "publickey", f": ED25519 SHA256:{fingerprint}"
    else:
        how, proof = "password", ""
    writer.say(ago, process, f"Accepted {how} for {user} from {address} port {port} ssh2{proof}")
    number = 1000 + sum(user.encode()) % 100
    writer.say(ago, process, f"pam_unix(sshd:session): session opened for user {user}(uid={number}) by (uid=0)")
    writer.say(ago - length, process, f"Received disconnect from {address} port {port}:11: disconnected by user")
    writer.say(ago - length, process, f"Disconnected from user {user} {address} port {port}")
    writer.say(ago - length, process, f"pam_unix(sshd:session): session closed for user {user}")


def _administration(writer: _Writer) -> list[Secret]:
    """What sudo logs, now and then with a secret on the command line; an account that PAM locks."""
    dice = writer.dice
    password, database = f"Xk{_word(dice, 9)}7!", f"pg{_word(dice, 12)}4"
    token, web_token = _word(dice, 32), _json_web_token(dice)
    card, express = _card(dice, "4", 16), _card(dice, "37", 15)
    social = f"{dice.randint(100, 665)}-{dice.randint(10, 99)}-{dice.randint(1000, 9999)}"
    cloud_key = "AKIA" + "".join(dice.choices(string.ascii_uppercase, k=16))
    grouped = " ".join(card[at : at + 4] for at in range(0, 16, 4))
    commands = (
        f"/usr/bin/mysqldump --user=backup --password={password} shop",
        f"/usr/bin/psql postgresql://report:{database}@db-1/shop -c VACUUM",
        f"/usr/bin/curl -H Authorization: Bearer {token} https://api.example/v1/sync",
        f"/usr/local/bin/replay --jwt {web_token}",
        f"/usr/local/bin/refund --card {grouped} --amount 12",
        f"/usr/local/bin/refund --number {express}",
        f"/usr/local/bin/payroll find {social}",
        f"/usr/bin/env AWS_ACCESS_KEY_ID={cloud_key} /usr/local/bin/upload /srv/backup",
        "/usr/bin/systemctl restart nginx",
        "/usr/bin/apt-get update",
        "/usr/bin/tail -n 100 /var/log/nginx/error.log",
    )
    for number, command in enumerate(commands):
        _sudo(writer, 280 - 21 * number, dice.choice(_USERS[:3]), command)
    text = "pam_faillock(sshd:auth): Consecutive login failures for user bob account temporarily locked"
    writer.say(61, writer.process(), text)
    return [
        Secret("password", password),
        Secret("password", database),
        Secret("access_token", token),
        Secret("access_token", web_token),
        Secret("credit_card", grouped),
        Secret("credit_card", express),
        Secret("ssn", social),
        Secret("api_key", cloud_key),
    ]


def _sudo(writer: _Writer, ago: float, user: str, command: str) -> None:
    process = f"pts/{writer.dice.randint(0, 4)} ; PWD=/home/{user}"
    writer.say(ago, "sudo", f"   {user} : TTY={process} ; USER=root ; COMMAND={command}")
    writer.say(ago, "sudo", f"pam_unix(sudo:session): session opened for user root(uid=0) by {user}(uid=1000)")
    writer.say(ago - 1, "sudo", "pam_unix(sudo:session): session closed for user root")


def _word(dice: random.Random, length: int) -> str:
    return "".join(dice.choices(string.ascii_letters + string.digits, k=length - 1)) + dice.choice(string.digits)


def _card(dice: random.Random, prefix: str, length: int) -> str:
    """A number that passes the Luhn check (ISO/IEC 7812-1, annex B)."""
    digits = prefix + "".join(dice.choices(string.digits, k=length - len(prefix) - 1))
    doubled = (int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return digits + str(-sum(value - 9 if value > 9 else value for value in doubled) % 10)


def _json_web_token(dice: random.Random) -> str:
    parts = (b'{"alg":"HS256","typ":"JWT"}', b'{"sub":"demo","iat":1700000000}', dice.randbytes(32))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
