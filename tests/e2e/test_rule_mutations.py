"""Every shipped rule, broken in every way that a hand breaks rules: a test of that rule must fail each time."""

from __future__ import annotations

import itertools
import pathlib
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from clusters import Cluster
from rulemutants import Mutant, mutants, queries, split
from test_rule_types import repository_of_types

from provisioner import rulepacks
from provisioner.compile import Compiler
from provisioner.model import Body, Document
from provisioner.repository import load_for
from provisioner.ruletest import runner
from provisioner.ruletest.bench import Bench, bench
from provisioner.ruletest.cases import Case, Part, cases, delegated
from provisioner.settings import Settings, Target

ROOT = pathlib.Path(__file__).parents[2]
BATCH = 100


def test_a_query_is_taken_apart() -> None:
    assert split('a:b AND (c:d OR e:f) AND NOT g:"x AND y"') == ["a:b", "(c:d OR e:f)", 'NOT g:"x AND y"']
    found = [query for query, _ in queries("a:b AND NOT c:d")]
    assert found[:4] == ["NOT c:d", "a:b", "NOT a:b AND NOT c:d", "a:b AND c:d"]
    assert found[4:] == ["a:bx AND NOT c:d", "a:b AND NOT c:dx", "ax:b AND NOT c:d", "a:b AND NOT cx:d"]


def mutated(made: Bench, wanted: list[Mutant]) -> dict[str, list[Case]]:
    """The cases of each mutant: the monitor is the broken rule's, the events are those of the rule as it is."""
    compiler = Compiler(made.loaded.root, made.loaded.settings, made.loaded.source)
    by_rule: dict[str, list[Case]] = defaultdict(list)
    for case in cases(made.loaded.source, made.loaded.resources):
        by_rule[case.rule.id].append(case)
    numbers = itertools.count(1)
    found: dict[str, list[Case]] = {}
    for mutant in wanted:
        if list(compiler.check(mutant.rule)):
            continue  # the schema refuses it: nobody can ship it
        monitor, delegates = rendered(compiler, mutant.rule)
        found[mutant.what] = [
            replace(c, number=next(numbers), rule=mutant.rule, monitor=monitor, delegates=delegates)
            for c in by_rule[mutant.rule.id]
        ]
    return found


def rendered(compiler: Compiler, rule: Document) -> tuple[Body, tuple[Part, ...]]:
    """A rule's monitor, or its workflow and the monitors that this runs."""
    others = [compiler.source.documents["rule", id_] for id_ in rule.body.get("correlation", {}).get("rules", ())]
    for other in others:
        assert list(compiler.check(other)) == []  # which reads the schema of its type
    documents = list(rulepacks.packed([rule, *others], compiler.rule_schemas))
    parts = {r.key: Part(r.key, d, r.body) for d in documents for r in [compiler.resource(d)]}
    body = next(part.monitor for part in parts.values() if part.rule is rule or rulepacks.rules(part.rule))
    return body, tuple(parts[name] for name in delegated(body))


def survivors(root: pathlib.Path, cluster: Cluster, chosen: Callable[[Document], Any]) -> list[str]:
    """The mutants that no test of their rule notices.

    In batches, each with streams of its own: a small node has not the memory for all at once.
    """
    settings = Settings("mutants", Target("t", (cluster.url,), vars={"replicas": 0}))
    loaded = load_for(root, settings).checked()
    wanted = [mutant for rule in loaded.source.of_kind("rule") if chosen(rule.body) for mutant in mutants(rule)]
    alive: list[str] = []
    all_: Counter[str] = Counter()
    for start in range(0, len(wanted), BATCH):
        with bench(root, settings) as made:
            noticed = _noticed(made, mutated(made, wanted[start : start + BATCH]))
        all_.update(mutant.kind for mutant in wanted[start : start + BATCH] if mutant.what in noticed)
        alive += [what for what, killed in noticed.items() if not killed]
    kinds = ", ".join(f"{count} {kind}" for kind, count in all_.most_common())
    print(f"{all_.total() - len(alive)} of {all_.total()} mutants killed ({kinds}); alive: {alive}")
    return alive


def _noticed(made: Bench, found: dict[str, list[Case]]) -> dict[str, bool]:
    """Whether a test notices each mutant. A search that the cluster refuses (a sum over texts) is noticed, too."""
    made_of = {case.number: what for what, own in found.items() for case in own}
    noticed = dict.fromkeys(found, False)
    for result in runner.run(made, [case for own in found.values() for case in own]):
        noticed[made_of[result.case.number]] |= not result.passed
    return noticed


@pytest.mark.long
def test_every_mutant_of_every_shipped_rule_is_killed(cluster: Cluster) -> None:
    assert survivors(ROOT, cluster, lambda rule: rule.get("tests")) == []


def test_every_mutant_of_the_correlations_is_killed(cluster: Cluster, tmp_path: pathlib.Path) -> None:
    """The starter pack has none: those of rule_types/."""
    repository_of_types(tmp_path)
    assert survivors(tmp_path, cluster, lambda rule: rule["type"] == "correlation") == []
