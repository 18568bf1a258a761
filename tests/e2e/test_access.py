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
from clusters import PASSWORD, Cluster, Repository, _copy

from provisioner.devcluster import cluster as dev
from provisioner.devcluster.standin.node import Node
from provisioner.devcluster.standin.plugin import PluginRoute
from provisioner.devcluster.standin.plugins import NAMES, assemble
from provisioner.kinds import all_kinds
from provisioner.model import Live

NAME, PORT = "e2e-access", 19810
API = "/_plugins/_security/api"
SECRET = "E2E_ACCESS_PASSWORD"
USERS = {"applier": "provisioner", "writer": "log-writer", "analyst": "analyst", "auditor": "auditor", "nobody": "none"}
EVENT = {
    "@timestamp": "2026-05-11T14:23:45.123Z",
    "category": "system",
    "action": "service_started",
    "severity": "info",
    "message": "as it was",
}
OTHER = json.dumps(EVENT | {"message": "changed"})


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
    repository.remove(
        "rules/detections/authentication", "templates/shippers", *(f"ilm/{other}.yml" for other in others)
    )
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
    assert changes(site.run("plan", "-o", "json")) == {}
    site.repository.remove("templates/pipelines/extra.yml")
    done = site.run("apply", "--yes", "--prune")
    assert done.code == 0, done.text
    assert site.ask("admin", "GET", "/_ingest/pipeline/{owner}-extra").status_code == 404


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

CAN: list[tuple[str, str, str, Any]] = [
    ("writer", "POST", "/{stream}/_doc", EVENT),
    ("writer", "PUT", "/{stream}/_create/new", EVENT),
    ("writer", "PUT", "/{stream}/_doc/newer?op_type=create", EVENT),
    ("writer", "POST", "/{stream}/_bulk", f'{{"create": {{}}}}\n{json.dumps(EVENT)}\n'),
    ("writer", "POST", "/_bulk?pipeline=_none", f'{{"create": {{"_index": "{{stream}}"}}}}\n{json.dumps(EVENT)}\n'),
    ("writer", "GET", "/", None),
    ("writer", "GET", "/_cluster/health", None),
    ("analyst", "POST", "/{stream}/_search", {"query": {"match_all": {}}}),
    ("analyst", "GET", "/logs-*-{ns}/_search", None),
    ("analyst", "GET", "/{stream}/_search?scroll=1m", None),
    ("analyst", "GET", "/{backing}/_doc/one", None),
    ("analyst", "POST", "/_mget", {"docs": [{"_index": "{backing}", "_id": "one"}]}),
    ("analyst", "POST", "/_msearch", '{"index": "{stream}"}\n{}\n'),
    ("analyst", "GET", "/{stream}/_field_caps?fields=*", None),
    ("analyst", "POST", "/_plugins/_alerting/monitors/_search", {"query": {"match_all": {}}}),
    ("analyst", "GET", "/_plugins/_alerting/monitors/alerts", None),
    ("analyst", "GET", "/_plugins/_alerting/findings/_search", None),
    ("auditor", "GET", "/{audit}/_search", None),
    ("auditor", "GET", "/.provisioner-{owner}/_search", None),
    ("applier", "GET", "/{stream}/_search", None),  # rules search with the roles of whoever wrote them
]

BULK = f"\n{OTHER}\n"
SEQ = "if_seq_no=0&if_primary_term=1"
MONITOR = {
    "type": "monitor",
    "name": "x",
    "monitor_type": "query_level_monitor",
    "enabled": False,
    "schedule": {"period": {"interval": 1, "unit": "DAYS"}},
    "inputs": [{"search": {"indices": ["foreign-{ns}"], "query": {"query": {"match_all": {}}}}}],
    "triggers": [],
}
WRITE = [
    # Replace: as a document of the stream, in its backing index, with and without the number that allows it there.
    ("PUT", "/{stream}/_doc/one", OTHER),
    ("PUT", "/{stream}/_create/one", OTHER),
    ("PUT", f"/{{stream}}/_doc/one?{SEQ}", OTHER),
    ("PUT", f"/{{backing}}/_doc/one?{SEQ}", OTHER),
    ("PUT", f"/{{backing}}/_doc/one?{SEQ}&pipeline=_none", OTHER),
    ("PUT", f"/{{backing}}/_doc/one?{SEQ}&pipeline={{owner}}-sshd", OTHER),
    ("PUT", f"/%3C{{backing}}%3E/_doc/one?{SEQ}", OTHER),
    ("PUT", "/{backing}/_doc/one", OTHER),
    ("PUT", "/{backing}/_doc/one?version=99&version_type=external", OTHER),
    ("PUT", "/{backing}/_create/another", OTHER),
    ("POST", "/{stream}/_bulk", '{"index": {"_id": "one"}}' + BULK),
    ("POST", "/_bulk", '{"index": {"_index": "{stream}", "_id": "one", "if_seq_no": 0, "if_primary_term": 1}}' + BULK),
    ("POST", "/_bulk", '{"index": {"_index": "{backing}", "_id": "one", "if_seq_no": 0, "if_primary_term": 1}}' + BULK),
    (
        "POST",
        "/_bulk?pipeline=_none",
        '{"index": {"_index": "{backing}", "_id": "one", "if_seq_no": 0, "if_primary_term": 1}}' + BULK,
    ),
    ("POST", "/_bulk", '{"index": {"_index": "{backing}", "_id": "one"}}' + BULK),
    # Update
    ("POST", "/{stream}/_update/one", {"doc": {"message": "changed"}}),
    ("POST", "/{backing}/_update/one", {"doc": {"message": "changed"}}),
    ("POST", "/{backing}/_update/one", {"doc": EVENT, "doc_as_upsert": True}),
    ("POST", "/_bulk", '{"update": {"_index": "{backing}", "_id": "one"}}\n{"doc": {"message": "changed"}}\n'),
    ("POST", "/_bulk", '{"update": {"_index": "{backing}", "_id": "up"}}\n{"doc": {}, "doc_as_upsert": true}\n'),
    ("POST", "/{stream}/_update_by_query", {"script": {"source": "ctx._source.message = 'changed'"}}),
    # Delete
    ("DELETE", "/{stream}/_doc/one", None),
    ("DELETE", "/{backing}/_doc/one", None),
    ("DELETE", f"/{{backing}}/_doc/one?{SEQ}", None),
    ("POST", "/_bulk", '{"delete": {"_index": "{backing}", "_id": "one"}}\n'),
    ("POST", "/{stream}/_delete_by_query", {"query": {"match_all": {}}}),
    ("DELETE", "/_data_stream/{stream}", None),
    ("DELETE", "/{backing}", None),
    ("DELETE", "/logs-*-{ns}", None),
    # Everything around it
    ("PUT", "/{stream}/_mapping", {"properties": {"x": {"type": "keyword"}}}),
    ("PUT", "/{stream}/_settings", {"index.final_pipeline": "_none"}),
    ("PUT", "/{backing}/_settings", {"index.final_pipeline": "_none"}),
    ("PUT", "/{stream}/_settings", {"plugins.index_state_management.auto_manage": False}),
    ("POST", "/{stream}/_rollover", None),
    ("POST", "/{stream}/_close", None),
    ("POST", "/_aliases", {"actions": [{"add": {"index": "{backing}", "alias": "way-in"}}]}),
    ("POST", "/_reindex", {"source": {"index": "{stream}"}, "dest": {"index": "{stream}", "op_type": "create"}}),
    ("PUT", "/_data_stream/logs-more-{ns}", None),
    ("PUT", "/logs-system-elsewhere/_create/one", EVENT),
    ("POST", "/_bulk", '{"create": {"_index": "logs-system-elsewhere"}}' + BULK),
    ("PUT", "/foreign-{ns}/_create/two", EVENT),
    ("PUT", "/.provisioner-{owner}/_create/two", {"type": "release"}),
    ("PUT", "/_ingest/pipeline/{owner}-redaction", {"processors": []}),
    ("PUT", "/_index_template/{owner}-system", {"index_patterns": ["logs-system-*"]}),
    ("PUT", "/_component_template/{owner}-common", {"template": {}}),
    ("PUT", "/_scripts/x", {"script": {"lang": "painless", "source": "1"}}),
    ("PUT", "/_cluster/settings", {"persistent": {"cluster.max_shards_per_node": "1"}}),
    ("PUT", "/_cluster/settings", {"persistent": {"plugins.index_state_management.job_interval": 1}}),
    ("PUT", "/_plugins/_ism/policies/x", {"policy": {"description": "", "default_state": "a", "states": []}}),
    ("DELETE", "/_plugins/_ism/policies/{owner}-system", None),
    ("POST", "/_plugins/_ism/remove/{backing}", None),
    ("POST", "/_plugins/_alerting/monitors", MONITOR),
    ("POST", "/_plugins/_alerting/monitors/_execute?dryrun=true", MONITOR),
    ("DELETE", "/_plugins/_notifications/configs/{owner}-email", None),
    ("PUT", API + "/roles/{owner}-log-writer", {"cluster_permissions": ["*"]}),
    ("PUT", API + "/rolesmapping/all_access", {"users": ["{owner}-writer"]}),
    ("PUT", API + "/internalusers/x", {"password": "aA1!enough-for-the-plugin"}),
    ("PATCH", API + "/roles", [{"op": "remove", "path": "/{owner}-auditor"}]),
    ("DELETE", API + "/cache", None),
]
READ = [
    ("GET", "/{stream}/_search", None),
    ("GET", "/{backing}/_search", None),
    ("GET", "/_search", None),
    ("GET", "/logs-*/_search", None),
    ("GET", "/{stream}/_search?scroll=1m", None),
    ("POST", "/_search/scroll", {"scroll_id": "FGluY2x1ZGVfY29udGV4dF91dWlk"}),
    ("POST", "/{stream}/_search/point_in_time?keep_alive=1m", None),
    ("GET", "/_search/point_in_time/_all", None),
    ("POST", "/_msearch", '{"index": "{stream}"}\n{}\n'),
    ("GET", "/{stream}/_doc/one", None),
    ("GET", "/{backing}/_doc/one", None),
    ("GET", "/{backing}/_source/one", None),
    ("POST", "/_mget", {"docs": [{"_index": "{backing}", "_id": "one"}]}),
    ("GET", "/{backing}/_termvectors/one?fields=message", None),
    ("POST", "/{backing}/_explain/one", {"query": {"match_all": {}}}),
    ("GET", "/{stream}/_count", None),
    ("GET", "/{stream}/_field_caps?fields=*", None),
    ("GET", "/{stream}/_validate/query", None),
    ("GET", "/{stream}", None),
    ("GET", "/{stream}/_mapping", None),
    ("GET", "/{stream}/_stats", None),
    ("GET", "/_cat/indices", None),
    ("GET", "/_data_stream", None),
    ("GET", "/_ingest/pipeline", None),
    ("GET", "/.provisioner-{owner}/_search", None),
    ("GET", "/_plugins/_notifications/configs", None),
    ("GET", "/_plugins/_ism/policies", None),
    ("GET", "/_plugins/_alerting/monitors/alerts", None),
    ("POST", "/_plugins/_alerting/monitors/_search", {"query": {"match_all": {}}}),
    ("GET", API + "/internalusers", None),
]
NOT_FOR_APPLIER = [
    ("PUT", "/{stream}/_doc/one", OTHER),
    ("PUT", f"/{{backing}}/_doc/one?{SEQ}", OTHER),
    ("POST", "/{backing}/_update/one", {"doc": {"message": "changed"}}),
    ("POST", "/{stream}/_update_by_query", {"script": {"source": "ctx._source.message = 'changed'"}}),
    ("POST", "/{stream}/_delete_by_query", {"query": {"match_all": {}}}),
    ("POST", "/_search/scroll", {"scroll_id": "FGluY2x1ZGVfY29udGV4dF91dWlk"}),
    ("POST", "/{stream}/_search/point_in_time?keep_alive=1m", None),
    ("GET", "/foreign-{ns}/_search", None),
    ("GET", "/foreign-{ns}/_doc/one", None),
    ("PUT", "/foreign-{ns}/_doc/two", EVENT),
    ("DELETE", "/foreign-{ns}", None),
    ("DELETE", "/foreign-{ns}/_doc/one", None),
    ("PUT", "/foreign-{ns}/_settings", {"index.priority": 2}),
    ("DELETE", "/*", None),
    ("PUT", "/anything", None),
    ("PUT", "/_data_stream/logs-system-elsewhere", None),
    ("DELETE", "/.provisioner-{owner}", None),
    ("PUT", "/.provisioner-another/_doc/head", {"type": "head"}),
    ("PUT", "/_scripts/x", {"script": {"lang": "painless", "source": "1"}}),
    ("PUT", "/_cluster/settings", {"persistent": {"cluster.max_shards_per_node": "1"}}),
    ("PUT", "/_cluster/settings", {"persistent": {"plugins.index_state_management.job_interval": 1}}),
    ("PUT", "/_snapshot/x", {"type": "fs", "settings": {"location": "x"}}),
    ("POST", "/_plugins/_ism/remove/{backing}", None),
    ("POST", "/_plugins/_ism/change_policy/foreign-{ns}", {"policy_id": "{owner}-system"}),
    ("POST", "/_plugins/_alerting/monitors", MONITOR),
    ("POST", "/_plugins/_alerting/monitors/_execute?dryrun=true", MONITOR),
    ("POST", "/_plugins/_alerting/monitors/x/_acknowledge/alerts", {"alerts": ["x"]}),
    ("GET", "/_plugins/_alerting/findings/_search", None),
    ("GET", "/_plugins/_notifications/feature/test/{owner}-email", None),
    ("GET", API + "/roles", None),
    ("PUT", API + "/roles/{owner}-provisioner", {"cluster_permissions": ["*"]}),
    ("PUT", API + "/rolesmapping/all_access", {"users": ["{owner}-applier"]}),
    ("PUT", API + "/internalusers/x", {"password": "aA1!enough-for-the-plugin"}),
]
AUDITOR_READS = ("/.provisioner-{owner}/_search",)
CANNOT: list[tuple[str, str, str, Any]] = [
    *(("writer", *row) for row in WRITE + READ),
    *(("analyst", *row) for row in WRITE),
    ("analyst", "PUT", "/{stream}/_create/mine", EVENT),
    ("analyst", "GET", "/.provisioner-{owner}/_search", None),
    ("analyst", "GET", "/foreign-{ns}/_search", None),
    ("analyst", "GET", "/_plugins/_notifications/configs", None),
    *(("auditor", *row) for row in WRITE),
    *(("auditor", *row) for row in READ if row[1] not in AUDITOR_READS),
    ("auditor", "PUT", "/{audit}/_create/mine", EVENT),
    ("auditor", "PUT", "/{stream}/_create/mine", EVENT),
    *(("applier", *row) for row in NOT_FOR_APPLIER),
    *(("nobody", *row) for row in WRITE + READ),
]


@pytest.mark.parametrize(("user", "method", "path", "body"), CAN)
def test_can(site: Site, user: str, method: str, path: str, body: Any) -> None:
    answer = site.ask(user, method, path, body)
    assert answer.status_code in (200, 201), answer.text
    assert '"errors":true' not in answer.text, answer.text


@pytest.mark.parametrize("user", sorted({row[0] for row in CANNOT}))
def test_cannot(site: Site, user: str) -> None:
    """Everything is refused, and the event is in the end what it was."""
    before = site.ask("admin", "GET", "/{backing}/_doc/one").json()
    passed = []
    for _, method, path, body in (row for row in CANNOT if row[0] == user):
        answer = site.ask(user, method, path, body)
        if not refused(answer):
            passed.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
    assert passed == []
    assert site.ask("admin", "GET", "/{backing}/_doc/one").json() == before
    assert before["_source"]["message"] == "as it was"


def refused(answer: httpx.Response) -> bool:
    """Whether nothing was done or told: an error, or an answer to several requests in one in which each is one."""
    if answer.status_code >= 400:
        return True
    told = answer.json() if answer.headers["content-type"].startswith("application/json") else {}
    bulk = [result for item in told.get("items", []) for result in item.values()]
    parts = [*bulk, *told.get("responses", []), *told.get("docs", [])]
    return bool(parts) and all("error" in part for part in parts)


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
