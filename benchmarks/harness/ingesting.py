"""Indexing on a real node: the same events into data streams that differ in their pipelines only."""

from __future__ import annotations

import contextlib
import copy
import pathlib
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import psutil

from harness import repositories
from provisioner.client import Client
from provisioner.cluster import Cluster
from provisioner.kinds import all_kinds

VARIANTS = ("none", "idle", "noop", "redaction", "normalize", "both")
"""Final pipelines: none; one whose only processor never runs (the cheapest found); a script that does nothing; the
redaction alone; the starter pack's `normalize` alone; and the starter pack's own, which is both in one."""
NAME = "0"
"""The node's: of a thread's name the kernel keeps 15 characters, and these say as well in which pool it is."""
IDLE = {"processors": [{"drop": {"if": "false"}}]}
NOOP = {"processors": [{"script": {"lang": "painless", "source": "int nothing = 0;"}}]}
BULK = 500


@dataclass(frozen=True)
class Segment:
    """One run: events, seconds on the clock, seconds of the node's processor time, and those of its write threads."""

    events: int
    seconds: float
    cpu: float
    writing: float

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds

    @property
    def micros(self) -> float:
        """The node's processor time for an event, in microseconds."""
        return self.cpu / self.events * 1e6

    @property
    def writing_micros(self) -> float:
        """That of the threads that run the pipeline and index: refreshes, the compiler and the garbage collector go on
        beside them, and vary from run to run by more than a pipeline costs."""
        return self.writing / self.events * 1e6


class Node:
    """A node with the starter pack's mapping, redaction and `normalize`. `pid` is the server's process."""

    def __init__(self, folder: pathlib.Path, url: str, pid: int) -> None:
        made = repositories.begin(folder, url)
        loaded = made.load()
        self.client: Client = Cluster(loaded.settings).client
        self._process = psutil.Process(pid)
        self._namespace = made.namespace
        by_key = {(resource.kind, resource.key): resource for resource in loaded.resources}
        kinds, ours = all_kinds(), ("-redaction", "-normalize")
        for (kind, key), resource in by_key.items():
            if kind == "component_template" or (kind == "ingest_pipeline" and key.endswith(ours)):
                kinds[kind].create(self.client, key, resource.body)
        self.pipeline = f"{made.owner}-redaction"
        catalogue = made.root / "templates/redaction.yml"
        before, _, after = catalogue.read_text(encoding="utf-8").partition("\nbefore: normalize\n")
        catalogue.write_text(f"{before}\n{after}", encoding="utf-8")
        alone = {(r.kind, r.key): r.body for r in made.load().resources}["ingest_pipeline", self.pipeline]
        if "before" in alone["processors"][0]["script"]["params"]:
            raise AssertionError("the redaction is not alone")
        for name, body in (("idle", IDLE), ("noop", NOOP), ("redaction", alone)):
            self.client.request("PUT", f"/_ingest/pipeline/bench-{name}", body)
        self._template = by_key["index_template", f"{made.owner}-authentication"].body
        finals = (None, "bench-idle", "bench-noop", "bench-redaction", f"{made.owner}-normalize", self.pipeline)
        for variant, final in zip(VARIANTS, finals, strict=True):
            path = f"/_index_template/bench-{variant}-{self._namespace}"
            self.client.request("PUT", path, self._body(variant, final))

    def _body(self, variant: str, final: str | None) -> dict[str, Any]:
        """The starter pack's index template for a stream of ours, with this final pipeline."""
        body = copy.deepcopy(dict(self._template))
        body["index_patterns"] = [self.stream(variant)]
        index = body["template"]["settings"]["index"]
        index.pop("final_pipeline")
        if final is not None:
            index["final_pipeline"] = final
        return body

    def stream(self, variant: str) -> str:
        """The data stream's name."""
        return f"logs-{variant}-{self._namespace}"

    def run(self, variant: str, bodies: Sequence[bytes], turns: int) -> Segment:
        """All the bulk requests, so many times, into a new data stream. RuntimeError where an event is refused."""
        path = f"/_data_stream/{self.stream(variant)}"
        with contextlib.suppress(Exception):
            self.client.request("DELETE", path)
        self.client.request("PUT", path)
        target, params = f"/{self.stream(variant)}/_bulk", {"filter_path": "took,errors"}
        before, began, started = self._cpu(), self._writing(), time.perf_counter()
        for _ in range(turns):
            for body in bodies:
                if self.client.request("POST", target, body.decode(), params).get("errors"):
                    raise RuntimeError(f"{variant}: an event was refused")
        seconds, cpu, writing = time.perf_counter() - started, self._cpu() - before, self._writing() - began
        if not writing:
            raise RuntimeError("the node's write threads are called otherwise")
        return Segment(turns * len(bodies) * BULK, seconds, cpu, writing)

    def _cpu(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def _writing(self) -> float:
        """Seconds of the write threads so far, none before the first event (Linux: schedstat counts nanoseconds)."""
        tasks = pathlib.Path(f"/proc/{self._process.pid}/task")
        nanoseconds = 0
        for task in tasks.iterdir():
            with contextlib.suppress(OSError):  # other threads end meanwhile, write threads never
                if (task / "comm").read_text(encoding="utf-8").startswith(f"opensearch[{NAME}][w"):
                    nanoseconds += int((task / "schedstat").read_text(encoding="utf-8").split()[0])
        return nanoseconds / 1e9

    def stored(self, variant: str) -> dict[str, Any]:
        """How many events are stored, of them redacted, and failed."""
        name = self.stream(variant)
        self.client.request("POST", f"/{name}/_refresh")

        def count(query: dict[str, Any]) -> int:
            return int(self.client.request("POST", f"/{name}/_count", {"query": query})["count"])

        detectors = "ingest.redacted.detectors"
        return {
            "stored": count({"match_all": {}}),
            "redacted": count({"exists": {"field": detectors}}),
            "failed": count({"term": {detectors: "failure"}}),
        }

    def simulate(self, texts: Iterable[str]) -> tuple[float, int]:
        """The node's processor time for the pipeline over these texts, in seconds, and how many events it could not
        check (they lose their content). Nothing is stored."""
        docs = [{"_index": self.stream("redaction"), "_source": {"message": text}} for text in texts]
        before = self._cpu()
        answer = self.client.request("POST", "/_ingest/pipeline/bench-redaction/_simulate", {"docs": docs})
        seconds = self._cpu() - before
        made = [each["doc"]["_source"] for each in answer["docs"]]
        return seconds, sum(each["message"] == "[content_REDACTED]" for each in made)


def bulks(events: Sequence[dict[str, Any]]) -> list[bytes]:
    """Bulk requests of 500 events each."""
    create = b'{"create":{}}\n'
    lines = [create + orjson.dumps(event) + b"\n" for event in events]
    return [b"".join(lines[n : n + BULK]) for n in range(0, len(lines) - BULK + 1, BULK)]


@contextlib.contextmanager
def node(port: int) -> Iterator[tuple[str, int, str]]:
    """A dev cluster of the benchmark's own, fully compiling, nothing in front: its address, process and version."""
    from provisioner.devcluster import cluster

    with contextlib.suppress(cluster.DevClusterError):
        cluster.down(NAME, delete=True)
    started = cluster.up(NAME, port, heap="1g", stand_in=False, optimize=True)
    try:
        if started.node is None:
            raise RuntimeError("the server has no process")
        yield started.url, started.node.pid, started.version
    finally:
        cluster.down(NAME, delete=True)
