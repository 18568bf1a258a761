"""Every shipped rule, broken in every way that a hand breaks rules: a test of that rule must fail each time."""

from __future__ import annotations

import itertools
import pathlib
from collections import Counter, defaultdict

import pytest
from clusters import Cluster
from rulemutants import Mutant, mutants, queries, split

from provisioner import rulepacks
from provisioner.compile import Compiler
from provisioner.ruletest import runner
from provisioner.ruletest.bench import Bench, bench
from provisioner.ruletest.cases import Case, cases
from provisioner.settings import Settings, Target

ROOT = pathlib.Path(__file__).parents[2]


def test_a_query_is_taken_apart() -> None:
    assert split('a:b AND (c:d OR e:f) AND NOT g:"x AND y"') == ["a:b", "(c:d OR e:f)", 'NOT g:"x AND y"']
    found = [query for query, _ in queries("a:b AND NOT c:d")]
    assert found == ["NOT c:d", "a:b", "NOT a:b AND NOT c:d", "a:b AND c:d", "a:bx AND NOT c:d", "a:b AND NOT c:dx"]


def mutated(made: Bench, wanted: list[Mutant]) -> dict[str, list[Case]]:
    """The cases of each mutant: the monitor is the broken rule's, the events are those of the rule as it is."""
    compiler = Compiler(ROOT, made.loaded.settings, made.loaded.source)
    by_rule: dict[str, list[Case]] = defaultdict(list)
    for case in cases(made.loaded.source, made.loaded.resources):
        by_rule[case.rule.id].append(case)
    numbers = itertools.count(1)
    found: dict[str, list[Case]] = {}
    for mutant in wanted:
        if list(compiler.check(mutant.rule)):
            continue  # the schema refuses it: nobody can ship it
        (document,) = rulepacks.packed([mutant.rule], compiler.rule_schemas)
        monitor = compiler.resource(document).body
        found[mutant.what] = [
            Case(next(numbers), mutant.rule, c.name, c.origin, c.expect, c.events, c.runs, monitor)
            for c in by_rule[mutant.rule.id]
        ]
    return found


@pytest.mark.long
def test_every_mutant_of_every_shipped_rule_is_killed(cluster: Cluster) -> None:
    with bench(ROOT, Settings("mutants", Target("t", (cluster.url,), vars={"replicas": 0}))) as made:
        rules = [rule for rule in made.loaded.source.of_kind("rule") if rule.body.get("tests")]
        wanted = [mutant for rule in rules for mutant in mutants(rule)]
        found = mutated(made, wanted)
        wanted = [mutant for mutant in wanted if mutant.what in found]
        made_of = {case.number: what for what, own in found.items() for case in own}
        killed: Counter[str] = Counter()
        broken: dict[str, str] = {}
        for result in runner.run(made, [case for own in found.values() for case in own]):
            killed[made_of[result.case.number]] += bool(result.failure)
            broken[made_of[result.case.number]] = result.error
    # A search that the cluster refuses (a sum over texts) is a rule that nobody gets past its tests either.
    alive = [mutant.what for mutant in wanted if not killed[mutant.what] and not broken[mutant.what]]
    print(f"{len(wanted) - len(alive)} of {len(wanted)} mutants of {len(rules)} rules killed, by {len(made_of)} tests")
    assert alive == []
