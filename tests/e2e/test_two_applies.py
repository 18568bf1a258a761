"""Two applies at once, with different content: the cluster is one of the two in the end, whole."""

from __future__ import annotations

import pathlib
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from clusters import Cluster, Done
from faultcampaign import RACES
from faultlab import Lane, lane, receiver
from faultlook import APPLY, comparable, flaws, measured, unfinished


@dataclass
class Race:
    """Two copies of a repository, one in each version, with the same owner: the lane's own one is version 1."""

    lanes: dict[int, Lane]
    reference: Any
    endings: Counter[str] = field(default_factory=Counter)

    def round(self, *, first: bool) -> None:
        """Both at once; `first`: from nothing, so that even the state has no index yet."""
        if first:
            self.lanes[1].empty()
        running = {number: each.repository.start(*APPLY, FAULTLAB_KEY="key") for number, each in self.lanes.items()}
        done: dict[int, Done] = {}
        for number, process in running.items():
            with process:
                out, err = process.communicate(timeout=180)
            done[number] = Done(process.returncode, out, err)
        text = "\n".join(f"{number}: {each.code}\n{each.text}" for number, each in done.items())
        assert "Traceback" not in text
        assert {each.code for each in done.values()} in ({0}, {0, 1}), text
        for each in done.values():  # the one that gave way says why
            assert each.code == 0 or "lock" in each.text or "changed" in each.text, text
        (winner,) = [number for number, each in self.lanes.items() if not each.pending()] or [0]
        assert winner, f"the result is neither\n{text}"
        assert done[winner].code == 0, text
        left = flaws(self.lanes[winner], self.reference, {}) + unfinished(self.lanes[winner].direct)
        assert not left, "\n".join([*left, text])
        refused = any(each.code == 1 for each in done.values())
        how = "one gave way" if refused else "one waited" if "waiting for" in text else "one came after the other"
        self.endings[f"{'first apply' if first else 'update'}, {how}, the result is version {winner}"] += 1


@pytest.fixture
def race(cluster: Cluster, tmp_path: pathlib.Path) -> Iterator[Race]:
    with receiver() as hook, lane(cluster, tmp_path, "audit", hook) as one:
        reference = measured(one)
        root = tmp_path / "other"
        shutil.copytree(one.repository.root, root)
        other = replace(one, repository=replace(one.repository, root=root))
        other.turn(2)
        made = Race({1: one, 2: other}, reference)
        yield made
        assert comparable(one.direct, one.log_type) in reference.objects.values()
        RACES.update(made.endings)


def test_two_applies_at_once(race: Race) -> None:
    race.round(first=True)
    race.round(first=False)
    race.round(first=False)


@pytest.mark.long
def test_two_applies_at_once_fifty_times(race: Race) -> None:
    for number in range(50):
        race.round(first=number % 4 == 0)
    assert race.endings.total() == 50
