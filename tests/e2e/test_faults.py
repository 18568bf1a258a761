"""Apply under faults: a sample of what `make test-long` does at every position, by the same means."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest
from clusters import Cluster
from faultcampaign import (
    KILLED,
    LATE,
    REFUSED,
    STALLED,
    Campaign,
    Case,
    campaign,
    check,
)
from faultlook import FIRST, UPDATE
from faultproxy import Fault


@pytest.fixture(scope="module")
def lanes(cluster: Cluster, many_templates: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    folder: pathlib.Path = tmp_path_factory.mktemp("lanes")
    with campaign(cluster, folder, 3) as made:
        yield made


def spread(most: int, number: int) -> list[int]:
    """So many positions from 1 to `most`, the first and the last among them."""
    return sorted({1 + round(index * (most - 1) / max(number - 1, 1)) for index in range(number)})


def test_a_killed_apply_is_continued(lanes: Campaign) -> None:
    most = lanes.reference.requests
    cases = [
        Case(name, Fault(KILLED[index % 2], at))
        for name in (FIRST, UPDATE)
        for index, at in enumerate(spread(most[name, "write"], 4)[:-1])
    ]
    check(lanes.run(cases))


def test_every_class_of_answer_is_survived_or_ends_the_apply_clearly(lanes: Campaign) -> None:
    effects = [*STALLED, *LATE, *REFUSED, "reset after the body", "truncated JSON", "500 after the write"]
    most = lanes.reference.requests[UPDATE, "write"]
    cases = [Case(UPDATE, Fault(effect, 2 + index % (most - 3))) for index, effect in enumerate(effects)]
    check(lanes.run(cases))
