"""What our own audit's events say, and that they are those of the catalogue and the schema."""

import json
import keyword
import pathlib
import re

import pytest
from yaml import safe_load_all

from provisioner import cli, releases
from provisioner.audit import events
from provisioner.cli import COMMANDS
from provisioner.deploy import Outcome
from provisioner.errors import (
    ApiError,
    AuditError,
    ClusterError,
    ConflictError,
    FindingsError,
    LimitError,
    LockedError,
    MovedError,
    ProvisionerError,
    UnreachableError,
)
from provisioner.model import Action, Change, Event, Limit, Plan
from provisioner.releases import Mark
from provisioner.starter import folder

SECRET = "nobody-may-see-this"
CREATE = Change(Action.CREATE, "channel", "acme-one", "new", after={"url": SECRET})
DELETE = Change(Action.DELETE, "channel", "acme-other", "gone", before={"url": SECRET})
NOTHING = Change(Action.NONE, "channel", "acme-same", "")
PLAN = Plan((CREATE, DELETE, NOTHING), owner="acme", cluster="uuid", release=6, digest="d" * 64)


def run(command="apply", forced=(), sudo=""):
    return events.Run("1" * 32, command, "acme", "production", "alice", 1000, "web-1", 42, "0.1.0", forced, sudo)


def documents(name):
    return {each["id"]: each for each in safe_load_all((folder() / name).read_text(encoding="utf-8")) if each}


def every():
    """An event of each action, with all that may stand in one."""
    for command in events.SEVERITIES:
        yield run(command, ("data-loss",), "bob").started("abc+changes", PLAN)
        halfway = Outcome(PLAN, (Event(CREATE, 1.0), Event(DELETE, 1.0, SECRET)), release=7)
        yield run(command).ended(events.deployed(halfway), "abc")
        yield run(command).ended(events.failed(LimitError(f"deletes: {SECRET}\nempty: {SECRET}")), None)
        yield run(command).ended(events.looked(Plan(PLAN.changes, (Limit("deletes", SECRET),), digest="d")), None)
    yield run().ended(events.compared(2, 10), None)
    yield run().ended(events.pulled(1, written=True), None)
    said = events.acknowledging(["one", "two", "one"], "INC-7")
    yield run("ack").started("abc", meant=said)
    yield run("ack").ended(events.acknowledged(said, 2), "abc")
    yield run("ack").ended(events.declined(), "abc")
    held = events.holding("add", "inc-1", ["audit", "network"], "lawsuit")
    yield run("hold").started("abc", meant=held)
    yield run("hold").ended(events.held(held, 3, 1), "abc")
    for audit in ("", "2" * 32):
        begun = releases.begin(7, "abc", [CREATE], frozenset(), Mark(("audit",), audit))
        yield run().left(begun)


def test_every_event_is_one_of_the_catalogue_with_its_severity():
    catalogue = documents("rules/events.yml")
    seen = {each["action"]: each for each in every()}
    assert {name for name in catalogue if name.startswith("provisioner_")} == seen.keys()
    for name, event in seen.items():
        said = catalogue[name]
        assert (said["log_type"], said["category"], said["severity"]) == ("audit", event["category"], event["severity"])
        present = {f"{top}.{inner}" for top, value in event.items() if isinstance(value, dict) for inner in value}
        assert {field for field in said["fields"] if field not in present} <= {"outcome.reason", "details.policy"}


def test_every_event_fits_the_strict_schema():
    (schema,) = documents("templates/schema/event.yml").values()
    for event in every():
        for top, value in event.items():
            names = [top] if not isinstance(value, dict) or top == "labels" else [f"{top}.{inner}" for inner in value]
            assert set(names) <= schema["fields"].keys()
        assert all(isinstance(value, str) for value in event["labels"].values())


def test_no_event_holds_a_body_or_the_words_of_an_error():
    assert not [event for event in every() if SECRET in json.dumps(event)]
    for error in (ApiError("PUT", "/x", 400, "x", SECRET), ValueError(SECRET), ProvisionerError(SECRET, SECRET)):
        assert SECRET not in json.dumps(run().ended(events.failed(error), None))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (LimitError("deletes: x"), "limit_exceeded"),
        (ConflictError("x"), "conflict"),
        (LockedError("x"), "locked"),
        (MovedError("x"), "moved"),
        (AuditError("x"), "audit_not_written"),
        (FindingsError([]), "findings"),
        (UnreachableError("x"), "cluster_refused_or_unreachable"),
        (ClusterError("x"), "cluster_refused_or_unreachable"),
        (KeyboardInterrupt(), "interrupted"),
        (ProvisionerError("x"), "error"),
        (KeyError("x"), "error"),
    ],
)
def test_an_error_has_one_word(error, reason):
    how = events.failed(error)
    assert (how.status, how.reason) == ("failure", reason)


def test_how_a_deployment_ended():
    def said(outcome):
        how = events.deployed(outcome)
        return how.status, how.reason, how.results

    whole = (Event(CREATE, 1.0), Event(DELETE, 1.0))
    assert said(Outcome(Plan(()))) == ("success", "nothing_to_do", 0)
    assert said(Outcome(PLAN, declined=True)) == ("failure", "declined", 0)
    assert said(Outcome(PLAN, whole, Plan(()), release=7)) == ("success", "", 2)
    assert said(Outcome(PLAN, whole[:1])) == ("failure", "changes_left", 1)
    assert said(Outcome(PLAN, (Event(CREATE, 1.0, "no"),))) == ("failure", "step_failed", 0)
    assert said(Outcome(PLAN, whole, PLAN, release=7)) == ("failure", "changes_left", 2)
    made = run().ended(events.deployed(Outcome(PLAN, whole, Plan(()), release=7)), "abc")
    assert made["message"] == ("apply of acme for production by alice on web-1: 1 created, 1 deleted; release 7.")
    assert made["labels"] == {
        "revision": "abc",
        "plan": "d" * 64,
        "cluster": "uuid",
        "last_release": "6",
        "create": "1",
        "delete": "1",
        "release": "7",
        "owner": "acme",
        "target": "production",
    }


def test_an_intent_says_who_forced_what():
    made = run(forced=("audit", "data-loss"), sudo="bob").started("abc", PLAN)
    assert made["message"] == (
        "alice on web-1 began apply of acme for production: 1 to create, 1 to delete of 3 objects; "
        "forced: audit, data-loss."
    )
    assert made["details"]["policy"] == ["audit", "data-loss"]
    assert made["labels"]["sudo_user"] == "bob"
    assert "policy" not in run().started("abc", PLAN)["details"]


def test_every_command_that_looks_at_a_cluster_s_setup_is_recorded():
    """A command that comes has to be told apart: recorded, or one of those that neither change nor plan anything."""
    unrecorded = {
        "init",
        "validate",
        "test",
        "explain",
        "backtest",
        "coverage",
        "render",
        "history",
        "doctor",
        "import",
    }
    unrecorded |= {"sign", "verify", "proof", "redact", "scan", "schema", "demo", "dev"}
    assert COMMANDS.keys() - unrecorded == events.SEVERITIES.keys()


def test_what_holding_says():
    said = events.holding("add", "inc-1", ["audit", "network"], "lawsuit")
    made = run("hold").started(None, meant=said)
    assert (
        made["message"] == "alice on web-1 began hold of acme for production: to add the hold inc-1 on audit, network."
    )
    assert made["labels"].items() >= {"hold": "inc-1", "hold_action": "add", "reason": "lawsuit"}.items()
    for wrong, status, reason in ((0, "success", ""), (1, "failure", "left")):
        how = events.held(said, 3, wrong)
        assert (how.status, how.reason, how.results) == (status, reason, 3 - wrong)


def test_what_acknowledging_says():
    said = events.acknowledging(["one", "two", "one"], "INC-7")
    made = run("ack").started(None, meant=said)
    assert made["message"] == "alice on web-1 began ack of acme for production: to acknowledge 2 of one, 1 of two."
    assert made["labels"] == {"rules": "one two", "reason": "INC-7", "owner": "acme", "target": "production"}
    assert made["details"]["result_count"] == 3
    for done, status, reason in ((3, "success", ""), (2, "failure", "left")):
        how = events.acknowledged(said, done)
        assert (how.status, how.reason, how.results) == (status, reason, done)


WRITES = re.compile(r"""request\(\s*(?:"(?:PUT|POST|DELETE)"|method)[^\n]*""")
RECORDED = {"state", "lock", "canary", "alerts", "holding", "audit.shipping"}
"""The modules that write for a recorded command; `kinds` do so through `step`."""
UNRECORDED = {
    "preflight": "a request whose refusal tells whether a plugin is there",
    "notify": "a message to a channel, where `drift --notify` says so",
    "integrity.places": "a checkpoint, where `sign` and `proof checkpoint` are told to put one",
    "scan.reader": "a point in time, to read",
    "ruletest.bench": "the bench of `test`, which is removed again",
}


def test_whatever_writes_to_a_cluster_is_recorded_or_named_here():
    """A module that comes has to be told apart: what a recorded command does, or something that changes nothing."""
    package = pathlib.Path(cli.__file__).parent.parent
    found = set()
    for file in package.rglob("*.py"):
        name = ".".join(file.relative_to(package).with_suffix("").parts)
        if not name.startswith(("devcluster.", "demo.", "kinds.")):
            lines = WRITES.findall(file.read_text(encoding="utf-8"))
            found |= {name for line in lines if "safe=True" not in line and "_search" not in line.split("body")[0]}
    assert found == (RECORDED | UNRECORDED.keys())


def commands():
    for name in COMMANDS:
        file = f"{name}_" if keyword.iskeyword(name) else name
        yield name, pathlib.Path(cli.__file__).with_name(f"{file}.py").read_text(encoding="utf-8")


def test_each_recorded_command_opens_a_trail_of_its_own_name():
    """By itself, or by `_deploying.run`, whose `Place` has the command's name."""
    for name, text in commands():
        said = re.search(rf'(?:Trail\([a-z_.]+, |Place\()"{name}"', text)
        assert (said is not None) == (name in events.SEVERITIES), name


def test_each_command_that_changes_a_cluster_is_refused_without_a_record():
    """All that write are told apart here from those that only look: a Trail of these has `changes=True`."""
    looks = {"plan", "drift", "pull"}
    for name, text in commands():
        if name in events.SEVERITIES.keys() - looks:
            assert f'_deploying.Place("{name}"' in text or re.search(rf'"{name}", [^)]*changes=True', text), name
        elif name in looks:
            assert "changes=True" not in text, name
