"""The demo, as a newcomer runs it: the command in a process of its own, on a real server."""

from __future__ import annotations

import gzip
import os
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from provisioner.demo import sshdlog
from provisioner.devcluster import cluster as dev

NAME = f"demo-test-{os.getpid()}"  # two runs of the tests beside each other must not share a cluster
COMMAND = [sys.executable, "-m", "provisioner", "demo", "--name", NAME]
PORTS = ["--port", "19600", "--http-port", "19640", "--smtp-port", "19641"]


@pytest.fixture(scope="module", autouse=True)
def removed() -> Iterator[None]:
    """Leave nothing of the demo's cluster behind."""
    yield
    dev.down(NAME, delete=True)


def demo(*options: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "FORCE_COLOR")}
    return subprocess.run(
        [*COMMAND, *PORTS, *options], capture_output=True, text=True, check=False, timeout=240, env=environment
    )


def told(done: subprocess.CompletedProcess[str]) -> str:
    return f"{done.stdout}\n{done.stderr}"


def alerted(output: str) -> dict[tuple[str, str], tuple[int, int]]:
    """Address and user of each brute-force alert in the closing table, with the cluster's count and our own."""
    rows = re.findall(r"^ +demo-brute-force-login +(\S+) (\S+) +(\d+) +(\d+) +(?:ACTIVE|COMPLETED)", output, re.M)
    return {(address, user): (int(cluster), int(own)) for address, user, cluster, own in rows}


def test_the_whole_story() -> None:
    done = demo()
    assert done.returncode == 0, told(done)
    planted = sshdlog.generate(datetime.now(UTC)).planted
    counts = alerted(done.stdout)
    assert counts.keys() == planted
    assert all(cluster == own for cluster, own in counts.values())
    assert re.search(r"^ +demo-account-lockout +1 event ", done.stdout, re.M)
    assert re.search(r"^ +demo-privilege-escalation +11 events ", done.stdout, re.M)
    assert re.search(r"^ +demo-login-after-brute-force +1 group ", done.stdout, re.M)
    assert re.search(r"^ +demo-password-spraying +1 group ", done.stdout, re.M)
    assert "No changes: " in done.stdout
    assert "0 requests that write were sent" in done.stdout
    assert re.search(r"(\d+) of \1 lines", done.stdout), "not every line was stored"
    for detector in ("password", "access_token", "credit_card", "ssn", "api_key"):
        assert re.search(rf"values redacted .*\d {detector}", done.stdout)
    assert_notified(done.stdout, min(planted))
    for secret in sshdlog.generate(datetime.now(UTC)).secrets:
        assert secret.value not in told(done)
    assert "\x1b" not in done.stdout
    assert dev.status(NAME).state == "stopped"


def assert_notified(output: str, pair: tuple[str, str]) -> None:
    """The post and the e-mail about the pair are shown as they came."""
    post, mail = output.split("what the web server got")[1].split("what the mail server got")
    assert "│ POST /slack" in post
    assert "│ Content-Length: " in post
    assert "│ Subject: [High] Brute-force login" in mail
    for message in (post, mail):
        assert f"source.ip, actor.username: {','.join(pair)}" in message


def test_a_log_of_hours_gone_by(tmp_path: pathlib.Path) -> None:
    """Two nights of a log of last month, gzipped, with RFC 3339 times: the monitor runs as of then."""
    ends = [datetime.now(UTC) - timedelta(days=days) for days in (31, 30)]
    nights = [sshdlog.generate(end, seed=number, style="rfc3339") for number, end in enumerate(ends)]
    lines = [line for night in nights for line in night.lines]
    file = tmp_path / "auth.log.gz"
    file.write_bytes(gzip.compress("\n".join(lines).encode()))
    done = demo("--log", str(file))
    assert done.returncode == 0, told(done)
    counts = alerted(done.stdout)
    assert counts.keys() == nights[0].planted | nights[1].planted
    assert all(cluster == own for cluster, own in counts.values())
    assert f"{len(lines)} of {len(lines)} lines of your log are stored" in done.stdout
    assert "No changes: " in done.stdout


def test_a_log_that_is_not_there_starts_nothing() -> None:
    done = demo("--log", "/nowhere/auth.log")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines()[0] == "error: /nowhere/auth.log can't be read: No such file or directory"


def test_a_cluster_that_is_not_the_demos_keeps_its_data(tmp_path: pathlib.Path) -> None:
    state = tmp_path / "state"
    kept = state / "clusters" / NAME / "data" / "precious"
    kept.parent.mkdir(parents=True)
    kept.touch()
    environment = {**os.environ, "PROVISIONER_STATE": str(state)}
    done = subprocess.run([*COMMAND, *PORTS], capture_output=True, text=True, check=False, timeout=60, env=environment)
    assert done.returncode == 2
    assert f"there is a dev cluster '{NAME}' that is not the demo's" in done.stderr
    assert "Traceback" not in done.stderr
    assert kept.exists()
