"""Every fault at every position of an apply, on the real node."""

from __future__ import annotations

import pathlib
import threading
from collections.abc import Iterator

import pytest
from clusters import Cluster
from faultcampaign import (
    KILLED,
    LATE,
    PLAIN_500,
    REFUSED,
    STALLED,
    UNCLEAR,
    Campaign,
    Case,
    campaign,
    check,
)
from faultlook import FIRST, UPDATE
from faultproxy import Fault

from provisioner.devcluster import cluster as dev

pytestmark = pytest.mark.long

NODE, NODE_PORT = "e2e-crash", 19705
BOTH = pytest.mark.parametrize("name", [FIRST, UPDATE])


@pytest.fixture(scope="module")
def lanes(cluster: Cluster, many_templates: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    folder: pathlib.Path = tmp_path_factory.mktemp("lanes")
    with campaign(cluster, folder, 5) as made:
        yield made


@BOTH
@pytest.mark.parametrize("effect", KILLED)
def test_killed_at_every_write(lanes: Campaign, name: str, effect: str) -> None:
    most = lanes.reference.requests[name, "write"]
    check(lanes.run([Case(name, Fault(effect, at)) for at in range(1, most + 1)]))


@BOTH
@pytest.mark.parametrize("effect", [*REFUSED, *UNCLEAR, *STALLED, *LATE, *PLAIN_500])
def test_every_answer_at_every_write(lanes: Campaign, name: str, effect: str) -> None:
    most = lanes.reference.requests[name, "write"]
    check(lanes.run([Case(name, Fault(effect, at)) for at in range(1, most + 1)]))


@pytest.mark.parametrize("effect", ["503", "reset after the body", "truncated JSON", "500"])
def test_answers_at_every_fourth_read(lanes: Campaign, effect: str) -> None:
    most = lanes.reference.requests[UPDATE, "read"]
    check(lanes.run([Case(UPDATE, Fault(effect, at, "read")) for at in range(1, most + 1, 4)]))


def test_the_same_request_is_refused_twice_and_a_pause_is_kept(lanes: Campaign) -> None:
    most = lanes.reference.requests[UPDATE, "write"]
    twice = [Case(UPDATE, Fault(effect, most // 2, times=2)) for effect in (*REFUSED, *UNCLEAR)]
    asked = [Case(UPDATE, Fault("429", most // 3, headers={"Retry-After": "2"}))]
    check(lanes.run(twice + asked))


def test_a_cluster_that_stays_away_ends_the_apply(lanes: Campaign) -> None:
    most = lanes.reference.requests[UPDATE, "write"]
    effects = ("429", "502", "503", "reset before the body", "reset after the body", "truncated JSON")
    check(lanes.run([Case(UPDATE, Fault(effect, most // 2, times=None)) for effect in effects]))


@pytest.fixture(scope="module")
def crashing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    """One lane on a dev cluster of its own."""
    made = dev.up(NODE, NODE_PORT)
    try:
        with campaign(Cluster(made.url), tmp_path_factory.mktemp("crash"), 1) as lane:
            yield lane
    finally:
        dev.down(NODE, delete=True)


@BOTH
@pytest.mark.parametrize("effect", KILLED)
def test_the_node_is_killed_and_started_again(crashing: Campaign, name: str, effect: str) -> None:
    most = crashing.reference.requests[name, "write"]
    starting: list[threading.Thread] = []

    def strike() -> None:
        node = dev.status(NODE).node
        process = node.process() if node else None
        assert process
        process.kill()
        process.wait(30)
        starting.append(threading.Thread(target=dev.up, args=(NODE,)))
        starting[-1].start()

    def wait() -> None:
        while starting:
            starting.pop().join()

    positions = sorted({2, most // 3, most // 2, 2 * most // 3})
    check(crashing.run([Case(name, Fault(effect, at, strike=strike), wait) for at in positions]))
