"""The events of a rule's tests: examples, times, numbers."""

import pytest

from provisioner.model import Document, Origin
from provisioner.ruletest import events
from provisioner.source import Source

ORIGIN = Origin("rules/a.yml")
FIELDS = {
    "source.ip": {"type": "ip", "ecs": "client.ip"},
    "actor.username": {"type": "keyword"},
    "details.records_count": {"type": "long"},
    "outcome.status": {"type": "keyword"},
}
LOGIN = {"title": "Failed login", "category": "authentication", "severity": "warning"}
LOGIN["fields"] = ["actor.username", "source.ip", "@timestamp"]


def document(kind, id_, body):
    return Document(kind, id_, body, {(): ORIGIN})


SCHEMA, EVENT = document("schema", "event", {"fields": FIELDS}), document("event", "login_failed", LOGIN)
SOURCE = Source({(each.kind, each.id): each for each in (SCHEMA, EVENT)}, ())


def expanded(*given, **rule):
    body = {"type": "threshold", "log_type": "authentication", "query": "action:login_failed", **rule}
    return events.expand(document("rule", "x", body), {"events": list(given)}, SOURCE)


def test_times_add_up():
    found = expanded({"repeat": 3, "every": "10s"}, {"after": "1m", "late": "5s"}, {"after": "1s", "repeat": 2})
    assert [(each.at, each.stored) for each in found] == [
        (0, 0),
        (10_000, 10_000),
        (20_000, 20_000),
        (80_000, 85_000),
        (81_000, 81_000),
        (82_000, 82_000),
    ]


def test_an_event_begins_as_what_the_query_looks_for_with_the_catalogues_details():
    (found,) = expanded({}, query="action:login_failed AND outcome.status:failure AND NOT actor.username:root")
    assert found.fields == {
        "category": "authentication",
        "action": "login_failed",
        "severity": "warning",
        "message": "Failed login",
        "actor.username": "alice",
        "source.ip": "192.0.2.1",
        "outcome.status": "failure",
    }


def test_set_overrides_numbers_and_takes_out():
    given = {"repeat": 2, "set": {"actor.username": "user-%n", "source.ip": None}}
    assert [each.fields.get("actor.username") for each in expanded(given)] == ["user-1", "user-2"]
    assert "source.ip" not in expanded(given)[0].fields


def test_an_event_of_the_catalogue_does_not_depend_on_the_query():
    (found,) = expanded({"event": "login_failed"}, query="action:other AND outcome.status:failure")
    assert found.fields["action"] == "login_failed"
    assert "outcome.status" not in found.fields


def test_steps_and_the_whole_of_a_ratio():
    steps = {"steps": [{"query": "action:one"}, {"query": "action:two"}]}
    found = expanded({"step": 2}, {}, type="sequence", query=None, sequence=steps)
    assert [each.fields["action"] for each in found] == ["two", "one"]
    ratio = {"of": "action:request"}
    found = expanded({"of": True}, {}, type="ratio", query="outcome.status:failure", ratio=ratio)
    assert [each.fields["action"] for each in found] == ["request", "something"]


def test_values_fit_their_fields():
    (found,) = expanded({}, query='details.records_count:5 AND source.ip:"10.0.0.0/8" AND actor.username:adm*')
    assert found.fields["details.records_count"] == 5
    assert found.fields["source.ip"] == "10.0.0.0"
    assert found.fields["actor.username"] == "admx"
    (found,) = expanded({}, query="details.records_count:[5 TO *] AND actor.username:/a.*/")
    assert "details.records_count" not in found.fields


def test_lines():
    found = expanded({"line": "%t sshd: number %n", "pipeline": "sshd", "repeat": 2})
    assert [(each.line, each.pipeline, dict(each.fields)) for each in found] == [
        ("%t sshd: number 1", "sshd", {}),
        ("%t sshd: number 2", "sshd", {}),
    ]


def test_dotted_names_become_objects():
    assert events.nested({"a.b": 1, "a.c.d": 2, "e": 3}) == {"a": {"b": 1, "c": {"d": 2}}, "e": 3}
    with pytest.raises(ValueError, match="can't both be fields"):
        events.nested({"a": 1, "a.b": 2})
