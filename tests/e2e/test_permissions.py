"""What doctor says of users with all, the shipped and too few permissions, on a secured cluster; who can log in."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import os
import pathlib
import secrets
import time
from collections.abc import Iterator

import pytest
from clusters import ROOT, Cluster

from provisioner import preflight, repository
from provisioner.client import Client, path
from provisioner.devcluster import cluster as dev
from provisioner.devcluster import config
from provisioner.errors import ClusterError
from provisioner.permissions import _simulated, missing
from provisioner.settings import Target

NAME, PORT = "e2e-permissions", 19740
OWNER = "perm"
API = "/_plugins/_security/api"
SETTINGS = f"owner: {OWNER}\ntargets: {{t: {{hosts: ['http://127.0.0.1:9'], access: true, vars: {{replicas: 0}}}}}}\n"


@pytest.fixture(scope="module")
def secured() -> Iterator[Cluster]:
    """The cluster of OPENSEARCH_URL where that has a password, or else one of our own."""
    if os.environ.get("OPENSEARCH_PASSWORD"):
        user = os.environ.get("OPENSEARCH_USERNAME", "admin")
        yield Cluster(
            os.environ["OPENSEARCH_URL"], user, os.environ["OPENSEARCH_PASSWORD"], os.environ["OPENSEARCH_CA"]
        )
        return
    with contextlib.suppress(dev.DevClusterError):
        dev.down(NAME, delete=True)
    with pytest.MonkeyPatch.context() as patch:  # so that a test can let the security plugin take tokens
        patch.setitem(config._SECURITY, "plugins.security.unsupported.restapi.allow_securityconfig_modification", True)
        made = dev.up(NAME, PORT, secure=True)
    try:
        yield Cluster(made.url, made.username, made.password, str(made.ca_file))
    finally:
        dev.down(NAME, delete=True)


@pytest.fixture
def admin(secured: Cluster) -> Client:
    return secured.client()


@pytest.fixture
def logged_in(secured: Cluster, admin: Client, monkeypatch: pytest.MonkeyPatch):
    """A user with one role of one's own making, as a client."""
    made = []

    def logged_in(role: dict) -> Client:
        name = f"perm-{secrets.token_hex(4)}"
        password = f"aA1!{secrets.token_urlsafe(20)}"
        monkeypatch.setenv(name.upper().replace("-", "_"), password)
        made.append(name)
        admin.request("PUT", f"{API}/roles/{name}", role)
        admin.request("PUT", f"{API}/internalusers/{name}", {"password": password})
        admin.request("PUT", f"{API}/rolesmapping/{name}", {"users": [name]})
        reference = f"${{env:{name.upper().replace('-', '_')}}}"
        return Client(Target("t", (secured.url,), username=name, password=reference, ca=secured.ca))

    yield logged_in
    for name in made:
        for collection in ("rolesmapping", "internalusers", "roles"):
            admin.request("DELETE", f"{API}/{collection}/{name}")


def shipped(make_repository) -> dict:
    """The starter pack's role for provisioner, as it is applied."""
    files = {
        f"templates/access/{f.name}": f.read_bytes() for f in (ROOT / "templates" / "access").glob("provisioner.yml")
    }
    loaded = repository.load(make_repository({"provisioner.yml": SETTINGS, **files}), None)
    (role,) = [r.body for r in loaded.resources if r.kind == "role"]
    return {key: value for key, value in role.items() if key != "description"}


def everything(client: Client) -> dict:
    """All that a check could leave behind."""
    return {
        "indices": set(client.request("GET", "/_all/_settings", params={"expand_wildcards": "all"})),
        "pipelines": set(client.get("/_ingest/pipeline") or {}),
        "components": {t["name"] for t in client.request("GET", "/_component_template")["component_templates"]},
        "templates": {t["name"] for t in client.request("GET", "/_index_template")["index_templates"]},
        "policies": client.request("GET", "/_plugins/_ism/policies")["total_policies"],
        "channels": client.request("GET", "/_plugins/_notifications/configs")["total_hits"],
        "monitors": client.request(
            "POST", "/_plugins/_alerting/monitors/_search", {"size": 0, "query": {"match_all": {}}}, safe=True
        )["hits"]["total"]["value"],
    }


def test_an_administrator_may_do_everything_and_nothing_is_left_behind(admin: Client) -> None:
    missing(admin, OWNER)  # plugins make their own indices at the first request
    before = everything(admin)
    assert missing(admin, OWNER) == missing(admin, None)
    assert missing(admin, OWNER).permissions == ()
    assert everything(admin) == before


def test_the_shipped_role_suffices_and_each_permission_taken_from_it_is_named(
    admin: Client, logged_in, make_repository
) -> None:
    role = shipped(make_repository)
    client = logged_in(role)
    assert missing(client, OWNER).permissions == ()
    checks = {check.name: check for check in preflight.run(client, OWNER)}
    advice = {name for name, check in checks.items() if not check.ok}
    assert advice == {"access", "alerts", "templates"}  # users take an administrator; two settings are as they come
    assert not any(checks[name].fatal for name in advice)

    reads = {"cluster:monitor/main", "cluster:admin/opendistro/ism/policy/search"}
    writes = {
        "cluster:admin/component_template/put",
        "indices:admin/index_template/delete",
        "cluster:admin/ingest/pipeline/put",
        "cluster:admin/opendistro/ism/policy/write",
        "cluster:admin/opendistro/ism/managedindex/change",
        "cluster:admin/opensearch/notifications/configs/create",
        "cluster:admin/opendistro/alerting/monitor/write",
    }
    less = {**role, "cluster_permissions": [p for p in role["cluster_permissions"] if p not in reads | writes]}
    less["index_permissions"] = [
        {**one, "allowed_actions": [a for a in one["allowed_actions"] if a != "indices:admin/data_stream/create"]}
        for one in role["index_permissions"]
        if not any(pattern.startswith(".provisioner-") for pattern in one["index_patterns"])
    ]
    state = {
        "indices:admin/create",
        "indices:data/write/index",
        "indices:data/write/delete",
        "indices:data/read/search",
    }
    found = set(missing(logged_in(less), OWNER).permissions)
    assert found == reads | writes | {"indices:admin/data_stream/create"} | state


def test_doctor_names_what_a_reader_lacks(logged_in) -> None:
    reader = {"cluster_permissions": ["cluster_composite_ops_ro"], "index_permissions": []}
    checks = {check.name: check for check in preflight.run(logged_in(reader), OWNER)}
    assert not checks["permissions"].ok
    assert checks["permissions"].fatal
    assert "cluster:admin/opendistro/alerting/monitor/write" in checks["permissions"].detail
    assert "role" in checks["permissions"].hint


def test_access_takes_an_administrator(secured: Cluster, admin: Client, logged_in, make_repository) -> None:
    def access(client: Client) -> preflight.Check:
        target = Target(**{**{n: getattr(client.target, n) for n in Target.__slots__}, "access": True})
        return next(check for check in preflight.run(Client(target), OWNER) if check.name == "access")

    assert access(admin).ok
    refused = access(logged_in(shipped(make_repository)))
    assert not refused.ok
    assert refused.fatal
    assert "roles" in refused.detail


def _administrator(secured: Cluster) -> Client:
    """By certificate, at the server itself: the dev cluster's stand-in ends the TLS connection."""
    tls = pathlib.Path(str(secured.ca)).parent / "tls"
    if not (tls / "admin.pem").exists():
        pytest.skip("no administrator's certificate at hand: not a dev cluster")
    node = dev.status(tls.parent.name).node_url
    by = {"ca": secured.ca, "client_cert": str(tls / "admin.pem"), "client_key": str(tls / "admin-key.pem")}
    return Client(Target("t", (node,), **by))


def test_an_administrators_certificate_logs_in(secured: Cluster) -> None:
    client = _administrator(secured)
    assert "all_access" in client.get(path("_plugins", "_security", "api", "roles"))
    assert _simulated(client, "PUT", "/_ingest/pipeline/x", {"processors": []}) == []
    with pytest.raises(ClusterError, match="refuses nobody: 401"):
        Client(Target("t", client.target.hosts, ca=secured.ca)).get("/")


def _jwt(key: bytes, **claims: object) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()) for part in ({"alg": "HS512", "typ": "JWT"}, claims)]
    text = b".".join(part.rstrip(b"=") for part in parts)
    signature = base64.urlsafe_b64encode(hmac.new(key, text, hashlib.sha512).digest())
    return (text + b"." + signature.rstrip(b"=")).decode()


def test_a_token_logs_in(secured: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A JSON Web Token that the security plugin itself verifies."""
    key = secrets.token_bytes(64)
    settings = {"signing_key": base64.b64encode(key).decode(), "jwt_header": "Authorization", "roles_key": "roles"}
    domain = {
        "http_enabled": True,
        "order": 1,
        "http_authenticator": {"type": "jwt", "challenge": False, "config": settings},
        "authentication_backend": {"type": "noop", "config": {}},
    }
    change = {"op": "add", "path": "/config/dynamic/authc/test_tokens", "value": domain}
    try:
        _administrator(secured).request("PATCH", f"{API}/securityconfig", [change])
    except ClusterError as error:
        pytest.skip(f"this cluster's configuration can't be changed: {error}")

    def who(token: str) -> str:
        monkeypatch.setenv("PERM_TOKEN", token)
        client = Client(Target("t", (secured.url,), ca=secured.ca, token="${env:PERM_TOKEN}"))
        return str(client.request("GET", "/_plugins/_security/authinfo")["user_name"])

    now = int(time.time())
    try:
        assert who(_jwt(key, sub="robot", roles=["admin"], exp=now + 600)) == "robot"
        for wrong in (_jwt(key, sub="robot", exp=now - 600), _jwt(secrets.token_bytes(64), sub="robot", exp=now + 600)):
            with pytest.raises(ClusterError, match="refuses the token: 401"):
                who(wrong)
    finally:
        _administrator(secured).request("PATCH", f"{API}/securityconfig", [{"op": "remove", "path": change["path"]}])
