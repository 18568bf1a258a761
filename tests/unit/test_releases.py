"""Releases: what is kept of them, and the way back."""

from dataclasses import replace

import pytest

from provisioner import fingerprint, releases
from provisioner.errors import ProvisionerError
from provisioner.model import Action, Change, Event, Record
from provisioner.releases import Entry, Mark, Release

BODY, OTHER = {"a": 1}, {"a": 2}
CHANGE = Change(Action.CREATE, "thing", "x", "new", after=BODY)


def record(key, body=BODY, needs=()):
    depends = frozenset(("thing", need) for need in needs)
    return Record("thing", key, "id", fingerprint.of(body), "shown", fingerprint.of({"doc": key}), depends_on=depends)


def ended(number, *records):
    begun = releases.begin(number, "abc", [CHANGE], frozenset())
    return releases.end(begun, [Event(CHANGE, 0.1)], releases.COMPLETE, records, ())


def blobs(*bodies):
    return {fingerprint.of(body): body for body in bodies}


def test_a_release_says_first_what_it_means_to_do_and_then_what_it_did():
    earlier = frozenset({("thing", "earlier")})
    begun = releases.begin(7, None, [CHANGE, replace(CHANGE, action=Action.DELETE, key="y")], earlier)
    assert (begun.number, begun.outcome, begun.manifest) == (7, "running", None)
    assert begun.intents == {("thing", "x"), ("thing", "earlier")}
    assert begun.who
    assert begun.host
    failed = releases.end(begun, [Event(CHANGE, 0.1, "broken")], releases.STOPPED, [], earlier)
    assert (failed.outcome, failed.counts, failed.manifest, failed.intents) == ("stopped", {}, (), earlier)
    assert [step["error"] for step in failed.steps] == ["broken"]


def test_what_is_packed_is_read_back():
    release = ended(3, record("x", needs="yz"), record("y"))
    assert Release.of({"type": "release", **release.packed()}) == release
    begun = releases.begin(4, "abc", [CHANGE], frozenset())
    assert Release.of(begun.packed()) == begun
    listed = {key: value for key, value in release.packed().items() if key not in ("manifest", "steps")}
    assert Release.of(listed) == replace(release, manifest=None, steps=())


def test_a_release_is_open_while_it_runs_or_leaves_something_unclear():
    begun = releases.begin(4, "abc", [CHANGE], frozenset())
    assert begun.packed()["open"]
    assert (begun.closed().outcome, begun.closed().packed()["open"]) == ("interrupted", False)
    stopped = releases.end(begun, [], releases.STOPPED, [], [CHANGE.ref])
    assert stopped.packed()["open"]
    assert (stopped.closed().outcome, stopped.closed().packed()["open"]) == ("stopped", False)
    assert not ended(5).packed()["open"]


def test_a_release_without_a_record_is_open_until_another_one_has_recorded_it():
    begun = releases.begin(4, "abc", [CHANGE], frozenset(), Mark(("audit", "lock"), ""))
    assert Release.of(begun.packed()) == begun
    made = releases.end(begun, [Event(CHANGE, 0.1)], releases.COMPLETE, [], ())
    assert (made.forced, made.unrecorded, made.packed()["open"]) == (("audit", "lock"), True, True)
    for again in (None, ""):  # by one that has no record itself
        assert made.closed(again) == made
    assert (made.closed("run").audit, made.closed("run").packed()["open"]) == ("run", False)
    for audit in ("its own", None):
        recorded = releases.begin(5, "abc", [], frozenset(), Mark((), audit)).closed("run")
        assert (recorded.audit, recorded.packed()["open"]) == (audit, False)


def test_a_release_becomes_resources_again():
    release = ended(3, record("x", needs="y"), record("y", OTHER))
    x, y = releases.resources(release, blobs(BODY, OTHER, {"doc": "x"}))
    assert (x.ref, x.body, x.depends_on) == (("thing", "x"), BODY, {("thing", "y")})
    assert x.document is not None
    assert x.document.body == {"doc": "x"}
    assert (y.body, y.document) == (OTHER, None)
    assert str(x.origin) == "release 3"


def test_there_is_no_way_back_to_what_is_not_known():
    with pytest.raises(ProvisionerError, match="it is interrupted"):
        releases.resources(releases.begin(3, None, [], frozenset()).closed(), {})
    with pytest.raises(
        ProvisionerError, match="the state lacks 1 of the bodies of release 3, the first that of thing y"
    ):
        releases.resources(ended(3, record("x"), record("y", OTHER)), blobs(BODY))


def test_two_releases_are_compared_by_what_was_written():
    first = ended(1, record("gone"), record("same"), record("x"))
    second = ended(2, record("same"), record("x", OTHER), record("new"))
    second = replace(
        second,
        manifest=tuple(replace(e, document="other" if e.key == "x" else e.document) for e in second.manifest or ()),
    )
    needed = releases.differing(first, second)
    assert fingerprint.of({"doc": "same"}) not in needed
    found = releases.compare(first, second, {**blobs(BODY, OTHER, {"doc": "x"}), "other": {"doc": "changed"}})
    assert [(change.action.value, change.key) for change in found] == [
        ("delete", "gone"),
        ("create", "new"),
        ("update", "x"),
    ]
    assert [(line.sign, line.text) for line in found[2].diffs[0].lines] == [("-", "doc: x"), ("+", "doc: changed")]
    assert [c.action for c in releases.compare(None, first, {})] == [Action.CREATE] * 3
    assert releases.compare(first, first, {}) == []


def test_an_entry_knows_its_object():
    assert Entry("thing", "x", "s").ref == ("thing", "x")
