"""The count that the cluster's findings are held against."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from provisioner.demo import count
from provisioner.demo.count import Failure

NOW = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
PAIR = ("203.0.113.9", "root")
LINE = "Nov 23 15:00:00 web-1 sshd[12]: "


def at(*seconds: float, times: int = 1) -> list[Failure]:
    return [Failure(NOW + timedelta(seconds=second), PAIR, times) for second in seconds]


@pytest.mark.parametrize(
    ("failed", "peak"),
    [
        (at(0, 1, 2, 3), None),
        (at(0, 1, 2, 3, 4), 5),
        (at(0, 75, 150, 225, 300), 5),
        (at(0, 75, 150, 225, 300.001), None),
        (at(0, 75, 150, 225, 301, 302), 5),
        (at(300, 225, 0, 150, 75), 5),
        (at(0, times=5), 5),
        (at(0, times=4), None),
        ([*at(0, times=4), *at(300)], 5),
        ([*at(0, times=4), *at(301)], None),
        (at(*range(0, 3000, 100)), None),
        (at(*range(0, 3000, 60)), 6),
    ],
)
def test_five_inside_a_window_whose_edges_count(failed: list[Failure], peak: int | None) -> None:
    assert count.bursts(failed) == ({} if peak is None else {PAIR: peak})


def test_pairs_are_counted_apart() -> None:
    others = [Failure(NOW, ("203.0.113.9", user), 4) for user in ("a", "b")]
    assert count.bursts(others) == {}


@pytest.mark.parametrize(
    ("text", "pair", "times"),
    [
        ("Failed password for root from 203.0.113.9 port 1 ssh2", PAIR, 1),
        ("Failed password for invalid user root from 203.0.113.9 port 1 ssh2", PAIR, 1),
        ("Failed keyboard-interactive/pam for root from 203.0.113.9 port 1 ssh2", PAIR, 1),
        ("message repeated 5 times: [ Failed password for root from 203.0.113.9 port 1 ssh2]", PAIR, 5),
        ("Failed password for root from 203.0.113.9 port 1 ssh2 [preauth]", PAIR, 1),
        ("Failed password for invalid user  from 203.0.113.9 port 1 ssh2", ("203.0.113.9", ""), 1),
        ("Failed password for a from 1.2.3.4 from 203.0.113.9 port 1 ssh2", ("203.0.113.9", "a from 1.2.3.4"), 1),
        ("Failed publickey for root from 203.0.113.9 port 1 ssh2: RSA SHA256:abc", PAIR, 1),
        ("Failed password for root from ::ffff:203.0.113.9 port 1 ssh2", PAIR, 1),
        ("Failed password for root from 2001:DB8:0:0::9 port 1 ssh2", ("2001:db8::9", "root"), 1),
    ],
)  # fmt: skip
def test_failed_logins_are_read(text: str, pair: tuple[str, str], times: int) -> None:
    found = count.failure(LINE + text, NOW)
    assert found == Failure(datetime(2026, 11, 23, 15, tzinfo=UTC), pair, times)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "no log line at all",
        LINE + "Failed none for invalid user root from 203.0.113.9 port 1 ssh2",
        LINE + "Accepted password for root from 203.0.113.9 port 1 ssh2",
        LINE + "Failed password for root from host.example port 1 ssh2",
        LINE + "Failed password for root from 203.0.113.9 port 1 ssh2 and more",
        LINE + "Failed publickey for root from 203.0.113.9 port 1 ssh2: RSA-CERT SHA256:x ID a from 1.2.3.4 (serial 0)",
        LINE + "Failed password for " + "a" * 9000 + " from 203.0.113.9 port 1 ssh2",
        LINE + "message repeated 0 times: [ Failed password for root from 203.0.113.9 port 1 ssh2]",
        "Nov 23 15:00:00 web-1 other[12]: Failed password for root from 203.0.113.9 port 1 ssh2",
        "Xyz 23 15:00:00 web-1 sshd[12]: Failed password for root from 203.0.113.9 port 1 ssh2",
        "2026-11-23T15:00:00 web-1 sshd[12]: Failed password for root from 203.0.113.9 port 1 ssh2",
    ],
)
def test_what_is_no_failed_login_is_not_counted(line: str) -> None:
    assert count.failure(line, NOW) is None


@pytest.mark.parametrize(
    ("time", "meant"),
    [
        ("Nov 23 15:00:00", datetime(2026, 11, 23, 15, tzinfo=UTC)),
        ("Nov 24 15:00:00", datetime(2026, 11, 24, 15, tzinfo=UTC)),
        ("Nov 24 17:00:00", datetime(2025, 11, 24, 17, tzinfo=UTC)),
        ("Dec 10 06:55:46", datetime(2025, 12, 10, 6, 55, 46, tzinfo=UTC)),
        ("Feb 29 06:55:46", datetime(2024, 2, 29, 6, 55, 46, tzinfo=UTC)),
        ("Jan  2 06:55:46", datetime(2026, 1, 2, 6, 55, 46, tzinfo=UTC)),
        ("2026-11-23T16:00:00.5+01:00", datetime(2026, 11, 23, 15, 0, 0, 500_000, tzinfo=UTC)),
    ],
)
def test_times_are_read_as_the_pipeline_reads_them(time: str, meant: datetime) -> None:
    assert count.occurred(f"{time} web-1 sshd[12]: hello", NOW) == meant


def test_differences_name_what_is_missing_and_what_is_extra() -> None:
    a, b, c = ("192.0.2.1", "a"), ("192.0.2.2", "b"), ("192.0.2.3", "c")
    assert count.differences([a, b], [b, a]) == ([], [])
    assert count.differences([a, b], [b, c]) == ([a], [c])


def test_a_redacted_name_stands_for_the_names_of_its_address() -> None:
    card, other = ("192.0.2.1", "4111111111111111"), ("192.0.2.2", "x")
    marker = ("192.0.2.1", "[credit_card_REDACTED]")
    assert count.differences([card], [marker]) == ([], [])
    assert count.differences([other], [marker]) == ([other], [marker])
    assert count.differences([card, ("192.0.2.1", "root")], [marker, ("192.0.2.1", "root")]) == ([], [])
