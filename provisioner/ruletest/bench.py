"""A test bench on a cluster: throwaway templates, pipelines and data streams, all events in them, and searches in bulk.

Everything bears a namespace and an owner of its own, so that tests stand beside a real setup without touching it, and
all of it is removed at the end. Monitors, channels and policies are not made: a monitor is run by its own query.
"""

from __future__ import annotations

import contextlib
import json
import secrets
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from provisioner import graph, repository, retrying, rulepacks
from provisioner.client import path
from provisioner.cluster import Cluster
from provisioner.compile import Compiler
from provisioner.errors import ApiError, ProvisionerError
from provisioner.model import Action, Change
from provisioner.ruletest import cases
from provisioner.ruletest import events as event

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from provisioner.client import Client
    from provisioner.model import Resource
    from provisioner.repository import Repository
    from provisioner.ruletest.cases import Case
    from provisioner.ruletest.searches import Search
    from provisioner.settings import Settings

_NEEDED = frozenset({"component_template", "index_template", "ingest_pipeline", "data_stream"})
_AT_ONCE = 5_000
"""Events stored by one request."""
_SEARCHES = 200
"""Searches asked by one request."""
_DAY = 86_400_000


def throwaway(chosen: Settings) -> Settings:
    """The settings of a bench beside a target: its cluster and variables, names of its own."""
    tag = secrets.token_hex(4)
    catch = {"http": "http://127.0.0.1:9", "smtp": "127.0.0.1:9"}
    return replace(
        chosen,
        owner=f"test-{tag}",
        target=replace(chosen.target, namespace=f"test{tag}", schedule=None, catch=catch, access=False),
    )


def begin() -> int:
    """When tests begin: a midnight (UTC) so long ago that what lies months after it is still past."""
    return (int(datetime.now(UTC).timestamp() * 1_000) // _DAY - 400) * _DAY


@contextlib.contextmanager
def bench(root: pathlib.Path, chosen: Settings) -> Iterator[Bench]:
    """A bench for a repository; what it made is gone afterwards. Raises FindingsError, ProvisionerError."""
    loaded = repository.load_for(root, throwaway(chosen), kept=False).checked()
    made = Bench(replace(loaded, resources=(*loaded.resources, *_off(loaded))))
    try:
        yield made
    finally:
        made.remove()


def _off(loaded: Repository) -> Iterator[Resource]:
    """The monitors of rules that are off and so share none: their tests are run all the same."""
    there = cases.by_rule(loaded.resources)
    compiler = Compiler(loaded.root, loaded.settings, loaded.source)
    for rule in loaded.source.of_kind("rule"):
        if rule.id not in there and rule.body.get("tests") and not list(compiler.check(rule)):
            on = replace(rule, body={**rule.body, "enabled": True})
            yield from (compiler.resource(each) for each in rulepacks.packed([on], compiler.rule_schemas))


class Bench:
    """What tests ask of the cluster."""

    def __init__(self, loaded: Repository) -> None:
        self.loaded = loaded
        self.cluster = Cluster(loaded.settings)
        self.client = self.cluster.client
        self.begin = begin()
        self._made: list[Resource] = []

    def prepare(self, log_types: Iterable[str]) -> None:
        """Make the data streams of these log types, and all that they need."""
        by_ref = {r.ref: r for r in self.loaded.resources if r.kind in _NEEDED}
        streams = {self.stream(log_type) for log_type in log_types}
        wanted = {ref: r for ref, r in by_ref.items() if r.kind != "data_stream" or r.key in streams}
        changes = [
            Change(Action.CREATE, *r.ref, "", after=r.body, resource=r, depends_on=r.depends_on)
            for r in wanted.values()
        ]
        for change in graph.order(changes):
            resource = wanted[change.ref]
            self.cluster.kinds[resource.kind].create(self.client, resource.key, resource.body)
            self._made.append(resource)

    def remove(self) -> None:
        """Remove what was made, the last one first."""
        left: list[Resource] = []
        problem: ProvisionerError | None = None
        for resource in reversed(self._made):
            try:
                self._delete(resource)
            except ProvisionerError as error:  # the rest may go all the same
                left.append(resource)
                problem = problem or error
        self._made.clear()
        if problem:
            names = ", ".join(f"{resource.kind} {resource.key}" for resource in left)
            raise ProvisionerError(
                f"what the tests made was not removed: {problem.message}", f"delete by hand: {names}"
            )

    def _delete(self, resource: Resource) -> None:
        kind = self.cluster.kinds[resource.kind]
        for live in kind.shown(self.client, {resource.key: resource.key}):
            retrying.write(lambda: kind.delete(self.client, live))  # noqa: B023 (called before the next turn)

    def stream(self, log_type: str) -> str:
        """A log type's data stream on this bench."""
        return f"logs-{log_type}-{self.loaded.settings.target.namespace}"

    def store(self, wanted: Sequence[Case]) -> dict[int, str]:
        """Store the events of all cases; the reason why one was refused, by the number of its case."""
        lines: dict[tuple[str, str], list[tuple[int, str, str]]] = defaultdict(list)
        for case in wanted:
            for id_, given in zip(case.ids(), case.events, strict=True):
                action = json.dumps({"create": {"_id": id_}})
                where = (self.stream(given.log_type), given.pipeline)
                lines[where].append((case.number, action, json.dumps(self._document(given))))
        refused: dict[int, str] = {}
        for (stream, pipeline), found in lines.items():
            params = {"pipeline": f"{self.loaded.settings.owner}-{pipeline}"} if pipeline else {}
            for start in range(0, len(found), _AT_ONCE):
                part = found[start : start + _AT_ONCE]
                body = "".join(f"{action}\n{document}\n" for _, action, document in part)
                answer = self.client.request("POST", path(stream, "_bulk"), body, params)
                for (number, *_), item in zip(part, answer["items"], strict=True):
                    if error := item["create"].get("error"):
                        refused.setdefault(number, _reason(error))
        for stream in {where[0] for where in lines}:
            self.client.request("POST", path(stream, "_refresh"))
        return refused

    def _document(self, given: event.TestEvent) -> dict[str, Any]:
        when = datetime.fromtimestamp((self.begin + given.at) / 1_000, UTC).isoformat(timespec="milliseconds")
        if given.line:
            return {"@timestamp": when, "message": given.line.replace("%t", when)}
        return {"@timestamp": when, **event.nested(given.fields)}

    def search(self, wanted: Sequence[Search]) -> Iterator[Mapping[str, Any]]:
        """The answer to each search, in their order; `{"error": …}` for one that failed."""
        for start in range(0, len(wanted), _SEARCHES):
            part = wanted[start : start + _SEARCHES]
            lines = []
            for search in part:
                lines += [{"index": self.stream(search.part.rule.body["log_type"])}, search.body]
            body = "".join(f"{json.dumps(line)}\n" for line in lines)
            yield from self.client.request("POST", "/_msearch", body, safe=True)["responses"]

    def triggered(self, script: Mapping[str, Any], results: Mapping[str, Any]) -> bool:
        """Whether the condition of a query-level trigger holds. Raises ProvisionerError where it does not compile."""
        return triggered(self.client, script, results)


def triggered(client: Client, script: Mapping[str, Any], results: Mapping[str, Any]) -> bool:
    """Whether the condition of a query-level trigger holds. Raises ProvisionerError where it does not compile."""
    source = f"def ctx = params.ctx; return ({script['source']});"
    params = {**script.get("params", {}), "ctx": {"results": [results]}}
    body = {"script": {"lang": "painless", "source": source, "params": params}}
    try:
        return bool(client.request("POST", "/_scripts/painless/_execute", body, safe=True)["result"] == "true")
    except ApiError as error:
        raise ProvisionerError(f"the trigger's script fails: {error.reason}") from error


def _reason(error: Mapping[str, Any]) -> str:
    cause = (error.get("caused_by") or {}).get("reason")
    return f"{error.get('reason')} ({cause})" if cause else str(error.get("reason"))
