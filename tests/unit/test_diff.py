"""Every row of the table of verdicts."""

from dataclasses import replace

import pytest

from provisioner import diff, fingerprint, plan, secretrefs
from provisioner.errors import ConflictError
from provisioner.known import Known
from provisioner.model import PLAIN, Action, Facts, Live, Options, Origin, Record, Resource
from provisioner.releases import Release

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
        origin="rules/a.yml:3:1",
        secrets={"${env:DIFF_SECRET}": secretrefs.keyed("hunter2", SALT)},
        rolled_out=7,
    )


def verdict(wanted=WANTED, live=LIVE, remembered="same", options=PLAIN, left=(), users=()):
    remembered = record() if remembered == "same" else remembered
    known = Known(
        owner="acme",
        salt=SALT,
        release=1,
        records={remembered.ref: remembered} if remembered else {},
        live={live.ref: live} if live else {},
        secret_paths=PATHS,
        open=left,
        facts=Facts(users={WANTED.ref: users} if users else {}),
    )
    (change,) = diff.diff([wanted] if wanted else [], known, options)
    assert change.ref == ("thing", "acme-x")
    return change.action, change.why


NONE, CREATE, UPDATE, DELETE = Action.NONE, Action.CREATE, Action.UPDATE, Action.DELETE
OTHER_BODY = replace(WANTED, body={**BODY, "a": 2})
DRIFTED = replace(LIVE, body={**SHOWN, "a": 2})


def test_new_and_gone():
    assert verdict(live=None, remembered=None) == (CREATE, "new")
    assert verdict(live=None) == (CREATE, "drifted: it was deleted in the cluster")


def test_unknown_to_the_state():
    assert verdict(remembered=None) == (UPDATE, "ours by its mark, unknown to the state")
    assert verdict(live=replace(LIVE, owner=None), remembered=None) == (NONE, diff.UNOWNED)
    assert verdict(live=replace(LIVE, owner="other"), remembered=None) == (NONE, ANOTHERS)


ANOTHERS = f"{diff.UNOWNED}: it bears the mark of other"
ADOPT = Options(adopt=True)
PRUNE = Options(prune=True)


def test_adoption_takes_what_bears_no_mark_and_nothing_else():
    bare = replace(LIVE, owner=None, body={"a": 1, "token": "hunter2"})
    assert verdict(live=bare, remembered=None, options=ADOPT) == (Action.ADOPT, "adopted")
    assert verdict(live=replace(bare, body=SHOWN), remembered=None, options=ADOPT) == (UPDATE, "adopted, and changed")
    assert verdict(live=replace(LIVE, owner="other"), remembered=None, options=ADOPT) == (NONE, ANOTHERS)
    assert verdict(options=ADOPT) == (NONE, "")
    stale = replace(bare, stale=("i1",))
    words = "adopted, an older copy is held by 1 index"
    assert verdict(live=stale, remembered=None, options=ADOPT) == (Action.ADOPT, words)


def test_adoption_without_the_secret_compares_the_rest(monkeypatch):
    bare = replace(LIVE, owner=None, body={"a": 1, "token": "hunter2"})
    monkeypatch.delenv("DIFF_SECRET")
    assert verdict(live=bare, remembered=None, options=ADOPT) == (Action.ADOPT, "adopted")


def test_what_a_killed_run_was_about_to_create_is_ours_without_a_mark():
    killed = Release(3, "", "", "", None, "", "running", intents=frozenset({("thing", "acme-x")}))
    bare = replace(LIVE, owner=None)
    assert verdict(live=bare, remembered=None, left=(killed,)) == (UPDATE, diff.LEFT)
    assert verdict(live=replace(LIVE, owner="other"), remembered=None, left=(killed,)) == (NONE, ANOTHERS)


def test_what_a_killed_run_created_is_found_though_its_document_is_gone_since():
    killed = Release(3, "", "", "", None, "", "running", intents=frozenset({("thing", "acme-x")}))
    gone = {"wanted": None, "remembered": None, "left": (killed,)}
    assert verdict(**gone) == (NONE, f"{diff.ORPHAN}; apply --prune deletes it")
    assert verdict(**gone, options=PRUNE) == (DELETE, diff.ORPHAN)
    bare = replace(LIVE, owner=None)  # it may be somebody else's: never deleted, but told
    assert verdict(**gone, live=bare, options=PRUNE) == (NONE, f"{diff.ORPHAN}; {diff.UNMARKED}")


def test_an_older_copy_is_rolled_out_once_for_each_version():
    stale = replace(LIVE, stale=("i1", "i2"), token={"if_seq_no": 8})
    assert verdict(live=stale) == (UPDATE, "an older copy is held by 2 indices")
    assert verdict(live=replace(stale, token={"if_seq_no": 7})) == (NONE, "")  # asked for already: ISM takes its time
    assert verdict(OTHER_BODY, stale) == (UPDATE, "changed")  # the update rolls out by itself


def test_a_second_one_with_our_mark_is_drift():
    assert verdict(live=replace(LIVE, duplicates=("id-9",))) == (UPDATE, diff.TWICE)


def test_two_that_are_alike_are_a_conflict_unless_the_state_or_a_killed_run_says_whose_they_are():
    alike = replace(LIVE, owner=None, duplicates=("id-9",))
    words = f"{diff.UNOWNED}: {LIVE.server_id}, id-9 are alike, and nothing tells which is meant"
    assert verdict(live=alike, remembered=None) == (NONE, words)
    assert verdict(live=alike, remembered=None, options=ADOPT) == (NONE, words)
    assert verdict(live=alike) == (UPDATE, diff.TWICE)
    killed = Release(3, "", "", "", None, "", "running", intents=frozenset({("thing", "acme-x")}))
    assert verdict(live=alike, remembered=None, left=(killed,)) == (UPDATE, diff.LEFT)


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
    assert verdict(live=replace(LIVE, owner="other")) == (NONE, ANOTHERS)
    assert verdict(live=replace(LIVE, owner="other", server_id="id-2")) == (NONE, ANOTHERS)


def test_a_secret_changed_here_or_in_the_cluster(monkeypatch):
    other = replace(LIVE, body={**SHOWN, "token": "another"})
    assert verdict(live=other) == (UPDATE, "drifted: it was changed in the cluster")
    monkeypatch.setenv("DIFF_SECRET", "new one")
    assert verdict() == (UPDATE, "a secret changed")
    monkeypatch.delenv("DIFF_SECRET")
    assert verdict() == (NONE, "")  # it can't be told here, so nothing is claimed


def test_no_longer_wanted():
    stays = (NONE, f"{diff.ORPHAN}; apply --prune deletes it")
    assert verdict(wanted=None) == stays
    assert verdict(wanted=None, live=None) == stays
    assert verdict(wanted=None, options=PRUNE) == (DELETE, diff.ORPHAN)
    assert verdict(wanted=None, live=None, options=PRUNE) == (DELETE, f"{diff.ORPHAN}, and gone from the cluster")
    used = (NONE, f"{diff.ORPHAN}, but used by monitor theirs: it stays")
    assert verdict(wanted=None, options=PRUNE, users=("monitor theirs",)) == used


def test_an_orphan_whose_name_is_anothers_now_is_forgotten_and_not_deleted():
    known = Known("acme", SALT, 1, {WANTED.ref: record()}, {WANTED.ref: replace(LIVE, owner="other")}, PATHS)
    (change,) = diff.diff([], known, PRUNE)
    assert (change.action, change.live) == (DELETE, None)


def test_what_a_kept_orphan_needs_is_kept_as_well():
    def remembered(key, *needs):
        return replace(record(), key=key, depends_on=frozenset(("thing", need) for need in needs))

    records = [remembered("a", "b"), remembered("b", "c"), remembered("c"), remembered("d", "c")]
    known = Known(
        "acme",
        SALT,
        1,
        {r.ref: r for r in records},
        {r.ref: replace(LIVE, key=r.key) for r in records},
        PATHS,
        facts=Facts(users={("thing", "a"): ("index x",)}),
    )
    assert {c.key: (c.action, c.why.partition("used by ")[2]) for c in diff.diff([], known, PRUNE)} == {
        "a": (NONE, "index x: it stays"),
        "b": (NONE, "thing a: it stays"),
        "c": (NONE, "thing b: it stays"),
        "d": (DELETE, ""),
    }


def test_an_orphan_that_a_wanted_one_names_is_kept():
    monitor = Resource(
        "monitor",
        "m",
        {"triggers": [{"query_level_trigger": {"actions": [{"destination_id": "acme-x"}]}}]},
        Origin("a.yml"),
    )
    orphan = replace(record(), kind="channel")
    live = replace(LIVE, kind="channel")
    known = Known("acme", SALT, 1, {orphan.ref: orphan}, {live.ref: live}, {"channel": PATHS["thing"]})
    changes = diff.diff([monitor], known, PRUNE)
    assert [(c.action, c.why) for c in changes[1:]] == [(NONE, f"{diff.ORPHAN}, but used by monitor m: it stays")]


def pack(name, *rules, type_="doc_level_monitor"):
    triggers = [{"document_level_trigger": {"id": f"acme:{rule}"}} for rule in rules]
    return Resource("monitor", name, {"monitor_type": type_, "triggers": triggers}, Origin("rules/a.yml"))


@pytest.mark.parametrize(
    ("left", "options", "expected"),
    [
        (pack("acme-match-2", "b"), Options(), (DELETE, diff.SUPERSEDED)),
        (pack("acme-match-2", "b", "gone"), Options(), (DELETE, diff.SUPERSEDED)),
        (pack("acme-match-2", "b"), PRUNE, (DELETE, diff.ORPHAN)),
        (pack("acme-match-2", "gone"), Options(), (NONE, f"{diff.ORPHAN}; apply --prune deletes it")),
        (
            pack("acme-b", "b", type_="bucket_level_monitor"),
            Options(),
            (NONE, f"{diff.ORPHAN}; apply --prune deletes it"),
        ),
    ],
)
def test_a_monitor_whose_rules_moved_goes_without_being_asked(left, options, expected):
    wanted = pack("acme-match-1", "a", "b")
    orphan = Record("monitor", left.key, "id2", "", "")
    live = Live("monitor", left.key, left.body, "id2", owner="acme")
    known = Known("acme", SALT, 1, {orphan.ref: orphan}, {live.ref: live}, {})
    assert [(c.action, c.why) for c in diff.diff([wanted], known, options)][1:] == [expected]
    others = replace(known, live={live.ref: replace(live, owner="other")})
    assert diff.diff([wanted], others)[1].action is NONE
    used = replace(known, facts=Facts(users={live.ref: ("workflow theirs",)}))
    if expected[0] is DELETE:
        kept = diff.diff([wanted], used, options)[1]
        assert (kept.action, kept.why) == (NONE, f"{diff.ORPHAN}, but used by workflow theirs: it stays")


def test_drift_is_told_without_a_repository():
    def found(live):
        known = Known("acme", SALT, 1, {WANTED.ref: record()}, {live.ref: live} if live else {}, PATHS)
        return [(c.why, str(c.origin)) for c in diff.drifted(known)]

    assert found(LIVE) == []
    assert found(DRIFTED) == [(diff.DRIFTED, "rules/a.yml:3:1")]
    assert found(None) == [(diff.DELETED, "rules/a.yml:3:1")]
    assert found(replace(LIVE, owner="other")) == [(diff.DELETED, "rules/a.yml:3:1")]


def test_the_bodies_of_a_change_hold_references_only():
    known = Known("acme", SALT, 1, {WANTED.ref: record()}, {WANTED.ref: LIVE}, PATHS)
    (change,) = diff.diff([OTHER_BODY], known)
    assert set(diff.needs([change], known)) == {record().sent, record().shown, ""}
    known = replace(known, blobs={record().sent: BODY})
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
    assert "thing acme-a  (rules/a.yml:3:1): exists, but is not ours" in error.value.message
    assert "thing acme-b" in error.value.message
    assert "acme-c" not in error.value.message
    assert "nothing was changed" in error.value.hint
    assert error.value.exit_code == 1
