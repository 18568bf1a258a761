"""The catalogue: its examples, its tables on both sides, and what is said about a wrong one."""

import copy
import shutil
from dataclasses import replace
from pathlib import Path

import harmless
import pytest

from provisioner import source
from provisioner.compile import Compiler
from provisioner.errors import FindingsError, ProvisionerError
from provisioner.redaction import Catalogue, Redactor, tables
from provisioner.settings import Settings, Target

ROOT = Path(__file__).parents[3]
SHIPPED = Catalogue.load(ROOT / "templates/redaction.yml")


def changed(**options):
    """The catalogue with options of detectors: changed(email={"enabled": True})."""
    body = copy.deepcopy(SHIPPED.body)
    for detector in body["detectors"]:
        detector.update(options.get(detector["name"], {}))
    return Catalogue(body, "changed")


def examples(kind):
    return [(d["name"], text) for d in SHIPPED.body["detectors"] for text in d["examples"].get(kind, ())]


def test_every_detector_has_examples_of_both_kinds():
    assert {name for name, _ in examples("found")} == set(SHIPPED.detectors)
    assert {name for name, _ in examples("left")} == set(SHIPPED.detectors)


@pytest.mark.parametrize(("name", "text"), examples("found"))
def test_what_the_catalogue_says_is_found_is_found(name, text):
    redactor = Redactor(changed(**{name: {"enabled": True}}))
    assert f"[{name}_REDACTED]" in redactor.text(text)
    assert [(found.field, found.detector) for found in redactor.found({"message": text})] == [("message", name)]


@pytest.mark.parametrize(("name", "text"), examples("left"))
def test_what_the_catalogue_says_is_left_is_left(name, text):
    assert Redactor(changed(**{name: {"enabled": True}})).text(text) == text


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"email": {"enabled": True}, "phone": {"log_types": {"audit": True}}},
        {
            "credit_card": {"action": "partial", "allow": ["4111111111111111"], "fields": ["message", "labels"]},
            "password": {"action": "drop", "except": ["labels.note"], "log_types": {"network": False}},
            "email": {"action": "pseudonym"},
            "api_key": {"enabled": False},
        },
    ],
)
def test_the_template_and_python_make_the_same_tables(options):
    read = source.load(ROOT, {"replicas": 1})
    compiler = Compiler(ROOT, Settings("acme", Target("t", ("http://127.0.0.1:9",), vars={"replicas": 1})), read)
    body = changed(**options).body
    resource = compiler.resource(replace(read.documents["redaction", "redaction"], body=body))
    params = resource.body["processors"][-1]["script"]["params"]
    plain, before = params.pop("plain"), params.pop("before")
    assert before["required"]
    assert params == tables.of(body)
    # the schema's keys that the script doesn't look at: they hold nothing
    everything = Redactor(changed(**options | {"email": {"enabled": True}, "phone": {"enabled": True}}))
    assert {"@timestamp", "message", "source", "ip", "user_agent"} < set(plain)
    assert [key for key in plain if everything.found({key: "x"}) or everything.found({key: 7})] == []


def test_a_key_of_the_schema_that_is_sensitive_is_looked_at():
    read = source.load(ROOT, {"replicas": 1})
    compiler = Compiler(ROOT, Settings("acme", Target("t", ("http://127.0.0.1:9",), vars={"replicas": 1})), read)
    body = changed(password={"names": ["Reason", "pid"], "endings": ["agent", "user_id"]}).body
    resource = compiler.resource(replace(read.documents["redaction", "redaction"], body=body))
    plain = resource.body["processors"][-1]["script"]["params"]["plain"]
    assert not {"reason", "pid", "user_agent", "user_id"} & set(plain)
    assert "status" in plain


def test_two_schemas_may_have_the_same_keys(tmp_path):
    """`plain` is a mapping: a key stands there once."""
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    text = (tmp_path / "templates/schema/event.yml").read_text()
    other = "kind: schema\nid: other\ntitle: x\nfields:\n  a.method: {type: keyword, description: x}\n"
    (tmp_path / "templates/schema/other.yml").write_text(other)
    assert "details.method:" in text
    read = source.load(tmp_path, {"replicas": 1})
    compiler = Compiler(tmp_path, Settings("acme", Target("t", ("http://127.0.0.1:9",), vars={"replicas": 1})), read)
    resource = compiler.resource(read.documents["redaction", "redaction"])
    plain = resource.body["processors"][-1]["script"]["params"]["plain"]
    assert {"method", "a"} < set(plain)


def test_the_script_is_far_from_the_servers_limit():
    """65,535 bytes of source; params don't count."""
    assert len((ROOT / "templates/pipelines/redaction.painless").read_bytes()) < 55_000


def test_the_shipped_catalogue_is_the_repositorys():
    assert Catalogue.shipped().body == SHIPPED.body


def test_harmless_strings_stay():
    redactor = Redactor(SHIPPED)
    strings = harmless.strings()
    assert len(strings) >= 2_000
    assert [(text, redactor.text(text)) for text in strings if redactor.text(text) != text] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind: severity\nid: x\n", "holds 0 catalogues"),
        ("kind: redaction\nid: x\n---\nkind: redaction\nid: y\n", "holds 2 catalogues"),
    ],
)
def test_a_file_without_one_catalogue(tmp_path, text, words):
    (tmp_path / "x.yml").write_text(text)
    with pytest.raises(ProvisionerError, match=words):
        Catalogue.load(tmp_path / "x.yml")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ProvisionerError, match=r"can't be read: No such file"):
        Catalogue.load(tmp_path / "x.yml")


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("action: mask", "action: hide", ":29:13"),
        ("names: [pass, pwd,", "names: [ab, pwd,", ":31:13"),
        ("{text: AKIA, min: 16", "{text: 4KIA, min: 16", ""),
        ("    enabled: false", "    log_types: {network: maybe}", ""),
        ("{AD: 24", "{Andorra: 24", ""),
    ],
)
def test_a_wrong_catalogue_has_findings_with_places(tmp_path, old, new, path):
    text = (ROOT / "templates/redaction.yml").read_text()
    assert old in text
    (tmp_path / "x.yml").write_text(text.replace(old, new, 1))
    with pytest.raises(FindingsError) as error:
        Catalogue.load(tmp_path / "x.yml")
    assert path in str(error.value.findings[0].origin)
