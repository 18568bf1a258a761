"""Whose an object is, and what of it is the server's own."""

import pytest

from provisioner import marks
from provisioner.kinds import all_kinds, ism_policy, monitor


@pytest.mark.parametrize(
    ("description", "owner"),
    [
        ("Parse (provisioner owner=acme)", "acme"),
        ("provisioner owner=a-1", "a-1"),
        ("provisioner owner=Acme", None),
        ("owner=acme", None),
        ("", None),
        (None, None),
        (5, None),
    ],
)
def test_marks_in_descriptions(description, owner):
    assert marks.described_owner(description) == owner


@pytest.mark.parametrize(
    ("meta", "owner"),
    [
        ({"managed_by": "provisioner", "owner": "acme"}, "acme"),
        ({"managed_by": "terraform", "owner": "acme"}, None),
        ({"managed_by": "provisioner", "owner": 5}, None),
        ({"managed_by": "provisioner"}, None),
        (None, None),
        ("x", None),
    ],
)
def test_marks_in_meta(meta, owner):
    assert marks.meta_owner(meta) == owner


@pytest.mark.parametrize(
    ("triggers", "marks"),
    [
        ([{"bucket_level_trigger": {"id": "acme:r"}}, {"x": {"id": "acme:r2"}}], ["acme:r", "acme:r2"]),
        ([{"query_level_trigger": {"id": "8SHGnpoBsdJZ"}}], []),
        ([{"query_level_trigger": {}}, {"x": None}], []),
        # Whoever makes triggers by hand may give them any id.
        ([{"x": {"id": id_}} for id_ in ("http://x", "a: b", "Ops:1", ":a", "a:", "1:a", "a:b:c")], []),
        ([], []),
        (None, []),
    ],
)
def test_marks_of_monitors(triggers, marks):
    assert monitor.marks({"triggers": triggers}) == marks


def test_what_changes_by_itself_is_no_part_of_a_monitor_or_policy():
    shown = {"name": "n", "last_update_time": 1, "enabled_time": 2, "schema_version": 3, "enabled": True}
    assert monitor.normalize(shown) == {"name": "n", "enabled": True}
    policy = {
        "states": [],
        "policy_id": "x",
        "last_updated_time": 1,
        "ism_template": [{"priority": 1, "last_updated_time": 2}],
    }
    assert ism_policy.normalize(policy) == {"states": [], "ism_template": [{"priority": 1}]}
    assert ism_policy.normalize({"ism_template": None}) == {"ism_template": None}
    assert policy["policy_id"] == "x"


def test_what_somebody_chose_is_part_of_a_monitor():
    chosen = {"fan_out_enabled": False, "should_create_single_alert_for_findings": True}
    assert monitor.normalize({"name": "n", **chosen}) == {"name": "n", **chosen}
    usual = {"fan_out_enabled": True, "should_create_single_alert_for_findings": False}
    assert monitor.normalize({"name": "n", **usual}) == {"name": "n"}


def test_every_kind_has_a_name_of_its_own_and_all_methods():
    kinds = all_kinds()
    assert set(kinds) == {
        "channel",
        "component_template",
        "data_stream",
        "index_template",
        "ingest_pipeline",
        "ism_policy",
        "monitor",
        "role",
        "role_mapping",
        "user",
        "workflow",
    }
    for kind in kinds.values():
        assert all(callable(getattr(kind, method)) for method in ("live", "create", "update", "delete"))
        assert all(isinstance(path, tuple) and path for path in kind.secret_paths)


@pytest.mark.parametrize(
    "body",
    [
        {"description": "Tail; provisioner owner=acme"},
        {"_meta": {"managed_by": "provisioner", "owner": "acme"}},
        {"triggers": [{"bucket_level_trigger": {"id": "acme:brute-force"}}]},
    ],
)
def test_bodies_that_bear_a_mark(body):
    assert marks.bears_mark(body)


@pytest.mark.parametrize(
    "body", [None, [], {}, {"description": 5}, {"triggers": 5}, {"triggers": [5, {"x": 5}, {"x": {"id": "theirs"}}]}]
)
def test_bodies_that_bear_none(body):
    assert not marks.bears_mark(body)
