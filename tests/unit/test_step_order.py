"""What begins next, asked by several workers at once."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from provisioner.schedule import Schedule, urgency


def refs(text: str) -> set[tuple[str, str]]:
    """`k:a q:b` as refs."""
    return {tuple(word.split(":")) for word in text.split()}


def part(**waits: str) -> dict[tuple[str, str], set[tuple[str, str]]]:
    """`k_a="q:b"`: a of kind k waits for b of kind q."""
    return {tuple(name.split("_")): refs(others) for name, others in waits.items()}


def queued(kind: str) -> bool:
    return kind == "q"


def test_the_longest_chain_comes_first_and_kinds_take_turns():
    found = urgency(part(k_end="k:middle", k_middle="k:start", k_start="", k_x="", k_y="", m_x="", m_y=""))
    order = [":".join(ref) for ref in sorted(found, key=found.__getitem__)]
    assert order == ["k:start", "k:middle", "k:end", "m:x", "k:x", "m:y", "k:y"]


def test_few_changes_of_the_clusters_state_are_sent_at_once():
    schedule = Schedule(part(q_a="", q_b="", q_c="", k_a="", k_b=""), refs("q:a q:b q:c k:a k:b"), queued)
    first = [schedule.take() for _ in range(4)]
    assert sorted(first) == [("k", "a"), ("k", "b"), ("q", "a"), ("q", "b")]
    waiting = []
    worker = threading.Thread(target=lambda: waiting.append(schedule.take()))
    worker.start()
    time.sleep(0.05)
    assert not waiting  # c may not begin, nothing else is left
    schedule.done(("k", "a"))
    time.sleep(0.05)
    assert not waiting
    schedule.done(("q", "b"))
    worker.join(5)
    assert waiting == [("q", "c")]
    for ref in refs("q:a q:c k:b"):
        schedule.done(ref)
    assert schedule.take() is None


def test_what_is_not_wanted_is_passed_over():
    schedule = Schedule(part(k_c="k:b", k_b="k:a", k_a=""), refs("k:c"), queued)
    assert schedule.take() == ("k", "c")
    schedule.done(("k", "c"))
    assert schedule.take() is None
    assert Schedule(part(k_a=""), (), queued).take() is None
    assert Schedule({}, (), queued).take() is None


def test_nothing_begins_once_it_is_stopped():
    schedule = Schedule(part(k_a="", k_b="k:a"), refs("k:a k:b"), queued)
    assert schedule.take() == ("k", "a")
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(schedule.take) for _ in range(3)]
        time.sleep(0.05)
        assert not any(one.done() for one in waiting)
        schedule.stop()
        assert [one.result(5) for one in waiting] == [None] * 3
    schedule.done(("k", "a"))
    assert schedule.take() is None


@pytest.mark.parametrize("seed", range(20))
def test_any_graph_comes_to_its_end_in_order(seed):
    chance = random.Random(seed)
    names = [(chance.choice("qkm"), str(n)) for n in range(60)]
    edges = {ref: {other for other in names[:at] if chance.random() < 0.06} for at, ref in enumerate(names)}
    wanted = {ref for ref in names if chance.random() < 0.8}
    schedule = Schedule(edges, wanted, queued)
    running, made, most = set(), [], []
    lock = threading.Lock()

    def work():
        while (ref := schedule.take()) is not None:
            with lock:
                running.add(ref)
                most.append(sum(queued(kind) for kind, _ in running))
                assert not edges[ref] & wanted - set(made)
            time.sleep(chance.random() / 2_000)
            with lock:
                running.remove(ref)
                made.append(ref)
            schedule.done(ref)

    with ThreadPoolExecutor(5) as pool:
        for one in [pool.submit(work) for _ in range(5)]:
            one.result(30)
    assert sorted(made) == sorted(wanted)
    assert max(most) <= 2
