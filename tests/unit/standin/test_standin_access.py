"""What roles permit, worked out as the security plugin does it. The refusals themselves: tests/e2e/test_access.py."""

from types import MappingProxyType

import pytest

from provisioner.devcluster.standin.access import MANAGED_INDEX, Access

ABOUT = {"user": "User [name=eve, backend_roles=[], requestedTenant=null]", "user_name": "eve", "roles": ["r", "gone"]}


def caller(cluster=(), indices=(), groups=MappingProxyType({})):
    access = Access(None)
    access._groups = {name: {"allowed_actions": actions} for name, actions in groups.items()}
    permissions = [{"index_patterns": list(patterns), "allowed_actions": list(acts)} for patterns, acts in indices]
    access._roles = {"r": {"cluster_permissions": list(cluster), "index_permissions": permissions}}
    return access._caller(ABOUT)


@pytest.mark.parametrize(
    ("permissions", "permitted"),
    [
        ([], False),
        (["cluster:admin/x/write"], True),
        (["cluster:admin/x/writes", "cluster:admin/x"], False),
        (["cluster:admin/*"], True),
        (["*"], True),
        (["cluster:admin/x/writ?"], True),
        (["cluster:admin/x/write?"], False),
        (["/cluster:admin/[xy]/.*/"], True),
        (["cluster:admin/[xy]/write"], False),
        (["all"], True),
        (["inner"], True),
        (["circle"], False),
    ],
)
def test_actions_on_the_cluster(permissions, permitted):
    groups = {"all": ["inner"], "inner": ["cluster:admin/x/*"], "circle": ["circle"]}
    assert caller(permissions, groups=groups).may("cluster:admin/x/write") is permitted


@pytest.mark.parametrize(
    ("index", "permitted"),
    [
        ("logs-a-prod", True),
        (".ds-logs-a-prod-000001", True),
        (".ds-logs-a-test-000001", False),
        (".ds-logs-a-prod", False),
        ("logs-a-test", False),
        ("eve", True),
        ("adam", False),
    ],
)
def test_actions_on_indices_reach_the_backing_indices_of_a_data_stream(index, permitted):
    found = caller(indices=[(["logs-*-prod", "${user.name}"], ["g"]), (["*"], ["other"])], groups={"g": ["indices:*"]})
    assert found.may_on(index, MANAGED_INDEX) is permitted


def test_a_refusal_has_the_security_plugins_words():
    refused = caller().refusal("cluster:admin/x/write")
    reason = "no permissions for [cluster:admin/x/write] and User [name=eve, backend_roles=[], requestedTenant=null]"
    assert refused.status == 403
    assert refused.body["error"]["root_cause"] == [{"type": "security_exception", "reason": reason}]
