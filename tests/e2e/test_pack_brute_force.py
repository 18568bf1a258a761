"""The brute-force rule as a native monitor, against an independent count: none missing, none extra."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pack_cluster import ROOT, Pack

RULE = "brute-force-login"
LOG = ROOT.parent / "shared" / "data" / "sshd-auth.log"
WITHIN = timedelta(seconds=300)
MINUTE = timedelta(minutes=1)
Key = tuple[str, str]

# Written for this test, and with other means than the pipeline: regular expressions over the whole line.
_LINE = re.compile(r"(?P<time>\w{3} [ \d]\d \d\d:\d\d:\d\d) \S+ sshd\[\d+\]: (?P<text>.*)")
_REPEATED = re.compile(r"message repeated (?P<times>\d+) times: \[ (?P<text>.*)\]")
_FAILED = re.compile(r"Failed password for (?:invalid user )?(?P<user>.*) from (?P<ip>\S+) port \d+ ssh2")


def failures(text: str, now: datetime) -> dict[Key, list[datetime]]:
    """The times of all failed passwords by address and user; a repeated line stands for all its repetitions."""
    times: dict[Key, list[datetime]] = defaultdict(list)
    for line in text.splitlines():
        if not (match := _LINE.fullmatch(line)):
            continue
        said, count = match["text"], 1
        if repeated := _REPEATED.fullmatch(said):
            said, count = repeated["text"], int(repeated["times"])
        if failed := _FAILED.fullmatch(said):
            at = datetime.strptime(f"{now.year} {match['time']}", "%Y %b %d %H:%M:%S").replace(tzinfo=UTC)
            if at > now + timedelta(days=1):
                at = at.replace(year=now.year - 1)
            times[failed["ip"], failed["user"]] += [at] * count
    return times


def bursts(times: dict[Key, list[datetime]], count: int = 5) -> dict[Key, int]:
    """Those that reach `count` inside some window, both edges included: by brute force, every window counted anew."""
    peaks = {
        key: max(sum(start <= at <= start + WITHIN for at in all_) for start in all_) for key, all_ in times.items()
    }
    return {key: peak for key, peak in peaks.items() if peak >= count}


def run_over(pack: Pack, first: datetime, last: datetime, step: timedelta = MINUTE) -> dict[Key, int]:
    """The monitor once every `step`: the groups found in any run, with the largest peak."""
    found: dict[Key, int] = {}
    at = first
    while at <= last + step:
        for (ip, user), bucket in pack.found(RULE, int(at.timestamp() * 1000)).items():
            found[ip, user] = max(found.get((ip, user), 0), bucket["peak"]["value"])
        at += step
    return found


@pytest.fixture
def streams(pack: Pack) -> Pack:
    pack.clear("authentication")
    return pack


def event(at: datetime, ip: str = "203.0.113.42", user: str = "john.doe", **fields: Any) -> dict[str, Any]:
    return {
        "@timestamp": at.isoformat(timespec="milliseconds"),
        "category": "authentication",
        "action": "login_failed",
        "severity": "warning",
        "message": "Failed login attempt",
        "source": {"ip": ip},
        "actor": {"username": user},
        "outcome": {"status": "failure"},
    } | fields


START = datetime(2026, 5, 11, 14, 0, tzinfo=UTC)


def at(*seconds: float) -> list[datetime]:
    return [START + timedelta(seconds=second) for second in seconds]


def test_a_real_log_gives_exactly_the_pairs_of_an_independent_count(streams: Pack) -> None:
    if not LOG.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{LOG} is missing, and CI must run this test")
        pytest.skip(f"{LOG} is not on this machine")
    text = LOG.read_bytes().decode()
    answers = streams.ship("authentication", ({"message": line} for line in text.split("\n") if line), "sshd")
    assert [answer["status"] for answer in answers] == [201] * 1000
    assert not streams.search("authentication", query={"exists": {"field": "ingest.error"}})

    times = failures(text, datetime.now(UTC))
    expected = bursts(times)
    assert len(expected) == 10  # as counted once by hand: a count that finds nothing would agree with a dead monitor
    moments = [moment for all_ in times.values() for moment in all_]
    assert run_over(streams, min(moments), max(moments)) == expected


def test_the_independent_count_knows_repeated_lines() -> None:
    failed = "Failed password for root from 203.0.113.9 port 1 ssh2"
    said = (failed, f"message repeated 5 times: [ {failed}]")
    lines = (f"Dec 10 07:13:{31 + n} LabSZ sshd[1]: {text}" for n, text in enumerate(said))
    assert bursts(failures("\r\n".join(lines), datetime.now(UTC))) == {("203.0.113.9", "root"): 6}


BORDERS = {
    "exactly 300 s from the first to the fifth": ([event(t) for t in at(0, 75, 150, 225, 300)], 5),
    "one millisecond more": ([event(t) for t in at(0, 75, 150, 225, 300.001)], None),
    "four": ([event(t) for t in at(0, 1, 2, 3)], None),
    "five in the same millisecond": ([event(t) for t in at(0, 0, 0, 0, 0)], 5),
    "one line repeated five times": ([event(t, occurrences=5) for t in at(0)], 5),
    "a line repeated four times and one more": ([event(START, occurrences=4), *(event(t) for t in at(300))], 5),
    "a line repeated four times and one too late": (
        [event(START, occurrences=4), *(event(t) for t in at(300.001))],
        None,
    ),
    "four and four, never five in one window": ([event(t) for t in at(0, 1, 2, 3, 304, 305, 306, 307)], None),
    "the burst is not at the window's start": ([event(t) for t in at(0, 290, 310, 320, 330, 340)], 5),
    "two users of one address": ([event(t, user=user) for user in ("a", "b") for t in at(0, 1, 2)], None),
    "two addresses of one user": ([event(t, ip=ip) for ip in ("192.0.2.1", "2001:db8::1") for t in at(0, 1, 2)], None),
    "successes do not count": ([event(t, outcome={"status": "success"}) for t in at(0, 1, 2, 3, 4)], None),
    "other actions do not count": ([event(t, action="login_probe") for t in at(0, 1, 2, 3, 4)], None),
}


def test_borders(streams: Pack) -> None:
    """All cases at once, each an address block of its own: one run of the monitor tells them apart."""
    shipped = []
    for number, (events, _) in enumerate(BORDERS.values()):
        shipped += [one | {"actor": {"username": f"{number}-{one['actor']['username']}"}} for one in events]
    assert {answer["status"] for answer in streams.ship("authentication", shipped)} == {201}
    fired = run_over(streams, START, START + timedelta(minutes=6))
    peaks = {int(user.split("-")[0]): peak for (_, user), peak in fired.items()}
    assert {name: peaks.get(number) for number, name in enumerate(BORDERS)} == {n: p for n, (_, p) in BORDERS.items()}


@pytest.mark.parametrize("offset", [0, 1, 29, 30, 59])
def test_a_burst_that_straddles_two_runs_is_found_by_one_of_them(streams: Pack, offset: int) -> None:
    moments = [START + timedelta(seconds=offset + second) for second in (0, 75, 150, 225, 300)]
    streams.ship("authentication", [event(moment) for moment in moments])
    runs = [START + MINUTE * number for number in range(8)]
    hits = [run for run in runs if streams.found(RULE, int(run.timestamp() * 1000))]
    assert hits, "no run saw the burst whole"
    assert hits[0] - moments[-1] <= MINUTE


def test_an_event_that_is_stored_a_minute_late_is_counted(streams: Pack) -> None:
    """The last event occurs just before a run and is stored after it: the next run still sees all five."""
    *early, late = (event(t) for t in at(0, 75, 150, 225, 300))
    streams.ship("authentication", early)
    run = START + timedelta(seconds=300)
    assert not streams.found(RULE, int(run.timestamp() * 1000))
    streams.ship("authentication", [late])
    assert streams.found(RULE, int((run + MINUTE).timestamp() * 1000))


@pytest.mark.parametrize("name", ["{{x}}", "{{{x}}}", "{{#a}}", "{{=<% %>=}}", "{{", "a{b", "{{period_end}}"])
def test_a_user_name_cannot_stop_the_monitor(streams: Pack, name: str) -> None:
    """Alerting renders the last key of a page as Mustache to ask for the next: `{{x}}` made it ask for ever."""
    streams.ship("authentication", [event(t, user=user) for user in ("john.doe", name) for t in at(0, 1, 2, 3, 4)])
    keys = set(streams.found(RULE, int(START.timestamp() * 1000) + 60_000))
    shown = name.replace("{", "{ ") if "{{" in name else name
    assert keys == {("203.0.113.42", "john.doe"), ("203.0.113.42", shown)}
