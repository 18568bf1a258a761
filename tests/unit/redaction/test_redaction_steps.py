"""No detector of the Python helper is super-linear: by counted steps, and by what its regular expressions are."""

import importlib.util
from pathlib import Path

import pytest
import steps
from redactionevents import HOSTILE
from test_redactor import EVERYTHING

from provisioner.regexes import ambiguity
from provisioner.regexes.parse import Dialect, parse

BENCHMARK = importlib.util.spec_from_file_location(
    "hostile", Path(__file__).parents[3] / "benchmarks" / "harness" / "hostile.py"
)
assert BENCHMARK
assert BENCHMARK.loader
hostile = importlib.util.module_from_spec(BENCHMARK)
BENCHMARK.loader.exec_module(hostile)
UNITS = sorted({unit for units in hostile.HOSTILE.values() for unit in units} | set(HOSTILE))
SMALL, LARGE, KILO, MEGA = 2_000, 16_000, 1_000, 1_000_000
WORST = 3.0
"""Steps for a character of a long text over those of a short one. More than 1, as a vendor's key is looked at up to its
longest form, which fits into a short text less often, and what was replaced is looked at again. What is quadratic has 8
here, and 1,000 of a megabyte (there 8 is allowed: in 1 KB the longest form fits hardly).
"""


def growth(monkeypatch, units, small, large):
    """By unit: steps for a character of the long text over those for one of the short text."""
    found = {}
    with monkeypatch.context() as patch:
        counted, redactor = steps.counting(patch, EVERYTHING)
        for unit in units:
            low, high = (counted.counted(redactor, hostile.string(unit, size)) / size for size in (small, large))
            found[unit] = high / low
    return found, counted


def test_steps_grow_with_the_text(monkeypatch):
    found, counted = growth(monkeypatch, UNITS, SMALL, LARGE)
    assert len(found) > 70
    assert {unit: ratio for unit, ratio in found.items() if ratio > WORST} == {}
    # and what the regular expressions do inside is no more than that
    bad = [
        (how, pattern)
        for how, patterns in counted.used.items()
        for pattern in patterns
        if ambiguity.attack(parse(pattern, Dialect.JAVA), everywhere=how == "search")
    ]
    assert len(counted.used["search"]) > 15
    assert len(counted.used["match"]) > 15
    assert bad == []


@pytest.mark.long
def test_steps_of_a_megabyte(monkeypatch):
    """Of the twelve that grow most; all of them would take ten minutes."""
    all_units, _ = growth(monkeypatch, UNITS, SMALL, LARGE)
    worst = sorted(all_units, key=lambda unit: all_units[unit])[-12:]
    found, _ = growth(monkeypatch, worst, KILO, MEGA)
    assert {unit: ratio for unit, ratio in found.items() if ratio > 8} == {}


def test_the_count_sees_what_is_quadratic(monkeypatch):
    """By the finder that would look back to the text's beginning from every sign."""

    def slow(text, spans, detector):
        at = text.find("=")
        while at >= 0:
            text.rfind("@", 0, at)
            at = text.find("=", at + 1)

    monkeypatch.setattr(steps.finders, "azure_signatures", slow)
    found, _ = growth(monkeypatch, ["?sig="], SMALL, LARGE)
    assert found["?sig="] > 5
