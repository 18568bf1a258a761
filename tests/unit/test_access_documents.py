"""Roles, role mappings and users: from documents to bodies, and every mistake at its place."""

import json
import pathlib

import pytest

from provisioner import settings, source
from provisioner.compile import Compiler

SETTINGS = """\
owner: acme
targets:
  plain: {hosts: ["http://127.0.0.1:19799"], namespace: prod}
  full: {hosts: ["http://127.0.0.1:19799"], namespace: prod, access: true}
"""
ROLE = """\
kind: role
id: reader
title: Reads
cluster_permissions: [cluster:monitor/main]
index_permissions:
  - log_types: [audit, "*"]
    indices: [reports-*]
    state: true
    allowed_actions: [read, "indices:data/write/bulk[s]"]
    dls: '{"match_all": {}}'
    fls: [~message]
    masked_fields: [source.ip]
  - indices: [x]
    allowed_actions: ["*"]
"""
MAPPING = "kind: role_mapping\nid: reader\nbackend_roles: [readers]\n"
USER = (
    "kind: user\nid: shipper\ntitle: Ships\npassword: ${env:SHIPPER}\nroles: [reader]\ncluster_roles: [kibana_user]\n"
    "backend_roles: [log-writer]\nattributes: {site: vienna}\n"
)
ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def compiled(make_repository):
    def compiled(*documents, target="full"):
        root = make_repository({"provisioner.yml": SETTINGS, "rules/access.yml": "---\n".join(documents)})
        chosen = settings.load(root, target)
        return Compiler(root, chosen, source.load(root, {})).run()

    return compiled


def bodies(desired):
    assert desired.findings == ()
    return {resource.ref: resource.body for resource in desired.resources}


def test_a_role_gets_the_names_of_its_target(compiled):
    made = bodies(compiled(ROLE))
    assert made == {
        ("role", "acme-reader"): {
            "description": "Reads (provisioner owner=acme)",
            "cluster_permissions": ["cluster:monitor/main"],
            "index_permissions": [
                {
                    "index_patterns": ["logs-audit-prod", "logs-*-prod", "reports-*", ".provisioner-acme"],
                    "dls": '{"match_all": {}}',
                    "fls": ["~message"],
                    "masked_fields": ["source.ip"],
                    "allowed_actions": ["read", "indices:data/write/bulk[s]"],
                },
                {"index_patterns": ["x"], "allowed_actions": ["*"]},
            ],
        }
    }


def test_a_mapping_has_its_roles_name_and_comes_after_it(compiled):
    desired = compiled(MAPPING, ROLE)
    mapping = next(resource for resource in desired.resources if resource.kind == "role_mapping")
    assert mapping.key == "acme-reader"
    assert mapping.depends_on == {("role", "acme-reader")}
    assert mapping.body == {
        "description": "reader (provisioner owner=acme)",
        "backend_roles": ["readers"],
        "and_backend_roles": [],
        "users": [],
        "hosts": [],
    }


def test_a_user_keeps_the_reference_of_its_password(compiled):
    desired = compiled(USER, ROLE)
    user = next(resource for resource in desired.resources if resource.kind == "user")
    assert user.depends_on == {("role", "acme-reader")}
    assert user.body == {
        "description": "Ships (provisioner owner=acme)",
        "password": "${env:SHIPPER}",
        "backend_roles": ["log-writer"],
        "opendistro_security_roles": ["acme-reader", "kibana_user"],
        "attributes": {"site": "vienna"},
    }


def test_a_target_without_access_gets_none_of_them_but_they_are_checked(compiled):
    assert bodies(compiled(ROLE, MAPPING, USER, target="plain")) == {}
    assert len(compiled(USER.replace("${env:SHIPPER}", "hunter2"), target="plain").findings) == 1


@pytest.mark.parametrize(
    ("documents", "code", "place", "words"),
    [
        ([MAPPING], "REF001", "1:1", "there is no role 'reader'"),
        ([ROLE, "kind: role_mapping\nid: reader\ntitle: none\n"], "DOC002", "16:1", "fits none"),
        ([USER.replace("[reader]", "[raeder]"), ROLE], "REF001", "5:9", "there is no role 'raeder'"),
        ([USER.replace("${env:SHIPPER}", "hunter2"), ROLE], "DOC002", "4:11", "(hidden)"),
        ([USER.replace("password: ${env:SHIPPER}\n", ""), ROLE], "DOC002", "1:1", "lacks the key 'password'"),
        (["kind: role\nid: r\n"], "DOC002", "1:1", "fits none"),
        (["kind: role\nid: r\nindex_permissions: [{allowed_actions: [read]}]\n"], "DOC002", "3:21", "fits none"),
        (["kind: role\nid: r\nindex_permissions: [{log_types: [audit]}]\n"], "DOC002", "3:21", "allowed_actions"),
        (["kind: role\nid: r\ncluster_permissions: [cluster monitor]\n"], "DOC002", "3:23", "has not the form"),
        (["kind: role\nid: r\ncluster_permissions: [read]\ntenants: [x]\n"], "DOC002", "4:1", "unknown key 'tenants'"),
    ],
)
def test_mistakes_are_told_where_they_stand(compiled, documents, code, place, words):
    found = compiled(*documents).findings
    assert [(finding.code, str(finding.origin)) for finding in found] == [(code, f"rules/access.yml:{place}")]
    assert words in found[0].message
    assert "hunter2" not in found[0].message + found[0].hint


def _shipped():
    chosen = settings.Settings("acme", settings.Target("t", ("http://127.0.0.1:1",), "prod", access=True))
    desired = Compiler(ROOT, chosen, source.load(ROOT, {"replicas": 0})).run()
    assert desired.findings == ()
    return {resource.key: resource.body for resource in desired.resources if resource.kind == "role"}


def test_the_shipped_roles_permit_nothing_by_wildcard_but_reading():
    roles = _shipped()
    assert set(roles) == {"acme-provisioner", "acme-log-writer", "acme-analyst", "acme-auditor"}
    for key, body in roles.items():
        said = json.dumps([body["cluster_permissions"], [p["allowed_actions"] for p in body["index_permissions"]]])
        assert "*" not in said, key
        assert "restapi" not in said, key


def test_only_names_and_settings_are_read_of_all_indices():
    for key, body in _shipped().items():
        for permission in body["index_permissions"]:
            if permission["index_patterns"] == ["*"]:
                assert key == "acme-provisioner"
                assert set(permission["allowed_actions"]) <= {
                    "indices:admin/data_stream/get",
                    "indices:monitor/settings/get",
                }
            elif permission["index_patterns"] != [".provisioner-*"]:
                assert set(permission["index_patterns"]) <= {"logs-*-prod", "logs-audit-prod", ".provisioner-acme"}


def test_of_other_owners_states_one_can_only_search():
    # --adopt asks them whether they record an object; auditors read our own state by its own name
    for body in _shipped().values():
        for permission in body["index_permissions"]:
            if permission["index_patterns"] == [".provisioner-*"]:
                assert permission["allowed_actions"] == ["indices:data/read/search"]
