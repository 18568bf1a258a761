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

from harness import (  # noqa: E402 (no package: it lies beside the benchmarks)
    labelled,
    loglines,
    report,
    scoring,
    secretforms,
    sigmarules,
    testedrules,
)


def test_there_are_benchmarks():
    assert {"apply.py", "rules.py", "redaction.py", "redaction_quality.py"} <= {file.name for file in FILES}


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


EVENTS = list(labelled.labelled(3))


def test_made_up_secrets_have_the_check_digits_that_their_issuers_give():
    for number in ("4111111111111111", "378282246310005", "6011111111111117"):  # published for tests
        assert secretforms.luhn(number[:-1]) == int(number[-1])
    assert secretforms.check_digits("GB", "WEST12345698765432") == "82"  # the example of ISO 13616
    assert secretforms.check_digits("DE", "370400440532013000") == "89"


def test_labels_lead_to_values_and_events_are_always_the_same():
    assert list(labelled.labelled(3)) == EVENTS
    planted = [(scoring.text_at(each.event, p.path), p) for each in EVENTS for p in each.planted]
    assert all(
        p.end <= len(str(text)) and p.widest[0] <= p.start and p.end <= p.widest[1] for text, p in planted if p.end
    )
    assert len({p.form for _, p in planted}) > 100
    assert all(each.kind or each.planted for each in EVENTS)


def _as_labelled(event, planted, cut=0):
    """The event as a perfect redactor leaves it, or one that stops so many characters too early."""
    event = json.loads(json.dumps(event))
    for each in planted:
        *above, last = each.path
        node = event
        for step in above:
            node = node[step]
        text = node[last]
        node[last] = f"{text[: each.start]}[x_REDACTED]{text[each.end - cut :]}" if each.end else "[x_REDACTED]"
    return event


def test_what_is_found_as_labelled_counts_and_what_is_not_does_not():
    perfect = {id(each.event): _as_labelled(each.event, each.planted) for each in EVENTS}
    score = scoring.score(EVENTS, lambda event: perfect[id(event)])
    assert (score.missed(), score.mistaken(), score.left, score.wrong) == (0, 0, [], [])
    lazy = {id(each.event): _as_labelled(each.event, each.planted, cut=2) for each in EVENTS}
    outcomes = {outcome for _, outcome, _ in scoring.score(EVENTS, lambda event: lazy[id(event)]).left}
    assert outcomes == {"part"}
    assert scoring.score(EVENTS, lambda event: event).missed() == 1
    alike = [each for each in EVENTS if each.kind]
    zealous = scoring.score(alike, lambda event: event | {"message": "[x_REDACTED]"})
    assert zealous.mistaken() == 1
    assert all(count["changed"] == count["events"] for count in zealous.alike.values())


def test_events_to_measure_with_are_as_long_as_they_say():
    for size in (loglines.SHORT, loglines.LONG):
        for kind in ("clean", "dense", "mixed"):
            lines = loglines.lines(loglines.events(kind, size, 200))
            assert size * 0.97 < sum(map(len, lines)) / 200 < size * 1.15
