"""One message for each key and throttle period: rules that are applied, every run they make, what a receiver got.

A throttle period of a key begins with a message. It ends when no burst of the key is in sight any more: the window,
the schedule, the delay and the throttle after the last one began. What is expected comes from a count of its own.
"""

from __future__ import annotations

import itertools
import pathlib
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from notifying import MINUTE, Stage, Told, shipped, stage
from serving import Receiver

from provisioner.demo import count, shipper

LOG = pathlib.Path(__file__).parents[3] / "shared" / "data" / "sshd-auth.log"
BEGIN = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1000
DELAY = MINUTE
SPAN = 80 * MINUTE
Key = tuple[str, ...]


@dataclass(frozen=True)
class Event:
    """When it occurred and when it was stored (milliseconds since the begin), and what it is."""

    at: int
    stored: int
    action: str
    ip: str
    user: str

    def sent(self, begin: int) -> dict[str, object]:
        """As a shipper sends it."""
        when = datetime.fromtimestamp((begin + self.at) / 1000, UTC).isoformat(timespec="milliseconds")
        status = "success" if self.action == "login_succeeded" else "failure"
        return {
            "@timestamp": when,
            "category": "authentication",
            "action": self.action,
            "severity": "warning",
            "message": "A login",
            "source": {"ip": self.ip},
            "actor": {"username": self.user},
            "outcome": {"status": status},
        }


Burst = Callable[[Sequence[Event], int], bool]
"""Whether a burst is complete with an event of this time, by the events of a key in the order of time."""


def failures(needed: int, within: int) -> Burst:
    """So many failures in the window that ends there."""
    return lambda seen, at: sum(e.action == "login_failed" and at - within <= e.at <= at for e in seen) >= needed


def different(needed: int, within: int) -> Burst:
    """Failures of so many users in the window that ends there."""
    return lambda seen, at: (
        len({e.user for e in seen if e.action == "login_failed" and at - within <= e.at <= at}) >= needed
    )


def then_login(needed: int, within: int) -> Burst:
    """A login there, after so many failures in the window."""
    return lambda seen, at: (
        any(e.action == "login_succeeded" and e.at == at for e in seen) and failures(needed, within)(seen, at)
    )


def mostly(needed: int, share: float, within: int) -> Burst:
    """Such a share of failures among so many events in the window that ends there."""

    def complete(seen: Sequence[Event], at: int) -> bool:
        window = [e for e in seen if at - within <= e.at <= at]
        return len(window) >= needed and sum(e.action == "login_failed" for e in window) / len(window) >= share

    return complete


def times_as_many(factor: float, least: int, within: int, baseline: int) -> Burst:
    """So many failures in the window that ends there with one, and so many times what it held on average before."""

    def complete(seen: Sequence[Event], at: int) -> bool:
        ages = [at - e.at for e in seen if e.action == "login_failed" and e.at <= at]
        window, before = (
            sum(first <= age <= last for age in ages) for first, last in ((0, within), (within + 1, within + baseline))
        )
        return 0 in ages and window >= least and window >= factor * (before * within / baseline)

    return complete


@dataclass(frozen=True)
class Expected:
    """What one rule is to do: its burst, whose events make one group, its times in minutes.

    `whole`: a window, and the baseline before it, must lie in sight from the begin. `settle`: for how long (minutes)
    late events are waited for.
    """

    rule: str
    burst: Burst
    key: Callable[[Event], Key]
    within: int
    throttle: int
    remind: int | None = None
    baseline: int = 0
    whole: bool = False
    settle: int = 0

    @property
    def sight(self) -> int:
        """How far a run looks back: window, schedule, delay, throttle."""
        return (self.within + self.baseline + 1 + 1 + self.throttle) * MINUTE

    def groups(self, events: Sequence[Event]) -> dict[Key, list[Event]]:
        """The events of each group, in the order of time."""
        found: dict[Key, list[Event]] = defaultdict(list)
        for event in sorted(events, key=lambda e: e.at):
            found[self.key(event)].append(event)
        return found

    def complete(self, seen: Sequence[Event]) -> list[int]:
        """When each burst of a group was complete."""
        return [at for at in sorted({event.at for event in seen}) if self.burst(seen, at)]

    def told(self, events: Sequence[Event], runs: Sequence[int]) -> Iterator[Told]:
        """The messages, run by run, each run with what is stored by then."""
        for key, own in self.groups(events).items():
            last: int | None = None
            for end in runs:
                seen = [e for e in own if e.stored <= end and end - self.sight <= e.at <= end]
                if not [at for at in self.complete(seen) if self._counts(at, end)]:
                    last = None
                elif last is None or (self.remind and end - last > self._quiet()):
                    last = end
                    yield Told(self.rule, key, BEGIN + end)

    def _counts(self, at: int, end: int) -> bool:
        begin = end - self.sight + (self.within + self.baseline if self.whole else 0) * MINUTE
        return begin <= at <= end - self.settle * MINUTE

    def _quiet(self) -> int:
        """How long an alert is not told again: nothing that was in sight then is in sight after it."""
        assert self.remind is not None
        return max(self.remind * MINUTE, self.sight + MINUTE)


def pair(event: Event) -> Key:
    return event.ip, event.user


def address(event: Event) -> Key:
    return (event.ip,)


REMINDED = {
    **shipped("brute-force-login"),
    "id": "reminded",
    "title": "Reminded",
    "threshold": {"count": 3, "within": "2m"},
    "group_by": ["source.ip"],
    "throttle": "5m",
    "remind": "2m",
}
MOSTLY = {
    **{k: v for k, v in shipped("brute-force-login").items() if k not in ("threshold", "tests")},
    "id": "mostly-failed",
    "title": "Mostly failed",
    "type": "ratio",
    "ratio": {"of": "category:authentication", "at_least": 0.75, "minimum": 6, "within": "5m"},
    "group_by": ["source.ip"],
    "throttle": "10m",
}
SPIKE = {
    **{k: v for k, v in MOSTLY.items() if k != "ratio"},
    "id": "many-more",
    "title": "Many more",
    "type": "spike",
    "spike": {"factor": 3, "minimum": 5, "within": "5m", "baseline": "30m"},
}
RULES = (
    Expected("brute-force-login", failures(5, 5 * MINUTE), pair, 5, 15),
    Expected("password-spraying", different(10, 10 * MINUTE), address, 10, 15),
    Expected("login-after-brute-force", then_login(5, 10 * MINUTE), pair, 10, 5),
    Expected("reminded", failures(3, 2 * MINUTE), address, 2, 5, remind=2),
    Expected("mostly-failed", mostly(6, 0.75, 5 * MINUTE), address, 5, 10, whole=True, settle=1),
    Expected("many-more", times_as_many(3, 5, 5 * MINUTE, 30 * MINUTE), address, 5, 10, baseline=30, whole=True),
)


def documents() -> list[dict[str, object]]:
    own = {rule["id"]: rule for rule in (REMINDED, MOSTLY, SPIKE)}
    return [own.get(each.rule) or shipped(each.rule) for each in RULES]


@dataclass
class Streams:
    """Random events: bursts at the borders of runs, windows and throttles more often than chance would have it."""

    seed: int
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        for number in range(24):
            self._address(f"10.0.0.{number}", self.rng.choice((1, 1, 2, 40)))

    def _address(self, ip: str, users: int) -> None:
        at, often = self.rng.randrange(0, SPAN // 2), self.rng.choice((0, 0, 0.3))
        for _ in range(self.rng.randint(1, 4)):
            gap = self.rng.choice((0, 1, 1_000, 29_999, 30_000, 74_999, 75_000, 75_001, 100_000))
            for n in range(self.rng.randint(2, 12) if users < 40 else self.rng.randint(9, 14)):
                at += gap if n else 0
                self._event(at, "login_failed", ip, f"user-{self.rng.randrange(users)}")
                if self.rng.random() < often:
                    self._event(at + self.rng.randrange(2_000), "login_succeeded", ip, "user-0")
            if self.rng.random() < 0.4:
                self._event(at + self.rng.randrange(0, 240_000), "login_succeeded", ip, "user-0")
            at += self.rng.choice(
                (0, 60_000, 5 * MINUTE, 14 * MINUTE, 15 * MINUTE, 16 * MINUTE, 22 * MINUTE, SPAN // 3)
            )

    def _event(self, at: int, action: str, ip: str, user: str) -> None:
        late = self.rng.choice((0, 0, 0, self.rng.randint(1, DELAY), DELAY))
        self.events.append(Event(at, at + late, action, ip, user))


@pytest.fixture
def told(node_url: str, receiver: Receiver, tmp_path: pathlib.Path) -> Iterator[Stage]:
    with stage(node_url, receiver, tmp_path, BEGIN, documents()) as made:
        yield made


@pytest.fixture
def brute_force(node_url: str, receiver: Receiver, tmp_path: pathlib.Path) -> Iterator[Stage]:
    with stage(node_url, receiver, tmp_path, BEGIN, [shipped("brute-force-login")]) as made:
        yield made


def run(made: Stage, events: Sequence[Event], last: int) -> list[Told]:
    """Every minute: what has arrived by then is stored, in the order in which it came, and the rules run."""
    waiting = sorted(events, key=lambda event: event.stored)
    for end in range(MINUTE, last + MINUTE, MINUTE):
        arrived = [event for event in waiting if event.stored <= end]
        waiting = waiting[len(arrived) :]
        made.ship("authentication", (event.sent(BEGIN) for event in arrived))
        made.go_to(BEGIN + end)
    assert not waiting
    assert made.errors() == []
    return sorted(made.told())


def case(at: Sequence[float], late: float = 0, user: str = "john.doe") -> list[Event]:
    """Failures at these minutes, stored so many minutes later."""
    times = [round(each * MINUTE) for each in at]
    return [Event(each, each + round(late * MINUTE), "login_failed", "203.0.113.9", user) for each in times]


FIVE = (0, 0.1, 0.2, 0.3, 0.4)
CASES = {
    "a burst": (case(FIVE), [1]),
    "a burst that goes on is one": (case([n / 2 for n in range(120)]), [2]),
    "again within the throttle": (case((*FIVE, *(14 + at for at in FIVE))), [1]),
    "again while the first is in sight": (case((*FIVE, *(20 + at for at in FIVE))), [1]),
    "again when it is out of sight": (case((*FIVE, *(24 + at for at in FIVE))), [1, 25]),
    "five around the border of two runs": (case((0.6, 0.8, 0.9, 1.1, 1.2)), [2]),
    "the last one is late": ([*case(FIVE[:4]), *case(FIVE[4:], late=1)], [2]),
    "all are late, and in the wrong order": ([*case(FIVE[3:], late=0.6), *case(FIVE[:3], late=1)], [2]),
    "stored later than the delay": (case(FIVE, late=10), [11]),
    "stored when it would be out of sight": (case(FIVE, late=25), []),
    "late events of a burst that was told": ([*case(FIVE), *case((0.15, 0.25, 0.45), late=1)], [1]),
}


def test_what_becomes_of_a_burst(brute_force: Stage) -> None:
    """All cases at once, each a user of its own."""
    events: list[Event] = []
    for number, (own, _) in enumerate(CASES.values()):
        events += [replace(event, user=f"user-{number}") for event in own]
    got = run(brute_force, events, 90 * MINUTE)
    runs = {
        name: [(each.at - BEGIN) // MINUTE for each in got if each.keys[1] == f"user-{number}"]
        for number, name in enumerate(CASES)
    }
    assert runs == {name: expected for name, (_, expected) in CASES.items()}


def test_more_keys_at_once_than_alerting_tells_one_by_one(brute_force: Stage) -> None:
    """By default it falls back to one message for all at every run: `doctor` says what to set."""
    burst = [replace(event, user=f"user-{n}") for n in range(51) for event in case(FIVE)]
    later = [replace(event, at=event.at + 40 * MINUTE, stored=event.stored + 40 * MINUTE) for event in burst]
    assert len(run(brute_force, burst, 30 * MINUTE)) > 20
    brute_force.set({"plugins.alerting.max_actionable_alert_count": -1})
    got = run(brute_force, later, 70 * MINUTE)
    assert sorted(each.keys[1] for each in got) == sorted({event.user for event in later})


@pytest.mark.parametrize("seed", [5, pytest.param(6, marks=pytest.mark.long), pytest.param(7, marks=pytest.mark.long)])
def test_each_burst_is_told_once_in_a_throttle_period(told: Stage, seed: int) -> None:
    events = Streams(seed).events
    last = (max(event.at for event in events) // MINUTE + 35) * MINUTE
    got = run(told, events, last)
    expected = sorted(each for rule in RULES for each in rule.told(events, range(MINUTE, last + MINUTE, MINUTE)))
    assert got == expected
    counts = {rule.rule: sum(each.rule == rule.rule for each in got) for rule in RULES}
    assert min(counts.values()) >= 3, counts
    for rule in RULES:
        for key, own in rule.groups(events).items():
            _promise(
                rule,
                rule.complete(own),
                [each.at - BEGIN for each in got if (each.rule, each.keys) == (rule.rule, key)],
            )


def _promise(rule: Expected, bursts: Sequence[int], told: Sequence[int]) -> None:
    """The promise without a word of runs: told in time, no two in a throttle, one for each burst that is apart."""
    assert bool(bursts) == bool(told)
    assert all(after - before >= rule.throttle * MINUTE for before, after in itertools.pairwise(told))
    for at in bursts:
        assert any(each <= at + DELAY + MINUTE for each in told)
    if rule.remind is None:
        gaps = [after - before for before, after in itertools.pairwise(bursts)]
        apart, close = (
            sum(gap > least for gap in gaps) for least in (rule.sight + MINUTE + DELAY, rule.throttle * MINUTE)
        )
        assert (1 + apart if bursts else 0) <= len(told) <= 1 + close


@pytest.mark.skipif(not LOG.exists(), reason=f"the real log is not on this machine: {LOG}")
def test_each_burst_of_the_real_log_is_told_once(node_url: str, receiver: Receiver, tmp_path: pathlib.Path) -> None:
    """Line by line as sshd wrote it, a third of the lines late and so out of order, over all the log's time."""
    lines, now = list(shipper.read(LOG)), datetime.now(UTC)
    times = [count.occurred(line, now) for line in lines]
    stamps = [int(at.timestamp() * 1000) for at in times if at]
    assert len(stamps) == len(lines)
    begin = min(stamps) // MINUTE * MINUTE
    rng = random.Random(1)
    late = [at + rng.choice((0, 0, rng.randint(1, DELAY))) for at in stamps]
    waiting = sorted(zip(late, lines, strict=True))
    bursts = {
        key: peak for pair, peak in count.bursts(count.failures(lines, now)).items() if (key := count.as_key(pair))
    }
    with stage(node_url, receiver, tmp_path, begin, [shipped("brute-force-login")]) as made:
        for end in range(begin + MINUTE, max(stamps) + 30 * MINUTE, MINUTE):
            arrived = [line for stored, line in waiting if stored <= end]
            waiting = waiting[len(arrived) :]
            made.ship("authentication", ({"message": line} for line in arrived), "sshd")
            made.go_to(end)
        assert not waiting
        assert made.errors() == []
        got = made.told()
    # Every burst of this log is over within four minutes, and no pair has two that are further apart.
    assert sorted(each.keys for each in got) == sorted(bursts)
    assert len(bursts) == 10
