"""Plans, findings and events as text and as JSON."""

import json as stdlib_json

import pytest

from provisioner.diff import ORPHAN
from provisioner.model import Action, Change, Event, Finding, Live, Origin, Plan, Severity
from provisioner.report import json, text

ORIGIN = Origin("rules/a.yml", 3, 5)
ERROR = Finding("RULE001", "no schema has the field 'x'", ORIGIN, "did you mean 'y'?")
WARNING = Finding("RULE002", "[bold]odd[/bold]", ORIGIN, severity=Severity.WARNING)
CREATE = Change(Action.CREATE, "monitor", "acme-a", "new", ORIGIN, after={"a": 1})
UPDATE = Change(
    Action.UPDATE, "monitor", "acme-b", "changed", ORIGIN, {"a": 1, "c": 3}, {"a": 2, "c": 3}, risks=("data!",)
)
DELETE = Change(Action.DELETE, "monitor", "acme-d", "gone", None, {"a": 1})
NOTHING = Change(Action.NONE, "monitor", "acme-c", "", ORIGIN, {}, {})
LEFT = Change(Action.NONE, "channel", "acme-o", ORPHAN, before={}, live=Live("channel", "acme-o", {}, "acme-o"))
FORGOTTEN = Change(Action.NONE, "channel", "acme-p", ORPHAN, before={})


def plain(lines):
    return [line.plain for line in lines]


def test_findings():
    assert plain(text.findings([ERROR, WARNING])) == [
        "rules/a.yml:3:5: RULE001 no schema has the field 'x'",
        "    did you mean 'y'?",
        "rules/a.yml:3:5: RULE002 [bold]odd[/bold]",
        "Found 1 error and 1 warning.",
    ]
    assert plain(text.findings([])) == []
    assert plain(text.findings([ERROR, ERROR]))[-1] == "Found 2 errors."


def test_a_plan():
    assert plain(text.plan(Plan((CREATE, UPDATE, DELETE, NOTHING, LEFT, FORGOTTEN)))) == [
        "  + monitor acme-a  new  rules/a.yml:3:5",
        "  ~ monitor acme-b  changed  rules/a.yml:3:5",
        "      ! data!",
        "      @@ -1,2 +1,2 @@",
        "      -a: 1",
        "      +a: 2",
        "       c: 3",
        "  - monitor acme-d  gone",
        "  ! channel acme-o is no longer in the repository; it stays in the cluster",
        "Plan: 1 to create, 1 to update, 1 to delete, 1 unchanged.",
    ]


def test_an_empty_plan():
    (line,) = plain(text.plan(Plan((NOTHING,))))
    assert line == "No changes: the cluster is as the repository says (1 object)."


def test_events():
    done, failed = Event(CREATE, 0.5), Event(UPDATE, 0.25, "400 parsing_exception: no")
    assert text.event(done).plain == "  + monitor acme-a created in 0.50 s"
    assert text.event(failed).plain == "  ✗ monitor acme-b: 400 parsing_exception: no"
    assert text.applied([done]).plain == "Applied: 1 created, 0 updated, 0 deleted."
    assert text.applied([done, failed]).plain == (
        "Stopped at monitor acme-b: 1 created, 0 updated, 0 deleted. Mend it and run apply again."
    )


@pytest.mark.parametrize("value", ["[red]x[/red]", "\x1b[31mx", "ünicode 🎉", "a\nb"])
def test_values_are_shown_as_text(value):
    lines = list(text.body_diff({"a": "x"}, {"a": value}))
    assert "\x1b" not in "".join(plain(lines))
    assert len(lines) >= 3


def test_json_is_stable():
    assert stdlib_json.loads(json.dumps(json.findings([ERROR]))) == {
        "findings": [
            {
                "code": "RULE001",
                "severity": "error",
                "message": "no schema has the field 'x'",
                "hint": "did you mean 'y'?",
                "file": "rules/a.yml",
                "line": 3,
                "column": 5,
            }
        ]
    }
    planned = stdlib_json.loads(json.dumps(json.plan(Plan((CREATE, NOTHING, DELETE)))))["changes"]
    assert [(c["action"], c["key"], c["origin"]) for c in planned] == [
        ("create", "acme-a", "rules/a.yml:3:5"),
        ("no-op", "acme-c", "rules/a.yml:3:5"),
        ("delete", "acme-d", None),
    ]
    assert planned[0]["after"] == {"a": 1}
    happened = stdlib_json.loads(json.dumps(json.events([Event(UPDATE, 0.12345, "no")])))["events"]
    assert happened == [{"action": "update", "kind": "monitor", "key": "acme-b", "seconds": 0.123, "error": "no"}]
