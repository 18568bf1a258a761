"""The pack against the article it comes from, and against itself."""

from __future__ import annotations

import pathlib
import re
from typing import Any

import jsonschema
import orjson
import pytest
from pack_compiled import ROOT, compiler, documents

from provisioner.querystring import terms

SCHEMAS = sorted((ROOT / "provisioner/schemas").glob("*.json")) + sorted((ROOT / "templates").rglob("*.schema.json"))


def test_every_document_compiles_without_a_finding() -> None:
    made = compiler()
    assert made.source.findings == ()
    assert made.run().findings == ()


@pytest.mark.parametrize("file", SCHEMAS, ids=lambda file: file.name)
def test_schemas_are_schemas_and_explain_every_key(file: pathlib.Path) -> None:
    schema = orjson.loads(file.read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"]
    assert schema["description"]
    assert list(_silent(schema, file.name)) == []


def _silent(node: Any, place: str) -> Any:
    """Keys of documents that nothing says anything about, and mappings that take any key."""
    if isinstance(node, list):
        for item in node:
            yield from _silent(item, place)
    elif isinstance(node, dict):
        for key, about in node.get("properties", {}).items():
            if "description" not in about and "$ref" not in about and about != {"const": about.get("const")}:
                yield f"{place}: {key}"
        joined = place.endswith(".schema.json")  # the rule types' own are joined to the rule's
        foreign = place.startswith("sigma_pipeline")  # transformations are pySigma's, and take keys of their own
        closed = joined or foreign or "additionalProperties" in node
        if not closed and node.get("type") == "object" and "properties" in node:
            yield f"{place}: takes any key"
        for key, child in node.items():
            if key not in ("if", "then", "oneOf", "anyOf"):
                yield from _silent(child, place)


TIERS = {
    "application": ("30d", "1y", ["SOC 2"]),
    "authentication": ("90d", "2y", ["SOC 2", "GDPR"]),
    "audit": ("1y", "7y", ["SOX", "HIPAA"]),
    "network": ("30d", "1y", ["PCI DSS"]),
    "system": ("30d", "1y", ["General"]),
}
SEVERITIES = {
    "critical": ("5m", ["pagerduty", "sms"]),
    "high": ("15m", ["slack", "email"]),
    "medium": ("1h", ["email"]),
    "low": ("24h", []),
}
AUTHENTICATION = {
    "login_succeeded": ("info", {"actor.username", "source.ip", "@timestamp", "source.user_agent"}),
    "login_failed": ("warning", {"actor.username", "source.ip", "@timestamp", "outcome.reason"}),
    "password_reset": ("info", {"actor.username", "source.ip", "@timestamp", "details.method"}),
    "account_lockout": ("high", {"actor.username", "source.ip", "details.duration"}),
    "mfa_succeeded": ("medium", {"actor.username", "details.method", "source.ip"}),
    "mfa_failed": ("medium", {"actor.username", "details.method", "source.ip"}),
    "privilege_escalation": ("critical", {"actor.username", "details.from_role", "details.to_role"}),
}
DATA_ACCESS = {
    "data_export": ("high", {"actor.username", "details.records_count", "details.destination"}),
    "sensitive_data_read": ("medium", {"actor.username", "details.resource", "action"}),
    "bulk_query": ("high", {"actor.username", "details.query_pattern", "details.result_count"}),
    "schema_change": ("critical", {"actor.username", "details.object", "details.statement"}),
}


def test_retention_has_the_articles_figures() -> None:
    tiers = {i: (d.body["hot"], d.body["cold"], d.body["compliance"]) for i, d in documents("retention").items()}
    assert tiers == TIERS


def test_severities_have_the_articles_times_and_channels() -> None:
    found = {i: (d.body["response_time"], d.body["channels"]) for i, d in documents("severity").items()}
    assert found == SEVERITIES
    assert [document.body["level"] for document in documents("severity").values()] == ["1", "2", "3", "4"]


@pytest.mark.parametrize(("table", "category"), [(AUTHENTICATION, "authentication"), (DATA_ACCESS, "data_access")])
def test_the_catalogue_has_every_row_of_the_articles_tables(
    table: dict[str, tuple[str, set[str]]], category: str
) -> None:
    events = documents("event")
    for action, (severity, fields) in table.items():
        event = events[action].body
        assert (event["category"], event["severity"]) == (category, severity), action
        assert fields <= set(event["fields"]), action


def test_the_catalogue_covers_every_log_type_and_names_fields_that_exist() -> None:
    fields = set(documents("schema")["event"].body["fields"])
    events = documents("event")
    assert {event.body["log_type"] for event in events.values()} == set(TIERS)
    assert not [(id_, field) for id_, event in events.items() for field in event.body["fields"] if field not in fields]


def test_what_the_sshd_pipeline_says_is_in_the_catalogue() -> None:
    script = (ROOT / "templates/pipelines/sshd.painless").read_text()
    calls = re.findall(r"classify\(event, '(\w+)', (?:.*? \? )?'(\w+)'(?: : '(\w+)')?, '(\w+)'", script)
    assert len(calls) > 15
    events = documents("event")
    for category, *actions, severity in calls:
        for action in filter(None, actions):
            found = events[action].body
            assert action == "unclassified" or (found["category"], found["severity"]) == (category, severity), action


def test_what_the_pipeline_asks_for_is_what_the_schema_requires() -> None:
    fields = documents("schema")["event"].body["fields"]
    made = {"@timestamp", "event_id"}  # the pipeline makes these itself
    script = documents("ingest_pipeline")["normalize"].body["processors"][0]["script"]
    assert {name for name, about in fields.items() if about.get("required")} - made == set(script["params"]["required"])


def test_redaction_knows_the_articles_five_and_leaves_addresses_alone() -> None:
    detectors = {d["name"]: d for d in documents("redaction")["redaction"].body["detectors"]}
    assert set(detectors) == {"password", "credit_card", "ssn", "iban", "access_token", "api_key", "email", "phone"}
    assert {name for name, about in detectors.items() if about.get("enabled") is False} == {"email", "phone"}


def test_no_regular_expression_runs_on_the_node() -> None:
    """A regex that recurses ends the whole node, so there is none in scripts, and no gsub or grok."""
    scripts = list((ROOT / "templates").rglob("*.painless"))
    assert len(scripts) >= 8
    for script in scripts:
        code = re.sub(r"//.*|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"", "''", script.read_text())
        assert not re.search(r"=~|==~|\bPattern\b|\bMatcher\b|\.(?:matches|replaceAll|split)\(|[=(]\s*/", code), script
    for document in documents("ingest_pipeline").values():
        used = {name for processor in document.body["processors"] for name in processor}
        assert used <= {"set", "script", "pipeline", "remove"}


def test_monitor_scripts_hold_no_template() -> None:
    """A monitor's whole query is rendered as Mustache, its scripts included."""
    for script in (ROOT / "templates/monitors").glob("*.painless"):
        assert "{{" not in script.read_text(), script


def test_every_rule_has_a_runbook_and_tests_with_both_answers() -> None:
    rules = documents("rule")
    assert len(rules) >= 60
    for rule in rules.values():
        assert (ROOT / rule.body["runbook"]).is_file()
        assert rule.origin.file == f"rules/detections/{rule.body['log_type']}/{rule.id}.yml"
        assert {bool(test["expect"]) for test in rule.body["tests"]} == {True, False}, rule.id
        assert all(rule.body.get(key) for key in ("description", "attack", "false_positives")), rule.id


def test_every_runbook_names_its_rules_and_says_what_to_do() -> None:
    rules = documents("rule")
    books = {str(file.relative_to(ROOT)): file.read_text() for file in (ROOT / "docs/runbooks").glob("*.md")}
    ours = {rule.body["runbook"] for rule in rules.values()}
    assert books.keys() - ours <= {"docs/runbooks/sigma.md"}  # the one for rules that are imported
    for id_, rule in rules.items():
        assert re.search(rf"[`/]{id_}[`.]", books[rule.body["runbook"]]), id_
    for name in ours:
        headings = re.findall(r"^## (.+)", books[name], re.M)
        assert headings == ["First five minutes", "Where to look", "Contain", "False positives", "Tuning"], name


def test_queries_in_runbooks_name_fields_and_events_that_exist() -> None:
    fields, events = documents("schema")["event"].body["fields"], documents("event")
    found = 0
    for book in (ROOT / "docs/runbooks").glob("*.md"):
        for query in re.findall(r"`([^`\n]+:[^`\n]+)`", book.read_text()):
            for term in terms(query):
                if term.field is None or term.field.startswith("_"):
                    continue
                assert term.field in fields, (book.name, query)
                assert term.field != "action" or term.text in events, (book.name, query)
                found += 1
    assert found > 100


def test_the_starter_packs_page_lists_every_rule_as_it_is() -> None:
    page = (ROOT / "docs/starter-pack.md").read_text()
    rows = {
        row[1]: row[2:] for row in (re.split(r" *\| *", line.strip()) for line in page.splitlines()) if len(row) > 6
    }
    for id_, rule in documents("rule").items():
        body = rule.body
        assert rows[f"`{id_}`"][1:4] == [body["type"], body["severity"], ", ".join(body["attack"])], id_
    assert len([row for row in rows if row.startswith("`")]) == len(documents("rule"))
