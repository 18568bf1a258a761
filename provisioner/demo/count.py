"""Our own count of failed logins, straight from the lines: what the cluster's findings are held against.

It shares nothing with the ingest pipeline or the monitor: its own reading of the lines, its own sliding window.
"""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provisioner.demo.sshdlog import Pair

_HEADER = re.compile(
    r"(?:<\d{1,3}>)?"
    r"(?:(?P<classic>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)|(?P<iso>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*))"
    r" \S+ (?P<program>[^\s\[:]+)(?:\[\d+\])?: (?P<text>.*)"
)
_REPEATED = re.compile(r"message repeated (\d{1,9}) times: \[ (.*)\]")
# The user name is whatever stands before the last " from ": strangers choose it, and may write " from " themselves.
_FAILED = re.compile(
    r"Failed (?P<method>\S+) for (?:(?:invalid|illegal) user )?(?P<user>.*) from (?P<address>\S+) port \d+ ssh2"
    r"(?P<key>: .*)?"
)
_PROGRAMS = {"sshd", "sshd-session", "sshd-auth"}
_LONGEST = 8192
REDACTED = "_REDACTED]"
"""How the marker ends that takes the place of a redacted value."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Failed logins of one pair at one time; `times` is above 1 for "message repeated N times"."""

    at: datetime
    pair: Pair
    times: int = 1


def occurred(line: str, now: datetime) -> datetime | None:
    """When the line says it happened; None where it bears no syslog time.

    The classic form has neither zone nor year: it is taken as UTC, in the newest year that is at most a day ahead.
    """
    header = _HEADER.match(line)
    return header and _time(header, now)


def _time(header: re.Match[str], now: datetime) -> datetime | None:
    try:
        if header["iso"]:
            at = datetime.fromisoformat(header["iso"])
            return at.astimezone(UTC) if at.tzinfo else None
    except ValueError:
        return None
    latest = now + timedelta(days=1)
    for year in range(latest.year, latest.year - 9, -1):
        try:
            at = datetime.strptime(f"{year} {header['classic']}", "%Y %b %d %H:%M:%S").replace(tzinfo=UTC)
        except ValueError:  # 29 February: not in every year
            continue
        if at <= latest:
            return at
    return None


def failure(line: str, now: datetime) -> Failure | None:
    """The failed login that a line tells of, or None.

    Not counted: `Failed none` (a client's question which methods there are), sources that are names, lines where a
    forged key id makes the address uncertain, and those longer than any that sshd (1 KB) and rsyslog (8 KB) write.
    """
    header = _HEADER.match(line.rstrip()) if len(line) <= _LONGEST else None
    if header is None or header["program"] not in _PROGRAMS:
        return None
    repeated = _REPEATED.fullmatch(header["text"])
    times, text = (int(repeated[1]), repeated[2]) if repeated else (1, header["text"])
    failed = _FAILED.fullmatch(text.removesuffix(" [preauth]"))
    at = _time(header, now)
    if failed is None or failed["method"] == "none" or at is None or times < 1:
        return None
    if failed["key"] and (text.count(" ssh2: ") > 1 or text.count(" from ") > 1):
        return None
    address = _address(failed["address"])
    return Failure(at, (address, failed["user"]), times) if address else None


def _address(text: str) -> str | None:
    """The address in the form that OpenSearch's `ip` fields give."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def failures(lines: Iterable[str], now: datetime) -> list[Failure]:
    """All failed logins in the lines."""
    return [found for line in lines if (found := failure(line, now))]


def bursts(failed: Iterable[Failure], threshold: int = 5, within: float = 300) -> dict[Pair, int]:
    """The pairs that reach `threshold` failures inside any window of `within` seconds, both edges included.

    Each with the largest number of failures inside one window.
    """
    length = timedelta(seconds=within)
    windows: dict[Pair, deque[Failure]] = defaultdict(deque)
    sums: dict[Pair, int] = defaultdict(int)
    peaks: dict[Pair, int] = defaultdict(int)
    for one in sorted(failed, key=lambda failure: failure.at):
        window = windows[one.pair]
        window.append(one)
        sums[one.pair] += one.times
        while window[0].at < one.at - length:
            sums[one.pair] -= window.popleft().times
        peaks[one.pair] = max(peaks[one.pair], sums[one.pair])
    return {pair: peak for pair, peak in peaks.items() if peak >= threshold}


def as_key(pair: Pair) -> Pair:
    """The pair as the starter pack's monitor groups it: two opening braces of a name are set apart there."""
    address, user = pair
    return (address, user.replace("{", "{ ") if "{{" in user else user)


def differences(expected: Iterable[Pair], found: Iterable[Pair]) -> tuple[list[Pair], list[Pair]]:
    """Pairs that the cluster did not find, and pairs that it found without cause.

    A user name that redaction replaced matches any user of the same address that was not found by name.
    """
    missing, extra = set(expected) - set(found), set(found) - set(expected)
    for pair in sorted(extra):
        alike = {other for other in missing if other[0] == pair[0]} if REDACTED in pair[1] else set()
        if alike:
            missing -= alike
            extra.discard(pair)
    return sorted(missing), sorted(extra)
