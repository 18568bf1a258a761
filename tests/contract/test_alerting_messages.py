"""Replays messages.jsonl and email.jsonl, and compares what receivers got: deliveries.jsonl and emails.json."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from email import message_from_bytes, message_from_string
from email.message import Message

import httpx
from alerting_replay import AlertingReplay, alerting_of, assemble, shifted
from replay import RECORDINGS, Outcome, judge, load
from serving import Mailbox, Receiver, serve

PAUSE = 200.0
# Ids, executions and times that are printed into messages.
MASKS = (
    (re.compile(r"execution_id(\":\"|=)[^,\"]*"), r"execution_id\1<execution>"),
    (re.compile(r"\bid(\":\"|=)[A-Za-z0-9_-]{20}"), r"id\1<id>"),
    (re.compile(r"(_time\":|_time=)\d+"), r"\1<ms>"),
    (re.compile(r"took=\d+"), "took=<ms>"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "<time>"),
)


def replayed(node_url: str, file: str, substitutions: dict[str, str]) -> list[Outcome]:
    """Replay one file from its first recording on."""
    with serve(node_url, assemble) as served, httpx.Client(base_url=served.url, timeout=60) as client:
        alerting = alerting_of(served)
        begun = alerting.clock.now()
        recordings = shifted(load(file), begun / 1000, PAUSE)
        replay = AlertingReplay(client, substitutions=substitutions)
        # Each part begins by deleting what the part before left: the first finds something to delete.
        for recording in recordings[:3]:
            if recording.method == "DELETE" and recording.status == 200 and not recording.path.startswith("/_"):
                client.put(recording.path).raise_for_status()
        outcomes = []
        for recording in recordings:
            served.call(alerting.advance(begun + int((recording.t - recordings[0].t) * 1000)))
            outcomes.append(replay.one(recording))
    return outcomes


def masked(text: str) -> str:
    for pattern, mask in MASKS:
        text = pattern.sub(mask, text)
    return text


def test_messages_are_rendered_and_delivered_alike(
    empty_node: str, receiver: Receiver, count: Callable[[str, int, int], None]
) -> None:
    outcomes = replayed(empty_node, "messages.jsonl", {"127.0.0.1:9250": receiver.address})
    for file, (equal, unclaimed) in judge(outcomes, []).items():
        count(file, equal, unclaimed)
    recorded = [json.loads(line) for line in (RECORDINGS / "deliveries.jsonl").read_text().splitlines()]
    assert [masked(got.body) for got in receiver.got] == [masked(delivery["body"]) for delivery in recorded]
    for got, delivery in zip(receiver.got, recorded, strict=True):
        assert (got.method, got.path) == (delivery["method"], delivery["path"])
        assert got.headers["X-Routing"] == delivery["headers"]["X-Routing"] == "k1"
    count("deliveries.jsonl", len(recorded), 0)


def test_mails_are_rendered_and_delivered_alike(
    empty_node: str, mailbox: Mailbox, count: Callable[[str, int, int], None]
) -> None:
    outcomes = replayed(empty_node, "email.jsonl", {'"port": 2525': f'"port": {mailbox.port}'})
    for file, (equal, unclaimed) in judge(outcomes, []).items():
        count(file, equal, unclaimed)
    recorded = json.loads((RECORDINGS / "emails.json").read_text())
    expected = sorted(content(message_from_string(mail["data"])) for mail in recorded)
    assert sorted(content(message_from_bytes(mail.data)) for mail in mailbox.got) == expected


def content(mail: Message) -> tuple[str, ...]:
    """Who gets what: header lines and the texts of all parts."""
    texts = [str(part.get_payload()).replace("\r\n", "\n").strip() for part in mail.walk() if not part.is_multipart()]
    return str(mail["From"]), str(mail["To"]), str(mail["Subject"]), *texts
