"""Lanes: where the cases of a fault campaign run side by side.

A lane is an owner, a namespace and a log type of its own, behind a fault proxy of its own: lanes share nothing but the
cluster, so that ten seconds of waiting in one of them hold up no other.
"""

from __future__ import annotations

import os
import pathlib
import secrets
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from clusters import ROOT, Cluster, Repository, _remove_all, failed_logins
from faulteffects import proxied
from faultproxy import FaultProxy
from faultrepository import write

from provisioner import deploy, repository
from provisioner.client import path
from provisioner.cluster import Cluster as ClusterOf
from provisioner.model import Options

LOG_TYPES = ("application", "audit", "network", "system", "authentication")
PATIENT, IMPATIENT = 60, 5
"""Seconds that a command waits for an answer: less only where the proxy stalls, for a busy machine stalls as well."""
SETTLED = 4.0
"""Seconds after which no run that began before has anything left to write: two intervals of the monitor."""


@dataclass
class Lane:
    """`repository` reaches the cluster through the proxy, as its commands do; `direct` without, for looking."""

    repository: Repository
    direct: Repository
    proxy: FaultProxy
    log_type: str
    hook: str
    version: int = 0
    past: frozenset[str] = frozenset()

    def turn(self, version: int) -> None:
        """Put this version on the disk."""
        write(self.repository, version, self.log_type, self.hook)
        self.version = version

    def wait(self, seconds: int) -> None:
        """How long commands wait for an answer from now on."""
        self.repository.settings(timeout=seconds, catch=None)

    def other(self) -> int:
        """The version that the repository is not."""
        return 3 - self.version

    def run(self, *arguments: str) -> Any:
        """The real command line, through the proxy."""
        return self.repository.run(*arguments, FAULTLAB_KEY="key")

    def pending(self) -> list[str]:
        """What a plan would change, asked for in this process: a campaign asks a thousand times."""
        loaded = repository.load(self.repository.root)
        _, planned = deploy.look(ClusterOf(loaded.settings), deploy.Wanted(loaded.resources, Options(prune=True)))
        return [f"{change.action} {change.kind} {change.key}: {change.why}" for change in planned.pending]

    def empty(self) -> None:
        """Remove all from the cluster, the state included."""
        _remove_all(self.direct)

    def bursts(self) -> None:
        """Events that make two alerts of the watched rule; those of monitors that were removed don't count any more."""
        self.past = frozenset(alert["id"] for alert in self._alerts())
        failed_logins(self.direct, ("alice", "bob") * 10, self.log_type)

    def alerts(self) -> dict[str, tuple[str, str]]:
        """The watched rule's alerts: the user to id and state, which says why where it is ERROR."""
        mine = [alert for alert in self._alerts() if alert["id"] not in self.past]
        states = {a["id"]: a["state"] + (f": {a['error_message']}" if a.get("error_message") else "") for a in mine}
        found = {a["agg_alert_content"]["bucket_keys"][1]: (a["id"], states[a["id"]]) for a in mine}
        assert len(found) == len(mine), f"several alerts about one user: {mine}"
        return found

    def _alerts(self) -> list[dict[str, Any]]:
        answer = self.direct.client.request("GET", "/_plugins/_alerting/monitors/alerts", params={"size": 1000})
        return [alert for alert in answer["alerts"] if alert["monitor_name"] == f"{self.direct.owner}-watched"]

    def acknowledged(self) -> dict[str, tuple[str, str]]:
        """Wait for the alerts, acknowledge Alice's; the alerts then.

        A run of the monitor that is under way overwrites an acknowledgement, in the real plugin as well: so it is given
        until no run takes it back any more.
        """
        end, quiet = time.monotonic() + 90, 0.0
        monitor = next(v for k, v in self.direct.objects().items() if k == f"monitor {self.direct.owner}-watched")
        address = path("_plugins", "_alerting", "monitors", monitor["_id"], "_acknowledge", "alerts")
        while not quiet or time.monotonic() - quiet < SETTLED:
            assert time.monotonic() < end, "no alerts that can be acknowledged"
            found = self.alerts()
            if len(found) == 2 and found["alice"][1] != "ACKNOWLEDGED":
                self.direct.client.request("POST", address, {"alerts": [found["alice"][0]]})
                quiet = time.monotonic()
            time.sleep(0.2)
        return self.alerts()


class _Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # by default 5 may wait, of all lanes; one more waits for seconds, which is an error


@contextmanager
def receiver() -> Iterator[str]:
    """Where notifications go: a monitor whose message can't be delivered has alerts in state ERROR."""
    server = _Server(("127.0.0.1", 0), _Receiver)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def lane(cluster: Cluster, folder: pathlib.Path, log_type: str, hook: str) -> Iterator[Lane]:
    """A lane whose repository is version 1; all that it made in the cluster is removed at the end."""
    tag = secrets.token_hex(4)
    direct = Repository(folder / f"lane-{log_type}", cluster, f"lab-{tag}", f"ns{tag}")
    for part in ("channels", "index", "messages", "monitors", "pipelines", "policies", "schema"):
        shutil.copytree(ROOT / "templates" / part, direct.root / "templates" / part)
    for other in LOG_TYPES:
        (direct.root / f"templates/index/{other}.yml").unlink()
    shutil.copy(ROOT / "templates/redaction.yml", direct.root / "templates/redaction.yml")
    os.environ["FAULTLAB_KEY"] = "key"  # for plans in this process
    with proxied(cluster) as proxy:
        through = replace(direct, cluster=replace(cluster, url=proxy.url))
        made = Lane(through, direct, proxy, log_type, hook)
        made.wait(PATIENT)
        made.turn(1)
        try:
            yield made
        finally:
            proxy.arm(None)
            proxy.settle()
            made.empty()
