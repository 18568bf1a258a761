"""Replays notifications.jsonl and ism.jsonl, with the requests to the node itself (core.jsonl) between them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import httpx
from replay import Recording, Replay, judge, merged, unsupported
from serving import Receiver, free_port, serve

from provisioner.devcluster.standin.ism.clock import Clock
from provisioner.devcluster.standin.ism.plugin import IsmPlugin
from provisioner.devcluster.standin.node import Node
from provisioner.devcluster.standin.notifications.plugin import NotificationsPlugin
from provisioner.devcluster.standin.plugin import Plugin
from provisioner.devcluster.standin.settings import ClusterSettings

FILES = ("core.jsonl", "notifications.jsonl", "ism.jsonl")
POLICIES = "/_plugins/_ism/policies"


class RecordedClock(Clock):
    """The time of the recording. It stands still between requests, but for a millisecond each time it is looked at."""

    def __init__(self) -> None:
        super().__init__()
        self._now = int(time.time() * 1000)

    def now(self) -> int:
        """The time, in milliseconds."""
        self._now += 1
        return self._now

    def of_node(self, when: int) -> int:
        """What the node has just done, it has done now."""
        return self._now

    def set_forward(self, to: int) -> None:
        """Go to `to`, unless it is past."""
        self._now = max(self._now, to)


class SteppedIsm(IsmPlugin):
    """ISM whose jobs run only when the replay sets the clock forward."""

    async def start(self) -> None:
        """Start no background loop."""


def assemble(node: Node) -> Sequence[Plugin]:
    settings = ClusterSettings(node)
    notifier = NotificationsPlugin(node, settings)
    return [settings, notifier, SteppedIsm(node, notifier, settings, 300.0, RecordedClock())]


def test_every_claimed_recording_is_answered_alike(
    empty_node: str, receiver: Receiver, count: Callable[[str, int, int], None]
) -> None:
    nobody = free_port()
    with (
        serve(empty_node, assemble) as served,
        httpx.Client(base_url=served.url, timeout=60) as client,
    ):
        ism = next(plugin for plugin in served.plugins if isinstance(plugin, IsmPlugin))
        recorded = ism.clock.now()

        def advance(seconds: float) -> None:
            nonlocal recorded
            recorded += int(seconds * 1000)
            served.call(ism.jobs.run_until(recorded, sweeping=False))

        def unrecorded(recording: Recording) -> None:
            """Do what the recorder did beside the recordings."""
            where = (recording.file, recording.line)
            if where == ("ism.jsonl", 105):
                policy = {"description": "p", "default_state": "s", "states": [{"name": "s"}]}
                for number in range(25):
                    client.put(f"{POLICIES}/pg-{number:02}", json={"policy": policy}).raise_for_status()
            if where == ("ism.jsonl", 107):
                for number in range(25):
                    client.delete(f"{POLICIES}/pg-{number:02}").raise_for_status()
            if where == ("notifications.jsonl", 99):
                client.delete("/_plugins/_notifications/configs/hold-wh").raise_for_status()
            if where == ("core.jsonl", 54):
                client.delete("/logs-hold").raise_for_status()

        def cleaned(recording: Recording) -> None:
            """The recorder deleted each policy that was only to show what is accepted."""
            if (recording.note or "").startswith("policy: ") and recording.status == 201:
                client.delete(recording.path).raise_for_status()
            if recording.file == "core.jsonl" and recording.method in ("PUT", "POST"):
                served.call(ism.jobs.sweep())  # new indexes are as old as the recording's time says

        replay = Replay(
            client,
            substitutions={
                "127.0.0.1:9250": receiver.address,
                '"port": 2525': f'"port": {nobody}',
                "127.0.0.1, 2525": f"127.0.0.1, {nobody}",
            },
            advance=advance,
            unrecorded=unrecorded,
            cleaned=cleaned,
        )
        listed = unsupported(*FILES)
        outcomes = replay.run(merged(*FILES), listed)
    for file, (replayed, unclaimed) in judge(outcomes, listed).items():
        count(file, replayed, unclaimed)
