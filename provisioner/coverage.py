"""What the rules of a repository cover: techniques of ATT&CK, events of the catalogue, log types. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provisioner import watching

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from provisioner.attack import Attack, Technique
    from provisioner.model import Document
    from provisioner.source import Source


@dataclass(frozen=True, slots=True)
class Tactic:
    """One tactic: how many of its techniques have a rule, or a sub-technique with one; rules by severity's id.

    A rule counts once for each tactic that one of its techniques serves.
    """

    name: str
    techniques: int
    covered: int
    sub_techniques: int
    covered_sub_techniques: int
    rules: Mapping[str, int]

    @property
    def title(self) -> str:
        """`Credential access`."""
        return self.name.replace("-", " ").capitalize()


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is covered, by rules that are enabled; and what is not.

    `techniques` holds those that a rule names, each with its rules. `unknown` are ids that ATT&CK has not, with the
    rules that name them. `severities` are ids in the order of their urgency.
    """

    version: str
    tactics: tuple[Tactic, ...]
    techniques: Mapping[Technique, tuple[Document, ...]]
    unknown: Mapping[str, tuple[str, ...]]
    severities: tuple[str, ...]
    rules: tuple[Document, ...]
    disabled: tuple[Document, ...]
    events: int
    unwatched: tuple[Document, ...]
    log_types: tuple[str, ...]
    without_attack: tuple[Document, ...]
    without_tests: tuple[Document, ...]


def cover(source: Source, attack: Attack) -> Coverage:
    """Look at all rules of a repository."""
    written = source.of_kind("rule")
    rules = tuple(rule for rule in written if rule.body.get("enabled", True))
    techniques, unknown = _techniques(rules, attack)
    severities = sorted(source.of_kind("severity"), key=lambda each: (str(each.body.get("level")), each.id))
    events = source.of_kind("event")
    streams = {document.id for document in source.of_kind("data_stream")} | {e.body["log_type"] for e in events}
    return Coverage(
        version=attack.version,
        tactics=tuple(_tactic(name, attack, techniques) for name in attack.tactics),
        techniques=techniques,
        unknown=unknown,
        severities=tuple(each.id for each in severities),
        rules=rules,
        disabled=tuple(rule for rule in written if not rule.body.get("enabled", True)),
        events=len(events),
        unwatched=tuple(watching.unwatched(rules, events)),
        log_types=tuple(sorted(streams - {rule.body["log_type"] for rule in rules})),
        without_attack=tuple(rule for rule in rules if not rule.body.get("attack")),
        without_tests=tuple(rule for rule in rules if not rule.body.get("tests")),
    )


def _techniques(
    rules: Sequence[Document], attack: Attack
) -> tuple[dict[Technique, tuple[Document, ...]], dict[str, tuple[str, ...]]]:
    """Rules by technique, in the order of ids; and rules by the ids that there are not."""
    found: dict[Technique, dict[str, Document]] = defaultdict(dict)
    unknown: dict[str, list[str]] = defaultdict(list)
    for rule in rules:
        for id_ in rule.body.get("attack", ()):
            technique = attack.find(id_)
            if technique is None:
                unknown[id_].append(rule.id)
            else:
                found[technique][rule.id] = rule
    ordered = sorted(found.items(), key=lambda item: item[0].id)
    return (
        {technique: tuple(rules.values()) for technique, rules in ordered},
        {id_: tuple(ids) for id_, ids in sorted(unknown.items())},
    )


def _tactic(name: str, attack: Attack, covered: Mapping[Technique, Iterable[Document]]) -> Tactic:
    ours = [technique for technique in attack.techniques.values() if name in technique.tactics]
    parents = {technique.id for technique in ours if technique.id == technique.parent}
    mine = {technique.id: rules for technique, rules in covered.items() if name in technique.tactics}
    subs = {technique.id for technique in ours} - parents
    rules = {rule.id: rule for each in mine.values() for rule in each}
    return Tactic(
        name,
        techniques=len(parents),
        covered=len({id_.partition(".")[0] for id_ in mine}),
        sub_techniques=len(subs),
        covered_sub_techniques=len(subs & mine.keys()),
        rules=dict(Counter(rule.body["severity"] for rule in rules.values())),
    )
