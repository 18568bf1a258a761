"""When an ISM policy deletes an index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner import terms
from provisioner.model import Body, Index
from provisioner.terms import DAY, Held, Term, deletes_after, doomed, shortened

NOW = 1_800_000_000_000
ROLLOVER = {"rollover": {"min_index_age": "1d"}}
DELETE = {"retry": {"count": 3}, "delete": {}}


def state(name: str, *to: tuple[str, dict[str, str] | None], actions: tuple[Body, ...] = ()) -> Body:
    transitions = [{"state_name": s, **({"conditions": c} if c else {})} for s, c in to]
    return {"name": name, "actions": list(actions), "transitions": transitions}


def policy(*states: Body) -> Body:
    return {"default_state": states[0]["name"], "states": list(states)}


def gone(*actions: Body) -> Body:
    return state("gone", actions=(*actions, DELETE))


def simple(condition: str, age: str, *actions: Body) -> Body:
    return policy(state("hot", ("gone", {condition: age}), actions=actions), gone())


def index(age: int, rolled_over: int | None = None, name: str = "i") -> Index:
    """`age` and `rolled_over`: days ago."""
    return Index(name, 1, 1, NOW - age * DAY, None if rolled_over is None else NOW - rolled_over * DAY)


@pytest.mark.parametrize(
    ("body", "term"),
    [
        (simple("min_index_age", "30d"), Term(30 * DAY, "created")),
        (simple("min_rollover_age", "12h", ROLLOVER), Term(DAY // 2, "rolled_over")),
        (simple("min_state_age", "90m"), Term(5_400_000, "created")),
        (simple("min_doc_count", "5"), Term(0, "created")),
        (simple("min_size", "5gb", ROLLOVER), Term(0, "rolled_over")),
        (policy(gone()), Term(0, "created")),
        (policy(gone(ROLLOVER)), Term(0, "rolled_over")),
        (policy(state("hot")), None),
        (policy(state("hot", ("hot", {"min_index_age": "1d"}))), None),
        (policy(state("hot", ("missing", None))), None),
        (policy(state("hot"), gone()), None),
        ({}, None),
        # Several transitions: the first whose condition is met, so the smallest.
        (
            policy(state("hot", ("gone", {"min_index_age": "30d"}), ("gone", {"min_index_age": "7d"})), gone()),
            Term(7 * DAY, "created"),
        ),
        # Absolute ages: the largest along a chain. Ages of a state add up.
        (
            policy(
                state("hot", ("cold", {"min_index_age": "30d"})),
                state("cold", ("gone", {"min_index_age": "7d"})),
                gone(),
            ),
            Term(30 * DAY, "created"),
        ),
        (
            policy(
                state("hot", ("cold", {"min_index_age": "30d"})),
                state("cold", ("gone", {"min_state_age": "7d"})),
                gone(),
            ),
            Term(37 * DAY, "created"),
        ),
        (
            policy(
                state("hot", ("cold", {"min_index_age": "7d"})),
                state("cold", ("gone", {"min_rollover_age": "30d"})),
                gone(),
            ),
            Term(30 * DAY, "rolled_over"),
        ),
        (
            policy(
                state("hot", ("cold", {"min_rollover_age": "7d"})),
                state("cold", ("gone", {"min_index_age": "30d"})),
                gone(),
            ),
            Term(30 * DAY, "created"),
        ),
        # In a circle, and out of it.
        (
            policy(
                state("a", ("b", {"min_state_age": "1d"})),
                state("b", ("a", {"min_state_age": "1d"}), ("gone", {"min_index_age": "9d"})),
                gone(),
            ),
            Term(9 * DAY, "created"),
        ),
    ],
)
def test_the_term_of_a_policy(body: Body, term: Term | None) -> None:
    assert deletes_after(body) == term


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (simple("min_index_age", "365d"), simple("min_index_age", "30d"), "365 days → 30 days"),
        (simple("min_index_age", "30d"), simple("min_index_age", "365d"), ""),
        (simple("min_index_age", "30d"), simple("min_index_age", "720h"), ""),
        (simple("min_rollover_age", "2d"), simple("min_rollover_age", "36h"), "2 days → 36 hours"),
        (simple("min_index_age", "1d"), simple("min_index_age", "1500ms"), "1 day → 1,500 milliseconds"),
        (policy(state("hot")), simple("min_index_age", "30d"), "kept for ever → 30 days"),
        (simple("min_index_age", "30d"), policy(state("hot")), ""),
        (simple("min_index_age", "30d"), None, ""),
        (None, simple("min_index_age", "30d"), ""),
        (
            simple("min_rollover_age", "30d", ROLLOVER),
            simple("min_index_age", "30d"),
            "30 days after rollover → 30 days after creation",
        ),
        (simple("min_rollover_age", "30d", ROLLOVER), simple("min_index_age", "31d"), ""),
        (
            simple("min_rollover_age", "30d", {"rollover": {"min_size": "1gb"}}),
            simple("min_index_age", "365d"),
            "30 days after rollover → 365 days after creation",
        ),
        (simple("min_index_age", "30d"), simple("min_rollover_age", "30d"), ""),
        (
            simple("min_index_age", "30d"),
            simple("min_rollover_age", "29d"),
            "30 days after creation → 29 days after rollover",
        ),
    ],
)
def test_what_is_shortened_in_words(before: Body | None, after: Body | None, words: str) -> None:
    assert shortened(before, after) == words


def test_doomed_are_those_that_only_the_new_policy_deletes_within_a_day() -> None:
    old, new = simple("min_rollover_age", "30d", ROLLOVER), simple("min_rollover_age", "7d", ROLLOVER)
    ages = {
        name: index(40, rolled, name) for name, rolled in (("past", 31), ("b", 20), ("c", 6), ("d", 5), ("e", None))
    }
    found = doomed(old, new, ages.values(), NOW)
    assert [one.name for one in found] == ["b", "c"]  # "past" goes anyway; "d" has two days; "e" is written to
    assert doomed(new, old, ages.values(), NOW) == ()
    assert doomed(old, None, ages.values(), NOW) == ()
    assert [one.name for one in doomed(None, new, ages.values(), NOW)] == ["past", "b", "c"]


def test_an_index_that_is_not_rolled_over_is_doomed_where_it_could_go_within_a_day() -> None:
    written = (index(40),)
    assert doomed(None, simple("min_rollover_age", "12h", ROLLOVER), written, NOW) == written
    assert doomed(None, simple("min_rollover_age", "2d", ROLLOVER), written, NOW) == ()
    assert doomed(None, simple("min_index_age", "39d"), written, NOW) == written


def held(age: int, name: str | None, entered: int | None, body: Body) -> Held:
    """An index under a copy, in this state since so many days."""
    since = None if entered is None else NOW - entered * DAY
    return Held("i", 1, 1, NOW - age * DAY, policy=body, state=name, entered=since)


def test_an_index_goes_on_from_its_state_not_from_the_default_one() -> None:
    """Out of reach from the default state, but somebody moved an index there."""
    kept = policy(state("hot"), state("attic"), gone())
    for name, lost in (("hot", False), ("attic", True)):
        one = held(40, name, 39, kept)
        emptied = policy(state("hot"), state("attic", ("gone", {"min_state_age": "30d"})), gone())
        assert (doomed(kept, emptied, [one], NOW) == (one,)) is lost


def test_a_state_that_the_new_policy_lacks_begins_anew_in_the_default_one() -> None:
    before = policy(state("old"))
    one = held(40, "old", 40, before)
    assert doomed(before, simple("min_state_age", "30d"), [one], NOW) == ()  # its default state begins now
    assert doomed(before, simple("min_index_age", "30d"), [one], NOW) == (one,)


def test_the_age_of_a_state_counts_from_when_it_began() -> None:
    thirty, seven = simple("min_state_age", "30d"), simple("min_state_age", "7d")
    assert doomed(thirty, seven, [held(40, "hot", 3, thirty)], NOW) == ()
    ten = held(40, "hot", 10, thirty)
    assert doomed(thirty, seven, [ten], NOW) == (ten,)  # the old policy would delete it in 20 days, not 10 days ago
    assert doomed(thirty, seven, [held(40, None, None, thirty)], NOW) == ()  # ISM has not run on it


def test_what_may_delete_is_no_excuse_for_what_does() -> None:
    """The old policy deletes once there are so many documents: perhaps never."""
    perhaps, surely = simple("min_doc_count", "5"), simple("min_index_age", "30d")
    one = index(40)
    assert doomed(perhaps, surely, [one], NOW) == (one,)
    assert doomed(perhaps, perhaps, [one], NOW) == ()
    rolled = simple("min_rollover_age", "0d", ROLLOVER)
    assert doomed(rolled, surely, [one], NOW) == (one,)  # it was not rolled over yet
    assert doomed(rolled, surely, [index(40, 5)], NOW) == ()


NAMES = "abcd"
CONDITIONS = ("min_index_age", "min_rollover_age", "min_state_age", "min_doc_count")
conditions = st.none() | st.builds(lambda c, days: {c: f"{days}d"}, st.sampled_from(CONDITIONS), st.integers(0, 40))
states = st.lists(
    st.tuples(
        st.lists(st.tuples(st.sampled_from(NAMES), conditions), max_size=3),
        st.sampled_from([(), (ROLLOVER,), (DELETE,), (ROLLOVER, DELETE)]),
    ),
    min_size=1,
    max_size=len(NAMES),
)
policies = states.map(lambda made: policy(*(state(n, *to, actions=a) for n, (to, a) in zip(NAMES, made, strict=False))))
indices = st.builds(index, st.integers(20, 60), st.none() | st.integers(0, 20))


def walked(body: Body, one: Index, name: Any, at: int, seen: tuple[Any, ...] = ()) -> Iterator[int]:
    """When the index is deleted, walking every way without a circle by the clock; a rollover comes now if not yet."""
    rolled = NOW if one.rolled_over is None else one.rolled_over
    found = next((s for s in body["states"] if s["name"] == name), None)
    if found is None or name in seen:
        return
    if ROLLOVER in found["actions"]:
        at = max(at, rolled)
    if DELETE in found["actions"]:
        yield at
        return
    for transition in found["transitions"]:
        ((kind, age),) = (transition.get("conditions") or {"min_doc_count": "0d"}).items()
        days = int(age[:-1]) * DAY
        starts = {"min_index_age": one.created + days, "min_rollover_age": rolled + days, "min_state_age": at + days}
        yield from walked(body, one, transition["state_name"], max(at, starts.get(kind, at)), (*seen, name))


@given(policies, indices)
def test_the_ways_are_as_fast_as_walking_by_the_clock(body: Body, one: Index) -> None:
    ends = [way.ends(one, NOW) for way in terms._ways(body)]
    assert min(ends, default=None) == min(walked(body, one, "a", one.created), default=None)


@given(policies, policies, st.lists(indices, max_size=5))
def test_no_index_is_doomed_by_a_term_that_it_has_not_reached(before: Body, after: Body, some: list[Index]) -> None:
    found = doomed(before, after, some, NOW)
    term = deletes_after(after)
    assert not found or term is not None
    for one in found:
        assert term is not None
        assert one.created + term.milliseconds <= NOW + DAY
        assert doomed(after, after, [one], NOW) == ()
        assert doomed(before, None, [one], NOW) == ()


@given(policies, st.sampled_from(NAMES) | st.none(), st.none() | st.integers(0, 20), indices)
def test_a_policy_never_dooms_what_follows_it_already(
    body: Body, at: str | None, entered: int | None, one: Index
) -> None:
    since = None if entered is None else NOW - entered * DAY
    follows = Held("i", 1, 1, one.created, one.rolled_over, body, at, since)
    assert doomed(body, body, [follows], NOW) == ()


@given(policies)
def test_nothing_is_shorter_than_itself(body: Body) -> None:
    assert shortened(body, body) == ""
