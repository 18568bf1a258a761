"""The order of changes, and circles."""

import itertools
import random

import pytest

from provisioner import graph
from provisioner.errors import ProvisionerError
from provisioner.model import Action, Change, Origin, Resource

EDGES = {"a": "bc", "b": "d", "c": "d", "d": "", "e": "", "f": "ea"}


def change(name, needs="", action=Action.CREATE):
    resource = Resource("k", name, {}, Origin("a.yml"), frozenset(("k", other) for other in needs))
    return Change(action, "k", name, "", resource=resource, depends_on=resource.depends_on)


def names(changes):
    return "".join(c.key for c in changes)


def test_what_is_depended_on_comes_first_whatever_the_order_given():
    changes = [change(name, needs) for name, needs in EDGES.items()]
    assert {
        names(graph.order(shuffled)) for shuffled in itertools.islice(itertools.permutations(changes), 0, 720, 7)
    } == {"debcaf"}


def test_dependencies_outside_of_the_plan_are_ignored():
    assert names(graph.order([change("a", "x")])) == "a"


def test_deletions_come_last():
    assert names(graph.order([change("a", action=Action.DELETE), change("b", "a"), change("c")])) == "bca"


def test_deletions_go_in_reverse():
    deletes = [change(name, needs, Action.DELETE) for name, needs in EDGES.items()]
    ordered = names(graph.order(deletes))
    assert all(ordered.index(name) < ordered.index(other) for name, needs in EDGES.items() for other in needs)


def test_a_no_op_in_between_keeps_the_order():
    kept, deleted = graph.edges([change("a", "b"), change("b", "c", Action.NONE), change("c")])
    assert (kept, deleted) == ({("k", "a"): {("k", "b")}, ("k", "b"): {("k", "c")}, ("k", "c"): set()}, {})


def test_circles_are_named():
    with pytest.raises(ProvisionerError, match=r"k a → k b → k a|k b → k a → k b"):
        graph.order([change("a", "b"), change("b", "a"), change("c")])
    assert graph.circle({("k", "a"): [("k", "a")]}) == [("k", "a"), ("k", "a")]
    assert graph.circle({("k", "a"): [("k", "b")]}) == []
    assert graph.circle({}) == []


def test_random_graphs_without_circles_are_ordered():
    dice = random.Random(7)
    for _ in range(50):
        edges = {n: [m for m in range(n) if dice.random() < 0.2] for n in range(30)}
        resources = [
            Resource("k", f"{n:02}", {}, Origin("a"), frozenset(("k", f"{m:02}") for m in needs))
            for n, needs in edges.items()
        ]
        changes = [Change(Action.CREATE, "k", r.key, "", resource=r, depends_on=r.depends_on) for r in resources]
        dice.shuffle(changes)
        ordered = [c.key for c in graph.order(changes)]
        for n, needs in edges.items():
            assert all(ordered.index(f"{m:02}") < ordered.index(f"{n:02}") for m in needs)
