"""The sliding window on random streams of events, late and out of order, against a count of its own.

No burst is missed at the borders of runs, none is found twice, and messages about one group are never closer than the
throttle.
"""

from __future__ import annotations

import copy
import itertools
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
from clusters import Cluster
from pack_cluster import OWNER, Pack, pack, stream

__all__ = ["pack"]

NEEDED, WITHIN = 5, 300_000
SCHEDULE, DELAY, THROTTLE = 60_000, 60_000, 900_000
LOOKBACK = WITHIN + SCHEDULE + DELAY + THROTTLE
BEGIN = 1_767_225_600_000  # 2026-01-01
SPAN = 30 * 60_000
RULE = "brute-force-login"


@dataclass
class Stream:
    """One group's events: when each occurred and when it was stored."""

    key: tuple[str, str]
    events: list[tuple[int, int]]
    told: list[int] = field(default_factory=list)
    open: bool = False

    def peak(self, begin: int, end: int) -> int:
        """The largest number of events inside any window, among those stored by `end` that lie in [begin, end]."""
        seen = [at for at, stored in self.events if stored <= end and begin <= at <= end]
        return max((sum(first <= at <= first + WITHIN for at in seen) for first in seen), default=0)

    def bursts(self) -> list[int]:
        """When each burst was complete, in the order of time, with everything known."""
        times = sorted(at for at, _ in self.events)
        return [at for at in times if sum(at - WITHIN <= each <= at for each in times) >= NEEDED]


def streams(many: int, seed: int) -> Iterator[Stream]:
    """Bursts at the borders of windows and runs more often than chance would have it; a third of the events is late."""
    rng = random.Random(seed)
    for number in range(many):
        key = (f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", f"user-{number}")
        times: list[int] = []
        for _ in range(rng.randint(1, 3)):
            begin = rng.randrange(0, SPAN // 1000) * 1000
            gap = rng.choice((0, 1, 1_000, 74_999, 75_000, 75_001, 100_000, rng.randrange(1, 150_000)))
            times += [begin + gap * n for n in range(rng.randint(1, 7))]
        yield Stream(key, [(at, at + rng.choice((0, 0, rng.randint(1, DELAY)))) for at in times])


def ship(pack: Pack, found: list[tuple[int, Stream]]) -> None:
    """Store events, in the order in which they arrive."""
    for start in range(0, len(found), 5_000):
        lines = []
        for at, each in found[start : start + 5_000]:
            event = {
                "@timestamp": BEGIN + at,
                "category": "authentication",
                "action": "login_failed",
                "severity": "warning",
                "message": "Failed login",
                "source": {"ip": each.key[0]},
                "actor": {"username": each.key[1]},
                "outcome": {"status": "failure"},
            }
            lines.append(f'{{"create":{{}}}}\n{json.dumps(event)}\n')
        answer = pack.client.request("POST", f"/{stream('authentication')}/_bulk", "".join(lines), {"refresh": "true"})
        assert not answer["errors"]


def silent(pack: Pack) -> Pack:
    """The same, the rule's trigger without actions."""
    monitor = pack.resources["monitor", f"{OWNER}-{RULE}"]
    body = copy.deepcopy(monitor.body)
    body["triggers"][0]["bucket_level_trigger"]["actions"] = []
    return replace(pack, resources={**pack.resources, monitor.ref: replace(monitor, body=body)})


def check(pack: Pack, many: int, seed: int) -> tuple[int, int, int]:
    """Run the pack's own monitor over all streams, minute by minute, each run with what is stored by then.

    Without its actions: a dry run answers with a message for each alert, and each names all, of thousands, too.
    """
    pack = silent(pack)
    pack.clear("authentication")
    all_ = list(streams(many, seed))
    arrivals = sorted(((stored, at, n) for n, each in enumerate(all_) for at, stored in each.events))
    last = max(at for each in all_ for at, _ in each.events)
    place = 0
    for end in range(SCHEDULE, last + DELAY + THROTTLE + WITHIN + 3 * SCHEDULE, SCHEDULE):
        arrived = []
        while place < len(arrivals) and arrivals[place][0] <= end:
            arrived.append((arrivals[place][1], all_[arrivals[place][2]]))
            place += 1
        ship(pack, arrived)
        found = {key: bucket["peak"]["value"] for key, bucket in pack.found(RULE, BEGIN + end).items()}
        expected = {each.key: peak for each in all_ if (peak := each.peak(end - LOOKBACK, end)) >= NEEDED}
        assert found == expected, f"seed {seed}, minute {end // SCHEDULE}"
        for each in all_:
            fires = each.key in found
            each.told += [end] if fires and not each.open else []
            each.open = fires
    assert not any(each.open for each in all_)
    return many, sum(bool(each.bursts()) for each in all_), _told(all_)


def _told(all_: list[Stream]) -> int:
    for each in all_:
        bursts = each.bursts()
        assert bool(each.told) == bool(bursts), each
        assert all(after - before >= THROTTLE for before, after in itertools.pairwise(each.told)), each
        for burst in bursts:  # told in time, or part of what was told within the throttle before
            assert any(told <= burst + SCHEDULE + DELAY for told in each.told), each
        # One message for each chain of bursts, if between two of them a run saw neither.
        chains = 1 + sum(b - a > LOOKBACK + SCHEDULE for a, b in itertools.pairwise(bursts)) if bursts else 0
        assert len(each.told) >= chains, each
    return sum(len(each.told) for each in all_)


def test_the_window_is_exact_on_random_streams(pack: Pack) -> None:
    many, bursts, told = check(pack, 500, seed=1)
    assert many > bursts > 100
    assert told >= bursts


@pytest.mark.long
@pytest.mark.usefixtures("many_templates")
def test_the_window_is_exact_on_ten_thousand_random_streams(pack: Pack, record_property) -> None:  # type: ignore[no-untyped-def]
    many, bursts, told = check(pack, 10_000, seed=20261124)
    print(f"{many:,} streams, {bursts:,} with bursts, {told:,} messages, each run as the count says")
    assert bursts > 2_000


def test_the_count_itself(cluster: Cluster) -> None:
    """The reference, on cases that can be seen at a glance."""
    exact = Stream(("a", "b"), [(n * 75_000, n * 75_000) for n in range(5)])
    assert exact.peak(0, 300_000) == 5
    assert exact.peak(1, 300_000) == 4
    assert exact.bursts() == [300_000]
    late = Stream(("a", "b"), [(0, 0)] * 4 + [(1, 60_000)])
    assert (late.peak(0, 59_999), late.peak(0, 60_000)) == (4, 5)
