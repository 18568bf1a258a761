"""What the retention guard reads of indices, on a real cluster."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from clusters import Cluster

from provisioner import indices
from provisioner.client import Client
from provisioner.quantities import UNKNOWN
from provisioner.terms import Held


@dataclass(frozen=True)
class Streams:
    """Two data streams of one template, the first under a policy."""

    client: Client
    tag: str

    def stream(self, number: int) -> str:
        return f"facts-{self.tag}-{number}"

    def index(self, number: int, generation: int) -> str:
        return f".ds-{self.stream(number)}-{generation:06}"

    def write(self, number: int, count: int) -> None:
        """Store events."""
        for second in range(count):
            event = {"@timestamp": second, "message": "x" * 100}
            self.client.request("POST", f"/{self.stream(number)}/_doc", event, {"refresh": "true"})


@pytest.fixture
def streams(cluster: Cluster) -> Iterator[Streams]:
    made = Streams(cluster.client(), secrets.token_hex(4))
    request, tag = made.client.request, made.tag
    policy: dict[str, Any] = {
        "description": "facts",
        "default_state": "hot",
        "states": [{"name": "hot", "actions": [{"rollover": {"min_index_age": "9d"}}], "transitions": []}],
        "ism_template": [{"index_patterns": [made.stream(1)], "priority": 1}],
    }
    template = {
        "index_patterns": [f"facts-{tag}-*"],
        "data_stream": {},
        "template": {"settings": {"number_of_replicas": 0}},
    }
    request("PUT", f"/_plugins/_ism/policies/facts-{tag}", {"policy": policy})
    request("PUT", f"/_index_template/facts-{tag}", template)
    time.sleep(0.01)  # a policy attaches to indices that are younger than itself
    try:
        for number in (1, 2):
            request("PUT", f"/_data_stream/{made.stream(number)}")
        yield made
    finally:
        request("DELETE", f"/_data_stream/facts-{tag}-*")
        request("DELETE", f"/_index_template/facts-{tag}")
        request("DELETE", f"/_plugins/_ism/policies/facts-{tag}")


def test_documents_bytes_and_ages_of_streams_and_policies(streams: Streams) -> None:
    client = streams.client
    started = indices.now(client)
    assert abs(started - time.time() * 1000) < 5_000
    streams.write(1, 3)
    client.request("POST", f"/{streams.stream(1)}/_rollover")
    streams.write(1, 1)

    policy, first = ("ism_policy", f"facts-{streams.tag}"), ("data_stream", streams.stream(1))
    second, missing = ("data_stream", streams.stream(2)), ("data_stream", f"{streams.stream(1)}-missing")
    end = time.monotonic() + 20
    while len((found := indices.facts(client, {policy, first, second, missing})).get(policy, ())) < 2:
        assert time.monotonic() < end
        time.sleep(0.2)
    assert found.keys() == {policy, first, second}
    assert found[policy] == found[first]
    for copy in found[policy]:
        assert isinstance(copy, Held)
        assert copy.policy["default_state"] == "hot"
        assert [state["name"] for state in copy.policy["states"]] == ["hot"]
        assert copy.policy["states"][0]["actions"][0]["rollover"] == {"min_index_age": "9d", "copy_alias": False}
        assert copy.state in (None, "hot")
    rolled, written = found[first]
    assert [rolled.name, written.name] == [streams.index(1, 1), streams.index(1, 2)]
    assert [rolled.documents, written.documents] == [3, 1]
    assert rolled.bytes > written.bytes > 208
    assert rolled.rolled_over is not None
    assert started - 5_000 < rolled.created <= indices.now(client) + 1_000
    assert rolled.created - 250 <= rolled.rolled_over <= indices.now(client) + 1_000  # by a clock read every 200 ms
    assert rolled.created < written.created
    assert written.rolled_over is None
    (alone,) = found[second]
    assert (alone.name, alone.documents) == (streams.index(2, 1), 0)


def test_closed_indices_and_those_that_are_gone(streams: Streams) -> None:
    client = streams.client
    streams.write(2, 1)
    client.request("POST", f"/{streams.stream(2)}/_rollover")
    client.request("POST", f"/{streams.index(2, 1)}/_close")
    ref = ("data_stream", streams.stream(2))
    closed, _ = indices.facts(client, [ref])[ref]
    assert (closed.documents, closed.bytes, closed.rolled_over is None) == (UNKNOWN, UNKNOWN, False)
    assert list(indices._read(client, [streams.index(2, 9)])) == []
    assert indices.facts(client, [("ism_policy", "missing"), ("monitor", "x")]) == {}


def test_few_requests_for_many_indices(streams: Streams, monkeypatch: pytest.MonkeyPatch) -> None:
    client = streams.client
    for _ in range(4):
        client.request("POST", f"/{streams.stream(1)}/_rollover")
    asked: list[str] = []
    request = client.request

    def counted(method: str, path: str, *rest: Any, **more: Any) -> Any:
        asked.append(path)
        return request(method, path, *rest, **more)

    monkeypatch.setattr(client, "request", counted)
    ref = ("data_stream", streams.stream(1))
    assert len(indices.facts(client, [ref])[ref]) == 5
    assert len(asked) == 3
