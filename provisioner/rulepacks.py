"""Rules that share a monitor, and rules that take one more. Pure.

Several documents of a type that packs them become one, whose body template then sees all of them.

A rule type's schema says so: `"x-pack": {"by": ["log_type", "schedule"], "most": 10}`. What has the same values there
shares a monitor, at most so many rules to one. Ten is what a doc-level monitor may hold: a run of Alerting reports at
most ten matching queries of an index and loses the others in silence (mended in 3.7), and ten triggers are its limit.

A type that runs other rules says where it names them: `"x-runs": ["correlation", "rules"]`. Each of those becomes a
further document for it, a delegate: the same rule, on the schedule of the one that runs it, off by itself and without
messages. A monitor looks back as far as its own schedule needs: run less often, it would miss what came in between.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from provisioner.model import Document, Origin, Path
from provisioner.packs import packs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from provisioner.model import Body

RULES = "rules"
"""The key of a pack's body that holds its rules, each with its id."""


def packed(documents: Iterable[Document], schemas: Mapping[str, Body]) -> Iterator[Document]:
    """The documents in their order, the rules of packing types as packs behind them. Rules that are off are in none.

    Before a rule that runs others stand its delegates.
    """
    documents = list(documents)
    groups: dict[tuple[str, ...], list[Document]] = defaultdict(list)
    most: dict[str, int] = {}
    for document in documents:
        type_ = str(document.body.get("type"))
        shared = _about(document, schemas).get("x-pack")
        if shared is None:
            yield from _delegates(document, documents, schemas)
            yield document
        elif document.body.get("enabled", True):
            most[type_] = shared["most"]
            groups[type_, *(str(document.body[key]) for key in shared["by"])].append(document)
    for group, rules in sorted(groups.items()):
        by_id = {rule.id: rule for rule in rules}
        for number, ids in enumerate(packs(by_id, most[group[0]]), 1):
            yield pack("-".join([*group, str(number)]), [by_id[id_] for id_ in ids])


def delegate(runs: str, rule: str) -> str:
    """The id of the document that stands for a rule where another one runs it."""
    return f"{runs}-{rule}"


def _delegates(document: Document, documents: Iterable[Document], schemas: Mapping[str, Body]) -> Iterator[Document]:
    """What a rule runs, as far as it has a monitor of its own: rules in packs and rules that run others have none."""
    way = _about(document, schemas).get("x-runs", ())
    named: Any = document.body if way else ()
    for key in way:
        named = named[key]
    by_id = {each.id: each for each in documents if each.kind == "rule"} if way else {}
    for rule in (by_id[id_] for id_ in named if id_ in by_id):
        if not _about(rule, schemas).keys() & {"x-pack", "x-runs"}:
            kept = {key: value for key, value in rule.body.items() if key != "tests"}
            changed = {"schedule": document.body["schedule"], "enabled": False, "delegate_of": document.id}
            yield replace(rule, id=delegate(document.id, rule.id), body={**kept, **changed})


def _about(document: Document, schemas: Mapping[str, Body]) -> Body:
    return schemas.get(str(document.body.get("type")), {}) if document.kind == "rule" else {}


def rules(document: Document) -> list[dict[str, Any]]:
    """The rules of a pack, each with its id; of an ordinary document none."""
    found = document.body.get(RULES) if document.kind == "rule" else None
    return found if isinstance(found, list) else []


def pack(id_: str, rules: Sequence[Document]) -> Document:
    """One document for several: their bodies in a list, each value with the place where it stands."""
    origins = _Places([rule.origins for rule in rules], {(): rules[0].origin, (RULES,): rules[0].origin})
    keys = _Places([rule.key_origins for rule in rules], {})
    body = {"type": rules[0].body["type"], RULES: [{"id": rule.id, **rule.body} for rule in rules]}
    return Document("rule", id_, body, origins, keys)


@dataclass(frozen=True, slots=True, eq=False)
class _Places(Mapping[Path, Origin]):
    """The places of a pack's values: those of its rules, below where they stand in it."""

    rules: Sequence[Mapping[Path, Origin]]
    own: Mapping[Path, Origin]

    def __getitem__(self, path: Path) -> Origin:
        if path in self.own:
            return self.own[path]
        if len(path) < 2 or path[0] != RULES or not isinstance(path[1], int) or not 0 <= path[1] < len(self.rules):
            raise KeyError(path)
        return self.rules[path[1]][path[2:]]

    def __iter__(self) -> Iterator[Path]:
        yield from self.own
        for number, rule in enumerate(self.rules):
            yield from ((RULES, number, *path) for path in rule)

    def __len__(self) -> int:
        return len(self.own) + sum(map(len, self.rules))
