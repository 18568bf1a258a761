"""What stops a plan, and what does not."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner import diff, limits
from provisioner.model import Action, Change, Index, Live
from provisioner.quantities import UNKNOWN, Shares

SHARES = Shares()


def changes(action, many, why="changed", **more):
    more.setdefault("live", None if action is Action.CREATE else Live("monitor", "x", {}, "1"))
    return [Change(action, "monitor", f"acme-{action}-{i}", why, **more) for i in range(many)]


def names(found, owned, wanted=1, shares=SHARES, force=frozenset()):
    return [limit.name for limit in limits.exceeded(found, owned, wanted, shares, force)]


@pytest.mark.parametrize(("action", "name"), [(Action.DELETE, "deletes"), (Action.UPDATE, "changes")])
@pytest.mark.parametrize(
    ("many", "owned", "stops"),
    [
        (3, 10, False),
        (4, 10, True),
        (30, 100, False),
        (31, 100, True),
        (9, 9, False),  # not before there are ten
        (10, 10, True),
        (0, 10, False),
        (4, 13, True),  # 30.8 %
        (301, 1000, True),
    ],
)
def test_the_borders_of_the_shares(action, name, many, owned, stops):
    assert names(changes(action, many), owned) == ([name] if stops else [])


def test_a_message_says_the_numbers():
    (limit,) = limits.exceeded(changes(Action.DELETE, 5), 12, 1, SHARES, frozenset())
    assert limit.message == "5 of 12 objects (41 %) would be deleted; the limit is 30 %"
    (limit,) = limits.exceeded(changes(Action.UPDATE, 301), 1000, 1, SHARES, frozenset())
    assert limit.message == "301 of 1,000 objects (just over 30 %) would be changed; the limit is 30 %"


def test_creations_and_what_is_left_alone_never_count():
    assert names(changes(Action.CREATE, 50) + changes(Action.NONE, 50) + changes(Action.ADOPT, 50), 10) == []


@pytest.mark.parametrize("why", [diff.MARKED, diff.LEFT, diff.ADOPTED, f"{diff.ADOPTED}, and changed"])
def test_objects_that_are_taken_over_or_found_again_do_not_count(why):
    assert names(changes(Action.UPDATE, 50, why), 50) == []
    assert names(changes(Action.UPDATE, 50, "changed"), 50) == ["changes"]


def test_telling_indices_of_an_older_policy_does_not_count():
    assert diff.rolls_out(changes(Action.UPDATE, 1, f"{diff._OLDER}3 indices")[0])
    assert names(changes(Action.UPDATE, 50, f"{diff._OLDER}3 indices"), 50) == []


def test_what_is_gone_from_the_cluster_already_does_not_count():
    assert names(changes(Action.DELETE, 10, live=None), 10) == []


def test_a_single_change_never_stops_a_plan_but_a_single_deletion_may():
    none = Shares(deletes=0, changes=0, from_objects=1)
    assert names(changes(Action.UPDATE, 1), 1, shares=none) == []
    assert names(changes(Action.UPDATE, 2), 2, shares=none) == ["changes"]
    assert names(changes(Action.DELETE, 1), 2, shares=none) == ["deletes"]


def test_the_target_sets_the_shares():
    assert names(changes(Action.DELETE, 6), 10, shares=Shares(deletes=60)) == []
    assert names(changes(Action.DELETE, 7), 10, shares=Shares(deletes=60)) == ["deletes"]
    assert names(changes(Action.DELETE, 100), 100, shares=Shares(deletes=100)) == []
    assert names(changes(Action.DELETE, 2), 4, shares=Shares(from_objects=4)) == ["deletes"]


@pytest.mark.parametrize("owned", [1, 9, 100])
def test_an_empty_repository_is_always_refused(owned):
    assert names([], owned, wanted=0) == ["empty"]
    assert names([], owned, wanted=0, force=frozenset({"empty"})) == []
    assert names([], owned, wanted=1) == []


def test_nothing_wanted_and_nothing_owned_is_fine():
    assert names([], 0, wanted=0) == []


def test_documents_that_would_be_lost_are_listed():
    indices = tuple(Index(f"i-{n}", n * 1000, n * 10**9, 0) for n in range(8))
    found = changes(Action.DELETE, 1, doomed=indices) + changes(Action.UPDATE, 1, doomed=indices[:3])
    (limit,) = limits.exceeded(found, 2, 1, SHARES, frozenset())
    assert limit.name == "data-loss"
    assert limit.message == (
        "28,000 documents, 28 GB in 7 indices would be deleted: i-7 (7,000 documents, 7.0 GB), "
        "i-6 (6,000 documents, 6.0 GB), i-5 (5,000 documents, 5.0 GB), i-4 (4,000 documents, 4.0 GB), "
        "i-3 (3,000 documents, 3.0 GB), 2 more"
    )


def test_an_empty_index_is_no_loss():
    assert names(changes(Action.DELETE, 1, doomed=(Index("i", 0, 208, 0),)), 2) == []


def test_a_closed_index_is_data_of_unknown_size():
    found = changes(Action.DELETE, 1, doomed=(Index("a", 5, 1000, 0), Index("i", UNKNOWN, UNKNOWN, 0)))
    (limit,) = limits.exceeded(found, 2, 2, SHARES, frozenset())
    assert limit.message == (
        "5 documents, 1.0 KB in 1 index and 1 index (closed or unavailable, size unknown) would be deleted: "
        "i (closed or unavailable, size unknown), a (5 documents, 1.0 KB)"
    )


a_change = st.builds(
    Change,
    st.sampled_from(Action),
    st.just("monitor"),
    st.text(max_size=3),
    st.sampled_from(["changed", diff.MARKED, diff.ADOPTED, "new"]),
    live=st.sampled_from([None, Live("monitor", "x", {}, "1")]),
    doomed=st.lists(
        st.builds(Index, st.text(max_size=3), st.integers(0, 10**12), st.integers(0, 10**18), st.integers()), max_size=8
    ).map(tuple),
)
a_force = st.frozensets(st.sampled_from(limits.NAMES))


@given(
    st.lists(a_change, max_size=60),
    st.integers(0, 200),
    st.integers(0, 200),
    st.builds(Shares, st.integers(0, 100), st.integers(0, 100), st.integers(0, 50)),
    a_force,
)
def test_forcing_takes_out_what_is_named_and_nothing_else(found, owned, wanted, shares, force):
    every = limits.exceeded(found, owned, wanted, shares, frozenset())
    assert set(names(found, owned, wanted, shares)) <= set(limits.NAMES) - {"lock"}
    assert limits.exceeded(found, owned, wanted, shares, force) == tuple(x for x in every if x.name not in force)
    assert limits.exceeded(found, owned, wanted, shares, frozenset(limits.NAMES)) == ()


DELETED = changes(Action.DELETE, 300)


@given(st.integers(0, 300), st.integers(0, 10_000), st.integers(0, 100))
def test_the_share_is_exact(many, others, percent):
    owned = many + others
    found = names(DELETED[:many], owned, shares=Shares(percent, percent, 1))
    assert ("deletes" in found) == (Fraction(many, owned or 1) > Fraction(percent, 100))
