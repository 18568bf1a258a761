"""The starter pack on the cluster of all tests, for those named test_pack_*."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter
from typing import Any

import pytest
from clusters import Cluster

from provisioner import source
from provisioner.client import Client
from provisioner.compile import Compiler
from provisioner.kinds import all_kinds
from provisioner.model import Body, Ref, Resource
from provisioner.settings import Settings, Target

ROOT = pathlib.Path(__file__).parents[2]
OWNER, NAMESPACE = "pack-tests", "packtests"
STREAMS = ("application", "audit", "authentication", "network", "system")


def resources(url: str = "http://127.0.0.1:9", **target: Any) -> dict[Ref, Resource]:
    """The repository's own rules/, templates/ and ilm/, compiled; each document must be without findings."""
    options = {"vars": {"replicas": 0}, "namespace": NAMESPACE} | target
    chosen = Settings(OWNER, Target("tests", (url,), **options))
    read = source.load(ROOT, chosen.target.vars)
    desired = Compiler(ROOT, chosen, read).run()
    assert not read.findings
    assert not desired.findings
    return {(resource.kind, resource.key): resource for resource in desired.resources}


@dataclass(frozen=True)
class Pack:
    """What the tests ask the cluster."""

    client: Client
    resources: dict[Ref, Resource]

    def body(self, kind: str, id_: str) -> dict[str, Any]:
        """The compiled body of a document's resource."""
        return self.resources[kind, f"{OWNER}-{id_}"].body

    def simulate(self, pipeline: str, events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """The events as a pipeline leaves them, the redaction without what runs before it; nothing is stored."""
        docs = [{"_source": event} for event in events]
        path = f"/_ingest/pipeline/{OWNER}-{pipeline}/_simulate"
        if pipeline == "redaction":
            body = {"pipeline": redaction(), "docs": docs}
            answer = self.client.request("POST", "/_ingest/pipeline/_simulate", body)
            return [item["doc"]["_source"] for item in answer["docs"]]
        return [item["doc"]["_source"] for item in self.client.request("POST", path, {"docs": docs})["docs"]]

    def ship(
        self, log_type: str, events: Iterable[dict[str, Any]], pipeline: str | None = None
    ) -> list[dict[str, Any]]:
        """Store events in a data stream; the answer for each. `pipeline` is a document's id or `_none`."""
        lines = [line for event in events for line in ({"create": {}}, event)]
        name = {None: {}, "_none": {"pipeline": "_none"}}.get(pipeline, {"pipeline": f"{OWNER}-{pipeline}"})
        body = "\n".join(map(json.dumps, lines)) + "\n"
        answer = self.client.request("POST", f"/{stream(log_type)}/_bulk", body, {"refresh": "true", **name})
        return [item["create"] for item in answer["items"]]

    def search(self, log_type: str, **body: Any) -> list[dict[str, Any]]:
        """The stored events that a search finds, oldest first."""
        query = {"size": 10_000, "sort": ["@timestamp"], **body}
        return [
            hit["_source"] for hit in self.client.request("POST", f"/{stream(log_type)}/_search", query)["hits"]["hits"]
        ]

    def clear(self, log_type: str) -> None:
        """Remove all events of a data stream."""
        query = {"query": {"match_all": {}}}
        self.client.request("POST", f"/{stream(log_type)}/_delete_by_query", query, {"refresh": "true"})

    def found(self, rule: str, period_end: int) -> dict[tuple[str, ...], dict[str, Any]]:
        """A dry run of a threshold rule's monitor at a time (epoch milliseconds): groups that fire, by their keys."""
        answer = self.client.request(
            "POST",
            "/_plugins/_alerting/monitors/_execute",
            self.body("monitor", rule),
            {"dryrun": "true", "period_end": f"{period_end}ms"},
        )
        assert answer["error"] is None
        assert answer["input_results"]["error"] is None, answer["input_results"]["error"]
        result = answer["trigger_results"][f"{OWNER}:{rule}"]
        assert result["error"] is None
        contents = [group["agg_alert_content"] for group in result["agg_result_buckets"].values()]
        return {tuple(content["bucket_keys"]): content["bucket"] for content in contents}

    def render(self, template: str, context: dict[str, Any]) -> str:
        """A message as the server's own mustache renders it, with its escaping for JSON."""
        body = {"source": template, "params": context}
        return str(self.client.request("POST", "/_render/template", body)["template_output"])


def redaction(catalogue: Body | None = None, owner: str = OWNER, namespace: str = NAMESPACE) -> dict[str, Any]:
    """The pipeline of a catalogue (None: the shipped one), compiled as `apply` does, without what runs before it."""
    settings = Settings(owner, Target("t", ("http://127.0.0.1:9",), vars={"replicas": 0}, namespace=namespace))
    read = source.load(ROOT, settings.target.vars)
    shipped = read.documents["redaction", "redaction"]
    body = {key: value for key, value in (catalogue or shipped.body).items() if key != "before"}
    return dict(Compiler(ROOT, settings, read).resource(replace(shipped, body=body)).body)


def stream(log_type: str) -> str:
    """A data stream's name."""
    return f"logs-{log_type}-{NAMESPACE}"


def _in_order(wanted: Sequence[Resource]) -> list[Resource]:
    by_ref = {(resource.kind, resource.key): resource for resource in wanted}
    graph = {ref: [d for d in resource.depends_on if d in by_ref] for ref, resource in by_ref.items()}
    return [by_ref[ref] for ref in TopologicalSorter(graph).static_order()]


@pytest.fixture(scope="module")
def pack(cluster: Cluster) -> Iterator[Pack]:
    """The pack's resources on the cluster, but for monitors: those run when a test says so. Removed behind each module:
    two owners can't have templates for the same data streams."""
    catch = {"http": "http://127.0.0.1:19598", "smtp": "127.0.0.1:19599"}
    compiled = resources(cluster.url, catch=catch)
    client = cluster.client()
    kinds = all_kinds()
    made: list[Resource] = []
    try:
        for resource in _in_order([r for r in compiled.values() if r.kind != "monitor"]):
            kinds[resource.kind].create(client, resource.key, resource.body)
            made.append(resource)
        yield Pack(client, compiled)
    finally:
        for resource in reversed(made):
            for live in kinds[resource.kind].live(client, {resource.key: resource.key}):
                kinds[resource.kind].delete(client, live)
