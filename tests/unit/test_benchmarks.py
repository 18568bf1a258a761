"""Every benchmark keeps the contract: `--check` needs no cluster, and the last line is one JSON object."""

import json
import pathlib
import subprocess
import sys

import pytest
from sigma.collection import SigmaCollection

BENCHMARKS = pathlib.Path(__file__).parents[2] / "benchmarks"
FILES = sorted(BENCHMARKS.glob("*.py"))
sys.path.append(str(BENCHMARKS))

from harness import report, sigmarules, testedrules  # noqa: E402 (no package: it lies beside the benchmarks)


def test_there_are_benchmarks():
    assert {"apply.py", "rules.py"} <= {file.name for file in FILES}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_last_line_tells_ratios_aims_and_whether_they_are_met(file):
    done = subprocess.run([sys.executable, file, "--check"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert set(told) == {"name", "ratios", "aims", "met"}
    assert told["name"] == file.stem
    assert told["ratios"]
    assert all(isinstance(value, int | float) for value in [*told["ratios"].values(), *told["aims"].values()])
    assert set(told["aims"]) <= set(told["ratios"])
    assert told["met"] is all(told["ratios"][name] <= aim for name, aim in told["aims"].items())


def test_made_up_sigma_rules_are_always_the_same_and_have_no_errors(tmp_path):
    for name in ("one", "two"):
        sigmarules.write(tmp_path / name, 60)
    one, two = ({f.name: f.read_bytes() for f in (tmp_path / n).rglob("*.yml")} for n in ("one", "two"))
    assert one == two
    assert len(one) == 60
    rules = SigmaCollection.load_ruleset([tmp_path / "one"], collect_errors=True)
    assert [rule.errors for rule in rules] == [[]] * 60
    assert (
        len({condition.parse() and rule.title for rule in rules for condition in rule.detection.parsed_condition}) == 60
    )


def test_made_up_rules_have_every_type_with_tests_one_that_fires_and_one_that_stays_silent():
    rules = [testedrules.rule(number) for number in range(500)]
    assert {rule["type"] for rule in rules} == {
        *("match", "threshold", "distinct", "ratio", "spike", "new_value", "absence", "sequence"),
    }
    assert len({json.dumps([rule.get("query"), rule.get("ratio"), rule.get("sequence")]) for rule in rules}) == 500
    assert all([bool(test["expect"]) for test in rule["tests"]] == [True, False] for rule in rules)


def test_growth_is_one_where_each_thing_costs_the_same_whatever_the_start_costs():
    assert report.growth({300: 3.5, 1000: 10.5, 3000: 30.5}) == pytest.approx(1)
    assert report.growth({300: 1, 1000: 8, 3000: 48}) == pytest.approx(2)
