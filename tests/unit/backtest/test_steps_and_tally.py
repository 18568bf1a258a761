"""The runs that decide find the same alerts as all runs do: against every run of models of the rule types."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.backtest import tally as tallies
from provisioner.backtest.steps import Steps, borders
from provisioner.backtest.tally import DAY, HOUR, Episodes, Tally, messages, repeats
from provisioner.model import Document, Origin
from provisioner.ruletest import runs

MINUTE = 60_000
RULE = Document("rule", "r", {"severity": "high", "group_by": ["user"]}, {(): Origin("r.yml")})

events = st.lists(st.tuples(st.integers(0, 90 * 60), st.sampled_from("ab")), max_size=25).map(
    lambda found: sorted((second * 1_000, user) for second, user in found)
)


def threshold(seen, end):
    """Two events within three minutes."""
    return sum(any(0 < b - a <= 3 * MINUTE for a in seen for b in seen) for _ in "x")


def absence(seen, end):
    return end - max(seen) >= 8 * MINUTE


def new_value(seen, end):
    return min(seen) >= end - 30 * MINUTE + 20 * MINUTE


MODELS = {
    "threshold": (threshold, {"type": "threshold", "threshold": {"count": 2, "within": "3m"}}, 12),
    "absence": (absence, {"type": "absence", "absence": {"for": "7m", "seen_within": "20m"}, "delay": "1m"}, 30),
    "new_value": (new_value, {"type": "new_value", "new_value": {"baseline": "20m"}}, 30),
}


def found_at(model, given_, end, lookback):
    """What a run finds: for each user what the model says of the events in its sight."""
    seen = {user: [at for at, who in given_ if who == user and end - lookback <= at <= end] for user in "ab"}
    return {(user,): 1.0 for user, times in seen.items() if times and model(times, end)}


def tally(begin, end):
    return Tally(RULE, begin, end, begin)


@pytest.mark.parametrize("name", MODELS)
@given(given_=events, step=st.sampled_from([1, 2, 5]), begin=st.integers(0, 3_000_000))
def test_decisive_runs_tell_all(name, given_, step, begin):
    model, body, back = MODELS[name]
    step, lookback, end = step * MINUTE, back * MINUTE, begin + 100 * MINUTE
    planned = Steps(begin, end, step, lookback)
    buckets = Counter(at // step * step for at, _ in given_ if begin - lookback <= at <= end)
    planned.seen(buckets, borders(body, lookback))
    every = range(begin // step * step, end + 1, step)
    assert planned.all == len(every)
    few, all_ = tally(begin, end), tally(begin, end)
    for told, ends in ((few, planned.decisive()), (all_, every)):
        episodes = Episodes(told, step, ["user"], [None, 3 * step])
        for at in ends:
            episodes.run(at, found_at(model, given_, at, lookback))
        episodes.close()
    assert few == all_
    dense = [found_at(model, given_, at, lookback) for at in every]
    assert few.fired + few.going_on == len(runs.episodes(dense, ["user"]))


def test_a_quiet_month_takes_few_runs():
    planned = Steps(0, 30 * DAY, MINUTE, 22 * MINUTE)
    planned.seen({10 * DAY: 5, 10 * DAY + MINUTE: 1}, borders({}, 22 * MINUTE))
    assert planned.all == 43_201
    ends = list(planned.decisive())
    assert ends == [0, *(10 * DAY + n * MINUTE for n in (0, 1, 2, 22, 23, 24)), 30 * DAY]
    assert list(planned.spans(monotone=True)) == [tuple(ends)]
    assert list(planned.spans(monotone=False)) == [(end,) for end in ends]


def test_spans_see_a_bounded_number_of_events_and_hold_each_run_once():
    planned = Steps(0, DAY, MINUTE, 10 * MINUTE)
    planned.seen({n * MINUTE: 500 for n in range(1, 1_440)}, {0, 10 * MINUTE})
    spans = list(planned.spans(monotone=True))
    assert [end for span in spans for end in span] == list(planned.decisive())
    seen = [
        500 * len([n for n in range(1, 1_440) if span[0] - 10 * MINUTE <= n * MINUTE <= span[-1]]) for span in spans
    ]
    assert 8_000 <= max(seen) <= 10_000
    assert len(spans) < 200


def test_where_it_is_unknown_what_is_seen_every_run_decides():
    planned = Steps(0, HOUR, MINUTE, 0)
    planned.every()
    assert len(list(planned.decisive())) == 61


PER_ALERT = {"action_execution_scope": {"per_alert": {"actionable_alerts": ["NEW"]}}}
DEDUPED = {"action_execution_scope": {"per_alert": {"actionable_alerts": ["NEW", "DEDUPED"]}}}
THROTTLE = {"throttle_enabled": True, "throttle": {"value": 7, "unit": "MINUTES"}}


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ({"action_execution_policy": PER_ALERT}, 1),
        ({"action_execution_policy": DEDUPED, **THROTTLE}, 1 + 3),  # at 0, 10, 20, 30: the first run after 7 minutes
        ({"action_execution_policy": DEDUPED}, 1 + 7),
        (THROTTLE, 1 + 3),
        ({"throttle_enabled": False}, 1 + 7),
    ],
)
def test_messages_of_an_alert_that_lasts(action, expected):
    assert messages(
        repeats({"actions": [action, {"action_execution_policy": PER_ALERT}]}, 5 * MINUTE), 35 * MINUTE
    ) == (expected + 1)
    assert messages([], 35 * MINUTE) == 0


def test_days_keys_and_peaks():
    found = tally(0, 4 * DAY)
    found.until = 4 * DAY
    for at in (5 * HOUR, DAY + HOUR, DAY + 2 * HOUR):
        found.fire(at)
    assert (found.fired, found.first, found.last) == (3, 5 * HOUR, DAY + 2 * HOUR)
    assert (found.days, found.busiest, found.per_day) == ({0: 1, DAY: 2}, (DAY, 2), 0.75)
    episodes = Episodes(found, MINUTE, ["user"], [])
    for end, measured in enumerate((None, 5.0, 9.0, None, 6.0)):
        episodes.run(end * MINUTE, {} if measured is None else {("x",): measured})
    key = (("user", "x"),)
    assert (found.keys[key], found.peaks[key]) == (2, 9.0)


def test_too_many_keys_lose_the_rare_ones(monkeypatch):
    monkeypatch.setattr(tallies, "_KEYS", 10)
    found = tally(0, DAY)
    found.about((("user", "often"),), 3.0, times=5)
    for n in range(30):
        found.about((("user", str(n)),), 1.0)
    assert found.cut
    assert len(found.keys) <= 10
    assert found.keys.most_common(1) == [((("user", "often"),), 5)]
    assert found.peaks.keys() <= found.keys.keys()
