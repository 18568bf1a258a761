"""Work in shares: nothing is left out, nothing is done twice, and what comes along is told apart."""

from __future__ import annotations

import pytest

from provisioner import shares
from provisioner.shares import Besides, Work


@pytest.mark.parametrize("count", [0, 1, 199, 200, 201, 3000])
def test_shares_hold_everything_in_order(count: int) -> None:
    items = list(range(count))
    found = shares.cut(items)
    assert [item for part in found for item in part] == items
    assert len(found) == 1 if count < shares.FEW else 10 < len(found) <= shares.SHARES


def test_shares_weigh_about_the_same() -> None:
    items = [1, 1, 10] * 200
    found = shares.cut(items, lambda item: item)
    assert [item for part in found for item in part] == items
    assert max(map(sum, found)) <= sum(items) / shares.SHARES + 10


def test_more_work_comes_along_once() -> None:
    besides: Besides[str] = Besides(shares.alone, Work(lambda number: f"more {number}", 2))
    assert besides.found is None
    assert besides(lambda number: number, 3) == [0, 1, 2]
    assert besides.found == ["more 0", "more 1"]
    assert besides(lambda number: number, 1) == [0]
