"""The dev cluster as a user has it: the real server, brought up and down by the command line and from Python."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator

import httpx
import psutil
import pytest

from provisioner.devcluster import cluster as dev
from provisioner.devcluster.errors import DevClusterError

PORT, SIDE_PORT, SECURE_PORT, BROKEN_PORT = 19200, 19202, 19204, 19206
DOCUMENT = {"message": "Failed password for root from 203.0.113.42 port 22 ssh2"}
MONITOR = {
    "type": "monitor",
    "name": "kept",
    "monitor_type": "query_level_monitor",
    "enabled": True,
    "schedule": {"period": {"interval": 1, "unit": "DAYS"}},
    "inputs": [{"search": {"indices": ["kept"], "query": {"query": {"match_all": {}}}}}],
    "triggers": [],
}


@pytest.fixture(scope="module", autouse=True)
def state() -> Iterator[pathlib.Path]:
    """Clusters of our own, at a place that every user can reach; jars, server and archives are the usual ones."""
    with tempfile.TemporaryDirectory(prefix="provisioner-e2e-") as folder, pytest.MonkeyPatch.context() as patch:
        pathlib.Path(folder).chmod(0o755)
        patch.setenv("PROVISIONER_STATE", folder)
        yield pathlib.Path(folder)
        for cluster in dev.clusters():
            dev.down(cluster.name, delete=True)


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "provisioner", "dev", *words], capture_output=True, text=True, check=False
    )


def open_client(cluster: dev.Cluster) -> httpx.Client:
    auth = (cluster.username, cluster.password) if cluster.username and cluster.password else None
    verify = ssl.create_default_context(cafile=str(cluster.ca_file)) if cluster.ca_file else True
    return httpx.Client(base_url=cluster.url, auth=auth, verify=verify, timeout=30, trust_env=False)


def test_data_outlives_the_cluster_and_two_stand_side_by_side(state: pathlib.Path) -> None:
    began = command("up", "--port", str(PORT), "--job-interval", "1")
    assert began.returncode == 0, began.stderr
    assert f"answers at http://127.0.0.1:{PORT}" in began.stdout
    assert "development cluster" in began.stdout
    main = dev.status()
    assert main.state == "running"
    if main.stands_in_for:
        assert f"A stand-in answers for {', '.join(main.stands_in_for)}" in began.stdout
    assert json.loads(command("status", "--name", "dev", "--output", "json").stdout)["url"] == main.url
    with open_client(main) as client:
        client.put("/kept/_doc/1", params={"refresh": "true"}, json=DOCUMENT).raise_for_status()
        # Thai needs a break iterator, which a trimmed Java lacks: without icu4j no index could be created at all.
        assert client.post("/_analyze", json={"analyzer": "thai", "text": "ภาษาไทย"}).json()["tokens"]
        # A stored job is read at the next start, when its index's shard may not have started yet.
        made = client.post("/_plugins/_alerting/monitors", json=MONITOR).raise_for_status().json()
    assert "started" in command("logs", "-n", "500").stdout

    with pytest.raises(DevClusterError, match=f"port {PORT} is taken by the dev cluster dev"):
        dev.up("side", PORT)
    side = dev.up("side", SIDE_PORT, heap="256m", stand_in=False)
    assert (side.node_url, side.stands_in_for) == (side.url, ())
    with open_client(side) as client:
        assert client.get("/kept").status_code == 404
        nodes = client.get("/_nodes/jvm").json()["nodes"]
        assert [node["jvm"]["mem"]["heap_max_in_bytes"] // 2**20 for node in nodes.values()] == [247]
    for cluster in (main, side):
        assert cluster.node
        assert psutil.Process(cluster.node.pid).uids().real != 0
    assert [cluster.state for cluster in dev.clusters()] == ["running", "running"]
    dev.down("side", delete=True)

    stopped = command("down")
    assert stopped.returncode == 0, stopped.stderr
    assert dev.status().state == "stopped"
    again = dev.up()  # at the port it had
    assert again.port == PORT
    with open_client(again) as client:
        assert client.get("/kept/_source/1").json() == DOCUMENT
        assert client.get(f"/_plugins/_alerting/monitors/{made['_id']}").json()["monitor"]["name"] == MONITOR["name"]


def test_what_is_left_of_a_broken_cluster_is_brought_up_again() -> None:
    before = dev.up(port=PORT)
    assert before.stand_in
    assert before.node
    os.kill(before.stand_in.pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(before.stand_in.pid)] if before.stand_in.alive else [], timeout=5)
    assert dev.status().state == "broken"
    after = dev.up()
    assert after.state == "running"
    assert not before.node.alive
    with open_client(after) as client:
        assert client.get("/_cluster/health").status_code == 200
    dev.down(delete=True)


def test_a_secured_cluster(state: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    password = "Correct-horse-7-battery"
    monkeypatch.setenv("PROVISIONER_DEV_PASSWORD", password)
    seen: list[str] = []

    class Watch:
        def step(self, text: str) -> None:
            seen.extend(" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"]))
            seen.append(text)

        def downloaded(self, done: int, total: int) -> None:
            """A warm cache has nothing to fetch."""

    cluster = dev.up("secret", SECURE_PORT, secure=True, progress=Watch())
    Watch().step("")
    assert password not in "".join(seen)
    assert cluster.password == password
    assert cluster.password_file
    assert cluster.password_file.stat().st_mode & 0o777 == 0o600
    for url in {cluster.url, cluster.node_url}:
        with open_client(cluster) as client:
            assert client.get(f"{url}/_cluster/health").status_code == 200
            for name in ("admin", "kibanaserver", "logstash", "readall"):  # the plugin's demo users
                assert client.get(f"{url}/_cluster/health", auth=(name, name)).status_code == 401
            client.auth = None
            assert client.get(f"{url}/_cluster/health").status_code == 401
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(url, trust_env=False)
    texts = [path.read_bytes() for path in cluster.home.rglob("*") if path.is_file() and path.name != "password"]
    assert not any(password.encode() in text for text in texts)
    dev.down("secret", delete=True)
    assert not cluster.home.exists()


def test_a_start_that_fails_tells_why_and_leaves_nothing_running(state: pathlib.Path) -> None:
    stopped = state / "clusters" / "broken"
    (stopped / "data").mkdir(parents=True)
    (stopped / "data" / "nodes").write_text("a file where the server wants a folder")
    with pytest.raises(DevClusterError) as failure:
        dev.up("broken", BROKEN_PORT)
    message = str(failure.value)
    assert "OpenSearch ended while starting" in message
    assert "The last lines of" in message
    assert "data/nodes" in message
    left = dev.status("broken")
    assert (left.state, left.node) == ("stopped", None)
    shutil.rmtree(stopped)
