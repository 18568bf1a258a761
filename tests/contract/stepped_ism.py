"""ISM with a clock that tests set forward: days pass in a moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from serving import serve

from provisioner.devcluster.standin.ism.clock import Clock
from provisioner.devcluster.standin.ism.plugin import IsmPlugin
from provisioner.devcluster.standin.node import Node
from provisioner.devcluster.standin.notifications.plugin import NotificationsPlugin
from provisioner.devcluster.standin.plugin import Plugin
from provisioner.devcluster.standin.settings import ClusterSettings

ISM = "/_plugins/_ism"
STEP = 12 * 3600  # seconds between two jobs of an index: few, so that days pass quickly
DAY = 2 * STEP


class SteppedIsm(IsmPlugin):
    """ISM whose jobs run only when the test sets the clock forward."""

    async def start(self) -> None:
        """Start no background loop."""


def assemble(node: Node) -> Sequence[Plugin]:
    settings = ClusterSettings(node)
    notifier = NotificationsPlugin(node, settings)
    return [settings, notifier, SteppedIsm(node, notifier, settings, STEP, Clock())]


@dataclass
class Ism:
    """The API, and a clock that passes when told to. A job runs twice a day."""

    client: httpx.Client
    forward: Any

    def policy(self, id_: str, states: list[dict[str, Any]], **more: Any) -> None:
        body = {"description": id_, "default_state": states[0]["name"], "states": states, **more}
        self.client.put(f"{ISM}/policies/{id_}", json={"policy": body}).raise_for_status()

    def index(self, name: str, policy: str, **body: Any) -> None:
        self.client.put(f"/{name}", json=body).raise_for_status()
        added = self.client.post(f"{ISM}/add/{name}", json={"policy_id": policy}).json()
        assert added == {"updated_indices": 1, "failures": False, "failed_indices": []}

    def explain(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get(f"{ISM}/explain/{name}").json()[name]
        return found

    def settings(self, name: str) -> dict[str, Any]:
        answer = self.client.get(f"/{name}/_settings", params={"flat_settings": True, "expand_wildcards": "all"})
        found: dict[str, Any] = answer.json()[name]["settings"]
        return found

    def exists(self, name: str) -> bool:
        return self.client.head(f"/{name}").status_code == 200

    def steps(self, count: int) -> None:
        self.forward(count * STEP + 1)


@contextmanager
def stepped(node_url: str) -> Iterator[Ism]:
    """ISM in front of this node."""
    with serve(node_url, assemble) as served, httpx.Client(base_url=served.url, timeout=60) as client:
        plugin = next(p for p in served.plugins if isinstance(p, IsmPlugin))

        def forward(seconds: float) -> None:
            served.call(plugin.jobs.run_until(plugin.clock.now() + int(seconds * 1000)))

        yield Ism(client, forward)


def state(name: str, *actions: dict[str, Any], to: str | None = None, when: Any = None) -> dict[str, Any]:
    transition = {"state_name": to, **({"conditions": when} if when else {})}
    return {"name": name, "actions": list(actions), "transitions": [transition] if to else []}
