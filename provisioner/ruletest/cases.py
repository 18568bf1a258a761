"""The cases of a repository: each test of each rule, with its events, its runs and the monitor that is run. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from provisioner import durations, rulepacks
from provisioner.errors import ProvisionerError
from provisioner.ruletest import events as event
from provisioner.ruletest import runs as run

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from provisioner.model import Body, Document, Origin, Resource
    from provisioner.ruletest.events import TestEvent
    from provisioner.ruletest.runs import Run
    from provisioner.source import Source


@dataclass(frozen=True, slots=True)
class Part:
    """A monitor that a case runs: its name, the rule that it was rendered from, its body."""

    name: str
    rule: Document
    monitor: Body = field(repr=False)

    @property
    def group_by(self) -> list[str]:
        """The fields that tell its alerts apart."""
        return list(self.rule.body.get("group_by", ()))


@dataclass(frozen=True, slots=True)
class Case:
    """One test of one rule. `number` makes the ids of its events, `monitor` is the rendered body that is run.

    Of a correlation that is a workflow, and `delegates` are the monitors that it runs, in their order.
    """

    number: int
    rule: Document
    name: str
    origin: Origin
    expect: Sequence[Mapping[str, Any]]
    events: Sequence[TestEvent]
    runs: Sequence[Run]
    monitor: Body = field(repr=False)
    delegates: tuple[Part, ...] = ()

    def ids(self, visible: Iterable[int] | None = None) -> list[str]:
        """The ids of its stored events; of those that a run can see."""
        return [f"{self.number}-{n}" for n in (range(len(self.events)) if visible is None else visible)]

    @property
    def group_by(self) -> list[str]:
        """The fields that tell alerts apart."""
        return list(self.rule.body.get("group_by", ()))

    @property
    def parts(self) -> tuple[Part, ...]:
        """The monitors that are run: its own one, or those of its workflow."""
        return self.delegates or (Part("", self.rule, self.monitor),)

    @property
    def log_types(self) -> frozenset[str]:
        """The log types whose streams it needs."""
        return frozenset({part.rule.body["log_type"] for part in self.parts} | {e.log_type for e in self.events})

    @property
    def title(self) -> str:
        """`brute-force-login: four stay silent`."""
        return f"{self.rule.id}: {self.name}"


def cases(source: Source, resources: Iterable[Resource], wanted: Collection[str] | None = None) -> Iterator[Case]:
    """All cases, or those of the wanted rules (by id), in the order of the files. Raises ProvisionerError."""
    resources = tuple(resources)
    monitors = by_rule(resources)
    parts = {r.key: Part(r.key, r.document, r.body) for r in resources if r.kind == "monitor" and r.document}
    number = 0
    for rule in source.of_kind("rule"):
        if wanted is not None and rule.id not in wanted:
            continue
        for place, test in enumerate(rule.body.get("tests", ())):
            if (monitor := monitors.get(rule.id)) is None:
                raise ProvisionerError(f"{rule.origin}: rule {rule.id!r} has tests, and no monitor to run them on")
            number += 1
            found = event.expand(rule, test, source)
            at = durations.ms(test["at"]) if "at" in test else None
            taken = run.runs(found, durations.ms(rule.body["schedule"]), at, _settle(monitor))
            origin = rule.at(("tests", place))
            delegates = tuple(parts[name] for name in delegated(monitor))
            yield Case(number, rule, test["name"], origin, test["expect"], found, taken, monitor, delegates)


def _settle(monitor: Body) -> int:
    """How old an event must be before a rule's script judges it (milliseconds): its parameter `settle`."""
    metrics = monitor["inputs"][0].get("search", {}).get("query", {}).get("aggregations", {}).get("composite_agg", {})
    script = metrics.get("aggregations", {}).get("peak", {}).get("scripted_metric", {})
    return int(script.get("params", {}).get("settle", 0))


def delegated(workflow: Body) -> list[str]:
    """The names of the monitors that a workflow runs, in their order; of a monitor none."""
    inputs = (given.get("composite_input") for given in workflow.get("inputs", ()))
    delegates = [each for given in inputs if given for each in given["sequence"]["delegates"]]
    return [each["monitor_id"].removeprefix("@") for each in sorted(delegates, key=lambda each: int(each["order"]))]


def by_rule(resources: Iterable[Resource]) -> dict[str, Body]:
    """Each rule's monitor, or workflow; rules that share one each have it."""
    found: dict[str, Body] = {}
    for resource in resources:
        if resource.kind not in ("monitor", "workflow") or resource.document is None:
            continue
        for rule in rulepacks.rules(resource.document) or [{"id": resource.document.id}]:
            found[rule["id"]] = resource.body
    return found
