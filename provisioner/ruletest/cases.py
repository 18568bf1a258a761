"""The cases of a repository: each test of each rule, with its events, its runs and the monitor that is run. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from provisioner import durations, rulepacks
from provisioner.ruletest import events as event
from provisioner.ruletest import runs as run

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from provisioner.model import Body, Document, Origin, Resource
    from provisioner.ruletest.events import TestEvent
    from provisioner.ruletest.runs import Run
    from provisioner.source import Source


@dataclass(frozen=True, slots=True)
class Case:
    """One test of one rule. `number` makes the ids of its events, `monitor` is the rendered body that is run."""

    number: int
    rule: Document
    name: str
    origin: Origin
    expect: Sequence[Mapping[str, Any]]
    events: Sequence[TestEvent]
    runs: Sequence[Run]
    monitor: Body = field(repr=False)

    def ids(self, visible: Iterable[int] | None = None) -> list[str]:
        """The ids of its stored events; of those that a run can see."""
        return [f"{self.number}-{n}" for n in (range(len(self.events)) if visible is None else visible)]

    @property
    def group_by(self) -> list[str]:
        """The fields that tell alerts apart."""
        return list(self.rule.body.get("group_by", ()))

    @property
    def title(self) -> str:
        """`brute-force-login: four stay silent`."""
        return f"{self.rule.id}: {self.name}"


def cases(source: Source, resources: Iterable[Resource], wanted: Collection[str] | None = None) -> Iterator[Case]:
    """All cases, or those of the wanted rules (by id), in the order of the files. A rule without a monitor has none."""
    monitors = by_rule(resources)
    number = 0
    for rule in source.of_kind("rule"):
        if rule.id not in monitors or (wanted is not None and rule.id not in wanted):
            continue
        for place, test in enumerate(rule.body.get("tests", ())):
            number += 1
            found = event.expand(rule, test, source)
            at = durations.ms(test["at"]) if "at" in test else None
            taken = run.runs(found, durations.ms(rule.body["schedule"]), at)
            origin = rule.at(("tests", place))
            yield Case(number, rule, test["name"], origin, test["expect"], found, taken, monitors[rule.id])


def by_rule(resources: Iterable[Resource]) -> dict[str, Body]:
    """Each rule's monitor; rules that share one each have it."""
    found: dict[str, Body] = {}
    for resource in resources:
        if resource.kind != "monitor" or resource.document is None:
            continue
        for rule in rulepacks.rules(resource.document) or [{"id": resource.document.id}]:
            found[rule["id"]] = resource.body
    return found
