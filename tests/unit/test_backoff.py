"""The waits between attempts."""

import random

from provisioner import backoff


class _Longest(random.Random):
    def uniform(self, a, b):
        assert a == 0
        return b


def test_bounds_double_up_to_the_cap():
    assert list(backoff.waits(7, base=1, cap=10, rng=_Longest())) == [1, 2, 4, 8, 10, 10]
    assert list(backoff.waits(rng=_Longest())) == [0.2, 0.4, 0.8, 1.6]
    assert list(backoff.waits(1)) == []


def test_waits_are_drawn_evenly_below_the_bound():
    drawn = [next(backoff.waits(2, base=1.0, rng=random.Random(seed))) for seed in range(2000)]
    assert 0.48 < sum(drawn) / len(drawn) < 0.52
    assert min(drawn) < 0.01
    assert max(drawn) > 0.99


def test_at_least_what_the_server_asks_for_but_never_above_the_cap():
    assert [backoff.at_least(0.1, asked) for asked in (None, 0, 2, 60)] == [0.1, 0.1, 2, backoff.CAP]
