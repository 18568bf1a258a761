"""Every rule type by the tests in its own rules (rule_types/*.yml): windows to the second, on the real engine."""

from __future__ import annotations

import pathlib
import shutil

import pytest
import yaml
from clusters import Cluster

from provisioner.ruletest import runner
from provisioner.ruletest.bench import bench
from provisioner.ruletest.cases import cases
from provisioner.settings import Settings, Target

ROOT = pathlib.Path(__file__).parents[2]
TYPES = pathlib.Path(__file__).parent / "rule_types"


def repository_of_types(root: pathlib.Path) -> None:
    """The starter pack's templates, and rules of every type instead of its own."""
    for name in ("templates", "ilm", "docs/runbooks"):
        shutil.copytree(ROOT / name, root / name)
    shutil.copytree(TYPES, root / "rules" / "types")
    for name in ("severities.yml", "channels.yml", "events.yml"):
        shutil.copy(ROOT / "rules" / name, root / "rules")


@pytest.fixture(scope="module")
def results(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> list[runner.Result]:
    """One run of all tests."""
    root = tmp_path_factory.mktemp("types")
    repository_of_types(root)
    with bench(root, Settings("types", Target("t", (cluster.url,), vars={"replicas": 0}))) as made:
        return list(runner.run(made, list(cases(made.loaded.source, made.loaded.resources))))


def test_every_type_does_what_its_tests_say(results: list[runner.Result]) -> None:
    assert len(results) >= 60
    failed = [f"{r.case.title}\n{r.failure or r.error}" for r in results if not r.passed]
    assert failed == []


def test_every_rule_with_tests_is_run(results: list[runner.Result]) -> None:
    """Correlations, too, and rules that are off."""
    tried = {result.case.rule.id for result in results}
    documents = [each for file in TYPES.glob("*.yml") for each in yaml.safe_load_all(file.read_text(encoding="utf-8"))]
    wanted = {document["id"] for document in documents if document.get("tests")}
    assert tried == wanted
    assert {"both", "either", "reset", "off-in-a-pack"} < tried


def test_every_type_is_tried() -> None:
    tried = {
        line.split()[1]
        for file in TYPES.glob("*.yml")
        for line in file.read_text().splitlines()
        if line.startswith("type:")
    }
    shipped = {file.name.partition(".")[0] for file in (ROOT / "templates" / "monitors").glob("*.schema.json")}
    assert shipped == tried


def test_the_starter_packs_rules_pass_their_tests(cluster: Cluster) -> None:
    with bench(ROOT, Settings("pack", Target("t", (cluster.url,), vars={"replicas": 0}))) as made:
        found = list(runner.run(made, list(cases(made.loaded.source, made.loaded.resources))))
    assert [f"{r.case.title}\n{r.failure or r.error}" for r in found if not r.passed] == []
    assert {r.case.rule.id for r in found} == {rule.id for rule in made.loaded.source.of_kind("rule")}
