"""`validate --online`: broken scripts are found by a real compiler, sound ones are not, and nothing is stored."""

import pathlib
import shutil

import pytest
import yaml
from clusters import ROOT
from typer.testing import CliRunner

from provisioner import online
from provisioner.cli import build
from provisioner.model import Origin, Resource

FINE = {
    "trigger": "ctx.results[0].hits.total.value > 0",
    "reduce": "long n = 0; for (s in states) { n += s.n } return n",
    "map": "state.n += doc['x'].size()",
    "runs into an error": "int[] a = new int[0]; return a[5] > 0",
}
BROKEN = {"unfinished": "ctx.results[0].hits.total.value >", "unknown": "nothing.at.all > 5", "type": "int a = 'x'; a"}


def _monitor(source):
    trigger = {"query_level_trigger": {"condition": {"script": {"lang": "painless", "source": source}}}}
    return Resource("monitor", "m", {"triggers": [trigger]}, Origin("rules/a.yml"))


@pytest.fixture
def client(cluster):
    return cluster.client()


@pytest.mark.parametrize("name", FINE)
def test_what_compiles(client, name):
    assert list(online.check(client, [_monitor(FINE[name])])) == []


@pytest.mark.parametrize("name", BROKEN)
def test_what_does_not(client, name):
    found = list(online.check(client, [_monitor(BROKEN[name])]))
    assert [finding.code for finding in found] == ["TPL002"]
    assert "triggers.0.query_level_trigger.condition.script.source" in found[0].message
    assert "compile" in found[0].message


def test_mustache_and_conditions_over_documents_are_no_scripts(client):
    action = {"message_template": {"lang": "mustache", "source": "{{ctx.monitor.name}} >"}}
    document = {"document_level_trigger": {"condition": {"script": {"lang": "painless", "source": "query[name=a]"}}}}
    body = {"triggers": [document, {"query_level_trigger": {"actions": [action]}}]}
    assert list(online.check(client, [Resource("monitor", "m", body, Origin("a.yml"))])) == []


@pytest.mark.parametrize(("source", "count"), [("ctx.a = 5", 0), ("ctx.a = ", 1)])
def test_pipelines(client, source, count):
    body = {"description": "d", "processors": [{"script": {"source": source}}]}
    assert len(list(online.check(client, [Resource("ingest_pipeline", "p", body, Origin("a.yml"))]))) == count


def test_the_starter_pack_compiles_and_a_broken_rule_is_told_at_its_place(cluster, tmp_path: pathlib.Path):
    for part in ("rules", "templates", "ilm", "docs/runbooks"):
        shutil.copytree(ROOT / part, tmp_path / part)
    target = {**cluster.target, "vars": {"replicas": 0}}
    settings = {"owner": "acme", "targets": {"dev": target}, "default_target": "dev"}
    (tmp_path / "provisioner.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    before = cluster.client().request("GET", "/_cat/indices", params={"format": "json", "expand_wildcards": "all"})
    good = CliRunner().invoke(build(), ["validate", "--online", "-C", str(tmp_path)])
    assert good.exit_code == 0, good.output
    raw = f"kind: raw\nid: m\nresource: monitor\nname: m\nbody:\n  name: m\n  triggers:\n    - {BROKEN_TRIGGER}\n"
    (tmp_path / "rules" / "raw.yml").write_text(raw, encoding="utf-8")
    bad = CliRunner().invoke(build(), ["validate", "--online", "-o", "github", "-C", str(tmp_path)])
    assert bad.exit_code == 1
    assert "::error file=rules/raw.yml,line=8,col=74,title=TPL002::" in bad.output
    after = cluster.client().request("GET", "/_cat/indices", params={"format": "json", "expand_wildcards": "all"})
    assert {row["index"] for row in after} == {row["index"] for row in before}


BROKEN_TRIGGER = 'query_level_trigger: {id: t, name: t, condition: {script: {source: "1 >"}}}'
