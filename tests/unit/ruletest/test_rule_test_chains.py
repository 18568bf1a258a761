"""Conditions over which monitors raised alerts."""

import itertools
import random

import pytest

from provisioner.devcluster.standin.alerting.expressions import documents
from provisioner.ruletest.chains import holds

HERE = "here"


@pytest.mark.parametrize(
    ("condition", "raised", "expected"),
    [
        ("monitor[id=a]", "a", True),
        ("monitor[id=a]", "b", False),
        ("monitor[id=@o-a] && monitor[id=@o-b]", ["@o-a", "@o-b"], True),
        ("monitor[id=@o-a] && monitor[id=@o-b]", ["@o-a"], False),
        ("monitor[id=a] || monitor[id=b]", "b", True),
        ("!monitor[id=a]", "", True),
        ("!!monitor[id=a]", "", False),
        ("monitor[id=a] && !monitor[id=b]", "a", True),
        ("monitor[id=a] || monitor[id=b] && monitor[id=c]", "a", False),
        ("monitor[id=a] || (monitor[id=b] && monitor[id=c])", "a", True),
        ("monitor[id=a]&&monitor[id=b]||monitor[id=c]", "c", True),
    ],
)
def test_conditions(condition, raised, expected):
    assert holds(condition, list(raised)) is expected


@pytest.mark.parametrize(
    "broken",
    ["", "monitor[id=a] &&", "(monitor[id=a]", "monitor[id=a])", "a", "monitor[id=a] monitor[id=b]", "monitor[name=a]"],
)
def test_what_is_no_condition_is_refused(broken):
    with pytest.raises(ValueError, match="condition"):
        holds(broken, [])


def condition(rng, depth=0):
    if depth > 3 or rng.random() < 0.3:
        return f"{'!' * rng.choice((0, 0, 1, 2))}monitor[id={rng.choice('abcd')}]"
    parts = [condition(rng, depth + 1) for _ in range(rng.randint(2, 4))]
    row = "".join(f" {rng.choice(('&&', '||'))} {part}" for part in parts)[4:]
    return f"{'!' * rng.choice((0, 1))}({row})" if depth and rng.random() < 0.7 else row


def test_conditions_hold_where_the_development_cluster_says_so():
    rng, held = random.Random(5), 0
    for _ in range(400):
        text = condition(rng)
        for raised in itertools.chain.from_iterable(itertools.combinations("abcd", n) for n in range(5)):
            said = documents(text, lambda id_: {HERE} if id_[3:] in raised else set(), {HERE})  # noqa: B023 (called now)
            assert holds(text, raised) is bool(said), (text, raised)
            held += bool(said)
    assert 1_000 < held < 5_400
