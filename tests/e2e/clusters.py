"""One cluster for all tests that want one, repositories of their own on it, and the real command line.

The cluster is, in this order: OPENSEARCH_URL (with OPENSEARCH_USERNAME, OPENSEARCH_PASSWORD, and OPENSEARCH_CA or
OPENSEARCH_INSECURE=1 for its certificate); docker-compose.yml, where a Docker engine answers; the dev cluster.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from provisioner.client import Client, path
from provisioner.errors import ProvisionerError
from provisioner.settings import Target

ROOT = pathlib.Path(__file__).parents[2]
NAME, PORT = "e2e", 19700
PASSWORD = "E2E_CLUSTER_PASSWORD"
"""The environment variable with the cluster's password: repositories refer to it."""


def interruptible() -> None:
    """For a child: a shell's background job ignores SIGINT, and so would all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass(frozen=True)
class Cluster:
    """Where the cluster is and how to get in."""

    url: str
    username: str | None = None
    password: str | None = None
    ca: str | None = None
    verify: bool = True
    logs: tuple[pathlib.Path, ...] = ()

    @property
    def target(self) -> dict[str, Any]:
        """The target as provisioner.yml writes it."""
        said: dict[str, Any] = {"hosts": [self.url]}
        if self.password:
            said |= {"username": self.username, "password": f"${{env:{PASSWORD}}}"}
        if self.ca:
            said["ca"] = self.ca
        return said if self.verify else {**said, "verify": False}

    def client(self) -> Client:
        """A client with all rights."""
        if self.password:
            os.environ[PASSWORD] = self.password
        options = self.target
        return Client(Target("e2e", (self.url,), timeout=60, **{k: v for k, v in options.items() if k != "hosts"}))


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """The cluster, started at most once."""
    if url := os.environ.get("OPENSEARCH_URL"):
        ca, insecure = os.environ.get("OPENSEARCH_CA"), os.environ.get("OPENSEARCH_INSECURE") == "1"
        user, password = os.environ.get("OPENSEARCH_USERNAME", "admin"), os.environ.get("OPENSEARCH_PASSWORD")
        yield Cluster(url, user, password, ca, verify=not insecure)
    elif _docker_answers():
        yield _compose(request)
    else:
        from provisioner.devcluster import cluster as dev
        from provisioner.devcluster import diagnosis

        with contextlib.suppress(dev.DevClusterError):
            dev.down(NAME, delete=True)  # what a killed run left behind
        made = dev.up(NAME, PORT)
        try:
            told = dev.status(NAME)
            ca = str(made.ca_file) if made.ca_file else None
            yield Cluster(made.url, made.username, made.password, ca, logs=(told.node_log, told.stand_in_log))
        finally:
            ended = dev.status(NAME)
            if ended.state != "running":  # it died under the tests: its own words, before they are removed
                for log in (ended.node_log, ended.stand_in_log):
                    print(f"{ended.state}: {log}", *diagnosis.tail(log, 30), sep="\n", file=sys.stderr)
            dev.down(NAME, delete=True)


@pytest.fixture(scope="session")
def cluster_url(cluster: Cluster) -> str:
    """Where the cluster answers."""
    return cluster.url


@pytest.fixture(scope="module")
def many_templates(cluster: Cluster) -> Iterator[None]:
    """Each monitor's search is a template of its own, and so are messages; the server compiles 75 in five minutes."""
    limit, client = "script.context.template.max_compilations_rate", cluster.client()
    client.request("PUT", "/_cluster/settings", {"persistent": {limit: "10000/1m"}})
    yield
    client.request("PUT", "/_cluster/settings", {"persistent": {limit: None}})


def _docker_answers() -> bool:
    docker = shutil.which("docker")
    if docker is None:
        return False
    return subprocess.run([docker, "info"], capture_output=True, timeout=30, check=False).returncode == 0


def _compose(request: pytest.FixtureRequest) -> Cluster:
    """docker-compose.yml's server with its demo certificates, whose authority nobody knows: so `verify` is off."""
    os.environ.setdefault("OPENSEARCH_INITIAL_ADMIN_PASSWORD", f"aA1!{secrets.token_urlsafe(16)}")
    os.environ["OPENSEARCH_PORT"] = str(PORT)
    services = request.getfixturevalue("docker_services")
    password = os.environ["OPENSEARCH_INITIAL_ADMIN_PASSWORD"]
    made = Cluster(f"https://127.0.0.1:{PORT}", "admin", password, verify=False)

    def healthy() -> bool:
        try:
            return bool(made.client().request("GET", "/_cluster/health")["status"] in ("green", "yellow"))
        except ProvisionerError:
            return False

    services.wait_until_responsive(check=healthy, timeout=300, pause=2)
    return made


@pytest.fixture(scope="session")
def docker_compose_file() -> str:
    """For pytest-docker."""
    return str(ROOT / "docker-compose.yml")


@pytest.fixture(scope="session")
def docker_compose_project_name() -> str:
    """For pytest-docker: apart from a cluster that the developer runs."""
    return "provisioner-e2e"


@pytest.fixture(scope="session")
def docker_setup() -> list[str]:
    """For pytest-docker: Dashboards are not needed."""
    return ["up --detach opensearch"]


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """All that it printed."""
        return self.out + self.err


@dataclass(frozen=True)
class Repository:
    """A repository on the disk with an owner and a namespace that no other test has."""

    root: pathlib.Path
    cluster: Cluster
    owner: str
    namespace: str

    @property
    def client(self) -> Client:
        """A client with all rights."""
        return self.cluster.client()

    @property
    def state_index(self) -> str:
        """Where the state is kept."""
        return f".provisioner-{self.owner}"

    def run(self, *arguments: str, **environment: str) -> Done:
        """The real command line on this repository, as a process of its own. A traceback fails every test."""
        with self.start(*arguments, **environment) as running:
            out, err = running.communicate(timeout=120)
        assert "Traceback" not in err, err
        return Done(running.returncode, out, err)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """The same, still running; what it prints comes line by line."""
        given = {PASSWORD: self.cluster.password} if self.cluster.password else {}
        return subprocess.Popen(
            [sys.executable, "-u", "-m", "provisioner", *arguments, "-C", str(self.root)],
            cwd=ROOT,
            env={**os.environ, **given, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=interruptible,  # noqa: PLW1509 (it only sets a signal)
        )

    def write(self, files: Mapping[str, str]) -> None:
        """Write files by their paths."""
        for name, text in files.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text, encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text that a file holds."""
        text = (self.root / name).read_text(encoding="utf-8")
        assert old in text
        self.write({name: text.replace(old, new)})

    def remove(self, *names: str) -> None:
        """Remove files and folders."""
        for name in names:
            file = self.root / name
            if file.is_dir():
                shutil.rmtree(file)
            else:
                file.unlink()

    def settings(self, **target: Any) -> None:
        """Write provisioner.yml; `target` adds to the target, None takes a key away."""
        catch = {"http": "http://127.0.0.1:19790", "smtp": "127.0.0.1:19791"}
        ours = {"namespace": self.namespace, "schedule": "2s", "catch": catch, "vars": {"replicas": 0}}
        said = {k: v for k, v in {**self.cluster.target, **ours, **target}.items() if v is not None}
        self.write({"provisioner.yml": yaml.safe_dump({"owner": self.owner, "targets": {"e2e": said}})})

    def at(self, url: str) -> Repository:
        """The same repository, reaching the cluster by another address."""
        return replace(self, cluster=replace(self.cluster, url=url))

    def objects(self) -> dict[str, Any]:
        """All that the owner has in the cluster but the state, by kind and name, as the server shows it."""
        return dict(_objects(self.client, f"{self.owner}-", self.namespace))

    def state(self) -> list[dict[str, Any]]:
        """The raw documents of the state; empty where there is no state."""
        answer = self.client.get(path(self.state_index, "_search"), {"size": 1000, "sort": ["_doc"]})
        return [hit["_source"] for hit in answer["hits"]["hits"]] if answer else []


def failed_logins(repository: Repository, users: Sequence[str], log_type: str = "authentication") -> None:
    """A failed login of each of these users, one a second up to now."""
    now = datetime.now(UTC)
    lines: list[str] = []
    for number, user in enumerate(users):
        event = {
            "@timestamp": (now - timedelta(seconds=number)).isoformat(),
            "category": "authentication",
            "action": "login_failed",
            "severity": "warning",
            "message": "Failed password",
            "outcome": {"status": "failure"},
            "source": {"ip": "203.0.113.7"},
            "actor": {"username": user},
        }
        lines += [json.dumps({"create": {}}), json.dumps(event)]
    stream = f"logs-{log_type}-{repository.namespace}"
    answer = repository.client.request("POST", path(stream, "_bulk"), "\n".join(lines) + "\n", {"refresh": "true"})
    assert not answer["errors"], answer


def _objects(client: Client, prefix: str, namespace: str) -> Iterator[tuple[str, Any]]:
    for item in client.request("GET", "/_component_template")["component_templates"]:
        if item["name"].startswith(prefix):
            yield f"component_template {item['name']}", item
    for item in client.request("GET", "/_index_template")["index_templates"]:
        if item["name"].startswith(prefix):
            yield f"index_template {item['name']}", item
    for name, item in (client.get("/_ingest/pipeline") or {}).items():
        if name.startswith(prefix):
            yield f"ingest_pipeline {name}", item
    for item in client.request("GET", "/_data_stream")["data_streams"]:
        if item["name"].endswith(f"-{namespace}"):
            yield f"data_stream {item['name']}", item
    for item in client.request("GET", "/_plugins/_ism/policies", params={"size": 1000})["policies"]:
        if item["_id"].startswith(prefix):
            yield f"ism_policy {item['_id']}", item
    channels = client.request("GET", "/_plugins/_notifications/configs", params={"max_items": 1000})["config_list"]
    for item in channels:
        if item["config_id"].startswith(prefix):
            yield f"channel {item['config_id']}", item
    query = {"size": 1000, "query": {"match_all": {}}}
    for hit in client.request("POST", "/_plugins/_alerting/monitors/_search", query)["hits"]["hits"]:
        job = hit["_source"].get("monitor") or hit["_source"].get("workflow") or hit["_source"]
        if str(job.get("name", "")).startswith(prefix):
            shown = {key: hit[key] for key in ("_id", "_version", "_seq_no", "_source") if key in hit}
            yield f"{'workflow' if job.get('type') == 'workflow' else 'monitor'} {job['name']}", shown


_PATHS = {
    "workflow": ("_plugins", "_alerting", "workflows"),  # before the monitors that it runs
    "monitor": ("_plugins", "_alerting", "monitors"),
    "channel": ("_plugins", "_notifications", "configs"),
    "data_stream": ("_data_stream",),
    "index_template": ("_index_template",),
    "component_template": ("_component_template",),
    "ingest_pipeline": ("_ingest", "pipeline"),
    "ism_policy": ("_plugins", "_ism", "policies"),
}


def delete(client: Client, name: str, shown: Any) -> None:
    """Delete one object as `Repository.objects` names and shows it, by the server's own API."""
    kind, _, key = name.partition(" ")
    client.request("DELETE", path(*_PATHS[kind], shown["_id"] if kind in ("monitor", "workflow") else key))


def _remove_all(repository: Repository) -> None:
    left = repository.objects()
    for kind in _PATHS:
        # E-mail channels before the senders and groups that they name; the server itself does not ask.
        for name in sorted((n for n in left if n.startswith(f"{kind} ")), reverse=True):
            delete(repository.client, name, left[name])
    if repository.client.get(path(repository.state_index)) is not None:
        repository.client.request("DELETE", path(repository.state_index))


@pytest.fixture
def repository(cluster: Cluster, tmp_path: pathlib.Path) -> Iterator[Repository]:
    """A copy of the starter pack for the cluster; all that it made there is removed at the end."""
    with copied(cluster, tmp_path) as made:
        yield made


@contextlib.contextmanager
def copied(cluster: Cluster, folder: pathlib.Path) -> Iterator[Repository]:
    """The same for more than one test."""
    made = _copy(folder, cluster)
    try:
        yield made
    finally:
        _remove_all(made)


def _copy(folder: pathlib.Path, cluster: Cluster) -> Repository:
    tag = secrets.token_hex(4)
    made = Repository(folder / "repository", cluster, f"e2e-{tag}", f"ns{tag}")
    for part in ("rules", "templates", "ilm", "docs/runbooks"):
        shutil.copytree(ROOT / part, made.root / part)
    made.settings()
    return made


@pytest.fixture
def offline(tmp_path: pathlib.Path) -> Repository:
    """A copy of the starter pack for a cluster that does not exist."""
    return _copy(tmp_path, Cluster("http://127.0.0.1:19799"))


RULE_FILE = (ROOT / "rules/detections/authentication/brute-force-login.yml").read_text(encoding="utf-8")

SMALL = """\
kind: severity
id: high
title: High
level: "2"
response_time: 15m
channels: []
"""


@pytest.fixture
def small(repository: Repository) -> Repository:
    """The starter pack, but one log type, one rule, no retention, channel or shipper: quick to apply."""
    others = [file.relative_to(repository.root).as_posix() for file in (repository.root / "ilm").iterdir()]
    others += [f"templates/index/{log_type}.yml" for log_type in ("application", "audit", "network", "system")]
    repository.remove(*others, "rules/detections", "rules/channels.yml", "templates/shippers")
    repository.write({"rules/brute-force-login.yml": RULE_FILE, "rules/severities.yml": SMALL})
    return repository
