"""Plans, findings, events and releases as text and as JSON."""

import io
import json as stdlib_json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from rich.console import Console

from provisioner import deploy, releases, yamldiff
from provisioner.diff import ORPHAN
from provisioner.model import (
    Action,
    Change,
    Diff,
    Event,
    Finding,
    Index,
    Limit,
    Line,
    Live,
    Origin,
    Plan,
    Severity,
)
from provisioner.report import json, progress, text

ORIGIN = Origin("rules/a.yml", 3, 5)
ERROR = Finding("RULE001", "no schema has the field 'x'", ORIGIN, "did you mean 'y'?")
WARNING = Finding("RULE002", "[bold]odd[/bold]", ORIGIN, severity=Severity.WARNING)
DIFF = Diff("as written", (Line("-", "a: 1"), Line("+", "a: 2", Origin("rules/a.yml", 4, 4)), Line(" ", "c: 3")))
CREATE = Change(Action.CREATE, "monitor", "acme-a", "new", ORIGIN, after={"a": 1})
UPDATE = Change(
    Action.UPDATE,
    "monitor",
    "acme-b",
    "changed",
    ORIGIN,
    {"a": 1, "c": 3},
    {"a": 2, "c": 3},
    risks=("data!",),
    diffs=(DIFF,),
)
ADOPT = Change(Action.ADOPT, "channel", "acme-e", "taken over", ORIGIN)
DELETE = Change(Action.DELETE, "monitor", "acme-d", "gone", None, {"a": 1})
NOTHING = Change(Action.NONE, "monitor", "acme-c", "", ORIGIN, {}, {})
LIVE = Live("channel", "acme-o", {}, "acme-o")
LEFT = Change(Action.NONE, "channel", "acme-o", ORPHAN, before={}, live=LIVE)
USED = Change(Action.NONE, "channel", "acme-u", f"{ORPHAN}, but used by monitor x: it stays", live=LIVE)
FORGOTTEN = Change(Action.NONE, "channel", "acme-p", ORPHAN, before={})
DAY = 86_400_000
NOW = 1000 * DAY


def plain(lines):
    return [line.plain for line in lines]


def doomed(number):
    return Index(f".ds-logs-{number:06}", 12_345, 100_000_000 * (number + 1), NOW - (412 - number) * DAY)


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
    planned = Plan((CREATE, UPDATE, DELETE, NOTHING, LEFT, USED, FORGOTTEN))
    assert plain(text.plan(planned, 50)) == [
        "  + monitor acme-a  new  rules/a.yml:3:5",
        "  ~ monitor acme-b  changed  rules/a.yml:3:5",
        "      ! data!",
        "      as written:",
        "      - a: 1",
        "      + a: 2                       rules/a.yml:4:4",
        "        c: 3",
        "  - monitor acme-d  gone",
        "  ! channel acme-o is no longer in the repository; it stays in the cluster",
        "  ! channel acme-u is no longer in the repository, but used by monitor x: it stays",
        "Plan: 1 to create, 1 to update, 1 to delete, 1 unchanged.",
    ]


def test_adopting_is_named_where_there_is_any():
    lines = plain(text.plan(Plan((ADOPT, NOTHING)), 80))
    assert lines == [
        "  → channel acme-e  taken over  rules/a.yml:3:5",
        "Plan: 0 to create, 0 to update, 1 to adopt, 0 to delete, 1 unchanged.",
    ]
    assert text.applied([Event(ADOPT, 0.1)]).plain == "Applied: 0 created, 0 updated, 1 adopted, 0 deleted."
    assert text.event(Event(ADOPT, 0.1)).plain == "  → channel acme-e adopted in 0.10 s"


def test_limits_say_how_to_mean_it():
    limit = Limit("deletes", "5 of 12 objects (41 %) would be deleted; the limit is 30 %")
    assert plain(text.plan(Plan((DELETE,), (limit,)), 80))[-2] == (
        "  refused: deletes: 5 of 12 objects (41 %) would be deleted; the limit is 30 %; "
        "if that is meant: --force deletes"
    )
    asked = Limit("empty", "is it whole?")
    assert (
        plain(text.plan(Plan((), (asked,)), 80))[0] == "  refused: empty: is it whole? If that is meant: --force empty"
    )


def test_doomed_indices_largest_first():
    change = Change(Action.UPDATE, "ism_policy", "acme-90d", "changed", doomed=(doomed(0), doomed(1)))
    assert plain(text.plan(Plan((change,)), 80, NOW))[1:-1] == [
        "      ! would delete 2 indices, 300 MB:",
        "          .ds-logs-000001 (12,345 documents, 200 MB, 411 days)",
        "          .ds-logs-000000 (12,345 documents, 100 MB, 412 days)",
    ]
    many = Change(Action.DELETE, "data_stream", "logs", "gone", doomed=tuple(map(doomed, range(12))))
    lines = plain(text.plan(Plan((many,)), 80, NOW))[1:-1]
    assert lines[0] == "      ! would delete 12 indices, 7.8 GB:"
    assert [line.split()[0] for line in lines[1:-1]] == [f".ds-logs-{n:06}" for n in range(11, 6, -1)]
    assert lines[-1] == "          and 7 more"
    young = Change(Action.DELETE, "data_stream", "l", "gone", doomed=(Index("i", 1, 1, NOW - 3_600_000),))
    assert "i (1 document, 1 byte, 1 hour)" in plain(text.plan(Plan((young,)), 80, NOW))[2]


LONG = Origin("rules/detections/authentication/brute-force-login.yml", 11, 18)


def test_headers_and_places_fit_the_terminal():
    diff = Diff("as written", (Line("+", "count: 4", LONG), Line("+", "x" * 60, Origin(LONG.file, 12, 1))))
    change = Change(
        Action.UPDATE, "monitor", "acme-brute-force-login", "changed, a secret changed", LONG, diffs=(diff,)
    )
    wide, narrow = plain(text.plan(Plan((change,)), 200)), plain(text.plan(Plan((change,)), 80))
    assert wide[0] == f"  ~ monitor acme-brute-force-login  changed, a secret changed  {LONG}"
    assert wide[2] == f"      + count: 4{str(LONG).rjust(120 - 16)}"
    assert narrow == [
        "  ~ monitor acme-brute-force-login  changed, a secret changed",
        f"      {LONG}",
        "      as written:",
        f"      + count: 4{LONG!s:>64}",
        f"      + {'x' * 60}".ljust(75) + ":12:1",
        "Plan: 0 to create, 1 to update, 0 to delete, 0 unchanged.",
    ]
    assert max(map(len, narrow)) == 80
    very = Change(Action.CREATE, "monitor", "a" * 60, "why, why, why", ORIGIN)
    assert plain(text.plan(Plan((very,)), 80))[:-1] == [
        f"  + monitor {'a' * 60}",
        "      why, why, why  rules/a.yml:3:5",
    ]


def test_in_a_pipe_a_header_is_one_line(monkeypatch):
    change = Change(Action.CREATE, "monitor", "a" * 100, "new", LONG)
    monkeypatch.delenv("COLUMNS", raising=False)
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as pipe:
        monkeypatch.setattr(sys, "__stdout__", pipe)
        assert plain(text.plan(Plan((change,))))[0] == f"  + monitor {'a' * 100}  new  {LONG}"
        monkeypatch.setenv("COLUMNS", "80")
        assert len(plain(text.plan(Plan((change,))))) == 3


def test_a_place_is_not_said_twice():
    diff = Diff(
        "as written", (Line("+", "a: |", ORIGIN), Line("+", "  x", ORIGIN), Line("+", "b: 1", Origin("f", 9, 9)))
    )
    lines = plain(text.diff(diff, 40))
    assert [line.endswith(("a.yml:3:5", "f:9:9")) for line in lines] == [False, True, False, True]
    other = Diff("t", (Line("+", "x" * 40, LONG),))
    assert plain(text.diff(other, 40, "another.yml"))[1] == f"      + {'x' * 40}  {LONG}"


def test_an_empty_plan():
    (line,) = plain(text.plan(Plan((NOTHING,))))
    assert line == "No changes: the cluster is as the repository says (1 object)."
    left = plain(text.plan(Plan((NOTHING, LEFT)), says="release 4 left it"))[-1]
    assert left == "No changes: 1 object as release 4 left it; 1 other stays."


def test_events():
    done, failed = Event(CREATE, 0.5), Event(UPDATE, 0.25, "400 parsing_exception: no")
    assert text.event(done).plain == "  + monitor acme-a created in 0.50 s"
    assert text.event(failed).plain == "  ✗ monitor acme-b: 400 parsing_exception: no"
    assert text.event(Event(CREATE, 2, attempts=3)).plain == "  + monitor acme-a created in 2.00 s after 3 attempts"
    assert text.event(Event(CREATE, 2, "503", 2)).plain == "  ✗ monitor acme-a after 2 attempts: 503"
    assert text.applied([done]).plain == "Applied: 1 created, 0 updated, 0 deleted."
    assert text.applied([done, failed]).plain == (
        "Stopped at monitor acme-b: 1 created, 0 updated, 0 deleted. Mend it and run apply again."
    )


def test_several_failures():
    failed = [Event(change, 0.1, "503") for change in (CREATE, UPDATE)]
    assert text.applied(failed).plain.startswith("Stopped at monitor acme-a and monitor acme-b: 0 created, ")
    assert text.applied(failed).plain.endswith(". Mend them and run apply again.")
    assert "monitor acme-a, monitor acme-b, monitor acme-a and 3 more:" in text.applied(failed * 3).plain


@pytest.mark.parametrize("value", ["[red]x[/red]", "\x1b[31mx", "ünicode 🎉", "a\nb"])
def test_values_are_shown_as_text(value):
    diff = yamldiff.diff("as written", {"a": "x"}, {"a": value})
    lines = plain(text.diff(diff, 80))
    assert "\x1b" not in "".join(lines)
    assert len(lines) >= 3


def test_json_findings_are_stable():
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


def test_json_of_a_plan():
    change = Change(Action.DELETE, "ism_policy", "acme-90d", "gone", doomed=(Index("i", 1, 2, 3),))
    limit = Limit("data-loss", "1 document")
    planned = Plan((CREATE, NOTHING, UPDATE, change), (limit,), "acme", "uuid", 7, "d" * 64)
    said = stdlib_json.loads(json.dumps(json.plan(planned)))
    changes = said.pop("changes")
    assert said == {
        "owner": "acme",
        "cluster": "uuid",
        "release": 7,
        "digest": "d" * 64,
        "counts": {"create": 1, "update": 1, "adopt": 0, "delete": 1, "no-op": 1},
        "limits": [{"name": "data-loss", "message": "1 document"}],
    }
    assert [(c["action"], c["key"], c["origin"]) for c in changes] == [
        ("create", "acme-a", "rules/a.yml:3:5"),
        ("no-op", "acme-c", "rules/a.yml:3:5"),
        ("update", "acme-b", "rules/a.yml:3:5"),
        ("delete", "acme-90d", None),
    ]
    assert changes[0]["after"] == {"a": 1}
    assert changes[3]["doomed"] == [{"name": "i", "documents": 1, "bytes": 2, "created": 3, "rolled_over": None}]
    assert changes[2]["risks"] == ["data!"]
    assert changes[2]["diffs"] == [
        {
            "title": "as written",
            "lines": [
                {"sign": "-", "text": "a: 1", "origin": None},
                {"sign": "+", "text": "a: 2", "origin": "rules/a.yml:4:4"},
                {"sign": " ", "text": "c: 3", "origin": None},
            ],
        }
    ]


def test_json_of_events_and_of_an_outcome():
    happened = [Event(UPDATE, 0.12345, "no", 3)]
    step = {"action": "update", "kind": "monitor", "key": "acme-b", "seconds": 0.123, "attempts": 3, "error": "no"}
    assert stdlib_json.loads(json.dumps(json.events(happened))) == {"events": [step]}
    outcome = deploy.Outcome(Plan((UPDATE,)), tuple(happened), Plan((NOTHING, CREATE)), behind={"p": ["i"]})
    said = stdlib_json.loads(json.dumps(json.outcome(outcome)))
    assert (said["events"], said["failed"], said["behind"]) == ([step], True, {"p": ["i"]})
    assert [change["key"] for change in said["left"]] == ["acme-a"]


@dataclass(frozen=True)
class Release:
    number: int
    at: str = "2026-11-23T22:19:47.123+00:00"
    who: str = "anna"
    host: str = "ci-1"
    revision: str | None = "1a2b3c4d5e6f"
    tool: str = "0.1.0"
    outcome: str = "complete"
    counts: Mapping[str, int] = field(default_factory=lambda: {"create": 3, "update": 1})
    steps: tuple[Mapping[str, str], ...] = ()
    forced: tuple[str, ...] = ()


STEPS = (
    {"action": "create", "kind": "monitor", "key": "acme-a", "error": ""},
    {"action": "update", "kind": "monitor", "key": "acme-b", "error": "503 no"},
)


def test_releases_are_a_table():
    rows = [Release(12), Release(3, at="?", revision=None, outcome="interrupted", counts={}, host="")]
    assert plain(text.releases(rows)) == [
        "12  2026-11-23 22:19 UTC  complete     3 created, 1 updated  1a2b3c4d5e6f  anna@ci-1",
        " 3  ?                     interrupted  nothing done          -             anna",
    ]
    assert plain(text.releases([])) == []
    said = stdlib_json.loads(json.dumps(json.releases(rows)))["releases"]
    assert said[0] == {
        "number": 12,
        "at": "2026-11-23T22:19:47.123+00:00",
        "who": "anna",
        "host": "ci-1",
        "revision": "1a2b3c4d5e6f",
        "tool": "0.1.0",
        "outcome": "complete",
        "counts": {"create": 3, "update": 1},
        "forced": [],
    }


def test_one_release_with_its_diffs():
    row = Release(12, outcome="stopped", counts={"create": 1}, steps=STEPS, forced=("data-loss", "lock"))
    assert plain(text.release(row, [UPDATE, DELETE], 50)) == [
        "Release 12 of 2026-11-23 22:19 UTC: stopped",
        "  by anna@ci-1 with provisioner 0.1.0, revision 1a2b3c4d5e6f",
        "  forced: data-loss, lock",
        "  + monitor acme-a  created",
        "  ✗ monitor acme-b: 503 no",
        "      as written:",
        "      - a: 1",
        "      + a: 2                       rules/a.yml:4:4",
        "        c: 3",
        "  - monitor acme-d  gone",
        "1 created.",
    ]
    said = stdlib_json.loads(json.dumps(json.release(row, [UPDATE])))
    assert said["steps"] == list(STEPS)
    assert said["forced"] == ["data-loss", "lock"]
    assert said["changes"][0]["diffs"][0]["title"] == "as written"


def test_what_an_interrupted_release_did_is_not_known():
    row = Release(1, outcome="interrupted", counts={}, steps=STEPS[:1], revision=None)
    assert plain(text.release(row, width=80))[1:] == [
        "  by anna@ci-1 with provisioner 0.1.0",
        "  + monitor acme-a  to create",
        "nothing done.",
    ]


def test_the_states_own_releases_fit():
    begun = releases.begin(4, None, [CREATE], frozenset())
    assert plain(text.release(begun, width=80))[2] == "  + monitor acme-a  to create"
    ended = releases.end(begun, [Event(CREATE, 0.1)], releases.COMPLETE, [], [])
    assert plain(text.release(ended, width=80))[2:] == ["  + monitor acme-a  created", "1 created."]


def test_progress_without_a_terminal_is_lines():
    console = Console(file=io.StringIO(), force_terminal=False, width=80)
    with progress.steps(console, 2) as happened:
        happened(Event(CREATE, 0.5))
        happened(Event(UPDATE, 0.5, "no"))
    assert console.file.getvalue().splitlines() == [
        "  + monitor acme-a created in 0.50 s",
        "  ✗ monitor acme-b: no",
    ]


def test_progress_on_a_terminal_has_a_bar_that_goes_away(monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    console = Console(file=io.StringIO(), force_terminal=True, width=80, soft_wrap=True, highlight=False)
    end = time.monotonic() + 30
    with pytest.raises(KeyboardInterrupt), progress.steps(console, 2) as happened:
        while "applying" not in console.file.getvalue() and time.monotonic() < end:
            time.sleep(0.01)
        happened(Event(CREATE, 0.5))
        happened(Event(UPDATE, 0.5, "no"))
        raise KeyboardInterrupt
    shown = console.file.getvalue()
    assert "acme-a" in shown
    assert "applying" in shown[: shown.index("acme-b")]
    assert "checking" in shown[shown.index("acme-b") :]
    assert shown.index("acme-a") < shown.index("2/2")
    assert shown.rstrip().endswith("\x1b[2K")  # the bar's line is empty again
    assert "\x1b[?25h" in shown  # the cursor is back


def test_drift():
    deleted = Change(Action.NONE, "channel", "acme-x", "drifted: it was deleted in the cluster", ORIGIN)
    changed = Change(Action.NONE, "monitor", "acme-b", "drifted: it was changed in the cluster", diffs=(DIFF,))
    assert plain(text.drift([deleted, changed], 12, 80)) == [
        "  ! channel acme-x  drifted: it was deleted in the cluster  rules/a.yml:3:5",
        "  ! monitor acme-b  drifted: it was changed in the cluster",
        "      as written:",
        "      - a: 1",
        f"      + a: 2{'rules/a.yml:4:4':>68}",
        "        c: 3",
        "Drift: 2 of 12 objects differ from what was applied.",
    ]
    assert plain(text.drift([], 1)) == ["No drift: the cluster is as it was applied (1 object)."]
    assert [change["why"] for change in json.drift([deleted])["changes"]] == [deleted.why]
    assert json.drift([]) == {"changes": []}


def test_nothing_that_a_terminal_obeys_is_printed():
    evil = "x\x1b]0;owned\x07\u202e\r\nz"
    index = Index(evil, 1, 1, 0)
    change = Change(Action.DELETE, "monitor", evil, evil, Origin(evil), risks=(evil,), doomed=(index,))
    used = Change(Action.NONE, "channel", evil, f"{ORPHAN}, but used by monitor {evil}: it stays", live=LIVE)
    steps = ({"action": "create", "kind": "monitor", "key": evil, "error": evil},)
    row = Release(1, evil, evil, evil, evil, evil, evil, steps=steps)
    shown = [
        *text.plan(Plan((change, used), (Limit(evil, evil),)), 80),
        *text.drift([change], 1, 80),
        *text.release(row, width=80),
        *text.releases([row]),
        text.event(Event(change, 1, evil)),
        text.event(Event(change, 1)),
        text.applied([Event(change, 1, evil)]),
    ]
    assert all(line.plain.isprintable() for line in shown)
    assert sum("owned" in line.plain for line in shown) >= 10
