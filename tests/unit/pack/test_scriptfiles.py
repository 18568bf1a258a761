"""Scripts whose text is a file, and such as run within another script."""

import shutil

import pytest
from pack_compiled import ROOT

from provisioner import scriptfiles
from provisioner.model import Document, Origin
from provisioner.repository import load

DOCUMENT = Document("ingest_pipeline", "x", {}, {(): Origin("templates/pipelines/x.yml")})
SHIPPED = (ROOT / "templates/redaction.yml").read_text()
TEXTS = {"a.painless": "void f(Map event, Map p) {}", "b.painless": "ctx.b = 2"}


def read(name, document):
    assert document is DOCUMENT
    return TEXTS[name]


def test_a_call_is_the_last_statement_but_not_within_another_script():
    called = {"source": {"file": "a.painless"}, "call": "f", "params": {"n": 1}}
    value = {"processors": [{"script": called}, {"script": {"source": {"file": "b.painless"}}}, {"set": {"call": "x"}}]}
    first, second, other = scriptfiles.inlined(value, DOCUMENT, read)["processors"]
    assert first == {"script": {"source": f"{TEXTS['a.painless']}\nf(ctx, params);\n", "params": {"n": 1}}}
    assert second == {"script": {"source": "ctx.b = 2"}}
    assert other == {"set": {"call": "x"}}
    within = scriptfiles.inlined(value, DOCUMENT, read, within=True)["processors"]
    assert within[0] == {"script": {"source": TEXTS["a.painless"], "call": "f", "params": {"n": 1}}}
    assert called["source"] == {"file": "a.painless"}


@pytest.mark.parametrize(
    "processors",
    [[{"script": {"source": "x"}}], [{"set": {}}], [{"script": {"source": "x", "call": "f"}}, {"set": {}}]],
)
def test_what_cannot_run_within_another_script(processors):
    with pytest.raises(ValueError, match="ingest_pipeline x is not one script with a `call`"):
        scriptfiles.callable_script({"id": "x", "processors": processors})


def test_a_redaction_that_names_what_cannot_run_before_it_has_a_finding(tmp_path):
    for name in ("templates", "rules", "ilm", "docs"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "provisioner.yml", tmp_path)
    catalogue = tmp_path / "templates/redaction.yml"
    for name, words in (("sshd", "not one script with a `call`"), ("nowhere", "nowhere")):
        catalogue.write_text(
            (ROOT / "templates/redaction.yml").read_text().replace("before: normalize", f"before: {name}")
        )
        (finding, *_) = [f for f in load(tmp_path).findings if f.origin.file == "templates/redaction.yml"]
        assert words in finding.message
