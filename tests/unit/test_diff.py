"""Every row of the table of verdicts."""

from dataclasses import replace

import pytest

from provisioner import diff, fingerprint, plan, secretrefs
from provisioner.errors import ConflictError
from provisioner.model import Action, Known, Live, Origin, Record, Resource

SALT = "00" * 16
BODY = {"a": 1, "token": "${env:DIFF_SECRET}"}
SHOWN = {"a": 1, "b": "of the server", "token": "hunter2"}
PATHS = {"thing": (("token",),)}

WANTED = Resource("thing", "acme-x", BODY, Origin("rules/a.yml", 3, 1))
LIVE = Live("thing", "acme-x", SHOWN, "id-1", owner="acme")


@pytest.fixture(autouse=True)
def secret(monkeypatch):
    monkeypatch.setenv("DIFF_SECRET", "hunter2")


def record():
    return Record(
        "thing",
        "acme-x",
        "id-1",
        fingerprint.of(BODY),
        fingerprint.shown(SHOWN, PATHS["thing"], SALT),
        BODY,
        {"${env:DIFF_SECRET}": secretrefs.keyed("hunter2", SALT)},
    )


def verdict(wanted=WANTED, live=LIVE, remembered="same"):
    remembered = record() if remembered == "same" else remembered
    known = Known(
        owner="acme",
        salt=SALT,
        release=1,
        records={remembered.ref: remembered} if remembered else {},
        live={live.ref: live} if live else {},
        secret_paths=PATHS,
    )
    (change,) = diff.diff([wanted] if wanted else [], known)
    assert change.ref == ("thing", "acme-x")
    return change.action, change.why


NONE, CREATE, UPDATE = Action.NONE, Action.CREATE, Action.UPDATE
OTHER_BODY = replace(WANTED, body={**BODY, "a": 2})
DRIFTED = replace(LIVE, body={**SHOWN, "a": 2})


def test_new_and_gone():
    assert verdict(live=None, remembered=None) == (CREATE, "new")
    assert verdict(live=None) == (CREATE, "drifted: it was deleted in the cluster")


def test_unknown_to_the_state():
    assert verdict(remembered=None) == (UPDATE, "ours by its mark, unknown to the state")
    assert verdict(live=replace(LIVE, owner=None), remembered=None) == (NONE, diff.UNOWNED)
    assert verdict(live=replace(LIVE, owner="other"), remembered=None) == (NONE, diff.UNOWNED)


def test_as_it_was():
    assert verdict() == (NONE, "")


def test_changed_drifted_both_and_replaced():
    drifted = "drifted: it was changed in the cluster"
    assert verdict(OTHER_BODY) == (UPDATE, "changed")
    assert verdict(live=DRIFTED) == (UPDATE, drifted)
    assert verdict(OTHER_BODY, DRIFTED) == (UPDATE, f"changed, {drifted}")
    assert verdict(live=replace(LIVE, server_id="id-2")) == (UPDATE, "drifted: it was replaced in the cluster")


def test_a_mark_lost_by_hand_is_drift_but_anothers_object_is_never_ours():
    edited = replace(DRIFTED, owner=None)
    assert verdict(live=edited) == (UPDATE, "drifted: it was changed in the cluster")
    assert verdict(live=replace(edited, server_id="id-2")) == (NONE, diff.UNOWNED)
    assert verdict(live=replace(LIVE, owner="other")) == (NONE, diff.UNOWNED)
    assert verdict(live=replace(LIVE, owner="other", server_id="id-2")) == (NONE, diff.UNOWNED)


def test_a_secret_changed_here_or_in_the_cluster(monkeypatch):
    other = replace(LIVE, body={**SHOWN, "token": "another"})
    assert verdict(live=other) == (UPDATE, "drifted: it was changed in the cluster")
    monkeypatch.setenv("DIFF_SECRET", "new one")
    assert verdict() == (UPDATE, "a secret changed")
    monkeypatch.delenv("DIFF_SECRET")
    assert verdict() == (NONE, "")  # it can't be told here, so nothing is claimed


def test_no_longer_wanted():
    assert verdict(wanted=None) == (NONE, diff.ORPHAN)
    assert verdict(wanted=None, live=None) == (NONE, diff.ORPHAN)


def test_the_bodies_of_a_change_hold_references_only():
    known = Known("acme", SALT, 1, {WANTED.ref: record()}, {WANTED.ref: LIVE}, PATHS)
    (change,) = diff.diff([OTHER_BODY], known)
    assert change.before == BODY
    assert change.after == OTHER_BODY.body
    assert change.origin == WANTED.origin


def test_a_plan_with_an_object_that_is_not_ours_is_refused_with_all_of_them():
    def resource(name):
        return replace(WANTED, key=name)

    def live(name, owner):
        return replace(LIVE, key=name, owner=owner)

    wanted = [resource("acme-a"), resource("acme-b"), resource("acme-c")]
    there = {found.ref: found for found in (live("acme-a", None), live("acme-b", "other"), live("acme-c", "acme"))}
    with pytest.raises(ConflictError) as error:
        plan.build(wanted, Known("acme", SALT, 0, {}, there, PATHS))
    assert "thing acme-a  (rules/a.yml:3:1)" in error.value.message
    assert "thing acme-b" in error.value.message
    assert "acme-c" not in error.value.message
    assert "nothing was changed" in error.value.hint
    assert error.value.exit_code == 1
