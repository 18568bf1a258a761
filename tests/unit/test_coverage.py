"""What rules cover: events by the actions that queries name, techniques by tactic, the layer of the Navigator."""

import json
import pathlib

import jsonschema
import pytest

from provisioner import attack, coverage, source, watching
from provisioner.model import Document, Origin
from provisioner.report import coverage as report
from provisioner.report import navigator

ROOT = pathlib.Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "tests/schemas/navigator-layer-4.5.json").read_text(encoding="utf-8"))


def document(kind, id_, **body):
    return Document(kind, id_, {"log_type": "network", **body}, {(): Origin(f"{id_}.yml")})


def rule(id_, query="action:opened", **body):
    given = {"type": "match", "severity": "high", "runbook": f"docs/runbooks/{id_}.md", "query": query}
    return document("rule", id_, **{**given, **body})


EVENTS = [document("event", id_) for id_ in ("opened", "closed", "open_again")]


def names(rule_):
    return [event.id for event in watching.watched(rule_, EVENTS)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("action:opened", ["opened"]),
        ("event.action:opened", ["opened"]),
        ('category:x AND action:"opened"', ["opened"]),
        ("action:(opened OR closed)", ["opened", "closed"]),
        ("action:open*", ["opened", "open_again"]),
        ("action:opene?", ["opened"]),
        ("action:/open(ed|_again)/", ["opened", "open_again"]),
        ("action:*", []),
        ("category:x", []),
        ("NOT action:opened", []),
        ("action:(open* AND NOT opened)", ["opened", "open_again"]),  # what is asked for counts; a NOT takes none away
        ("message:action OR other.action:opened", []),
        ("action:/(/", []),
        ("action:OPENED", []),
    ],
)
def test_a_query_watches_the_events_whose_action_it_asks_for(query, expected):
    assert names(rule("r", query)) == expected


def test_the_queries_of_all_types_count():
    steps = [{"query": "action:opened", "count": 3}, {"query": "action:closed"}]
    assert names(document("rule", "r", sequence={"steps": steps, "within": "1m"})) == ["opened", "closed"]
    assert names(rule("r", "action:opened AND outcome.status:failure", ratio={"of": "action:open*"})) == [
        "opened",
        "open_again",
    ]
    assert names(rule("r", "x:y", distinct={"of": "action", "count": 3})) == []
    text = {"query_string": {"query": "action:closed"}}
    assert names(document("rule", "r", body={"inputs": [{"search": {"query": {"query": text}}}]})) == ["closed"]
    clauses = {"bool": {"filter": [{"terms": {"action": ["opened", "closed"]}}], "must_not": {"term": {"action": "x"}}}}
    assert names(document("rule", "r", body={"query": clauses})) == ["opened", "closed"]
    assert names(document("rule", "r", body={"query": {"term": {"event.action": {"value": "opened"}}}})) == ["opened"]
    assert names(rule("r", "category:x", tests=[{"events": [{"query": "action:opened"}]}])) == []


def test_events_of_other_log_types_and_those_that_opted_out_are_none_of_it():
    other = document("event", "open_there", log_type="audit")
    assert list(watching.watched(rule("r", "action:open*"), [other])) == []
    silent = document("event", "quiet", watch="none")
    assert watching.unwatched([rule("r")], [*EVENTS, silent, other]) == [*EVENTS[1:], other]


def made(*documents):
    severities = [document("severity", id_, level=level) for level, id_ in (("2", "high"), ("1", "critical"))]
    all_ = [*documents, *severities, *EVENTS, document("data_stream", "network"), document("data_stream", "audit")]
    return source.Source({(each.kind, each.id): each for each in all_}, ())


RULES = (
    rule("one", attack=["T1110.001", "T1110.003", "T1078"], tests=[{}]),
    rule("two", "action:closed", attack=["T1110.001"], severity="critical", runbook="https://wiki.example/two"),
    rule("old", attack=["T1086", "T9999"], tests=[{}]),  # T1086 is T1059.001 today
    rule("plain"),
    rule("off", "action:open_again", attack=["T1595"], enabled=False),
)


@pytest.fixture
def found():
    return coverage.cover(made(*RULES), attack.load())


def test_techniques_count_for_each_of_their_tactics_and_a_rule_once_for_each(found):
    tactics = {tactic.name: tactic for tactic in found.tactics}
    credentials = tactics["credential-access"]
    assert (credentials.covered, credentials.covered_sub_techniques) == (1, 2)
    assert credentials.rules == {"high": 1, "critical": 1}
    assert credentials.title == "Credential access"
    assert tactics["execution"].rules == {"high": 1}
    assert (tactics["execution"].covered, tactics["execution"].covered_sub_techniques) == (1, 1)
    assert tactics["reconnaissance"].rules == {}
    for name in ("initial-access", "persistence", "privilege-escalation", "defense-evasion"):  # T1078 is in four
        assert tactics[name].rules == {"high": 1}
        assert tactics[name].covered == 1
    assert [tactic.name for tactic in found.tactics][:3] == ["reconnaissance", "resource-development", "initial-access"]
    assert found.severities == ("critical", "high")


def test_every_technique_that_is_shipped_is_in_a_tactic_of_the_table():
    data = attack.load()
    assert len(data.techniques) > 600
    assert all(
        set(technique.tactics) <= set(data.tactics) and technique.tactics for technique in data.techniques.values()
    )
    assert all(technique.parent in data.techniques for technique in data.techniques.values())
    assert set(data.replaced.values()) <= data.techniques.keys()
    assert not data.techniques.keys() & (data.replaced.keys() | data.deprecated.keys())


def test_gaps(found):
    gaps = report.json(found)["gaps"]
    assert gaps == {
        "events_without_rules": ["open_again"],
        "log_types_without_rules": ["audit"],
        "rules_without_attack": ["plain"],
        "rules_without_tests": ["two", "plain"],
        "disabled_rules": ["off"],
        "unknown_techniques": {"T9999": ["old"]},
    }
    text = "\n".join(str(line) for line in report.lines(found))
    assert "4 rules (1 more are off) for 3 techniques of ATT&CK 18.1; 2 of 3 events of the catalogue watched" in text
    assert "Not in ATT&CK 18.1: T9999 (old)" in text


def test_markdown_is_one_table_of_all_tactics(found):
    text = report.as_markdown(found)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + len(found.tactics)
    assert {row.count("|") for row in rows} == {rows[0].count("|")}
    assert "| Credential access | 1 of 17 | 2 of 50 | 1 | 1 | 2 |" in rows


def test_the_layer_is_one_that_the_navigator_takes(found):
    layer = navigator.layer(found, "acme", "https://git.example/soc/blob/main/")
    jsonschema.validate(layer, SCHEMA)
    techniques = {each["techniqueID"]: each for each in layer["techniques"]}
    assert len(techniques) == len(layer["techniques"])
    assert {id_: each.get("score") for id_, each in techniques.items()} == {
        "T1059": None,  # no score of its own: opened, so that its sub-technique is seen
        "T1059.001": 1,
        "T1078": 1,
        "T1110": None,
        "T1110.001": 2,
        "T1110.003": 1,
    }
    assert techniques["T1110.001"]["comment"] == "one, two"
    assert techniques["T1110.001"]["links"] == [
        {"label": "Runbook: one", "url": "https://git.example/soc/blob/main/docs/runbooks/one.md"},
        {"label": "Runbook: two", "url": "https://wiki.example/two"},
    ]
    assert layer["gradient"]["maxValue"] == 2


def test_a_layer_without_an_address_names_runbooks_as_files(found):
    layer = navigator.layer(found, "acme")
    jsonschema.validate(layer, SCHEMA)
    one = next(each for each in layer["techniques"] if each["techniqueID"] == "T1110.003")
    assert (one["metadata"], one["links"]) == ([{"name": "Runbook: one", "value": "docs/runbooks/one.md"}], [])


def test_a_repository_without_rules_has_a_layer_as_well():
    empty = coverage.cover(made(), attack.load())
    layer = navigator.layer(empty, "acme")
    jsonschema.validate(layer, SCHEMA)
    assert layer["techniques"] == []
    assert sum(sum(tactic.rules.values()) for tactic in empty.tactics) == 0


def test_the_shipped_rules_are_covered_by_name():
    found = coverage.cover(source.load(ROOT, {"replicas": 0}), attack.load())
    jsonschema.validate(navigator.layer(found, "acme"), SCHEMA)
    assert not found.unknown
    assert "login_failed" not in {event.id for event in found.unwatched}
