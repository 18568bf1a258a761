"""Rules that are really applied, run minute by minute as their schedule says, and what a receiver got of them.

The stand-in's clock is set, so an hour needs no hour, and alerts, throttles and messages are those of the time that a
test names. Everything else is real: the command line, the node that searches, the requests that arrive.
"""

from __future__ import annotations

import json
import pathlib
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import yaml
from alerting_replay import alerting_of
from serving import Receiver, Served, serve

from provisioner.devcluster.standin.alerting import AlertingPlugin
from provisioner.devcluster.standin.alerting.clock import Clock
from provisioner.devcluster.standin.ism.plugin import IsmPlugin
from provisioner.devcluster.standin.node import Node
from provisioner.devcluster.standin.notifications.plugin import NotificationsPlugin
from provisioner.devcluster.standin.plugin import Plugin
from provisioner.devcluster.standin.settings import ClusterSettings

ROOT = pathlib.Path(__file__).parents[2]
MINUTE = 60_000
MONITORS, CHANNELS = "/_plugins/_alerting/monitors", "/_plugins/_notifications/configs"
COMPILATIONS = "script.context.template.max_compilations_rate"
CHANNEL = {"kind": "channel", "id": "hook", "title": "Hook", "type": "webhook", "url": "https://example.org/hook"}


class SetClock(Clock):
    """Shows the time to which it was set, months ago if need be, and goes on when told to."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self._at = at

    def now(self) -> int:
        return self._at

    def go_to(self, moment: int) -> None:
        self._at = max(self._at, moment)
        super().go_to(moment)


@dataclass(frozen=True, order=True)
class Told:
    """One message: of which rule, about which keys, and the end of the run that sent it (milliseconds since 1970)."""

    rule: str
    keys: tuple[str, ...]
    at: int


@dataclass
class Stage:
    """A repository on a cluster, and time that passes when told to."""

    client: httpx.Client
    served: Served
    receiver: Receiver
    owner: str
    namespace: str
    folder: pathlib.Path
    _read: int = field(default=0)

    def apply(self) -> None:
        """Make the cluster as the repository says, by the real command."""
        command = [sys.executable, "-m", "provisioner", "apply", "--yes", "--repository", str(self.folder)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr

    def now(self) -> int:
        """The time."""
        return alerting_of(self.served).clock.now()

    def go_to(self, moment: int) -> None:
        """Let every monitor run at each time at which it is due until then."""
        self.served.call(alerting_of(self.served).advance(moment))

    def ship(self, log_type: str, events: Iterable[Mapping[str, Any]], pipeline: str | None = None) -> None:
        """Store events, in this order."""
        lines = "".join(f'{{"create":{{}}}}\n{json.dumps(event)}\n' for event in events)
        if not lines:
            return
        params = {"refresh": "true"} | ({"pipeline": f"{self.owner}-{pipeline}"} if pipeline else {})
        headers = {"content-type": "application/x-ndjson"}
        path = f"/logs-{log_type}-{self.namespace}/_bulk"
        answer = self.client.post(path, params=params, content=lines, headers=headers).json()
        assert not answer["errors"], answer

    def set(self, settings: Mapping[str, Any]) -> None:
        """Settings of the cluster."""
        self.client.put("/_cluster/settings", json={"persistent": settings}).raise_for_status()

    def told(self) -> list[Told]:
        """What the receiver got since the last time it was asked."""
        new = self.receiver.got[self._read :]
        self._read += len(new)
        found = []
        for got in new:
            body = json.loads(got.body)
            at = datetime.fromisoformat(body["run"]).astimezone(UTC)
            found.append(Told(body["rule"]["id"], tuple(body["keys"].split(",")), int(at.timestamp() * 1000)))
        return found

    def errors(self) -> list[Any]:
        """Alerts that say that something went wrong."""
        found = self.client.get(f"{MONITORS}/alerts", params={"size": 1000, "alertState": "ERROR"}).json()["alerts"]
        return [alert["error_message"] for alert in found]

    def remove(self) -> None:
        """Take away all that was made: other tests use the same node."""
        self.set({"plugins.alerting.max_actionable_alert_count": None, COMPILATIONS: None})
        query = {"size": 1000, "query": {"match_all": {}}}
        for hit in self.client.post(f"{MONITORS}/_search", json=query).json()["hits"]["hits"]:
            monitor = hit["_source"].get("monitor", hit["_source"])
            if monitor["name"].startswith(f"{self.owner}-"):
                self.client.delete(f"{MONITORS}/{hit['_id']}")
        self.client.delete(f"{CHANNELS}/{self.owner}-{CHANNEL['id']}")
        self.client.delete(f"/_data_stream/logs-*-{self.namespace}")
        for kind in ("_index_template", "_component_template", "_ingest/pipeline"):
            self.client.delete(f"/{kind}/{self.owner}-*")
        self.client.delete(f"/.provisioner-{self.owner}")


@contextmanager
def stage(
    node_url: str, receiver: Receiver, folder: pathlib.Path, begin: int, rules: Sequence[Mapping[str, Any]]
) -> Iterator[Stage]:
    """The starter pack's templates with these rules alone, all sent to one receiver as JSON, applied at `begin`."""

    def assemble(node: Node) -> Sequence[Plugin]:
        settings = ClusterSettings(node)
        notifier = NotificationsPlugin(node, settings)
        ism = IsmPlugin(node, notifier, settings, 60.0)
        return [settings, notifier, ism, AlertingPlugin(node, notifier, SetClock(begin), settings)]

    tag = secrets.token_hex(4)
    with serve(node_url, assemble) as served, httpx.Client(base_url=served.url, timeout=60) as client:
        made = Stage(client, served, receiver, f"told-{tag}", f"told{tag}", folder)
        made.set({COMPILATIONS: "10000/1m"})
        _write(made, rules)
        try:
            made.apply()
            yield made
        finally:
            made.remove()


def _write(made: Stage, rules: Sequence[Mapping[str, Any]]) -> None:
    for name in ("templates", "ilm", "docs/runbooks"):
        shutil.copytree(ROOT / name, made.folder / name)
    (made.folder / "rules").mkdir()
    shutil.copy(ROOT / "rules" / "events.yml", made.folder / "rules")
    levels = list(yaml.safe_load_all((ROOT / "rules" / "severities.yml").read_text()))
    levels = [{**level, "channels": ["hook"], "throttle": level.get("throttle", "1h")} for level in levels]
    (made.folder / "rules" / "all.yml").write_text(yaml.safe_dump_all([CHANNEL, *levels, *rules]))
    catch = {"http": f"http://{made.receiver.address}", "smtp": "127.0.0.1:9"}
    target = {"hosts": [made.served.url], "namespace": made.namespace, "catch": catch, "vars": {"replicas": 0}}
    (made.folder / "provisioner.yml").write_text(yaml.safe_dump({"owner": made.owner, "targets": {"t": target}}))


def shipped(name: str) -> dict[str, Any]:
    """A rule of the starter pack as it is."""
    (found,) = (ROOT / "rules" / "detections").glob(f"*/{name}.yml")
    rule: dict[str, Any] = yaml.safe_load(found.read_text())
    return rule
