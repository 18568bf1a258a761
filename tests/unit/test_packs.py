"""Packs: as few as can be, the same each time, and little moves."""

import random

import pytest

from provisioner.packs import packs


def places(found):
    return {id_: number for number, pack in enumerate(found) for id_ in pack}


@pytest.mark.parametrize("many", [0, 1, 9, 10, 11, 34, 100, 999, 3000])
def test_as_few_as_can_be(many):
    ids = [f"rule-{n}" for n in range(many)]
    found = packs(ids, 10)
    assert len(found) == -(-many // 10)
    assert sorted(id_ for pack in found for id_ in pack) == sorted(ids)
    assert all(len(pack) <= 10 for pack in found)


def test_the_order_of_the_files_does_not_matter():
    ids = [f"rule-{n}" for n in range(57)]
    shuffled = random.Random(7).sample(ids, len(ids))
    assert packs(ids, 10) == packs(shuffled, 10)


def test_a_rule_that_comes_moves_few_others():
    moved = []
    for many in range(20, 200):
        ids = [f"rule-{n}" for n in range(many)]
        before, after = places(packs(ids, 10)), places(packs([*ids, "a-new-one"], 10))
        moved.append(sum(before[id_] != after[id_] for id_ in ids) / many)
    assert sum(moved) / len(moved) < 0.1
