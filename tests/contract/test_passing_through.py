"""What is not the plugins' passes to the node and back untouched; the process starts late and ends cleanly."""

from __future__ import annotations

import gzip
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

import httpx
import pytest
from serving import Served, free_port, serve

from provisioner.devcluster.standin.node import Node
from provisioner.devcluster.standin.plugin import Plugin
from provisioner.devcluster.standin.plugins import assemble

MARK = "x-provisioner-stand-in"


def plugins(node: Node) -> Sequence[Plugin]:
    return assemble(node, ["notifications", "ism"], job_interval=300)


@pytest.fixture
def served(empty_node: str) -> Iterator[Served]:
    with serve(empty_node, plugins) as served:
        yield served


def test_answers_and_errors_are_the_nodes_own(served: Served, empty_node: str) -> None:
    for method, path in (
        ("GET", "/"),
        ("HEAD", "/"),
        ("HEAD", "/missing"),
        ("GET", "/missing/_doc/1"),
        ("PUT", "/%3Clogs-%7Bnow%2Fd%7D%3E"),
        ("GET", "/_cluster/settings?flat_settings=true"),
        ("DELETE", "/_cluster/settings"),
        ("GET", "/_plugins/_nothing/here?a=%2F%20b"),
        ("GET", "/_cat/indices?h=index&s=index"),
        ("GET", "/missing"),
        ("GET", "/_all/_settings?flat_settings=true"),
        ("GET", "/_index_template/*"),
        ("GET", "/_search?q=%22a%2Bb%22&filter_path=hits.total"),
    ):
        through = httpx.request(method, served.url + path, timeout=30)
        if method == "PUT":
            continue
        direct = httpx.request(method, empty_node + path, timeout=30)
        assert (through.status_code, through.content) == (direct.status_code, direct.content), path
        assert through.headers == direct.headers, path
        assert MARK not in through.headers
    assert httpx.get(f"{served.url}/_plugins/_ism/policies").headers[MARK] == "notifications,ism"


def test_a_compressed_answer_stays_compressed(served: Served) -> None:
    with httpx.stream("GET", f"{served.url}/_nodes", headers={"accept-encoding": "gzip"}, timeout=30) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(raw))["nodes"]


def test_a_bulk_body_streams_through_and_a_scroll_gives_it_back(served: Served) -> None:
    documents = 20_000
    line = json.dumps({"message": "x" * 200})

    def body() -> Iterator[bytes]:
        for _ in range(documents // 100):
            yield (f'{{"index":{{}}}}\n{line}\n' * 100).encode()

    headers = {"content-type": "application/x-ndjson"}
    with httpx.Client(base_url=served.url, timeout=60) as client:
        answer = client.post("/big/_bulk?refresh=true&filter_path=errors", content=body(), headers=headers)
        assert answer.json() == {"errors": False}
        page = client.get("/big/_search?scroll=1m&size=10000").json()
        seen = 0
        while page["hits"]["hits"]:
            seen += len(page["hits"]["hits"])
            page = client.post("/_search/scroll", json={"scroll": "1m", "scroll_id": page["_scroll_id"]}).json()
        client.request("DELETE", "/_search/scroll", json={"scroll_id": page["_scroll_id"]})
    assert seen == documents


def test_settings_of_ism_travel_through_templates_and_come_back(served: Served) -> None:
    name = "plugins.index_state_management.rollover_alias"
    with httpx.Client(base_url=served.url, timeout=30) as client:
        template = {"index_patterns": ["roll-*"], "template": {"settings": {"number_of_replicas": 0, name: "roll"}}}
        client.put("/_index_template/roll", json=template).raise_for_status()
        [shown] = client.get("/_index_template/roll").json()["index_templates"]
        settings = shown["index_template"]["template"]["settings"]
        assert settings == {
            "index": {"number_of_replicas": "0", "plugins": {"index_state_management": {"rollover_alias": "roll"}}}
        }
        client.put("/roll-1").raise_for_status()
        flat = client.get("/roll-1/_settings?flat_settings=true").json()["roll-1"]["settings"]
        assert flat[f"index.{name}"] == "roll"
        assert not [key for key in flat if "stand_in" in key]
        plain = client.get("/_index_template/roll?filter_path=index_templates.name")
        assert plain.json() == {"index_templates": [{"name": "roll"}]}
        assert MARK not in plain.headers
        changed = client.put("/roll-1/_settings", json={"index": {"priority": 3, f"{name}": "other"}})
        assert changed.json() == {"acknowledged": True}
        assert client.get("/roll-1/_settings").json()["roll-1"]["settings"]["index"]["priority"] == "3"


def _start(node_url: str, port: int) -> subprocess.Popen[bytes]:
    module = "provisioner.devcluster.standin"
    command = [sys.executable, "-m", module, "--node", node_url, "--port", str(port), "--plugins", "notifications"]
    return subprocess.Popen(command, stderr=subprocess.PIPE)


def _end(process: subprocess.Popen[bytes]) -> str:
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=15)
    assert process.returncode == 0, errors
    return errors.decode()


def test_it_waits_for_a_node_that_is_not_up_yet_and_ends_cleanly() -> None:
    port = free_port()
    process = _start(f"http://127.0.0.1:{free_port()}", port)
    time.sleep(1.5)
    assert process.poll() is None
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    assert "Traceback" not in _end(process)


def test_the_process_serves_until_sigterm(empty_node: str) -> None:
    port = free_port()
    process = _start(empty_node, port)
    url = f"http://127.0.0.1:{port}/_plugins/_standin/health"
    for _ in range(100):
        try:
            health = httpx.get(url).json()
            break
        except httpx.TransportError:
            time.sleep(0.1)
    assert health["stand_in"] == ["notifications"]
    assert health["node"]["status"] == 200
    assert "Traceback" not in _end(process)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--node", "https://x:1", "--port", "1"], "--node-ca"),
        (["--node", "http://x:1", "--port", "1", "--plugins", "alerting,sql"], "unknown plugin sql"),
        (["--node", "http://x:1", "--port", "1", "--job-interval", "0"], "more than 0"),
        (["--node", "http://x:1", "--port", "1", "--tls-cert", "a"], "belong together"),
    ],
)
def test_a_wrong_command_line_is_refused_in_words(arguments: list[str], says: str) -> None:
    command = [sys.executable, "-m", "provisioner.devcluster.standin", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr
