"""Holds as values, and the limit that keeps a plan from deleting what is held."""

import pytest

from provisioner import limits
from provisioner.holds import ID, Hold, Was, as_it_was, held
from provisioner.model import Action, Change, Index
from provisioner.quantities import Shares

FIRST = Hold("inc-1", "lawsuit", "alice", "web-1", "2026-05-11T14:23:45Z", ("audit",), {"a": Was("short"), "b": Was()})
SECOND = Hold("inc-2", "breach", "bob", "web-1", "2026-05-12T14:23:45Z", ("b",), {"b": Was("", blocked=True)}, "2" * 32)
ENDED = Hold("inc-3", "x", "bob", "web-1", "2026-05-12T14:23:45Z", ("c",), {"c": Was()}, released={"at": "x"})


@pytest.mark.parametrize("hold", [FIRST, SECOND, ENDED])
def test_its_document_holds_all_of_it(hold):
    assert Hold.of(hold.packed()) == hold
    assert hold.packed()["open"] == (hold.released is None)


def test_what_is_held_and_by_whom_first():
    assert held([FIRST, SECOND, ENDED]) == {"a": "inc-1", "b": "inc-1"}


def test_an_index_under_two_holds_is_what_it_was_before_the_first():
    assert as_it_was("a", Was("", blocked=True), [ENDED, FIRST]) == Was("short")
    assert as_it_was("c", Was("short"), [ENDED, FIRST]) == Was("short")


def test_ids():
    assert ID.fullmatch("inc-2026-017")
    assert not any(ID.fullmatch(said) for said in ("", "-a", "INC", "a b", "a" * 64, "../a"))


def gone(*names):
    return Change(Action.DELETE, "data_stream", "s", "gone", doomed=tuple(Index(n, 3, 30, 0) for n in names))


def exceeded(*changes, force=()):
    return {
        each.name: each.message for each in limits.exceeded(changes, 0, 1, Shares(), frozenset(force), held([FIRST]))
    }


def test_what_is_held_is_not_deleted_even_where_data_loss_is_forced():
    assert exceeded(gone("x"), force=["data-loss"]) == {}
    said = exceeded(gone("a", "x"), force=limits.NAMES)
    assert said == {"hold": "a would be deleted, held by inc-1: `provisioner hold release` comes first"}
    assert limits.HOLD not in limits.NAMES
    many = Hold("inc-9", "", "", "", "", (), {f"i{n}": Was() for n in range(9)})
    (limit,) = limits.exceeded([gone(*many.indices)], 0, 1, Shares(), frozenset(limits.NAMES), held([many]))
    assert "i4 and 4 more would be deleted" in limit.message


def test_an_empty_index_that_is_held_counts_too():
    change = Change(Action.DELETE, "data_stream", "s", "gone", doomed=(Index("a", 0, 0, 0),))
    assert exceeded(change).keys() == {"hold"}
