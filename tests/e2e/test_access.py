"""Who may do what, on a real secured cluster: the shipped roles alone, each thing tried, each refusal seen.

The cluster is one of our own, started once; OPENSEARCH_URL takes its place where it names a secured one. Commands that
are to work with the role `provisioner` alone have their place in COMMANDS.
"""

from __future__ import annotations

import contextlib
import json
import os
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import yaml
from access_rows import API, CAN, CANNOT, EVENT
from clusters import PASSWORD, Cluster, Repository, _copy, _remove_all
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from provisioner.client import Client
from provisioner.devcluster import cluster as dev
from provisioner.devcluster.standin.node import Node
from provisioner.devcluster.standin.plugin import PluginRoute
from provisioner.devcluster.standin.plugins import NAMES, assemble
from provisioner.integrity import checkpoint
from provisioner.integrity.checkpoint import Checkpoint
from provisioner.integrity.places import StreamPlace, from_stream
from provisioner.kinds import all_kinds
from provisioner.model import Live
from provisioner.settings import Target

NAME, PORT = "e2e-access", 19810
SECRET = "E2E_ACCESS_PASSWORD"
USERS = {"applier": "provisioner", "writer": "log-writer", "analyst": "analyst", "auditor": "auditor", "nobody": "none"}


@dataclass(frozen=True)
class Site:
    """A secured cluster with the pack on it, its roles included, and a user for each role."""

    repository: Repository
    password: str
    connections: dict[str, httpx.Client] = field(default_factory=dict)

    def connection(self, user: str) -> httpx.Client:
        """HTTP as one of the users, or as the administrator."""
        cluster = self.repository.cluster
        name, password = f"{self.repository.owner}-{user}", self.password
        if user == "admin":
            name, password = str(cluster.username), str(cluster.password)
        if user not in self.connections:
            self.connections[user] = http(cluster, name, password)
        return self.connections[user]

    def ask(self, user: str, method: str, path: str, body: Any = None) -> httpx.Response:
        """One request. `{stream}`, `{backing}`, `{audit}`, `{ns}` and `{owner}` stand for the site's own names."""
        text = body if isinstance(body, str) else None if body is None else json.dumps(body)
        kind = "application/x-ndjson" if "_bulk" in path or "_msearch" in path else "application/json"
        headers = {} if text is None else {"content-type": kind}
        content = None if text is None else self.named(text)
        return self.connection(user).request(method, self.named(path), content=content, headers=headers)

    def named(self, text: str) -> str:
        """The text with the site's names filled in."""
        ns = self.repository.namespace
        names = {"stream": f"logs-system-{ns}", "audit": f"logs-audit-{ns}", "ns": ns, "owner": self.repository.owner}
        for name, value in {**names, "backing": f".ds-logs-system-{ns}-000001"}.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def run(self, *arguments: str, target: str = "least", **environment: str) -> Any:
        """The command line, as the user of the role `provisioner` unless another target is named."""
        return self.repository.run(*arguments, "--target", target, **{SECRET: self.password, **environment})


def http(cluster: Cluster, name: str, password: str) -> httpx.Client:
    """HTTP as a user of this name."""
    verify = ssl.create_default_context(cafile=cluster.ca) if cluster.ca else cluster.verify
    return httpx.Client(base_url=cluster.url, auth=(name, password), verify=verify, timeout=60)


@pytest.fixture(scope="module")
def secured() -> Iterator[Cluster]:
    """A secured cluster on which an administrator may do everything."""
    if url := os.environ.get("OPENSEARCH_URL"):
        if not url.startswith("https:") or not os.environ.get("OPENSEARCH_PASSWORD"):
            pytest.skip("OPENSEARCH_URL names a cluster without security")
        verify = os.environ.get("OPENSEARCH_INSECURE") != "1"
        user, password = os.environ.get("OPENSEARCH_USERNAME", "admin"), os.environ["OPENSEARCH_PASSWORD"]
        yield Cluster(url, user, password, os.environ.get("OPENSEARCH_CA"), verify=verify)
        return
    with contextlib.suppress(dev.DevClusterError):
        dev.down(NAME, delete=True)  # what a killed run left behind
    made = dev.up(NAME, PORT, secure=True)
    try:
        assert made.ca_file
        found = Cluster(made.url, made.username, made.password, str(made.ca_file))
        # The security plugin's defaults give everybody a role besides; here the shipped roles stand alone.
        os.environ[PASSWORD] = str(made.password)
        found.client().request("DELETE", f"{API}/rolesmapping/own_index")
        yield found
    finally:
        dev.down(NAME, delete=True)


@pytest.fixture(scope="module")
def site(secured: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The pack, applied by the administrator, with a user in each role's group."""
    repository = _copy(tmp_path_factory.mktemp("access"), secured)
    others = ("application", "authentication", "network")  # two log types are enough, and quicker
    repository.remove("templates/shippers", *(f"ilm/{other}.yml" for other in others))
    repository.remove(*(f"rules/detections/{other}" for other in others))
    repository.remove(*(f"templates/index/{other}.yml" for other in others))
    made = Site(repository, "aA1!right-password-of-everybody")
    least = {**secured.target, "username": f"{repository.owner}-applier", "password": f"${{env:{SECRET}}}"}
    catch = {"http": "http://127.0.0.1:19811", "smtp": "127.0.0.1:19812"}
    ours = {"namespace": repository.namespace, "vars": {"replicas": 0}, "catch": catch}
    targets = {"full": {**secured.target, **ours, "access": True}, "least": {**least, **ours}}
    users = [
        {"kind": "user", "id": id_, "password": f"${{env:{SECRET}}}", "backend_roles": [f"{group}-{repository.owner}"]}
        for id_, group in USERS.items()
    ]
    repository.write(
        {
            "provisioner.yml": yaml.safe_dump({"owner": repository.owner, "targets": targets}),
            "rules/users.yml": "---\n".join(map(yaml.safe_dump, users)),
        }
    )
    for group in ("provisioner", "log-writer", "analyst", "auditor"):  # groups that no other test's users are in
        repository.edit(f"templates/access/{group}.yml", f"[{group}]", f"[{group}-{repository.owner}]")
    done = made.run("apply", "--yes", target="full")
    assert done.code == 0, done.text
    for path in ("/{stream}/_create/one?refresh=true", "/{audit}/_create/one?refresh=true"):
        assert made.ask("admin", "PUT", path, EVENT).status_code == 201
    made.ask("admin", "PUT", "/foreign-{ns}/_doc/one?refresh=true", {"a": 1})
    yield made
    for connection in made.connections.values():
        connection.close()
    if os.environ.get("OPENSEARCH_URL"):  # a cluster of our own is removed as a whole
        _remove_all(repository)
        for kind in ("user", "role_mapping", "role"):
            for live in all_kinds()[kind].all(repository.client):
                if live.key.startswith(f"{repository.owner}-"):
                    all_kinds()[kind].delete(repository.client, live)
        repository.client.request("DELETE", made.named("/foreign-{ns}"))


def changes(done: Any) -> dict[str, str]:
    """What a plan would change, and why."""
    assert done.code == 0, done.text
    return {f"{c['kind']} {c['key']}": c["why"] for c in json.loads(done.out)["changes"] if c["action"] != "no-op"}


# --- the kinds, on the real API -------------------------------------------------------------------------------------


def test_the_second_plan_of_roles_mappings_and_users_is_empty_and_a_changed_password_is_noticed(site: Site) -> None:
    assert changes(site.run("plan", "-o", "json", target="full")) == {}
    owner = site.repository.owner
    assert changes(site.run("plan", "-o", "json", target="full", **{SECRET: "another"})) == {
        f"user {owner}-{id_}": "a secret changed" for id_ in USERS
    }
    user = site.ask("admin", "GET", API + "/internalusers/{owner}-writer").json()[f"{owner}-writer"]
    assert user["hash"] == ""
    assert user["description"].endswith(f"(provisioner owner={owner})")
    state = site.ask("admin", "GET", "/.provisioner-{owner}/_search?size=1000").text
    assert site.password not in state


BODIES = {
    "role": ({"cluster_permissions": ["cluster:monitor/main"]}, {"cluster_permissions": ["cluster:monitor/health"]}),
    "role_mapping": ({"backend_roles": ["a"]}, {"backend_roles": ["b"]}),
    "user": ({"password": "aA1!enough-for-the-plugin", "attributes": {"n": "1"}}, {"attributes": {"n": "2"}}),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_kinds_life(site: Site, name: str) -> None:
    kind, client = all_kinds()[name], site.repository.client
    first, second = BODIES[name]
    key = f"{site.repository.owner}-life"
    if name == "role_mapping":
        all_kinds()["role"].create(client, key, BODIES["role"][0])
    assert kind.live(client, {key: None}) == kind.shown(client, {key: key}) == []
    assert kind.create(client, key, first | {"description": "x (provisioner owner=acme)"}) == key
    (live,) = kind.live(client, {key: None})
    assert kind.shown(client, {key: key}) == [live]
    assert live in kind.all(client)
    assert (live.owner, live.server_id) == ("acme", key)
    kind.update(client, live, second)
    (changed,) = kind.shown(client, {key: key})
    assert second.items() <= changed.body.items()
    assert changed.owner is None
    kind.delete(client, live)
    kind.delete(client, live)
    assert kind.shown(client, {key: key}) == []


def test_what_the_server_brings_along_is_nobodys(site: Site) -> None:
    client = site.repository.client
    assert {"all_access", "readall"}.isdisjoint(live.key for live in all_kinds()["role"].all(client))
    assert site.repository.cluster.username not in {live.key for live in all_kinds()["user"].all(client)}
    (found,) = all_kinds()["role"].live(client, {"all_access": None})  # but a name that is taken is seen
    assert found.owner is None


def test_roles_that_are_written_at_once_do_not_collide(site: Site) -> None:
    """The plugin keeps all roles in one document."""
    kind, client = all_kinds()["role"], site.repository.client
    keys = [f"{site.repository.owner}-at-once-{number}" for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda key: kind.create(client, key, BODIES["role"][0]), keys)) == keys
        list(pool.map(lambda key: kind.delete(client, Live("role", key, {}, key)), keys))
    assert kind.live(client, dict.fromkeys(keys)) == []


# --- the role `provisioner` alone -----------------------------------------------------------------------------------

EDITS = {
    "rules/detections/audit/data-export.yml": ("sum: 10000", "sum: 20000", "monitor {owner}-data-export"),
    "ilm/system.yml": ("cold: 1y", "cold: 2y", "ism_policy {owner}-system"),
    "rules/channels.yml": ("title: Mail server", "title: Mail relay", "channel {owner}-mail-server"),
    "templates/pipelines/normalize.yml": (
        "Normalize an event",
        "Normalise an event",
        "ingest_pipeline {owner}-normalize",
    ),
    "templates/index/system.yml": ("title: System logs", "title: System log", "index_template {owner}-system"),
    "templates/index/common.yml": ("depth: {limit: 8}", "depth: {limit: 9}", "component_template {owner}-common"),
}
NEW = """\
kind: ingest_pipeline
id: extra
title: Extra
processors:
  - set: {field: host.name, value: x}
"""
COMMANDS: list[tuple[str, ...]] = [
    ("plan", "--exit-code"),
    ("drift",),
    ("history",),
    ("rollback", "1", "--dry-run"),
    ("doctor",),
    ("pull", "--dry-run", "--kind", "monitor", "--kind", "channel", "--kind", "ism_policy", "--kind", "index_template"),
    ("bootstrap", "--yes"),
]
"""What the role alone is enough for; each must end with exit code 0."""


def test_with_the_role_alone_what_is_edited_is_applied(site: Site) -> None:
    assert changes(site.run("plan", "-o", "json")) == {}  # roles and users are for the administrator's target
    for file, (old, new, _) in EDITS.items():
        site.repository.edit(file, old, new)
    site.repository.write({"templates/pipelines/extra.yml": NEW})
    wanted = {site.named(name) for _, _, name in EDITS.values()}
    assert set(changes(site.run("plan", "-o", "json"))) == wanted | {site.named("ingest_pipeline {owner}-extra")}
    done = site.run("apply", "--yes", "--wait", "1s", "--force", "changes")
    assert done.code == 0, done.text
    assert "not shipped" not in done.text
    signed = [{"term": {"details.policy": "changes"}}, {"exists": {"field": "integrity.mac"}}]
    forced = {"query": {"bool": {"filter": signed}}}
    site.ask("admin", "POST", "/{audit}/_refresh")
    assert site.ask("auditor", "POST", "/{audit}/_search", forced).json()["hits"]["total"]["value"] == 1
    assert changes(site.run("plan", "-o", "json")) == {}
    site.repository.remove("templates/pipelines/extra.yml")
    done = site.run("apply", "--yes", "--prune")
    assert done.code == 0, done.text
    assert site.ask("admin", "GET", "/_ingest/pipeline/{owner}-extra").status_code == 404


def test_what_the_role_alone_applied_can_be_rolled_back_by_an_administrator_without_losing_roles(site: Site) -> None:
    last = json.loads(site.run("history", "-o", "json").out)["releases"][0]["number"]  # made with the role alone
    done = site.run("rollback", str(last), "--dry-run", "-o", "json", target="full")
    assert done.code == 0, done.text
    assert changes(done) == {}


def test_with_the_role_alone_an_object_is_adopted(site: Site) -> None:
    name = site.named("handmade-{owner}")
    body = {"processors": [{"set": {"field": "host.name", "value": "x"}}]}
    assert site.ask("admin", "PUT", f"/_ingest/pipeline/{name}", body).status_code == 200
    raw = f"kind: raw\nid: handmade\nresource: ingest_pipeline\nname: {name}\nbody: {json.dumps(body)}\n"
    site.repository.write({"templates/pipelines/handmade.yml": raw})
    done = site.run("apply", "--yes", "--adopt")
    assert done.code == 0, done.text
    assert "1 adopted" in done.out
    site.repository.remove("templates/pipelines/handmade.yml")
    assert site.run("apply", "--yes", "--prune").code == 0
    assert site.ask("admin", "GET", f"/_ingest/pipeline/{name}").status_code == 404


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_with_the_role_alone_commands_work(site: Site, command: tuple[str, ...]) -> None:
    done = site.run(*command)
    assert done.code == 0, done.text


def test_the_role_is_not_enough_for_roles(site: Site) -> None:
    text = (site.repository.root / "provisioner.yml").read_text(encoding="utf-8")
    said = yaml.safe_load(text)
    said["targets"]["least"]["access"] = True
    site.repository.write({"provisioner.yml": yaml.safe_dump(said)})
    try:
        done = site.run("plan")
        assert done.code == 2
        assert "403" in done.err
    finally:
        site.repository.write({"provisioner.yml": text})


# --- who can do what ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("user", "method", "path", "body"), CAN)
def test_can(site: Site, user: str, method: str, path: str, body: Any) -> None:
    answer = site.ask(user, method, path, body)
    assert answer.status_code in (200, 201), answer.text
    assert '"errors":true' not in answer.text, answer.text


@pytest.mark.parametrize("user", sorted({row[0] for row in CANNOT}))
def test_cannot(site: Site, user: str) -> None:
    """Everything is refused, and the events are in the end what they were."""
    events = ("/{backing}/_doc/one", "/.ds-{audit}-000001/_doc/one")
    before = [site.ask("admin", "GET", event).json() for event in events]
    passed = []
    for _, method, path, body in (row for row in CANNOT if row[0] == user):
        answer = site.ask(user, method, path, body)
        if not refused(answer):
            passed.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
    assert passed == []
    assert [site.ask("admin", "GET", event).json() for event in events] == before
    assert {event["_source"]["message"] for event in before} == {"as it was"}


BY_THE_STREAM = (
    "only write ops with an op_type of create are allowed in data streams",
    "targeting backing indices is disallowed",
    "events are append-only",
    "version_conflict_engine_exception",
)
"""How writes end that the security plugin takes for the creation of an event."""


def refused(answer: httpx.Response) -> bool:
    """Whether nothing was done or told, for a lack of permission or by the stream itself; each of several requests."""
    if answer.status_code >= 400:
        return answer.status_code == 403 or any(reason in answer.text for reason in BY_THE_STREAM)
    told = answer.json() if answer.headers["content-type"].startswith("application/json") else {}
    bulk = [result for item in told.get("items", []) for result in item.values()]
    parts = [json.dumps(part.get("error")) for part in (*bulk, *told.get("responses", []), *told.get("docs", []))]
    return bool(parts) and all(any(r in part for r in (*BY_THE_STREAM, "no permissions for")) for part in parts)


def test_no_pipeline_gets_a_writer_around_redaction(site: Site) -> None:
    planted = EVENT | {"message": "card 4111 1111 1111 1111"}
    for number, pipeline in enumerate(("_none", "{owner}-normalize", "{owner}-sshd")):
        path = f"/{{stream}}/_create/card-{number}?refresh=true&pipeline={pipeline}"
        assert site.ask("writer", "PUT", path, planted).status_code == 201
        assert "4111" not in site.ask("admin", "GET", f"/{{backing}}/_doc/card-{number}").text


def test_an_analyst_acknowledges_alerts(site: Site) -> None:
    """The permission is what counts here: the monitor does not exist, and the plugin says so."""
    path = "/_plugins/_alerting/monitors/none/_acknowledge/alerts"
    assert site.ask("analyst", "POST", path, {"alerts": ["x"]}).status_code == 404
    assert site.ask("auditor", "POST", path, {"alerts": ["x"]}).status_code == 403


def test_an_analyst_s_ack_needs_no_more_than_the_shipped_role(site: Site) -> None:
    """The command itself; the record stays here, as an analyst writes nothing."""
    repository = site.repository
    text = (repository.root / "provisioner.yml").read_text(encoding="utf-8")
    said = yaml.safe_load(text)
    analyst = {"username": f"{repository.owner}-analyst", "password": f"${{env:{SECRET}}}"}
    said["targets"]["analyst"] = {**said["targets"]["least"], **analyst}
    repository.write({"provisioner.yml": yaml.safe_dump(said)})
    try:
        for arguments in (["--all", "--dry-run"], ["--all"], ["brute-force-login"]):
            done = site.run("ack", *arguments, target="analyst")
            # that rule is none of this site's: the search for monitors is allowed, and says so
            assert done.code == (2 if "brute-force-login" in arguments else 0), done.text
            assert ("has no rule" in done.err) == (done.code == 2), done.text
    finally:
        repository.write({"provisioner.yml": text})


TRIES = (
    ("PUT", "/{audit}/_doc/{id}", {"@timestamp": "2026-05-11T14:23:45Z", "message": "other"}),
    ("PUT", "/{audit}/_create/{id}", {"@timestamp": "2026-05-11T14:23:45Z", "message": "other"}),
    ("POST", "/{audit}/_update/{id}", {"doc": {"message": "other"}}),
    ("DELETE", "/{audit}/_doc/{id}", None),
    ("PUT", "/{index}/_doc/{id}", {"@timestamp": "2026-05-11T14:23:45Z", "message": "other"}),
    ("POST", "/{index}/_update/{id}", {"doc": {"message": "other"}}),
    ("DELETE", "/{index}/_doc/{id}", None),
    ("POST", "/_bulk", '{"delete":{"_index":"{index}","_id":"{id}"}}\n'),
    ("POST", "/_bulk", '{"index":{"_index":"{index}","_id":"{id}"}}\n{"message":"other"}\n'),
    ("POST", "/_bulk", '{"update":{"_index":"{audit}","_id":"{id}"}}\n{"doc":{"message":"other"}}\n'),
    ("POST", "/{audit}/_delete_by_query", {"query": {"match_all": {}}}),
    ("POST", "/{audit}/_update_by_query", {"query": {"match_all": {}}}),
    ("POST", "/_reindex", {"source": {"index": "{audit}"}, "dest": {"index": "{stream}", "op_type": "create"}}),
    ("GET", "/{audit}/_doc/{id}", None),
    ("GET", "/{index}/_doc/{id}", None),
    ("POST", "/{audit}/_search", {"query": {"match_all": {}}}),
    ("GET", "/{audit}/_count", None),
    ("POST", "/{audit}/_search/point_in_time?keep_alive=1m", None),
    ("DELETE", "/{index}", None),
    ("DELETE", "/_data_stream/{audit}", None),
    ("POST", "/{audit}/_rollover", None),
    ("PUT", "/{index}/_settings", {"index.blocks.write": True}),
    ("PUT", "/{audit}/_mapping", {"properties": {"other": {"type": "keyword"}}}),
)


def test_a_writer_makes_checkpoints_and_can_neither_change_delete_nor_read_them(site: Site) -> None:
    repository, audit = site.repository, site.named("{audit}")
    key = Ed25519PrivateKey.generate()
    said = {**repository.cluster.target, "username": f"{repository.owner}-writer", "password": site.password}
    writer = Client(Target("writer", tuple(said["hosts"]), **{k: v for k, v in said.items() if k != "hosts"}))
    made = [
        checkpoint.sign(Checkpoint("app1", n, n + 1, "a" * 64, "b" * 64, "2026-05-11T14:23:45.123Z", "0" * 64, ""), key)
        for n in range(2)
    ]
    for each in (*made, made[0]):  # once more is once
        StreamPlace(writer, audit).put(each)
    site.ask("admin", "POST", "/{audit}/_refresh")
    id_, index = f"checkpoint_{made[0].sha256()}", f".ds-{audit}-000001"

    def filled(value: Any) -> Any:
        text = value if isinstance(value, str) else json.dumps(value)
        text = text.replace("{id}", id_).replace("{index}", index).replace("{audit}", audit)
        return text if isinstance(value, str) or value is None else json.loads(text)

    passed = []
    for method, path, body in TRIES:
        answer = site.ask("writer", method, filled(path), None if body is None else filled(body))
        if not refused(answer):
            passed.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
    assert passed == []
    shown = from_stream(repository.client, audit)
    assert [each.made for each in shown if each.made and each.made.stream == "app1"] == made


# --- the stand-in ---------------------------------------------------------------------------------------------------


def test_every_route_of_the_plugins_asks_for_the_permission_of_the_real_one(site: Site) -> None:
    if not site.connection("admin").get("/_plugins/_standin/health").is_success:
        pytest.skip("the plugins themselves answer")
    routes = [r for plugin in assemble(Node("http://127.0.0.1:1"), NAMES, job_interval=300) for r in plugin.routes()]
    guarded = [r for r in routes if isinstance(r, PluginRoute) and r.path.startswith("/_plugins/")]
    assert len(guarded) > 30
    for route in guarded:
        assert route.action, route.path
        path = route.path.replace("{", "").replace("}", "")
        for method in sorted(route.methods or ()):
            answer = site.ask("nobody", method, path, {} if method in ("POST", "PUT") else None)
            assert answer.status_code == 403, f"{method} {path}: {answer.text}"
            if method != "HEAD":
                assert f"no permissions for [{route.action}]" in answer.text


def test_explain_shows_only_indices_that_the_caller_may_manage(site: Site) -> None:
    index = site.named("{backing}")
    assert index in site.ask("applier", "GET", "/_plugins/_ism/explain/{backing}").json()
    everything = site.ask("applier", "GET", "/_plugins/_ism/explain?size=1000").json()
    assert index in everything
    assert all(name.startswith(".ds-logs-") for name in everything if name != "total_managed_indices")


def test_someone_unknown_is_refused_by_the_security_plugin_itself(site: Site) -> None:
    with http(site.repository.cluster, "eve", "wrong") as client:
        answer = client.get("/_plugins/_ism/policies")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic")


# --- last, since it takes an index away -----------------------------------------------------------------------------


def test_the_role_may_do_what_retention_does(site: Site) -> None:
    """The real plugin runs a policy with the roles of whoever wrote it; here the same requests are made by the user."""
    index = "/.ds-{audit}-000001"
    settings = {"index.blocks.write": True, "index.number_of_replicas": 0, "index.priority": 1}
    for method, path, body in (
        ("POST", "/{audit}/_rollover", None),
        ("GET", f"{index}/_stats", None),
        ("PUT", f"{index}/_settings", settings),
        ("POST", f"{index}/_forcemerge?max_num_segments=1", None),
        ("DELETE", index, None),
    ):
        answer = site.ask("applier", method, path, body)
        assert answer.status_code == 200, f"{method} {path}: {answer.text}"
