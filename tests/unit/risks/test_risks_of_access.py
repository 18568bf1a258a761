"""Who may do more than before."""

import fnmatch
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner import risks
from provisioner.model import Action, Change, Live


def warned(kind, before, after):
    live = Live(kind, "x", before, "x")
    found = risks.of(Change(Action.UPDATE, kind, "x", "changed", after=after, live=live))
    assert len(found) <= 1
    return found[0] if found else ""


def role(*cluster, index=(), tenants=()):
    return {"cluster_permissions": list(cluster), "index_permissions": list(index), "tenant_permissions": list(tenants)}


def on(patterns, actions, **limited):
    """As the server shows it: dls null, lists empty."""
    entry = {"index_patterns": patterns.split(), "allowed_actions": actions.split()}
    return entry | {"dls": None, "fls": [], "masked_fields": []} | limited


def indices(*entries):
    return role(index=entries)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (role("a"), role("a", "cluster:admin/b"), "cluster:admin/b in the cluster"),
        (role("cluster:*"), role("cluster:admin/b"), ""),
        (role("a", "b"), role("a"), ""),
        (role("a?"), role("a*"), "a* in the cluster"),
        (role("/a.*/"), role("abc"), "abc in the cluster"),
        (role("/a.*/"), role("/a.*/"), ""),
        (role("/a*/"), role("/abc/"), "/abc/ in the cluster"),
        (indices(on("logs-*", "read")), indices(on("logs-*", "read write")), "write on logs-*"),
        (indices(on("logs-*", "read")), indices(on("logs-* *", "read")), "read on *"),
        (indices(on("logs-*", "read")), indices(on("logs-a-* logs-b", "read")), ""),
        (indices(on("logs-a", "*")), indices(on("logs-a", "read indices:admin/get")), ""),
        (indices(on("a", "read"), on("b", "write")), indices(on("a b", "read write")), "write on a; read on b"),
        (indices(on("a", "read"), on("b", "write")), indices(on("b", "write"), on("a", "read")), ""),
        (indices(on("a", "read")), indices(), ""),
        (
            indices(on("a", "read", dls='{"term":{"x":1}}')),
            indices(on("a", "read")),
            "all documents, not only those of a query (dls), on a",
        ),
        (indices(on("a", "read")), indices(on("a", "read", dls='{"term":{"x":1}}')), ""),
        (
            indices(on("a", "read", dls="q1")),
            indices(on("a", "read", dls="q2")),
            "perhaps other documents (the query of dls is another) on a",
        ),
        (indices(on("a", "read", fls=["x"])), indices(on("a", "read")), "all fields on a"),
        (indices(on("a", "read", fls=["x"])), indices(on("a", "read", fls=["x", "y"])), "the fields y on a"),
        (indices(on("a", "read", fls=["x", "y"])), indices(on("a", "read", fls=["x"])), ""),
        (indices(on("a", "read", fls=["~x", "~y"])), indices(on("a", "read", fls=["~x"])), "the fields y on a"),
        (indices(on("a", "read", fls=["~x"])), indices(on("a", "read", fls=["~x", "~y"])), ""),
        (
            indices(on("a", "read", fls=["x"])),
            indices(on("a", "read", fls=["~z"])),
            "all fields but the hidden ones on a",
        ),
        (indices(on("a", "read")), indices(on("a", "read", fls=["x"])), ""),
        (indices(on("a", "read", fls=["~x"])), indices(on("a", "read", fls=["~x", "y"])), ""),
        (
            indices(on("a b", "read", masked_fields=["ip::/x/::y", "user"])),
            indices(on("a b", "read", masked_fields=["user::algo"])),
            "ip without a mask on a, b",
        ),
        # one entry with a filter, one without: the free one gave it all before already
        (indices(on("a", "read"), on("a", "read", dls="q")), indices(on("a", "read")), ""),
        (
            role(tenants=[{"tenant_patterns": ["t"], "allowed_actions": ["kibana_all_read"]}]),
            role(tenants=[{"tenant_patterns": ["t", "u"], "allowed_actions": ["kibana_all_read"]}]),
            "kibana_all_read on tenant u",
        ),
    ],
)
def test_roles(before, after, words):
    assert warned("role", before, after) == (f"widens access: {words}" if words else "")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({"users": ["a"]}, {"users": ["a", "b"]}, "user b"),
        ({"users": ["*"]}, {"users": ["b"]}, ""),
        ({"users": ["a"], "backend_roles": ["x"]}, {"users": [], "hosts": ["10.*"]}, "host 10.*"),
        ({}, {"backend_roles": ["ops"], "users": ["a"]}, "user a; backend role ops"),
        ({}, {"and_backend_roles": ["x", "y"]}, "whoever has all of the backend roles x, y"),
        ({"and_backend_roles": ["x", "y"]}, {"and_backend_roles": ["x"]}, "whoever has all of the backend roles x"),
        ({"and_backend_roles": ["x"]}, {"and_backend_roles": ["x", "y"]}, ""),
        ({"and_backend_roles": ["x"]}, {"and_backend_roles": []}, ""),
    ],
)
def test_role_mappings(before, after, words):
    assert warned("role_mapping", before, after) == (f"widens access: {words}" if words else "")


def test_users():
    before = {"backend_roles": ["ops"], "opendistro_security_roles": ["reader"]}
    after = {"backend_roles": ["ops", "admin"], "opendistro_security_roles": ["reader", "writer"], "password": "s3cret"}
    assert warned("user", before, after) == "widens access: backend role admin; role writer"
    assert warned("user", after, before) == ""


def test_what_is_new_gives_access_and_what_goes_takes_it():
    new = role("cluster_monitor", index=[on("logs-*", "create_index")])
    change = Change(Action.CREATE, "role", "x", "new", after=new)
    assert risks.of(change) == ("widens access: cluster_monitor in the cluster; create_index on logs-*",)
    deleted_by_hand = Change(Action.CREATE, "role", "x", "drifted: it was deleted", before=new, after=new)
    assert risks.of(deleted_by_hand) == risks.of(change)
    assert risks.of(Change(Action.DELETE, "role", "x", "", before=new, live=Live("role", "x", new, "x"))) == ()


def test_long_lists_are_cut():
    words = warned("role_mapping", {}, {"users": [f"u{n}" for n in range(20)]})
    assert words.endswith("user u7; 12 more")


NAMES = ["a", "b", "ab", "a*", "*", "a?", "*b"]
ENTRIES = st.lists(
    st.builds(
        on, st.lists(st.sampled_from(NAMES), max_size=2).map(" ".join), st.lists(st.sampled_from(NAMES)).map(" ".join)
    ),
    max_size=3,
)


def allowed(entries):
    """What some entries really give, tried on all short names."""
    words = ["".join(letters) for size in (1, 2, 3) for letters in itertools.product("abc", repeat=size)]
    return {
        (index, action)
        for entry in entries
        for index in words
        for action in words
        if any(fnmatch.fnmatchcase(index, pattern) for pattern in entry["index_patterns"])
        and any(fnmatch.fnmatchcase(action, pattern) for pattern in entry["allowed_actions"])
    }


@given(ENTRIES, ENTRIES)
def test_no_permission_is_added_without_a_word(before, after):
    if allowed(after) - allowed(before):
        assert warned("role", indices(*before), indices(*after))
