"""What a role, a role mapping and a user are without what the server adds. The API itself: tests/e2e/test_access.py."""

import pytest

from provisioner import fingerprint
from provisioner.kinds import all_kinds

FLAGS = {"reserved": False, "hidden": False, "static": False}
SHOWN = {
    "role": {"cluster_permissions": ["cluster:monitor/main"], "index_permissions": [], "tenant_permissions": []},
    "role_mapping": {"hosts": [], "users": [], "backend_roles": ["b"], "and_backend_roles": []},
    "user": {"backend_roles": ["b"], "attributes": {}, "opendistro_security_roles": []},
}


@pytest.mark.parametrize("kind", SHOWN)
def test_the_servers_flags_are_no_part_of_it_and_the_mark_is_read(kind):
    body = SHOWN[kind] | {"description": "Title (provisioner owner=acme)"}
    live = all_kinds()[kind]._live("acme-x", FLAGS | body)
    assert (live.ref, live.server_id, live.owner, live.body) == ((kind, "acme-x"), "acme-x", "acme", body)


@pytest.mark.parametrize("kind", SHOWN)
def test_without_a_description_it_is_nobodys(kind):
    assert all_kinds()[kind]._live("x", FLAGS | SHOWN[kind]).owner is None


def test_of_a_users_password_nothing_is_kept():
    kind = all_kinds()["user"]
    assert kind._live("x", FLAGS | SHOWN["user"] | {"hash": ""}).body == SHOWN["user"]
    sent = SHOWN["user"] | {"password": "hunter2", "hash": "$2y$12$abc"}
    assert "hunter2" not in str(fingerprint.masked(sent, kind.secret_paths))
    assert "$2y" not in str(fingerprint.masked(sent, kind.secret_paths))
