"""Replays alerting.jsonl, with the requests to Notifications and to the node itself between them.

The recording took 25 minutes of schedules and waiting, and then an hour's pause. Here the scheduler's clock is set
ahead by the time that passed between two recordings, and runs what is due on the way: no schedule is changed.
Documents, windows and expected times are moved from the day of the recording to now.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
from alerting_replay import AlertingReplay, alerting_of, assemble, shifted
from replay import Recording, judge, merged, unsupported
from serving import Receiver, free_port, serve

FILES = ("core.jsonl", "notifications.jsonl", "alerting.jsonl")
MONITORS = "/_plugins/_alerting/monitors"
PAUSE = 200.0  # seconds: a longer pause in the recording is cut to this


def belongs(recording: Recording) -> bool:
    """All but what is about ISM; the node's own requests are compared in the replay of ISM and Notifications."""
    text = json.dumps(recording.body)
    return "index_state_management" not in recording.path + text


class Recorder:
    """What whoever made the recordings did beside them."""

    def __init__(self, client: httpx.Client, recordings: list[Recording]) -> None:
        self._client = client
        self._samples = documents_of_findings(recordings)
        self._page = next(recording.body for recording in recordings if recording.note == "create q")
        self._leftover: list[str] = []
        self.made: dict[str, str] = {}

    def cleans(self, recording: Recording) -> None:
        """Delete monitors that only showed what is accepted, before time goes on."""
        while self._leftover and recording.note != "dry run of it":
            self._client.delete(f"{MONITORS}/{self._leftover.pop()}").raise_for_status()

    def prepares(self, recording: Recording) -> None:
        """Make and remove what the recording finds, or does not."""
        where = (recording.file, recording.line)
        if where == ("core.jsonl", 52):
            self._write(".ds-docs-ds-000001", "docs-1")
        if where == ("alerting.jsonl", 220):
            self._write(".ds-docs-ds-000002")
        if where == ("alerting.jsonl", 213):
            for number in range(12):
                body = {**self._page, "name": f"page {number}", "enabled": False}
                self._client.post(MONITORS, json=body).raise_for_status()
        if where == ("core.jsonl", 54):
            for name in ("b-mon", "d-mon"):
                self._client.delete(f"{MONITORS}/{self.made[name]}").raise_for_status()
            self._client.delete("/logs-hold").raise_for_status()
        if where == ("notifications.jsonl", 99):
            self._client.delete("/_plugins/_notifications/configs/hold-wh").raise_for_status()
        if where == ("alerting.jsonl", 239):
            self._client.put("/wf-logs").raise_for_status()

    def remembers(self, recording: Recording, answer: Any) -> None:
        """Remember a monitor that was made."""
        if recording.method == "POST" and recording.path == MONITORS and recording.status == 201:
            self.made.setdefault(recording.body["name"], answer["_id"])
            if (recording.note or "").startswith("create: "):
                self._leftover.append(answer["_id"])

    def _write(self, *indices: str) -> None:
        """The documents that recorded findings show, in the order of their times."""
        for index in indices:
            for id_, document in sorted(self._samples[index].items(), key=lambda item: item[1]["@timestamp"]):
                path = f"/docs-ds/_create/{id_}" if index.startswith(".ds-") else f"/{index}/_create/{id_}"
                self._client.put(f"{path}?refresh=true", json=document).raise_for_status()


def documents_of_findings(recordings: list[Recording]) -> dict[str, dict[str, dict[str, Any]]]:
    """Documents by index and id, from the answers that show findings."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for recording in recordings:
        if recording.path.endswith("/findings/_search"):
            for finding in recording.response["findings"]:
                for document in finding["document_list"]:
                    found.setdefault(document["index"], {})[document["id"]] = json.loads(document["document"])
    return found


def test_every_claimed_recording_is_answered_alike(
    empty_node: str, receiver: Receiver, count: Callable[[str, int, int], None]
) -> None:
    with serve(empty_node, assemble) as served, httpx.Client(base_url=served.url, timeout=60) as client:
        alerting = alerting_of(served)
        recordings = shifted(filter(belongs, merged(*FILES)), alerting.clock.now() / 1000, PAUSE)
        recorder = Recorder(client, recordings)
        start = recordings[0].t
        begun = alerting.clock.now()
        nobody = free_port()
        replay = AlertingReplay(
            client,
            substitutions={
                "127.0.0.1:9250": receiver.address,
                '"port": 2525': f'"port": {nobody}',
                "127.0.0.1, 2525": f"127.0.0.1, {nobody}",
            },
        )
        outcomes = []
        for recording in recordings:
            recorder.cleans(recording)
            served.call(alerting.advance(begun + int((recording.t - start) * 1000)))
            recorder.prepares(recording)
            outcome = replay.one(recording)
            recorder.remembers(recording, outcome.response)
            if recording.file == "alerting.jsonl":
                outcomes.append(outcome)
    listed = unsupported("alerting.jsonl")
    for file, (replayed, unclaimed) in judge(outcomes, listed).items():
        count(file, replayed, unclaimed)
