"""The pipeline on the real server and the Redactor in Python: the same events come out, whatever goes in."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Iterator
from typing import Any

import harmless
import pytest
import turns
from clusters import Cluster
from pack_cluster import ROOT, Pack, redaction
from redactionevents import HOSTILE, Maker

from provisioner.client import Client
from provisioner.errors import ApiError
from provisioner.redaction import Catalogue, Redactor

OWNER, NAMESPACE = "parity", "paritytests"
SHIPPED = Catalogue.load(ROOT / "templates/redaction.yml")
OPTIONS: dict[str, dict[str, Any]] = {
    "credit_card": {"action": "partial", "allow": ["4111111111111111", "378282246310005"]},
    "iban": {"action": "drop"},
    "api_key": {"action": "partial"},
    "email": {"enabled": False, "action": "pseudonym", "log_types": {"application": True}},
    "phone": {"enabled": True, "log_types": {"application": False}},
    "ssn": {"fields": ["message", "labels", "a"]},
    "password": {"except": ["note", "context", "labels.note"]},
}


def catalogue(options: dict[str, dict[str, Any]]) -> Catalogue:
    body = copy.deepcopy(SHIPPED.body)
    for detector in body["detectors"]:
        detector.update(options.get(detector["name"], {}))
    return Catalogue(body, "test")


def pipeline(options: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The pipeline of a catalogue."""
    return redaction(catalogue(options).body, OWNER, NAMESPACE)


class Both:
    """One catalogue on both sides."""

    def __init__(self, client: Client, name: str, options: dict[str, dict[str, Any]]) -> None:
        self.client, self.path = client, f"/_ingest/pipeline/{OWNER}-{name}"
        self.redactor = Redactor(catalogue(options), "application")
        client.request("PUT", self.path, pipeline(options))

    def native(self, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        docs = [{"_index": f"logs-application-{NAMESPACE}", "_source": event} for event in events]
        answer = self.client.request("POST", f"{self.path}/_simulate", {"docs": docs})
        return [item["doc"]["_source"] for item in answer["docs"]]

    def differences(self, events: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
        """Events that come out in two ways, in one form of writing; none of them may be written here as it came in."""
        pairs = zip(events, self.native(events), strict=True)
        made = [(canonical(event), canonical(got), canonical(self.redactor.event(event))) for event, got in pairs]
        return [each for each in made if each[1] != each[2]]


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


@pytest.fixture(scope="module", params=["shipped", "options"])
def both(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[Both]:
    client = cluster.client()
    made = Both(client, request.param, OPTIONS if request.param == "options" else {})
    yield made
    client.request("DELETE", made.path)


def campaign(both: Both, seed: int, count: int) -> int:
    """How many of so many events were changed. Each must come out the same, and a second pass must change none."""
    maker = Maker(seed, SHIPPED.body)
    changed = 0
    for _ in range(count // 200):
        events = [maker.event() for _ in range(200)]
        once = both.native(events)
        wanted = [both.redactor.event(event) for event in events]
        assert [canonical(event) for event in once] == [canonical(event) for event in wanted]
        again = [canonical(event) for event in both.native(once)]
        assert again == [canonical(event) for event in once]
        changed += sum(canonical(a) != canonical(b) for a, b in zip(events, once, strict=True))
    return changed


def test_made_up_events_come_out_the_same(both: Both) -> None:
    assert campaign(both, 1, 1_000) > 500


@pytest.mark.long
def test_fifty_thousand_events_come_out_the_same(both: Both) -> None:
    assert campaign(both, 100, 25_000) > 12_500


def test_the_catalogues_examples_on_the_server(both: Both) -> None:
    texts = [text for d in SHIPPED.body["detectors"] for kind in d["examples"].values() for text in kind]
    assert len(texts) > 40
    assert both.differences([{"message": text, "labels": {text: [text]}} for text in texts]) == []


def test_client_then_cluster_is_once(both: Both) -> None:
    """What a client made pseudonyms of and redacted is left alone by the pipeline."""
    key = {"pseudonym_key": b"k" * 16, "key_id": "k1"}
    client = Redactor(both.redactor.catalogue, "application", **key)  # type: ignore[arg-type]
    maker = Maker(9, SHIPPED.body)
    events = [client.event(maker.event()) for _ in range(300)]
    assert [canonical(event) for event in both.native(events)] == [canonical(event) for event in events]


def test_harmless_strings_stay_on_the_server(both: Both) -> None:
    strings = harmless.strings()
    assert len(strings) >= 2_000
    events = [{"message": text, "labels": {"value": [text]}} for text in strings]
    for i in range(0, len(events), 500):
        assert both.native(events[i : i + 500]) == events[i : i + 500]


@pytest.mark.parametrize("size", [20_000, pytest.param(400_000, marks=pytest.mark.long)])
def test_no_text_makes_the_script_slow(both: Both, size: int) -> None:
    """400,000 characters of what a finder could begin with.

    Went one through the rest of the text at each place, that would take minutes (10^10 steps), or end at the limit of a
    million turns, and the content would be gone.
    """
    for unit in HOSTILE:
        text = unit * (size // len(unit)) + " pin=hunter2"
        begin = time.monotonic()
        (got,) = both.native([{"message": text}])
        assert time.monotonic() - begin < 30, unit
        assert "hunter2" not in got["message"], unit
        assert canonical(got) == canonical(both.redactor.event({"message": text})), unit


@pytest.mark.parametrize(("small", "large"), [(1_000, 16_000), pytest.param(1_000, 256_000, marks=pytest.mark.long)])
def test_the_scripts_turns_grow_with_the_text(both: Both, small: int, large: int) -> None:
    """By count, in the server's engine: turns of all loops, and characters that searches go over (see `turns`).

    What is quadratic would have 16 times as many for a character of the longer text (256).
    """
    path = both.path + "-turns"
    both.client.request("PUT", path, turns.pipeline(pipeline(OPTIONS)))
    try:
        found = {}
        for unit in HOSTILE:
            texts = [(unit * (size // len(unit) + 1))[:size] for size in (small, large)]
            docs = [{"_index": f"logs-application-{NAMESPACE}", "_source": {"message": text}} for text in texts]
            answer = both.client.request("POST", f"{path}/_simulate", {"docs": docs})
            made = [item["doc"]["_source"] for item in answer["docs"]]
            assert all(event["turns"] > len(text) for event, text in zip(made, texts, strict=True)), (unit, made)
            found[unit] = made[1]["turns"] / large / (made[0]["turns"] / small)
    finally:
        both.client.request("DELETE", path)
    assert len(found) > 40
    assert {unit: ratio for unit, ratio in found.items() if ratio > 4} == {}


def test_the_count_of_turns_sees_what_is_quadratic(cluster: Cluster) -> None:
    body = pipeline({})
    script = body["processors"][-1]["script"]
    head = "  for (int at = text.indexOf('sig='); at >= 0; at = text.indexOf('sig=', at + 4)) {"
    assert head in script["source"]
    script["source"] = script["source"].replace(head, head + " int way = text.indexOf('@', 0);")
    client, path = cluster.client(), f"/_ingest/pipeline/{OWNER}-quadratic"
    client.request("PUT", path, turns.pipeline(body))
    docs = [{"_index": f"logs-application-{NAMESPACE}", "_source": {"message": "?sig=" * n}} for n in (200, 3200)]
    few, many = client.request("POST", f"{path}/_simulate", {"docs": docs})["docs"]
    client.request("DELETE", path)
    assert many["doc"]["_source"]["turns"] > 100 * few["doc"]["_source"]["turns"]


SECRET = {"@timestamp": "2026-05-11T14:23:45.123Z", "category": "authentication", "action": "login_failed",
          "severity": "warning", "message": "password=hunter2", "actor": {"username": "4111111111111111"}}  # fmt: skip
BREAKS = {
    "throws": "throw new IllegalStateException('' + ctx.message);",
    "loops without end": "while (true) { int x = 1; }",
    "recurses without end": "int f(int x) { return f(x + 1) + 1; } f(1);",
    "divides by what is not there": "ctx.x = ctx.message.length() / ctx.nothing.x;",
    "puts a thing that refers to itself": "ctx.message = ctx;",
}


@pytest.mark.parametrize("words", BREAKS)
def test_a_script_that_breaks_stores_no_content(pack: Pack, words: str) -> None:
    """On purpose, in every stream's own last pipeline; the event is kept without what a sender wrote."""
    path = "/_ingest/pipeline/pack-tests-redaction"
    body = pack.body("ingest_pipeline", "redaction")
    broken = copy.deepcopy(body)
    broken["processors"][-1]["script"]["source"] = BREAKS[words]
    pack.clear("application")
    pack.client.request("PUT", path, broken)
    try:
        for pipeline in (None, "_none"):
            (answer,) = pack.ship("application", [SECRET], pipeline)
            assert answer["status"] == 201, answer
    finally:
        pack.client.request("PUT", path, body)
    stored = pack.search("application")
    assert len(stored) == 2
    for event in stored:
        assert "hunter2" not in canonical(event)
        assert "4111" not in canonical(event)
        assert event["message"] == "[content_REDACTED]"
        assert event["ingest"]["redacted"] == {"detectors": ["failure"], "fields": ["*"]}
        assert event["action"] == "login_failed"


@pytest.mark.parametrize(
    "message", ["password=hunter2 " + "x" * 1_100_000, "4111111111111111 " * 80_000], ids=["long", "many"]
)
def test_a_script_at_its_limits_stores_no_content(pack: Pack, message: str) -> None:
    pack.clear("application")
    (answer,) = pack.ship("application", [SECRET | {"message": message}])
    assert answer["status"] == 201, answer
    (stored,) = pack.search("application")
    assert stored["message"] == "[content_REDACTED]"
    assert "4111" not in canonical(stored)


def test_a_pipeline_that_breaks_altogether_refuses_the_event(pack: Pack) -> None:
    """Both scripts broken: nothing is stored, and the answer doesn't repeat what was in it."""
    path = "/_ingest/pipeline/pack-tests-redaction"
    body = pack.body("ingest_pipeline", "redaction")
    broken = copy.deepcopy(body)
    for part in (broken["processors"], broken["on_failure"]):
        part[-1]["script"]["source"] = "throw new IllegalStateException('broken');"
    pack.clear("application")
    pack.client.request("PUT", path, broken)
    try:
        (answer,) = pack.ship("application", [SECRET])
    finally:
        pack.client.request("PUT", path, body)
    assert answer["status"] >= 400
    assert "hunter2" not in canonical(answer)
    assert pack.search("application") == []


def test_a_broken_source_is_refused_by_the_server(cluster: Cluster) -> None:
    body = pipeline({})
    body["processors"][-1]["script"]["source"] += "}"
    with pytest.raises(ApiError, match="compile error"):
        cluster.client().request("PUT", f"/_ingest/pipeline/{OWNER}-broken", body)
