"""Findings for CI systems, each read by a foreign reader: the formats' own schemas, and the runner's escapes."""

import json
import pathlib
import re

import jsonschema
import pytest
import xmlschema

from provisioner.model import Finding, Origin, Severity
from provisioner.report import github, junit, sarif

SCHEMAS = pathlib.Path(__file__).parents[2] / "schemas"
NASTY = 'a % b: "c", <d> & é\nnext\x00\x1b 😀'
FOUND = (
    Finding("RULE001", "no schema has the field 'x'", Origin("rules/a b.yml", 8, 3), "did you mean 'y'?"),
    Finding("RULE001", "no schema has the field 'x'", Origin("rules/a b.yml", 9, 3), "did you mean 'y'?"),
    Finding("RULE011", NASTY, Origin("rules/ü,:%.yml", 1, 1), severity=Severity.WARNING),
    Finding("NEW999", "a code without a page", Origin("release 3", 0)),
)


@pytest.fixture(scope="module")
def sarif_schema():
    schema = json.loads((SCHEMAS / "sarif-2.1.0.json").read_text(encoding="utf-8"))
    return jsonschema.Draft7Validator(schema, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER)


@pytest.fixture(scope="module")
def junit_schema():
    return xmlschema.XMLSchema(str(SCHEMAS / "junit-10.xsd"))


@pytest.mark.parametrize("found", [(), FOUND[:1], FOUND])
def test_sarif_fits_its_schema(sarif_schema, found):
    log = json.loads(json.dumps(sarif.findings(found)))
    assert [error.message for error in sarif_schema.iter_errors(log)] == []
    assert len(log["runs"][0]["results"]) == len(found)


def test_the_schema_of_sarif_refuses_what_is_wrong(sarif_schema):
    log = sarif.findings(FOUND)
    log["runs"][0]["results"][0]["level"] = "fatal"
    del log["runs"][0]["tool"]["driver"]["name"]
    assert len(list(sarif_schema.iter_errors(log))) == 2


def test_sarif_says_where_and_refers_to_its_rules():
    run = sarif.findings(FOUND)["runs"][0]
    rules, results = run["tool"]["driver"]["rules"], run["results"]
    assert [rules[result["ruleIndex"]]["id"] for result in results] == [finding.code for finding in FOUND]
    place = results[0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "rules/a%20b.yml", "uriBaseId": "SRCROOT"}
    assert place["region"] == {"startLine": 8, "startColumn": 3}
    assert "region" not in results[3]["locations"][0]["physicalLocation"]
    assert [result["level"] for result in results] == ["error", "error", "warning", "error"]
    assert "Bad:" in next(rule for rule in rules if rule["id"] == "RULE001")["help"]["markdown"]


def test_sarif_knows_a_finding_again_that_moved():
    moved = [Finding(f.code, f.message, Origin(f.origin.file, f.origin.line + 7, 1), f.hint) for f in FOUND]
    before, after = (
        [r["partialFingerprints"] for r in sarif.findings(f)["runs"][0]["results"]] for f in (FOUND, moved)
    )
    assert before == after
    assert len({json.dumps(each) for each in before}) == len(FOUND)


def test_junit_fits_its_schema(junit_schema):
    text = junit.findings(FOUND, ["rules/a b.yml", "rules/good.yml", "rules/good.yml"])
    junit_schema.validate(text)
    root = junit_schema.to_dict(text)
    suites = {suite["@name"]: suite for suite in root["testsuite"]}
    assert (root["@tests"], root["@failures"], root["@errors"]) == ("5", "4", "0")
    assert suites["rules/good.yml"]["@failures"] == "0"
    assert suites["rules/a b.yml"]["@tests"] == "2"
    failure = suites["rules/ü,:%.yml"]["testcase"][0]["failure"][0]
    assert failure["@message"].startswith('warning: a % b: "c", <d> & é')
    assert "next" in failure["$"]
    assert "�� 😀" in failure["$"]


def test_the_schema_of_junit_refuses_what_is_wrong(junit_schema):
    text = junit.findings(FOUND).replace("<testcase name", "<testcase nome", 1)
    assert not junit_schema.is_valid(text)


def test_junit_of_tests(junit_schema):
    ran = [
        junit.Outcome("five fire", "brute-force", 0.5, file="rules/b.yml", line=3),
        junit.Outcome(
            "four don't", "brute-force", 1234.5, failure="expected []\nbut got one", file="rules/b.yml", line=9
        ),
        junit.Outcome("broken", "lockout", error="no such pipeline", file="rules/a.yml", line=2),
        junit.Outcome("later", "lockout", skipped="stopped at the first failure", file="rules/a.yml"),
    ]
    text = junit.outcomes(ran, "provisioner test")
    junit_schema.validate(text)
    root = junit_schema.to_dict(text)
    first, second = root["testsuite"]
    assert (first["@errors"], first["@skipped"], second["@failures"]) == ("1", "1", "1")
    case = second["testcase"][1]
    assert case["failure"][0]["@message"] == "expected []"
    assert case["failure"][0]["$"] == "expected []\nbut got one\nrules/b.yml:9"
    assert case["@time"] == "1234.500"


def _parsed(line):
    """As GitHub's runner reads it (actions/runner, ActionCommand.cs): escapes undone, properties first."""
    match = re.fullmatch(r"::(\w+) (.*?)::(.*)", line)

    def plain(text, signs):
        for code, sign in signs:
            text = text.replace(code, sign)
        return text.replace("%25", "%")

    breaks = [("%0D", "\r"), ("%0A", "\n")]
    pairs = dict(pair.split("=", 1) for pair in match[2].split(","))
    values = {name: plain(value, [*breaks, ("%3A", ":"), ("%2C", ",")]) for name, value in pairs.items()}
    return match[1], values, plain(match[3], breaks)


def test_github_annotations_come_back_whole():
    lines = list(github.findings(FOUND))
    assert all("\n" not in line for line in lines)
    assert _parsed(lines[0]) == (
        "error",
        {"file": "rules/a b.yml", "line": "8", "col": "3", "title": "RULE001"},
        "no schema has the field 'x'\ndid you mean 'y'?",
    )
    assert _parsed(lines[2]) == (
        "warning",
        {"file": "rules/ü,:%.yml", "line": "1", "col": "1", "title": "RULE011"},
        NASTY,
    )
    assert "line" not in _parsed(lines[3])[1]


def test_github_annotations_of_tests():
    ran = [
        junit.Outcome("a", "rule", file="r.yml", line=3),
        junit.Outcome("b", "rule", failure="x", file="r.yml", line=4),
    ]
    assert list(github.outcomes(ran)) == ["::error file=r.yml,line=4,title=rule%3A b::x"]


def test_the_schema_for_layers_reads_mitres_own_kind_of_layer():
    schema = json.loads((SCHEMAS / "navigator-layer-4.5.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    read = jsonschema.Draft202012Validator(schema)
    layer = {
        "name": "n",
        "versions": {"attack": "18", "navigator": "5.1.0", "layer": "4.5"},
        "domain": "enterprise-attack",
        "techniques": [{"techniqueID": "T1110.001", "score": 1, "links": [{"label": "a", "url": "https://a.example"}]}],
        "gradient": {"colors": ["#ffffff", "#ff6666"], "minValue": 0, "maxValue": 5},
    }
    assert list(read.iter_errors(layer)) == []
    wrong = [{**layer, "domain": "enterprise"}, {**layer, "technique": []}, {**layer, "techniques": [{"score": 1}]}]
    assert all(len(list(read.iter_errors(each))) == 1 for each in wrong)
