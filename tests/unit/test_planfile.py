"""A plan's file: what is written is read again, and what was tampered with is refused at its place."""

import json
import pathlib
import time
from dataclasses import replace

import jsonschema
import pytest

from provisioner import __version__, planfile, yamlfile
from provisioner.errors import ProvisionerError
from provisioner.model import Action, Change, Document, Limit, Options, Origin, Plan, Resource

TEXT = """\
kind: rule
id: brute-force
title: Brute ünicode
threshold: {count: 4, within: 5m, ratio: 0.1}
odd/key~: [{a: 1}, null, ""]
channels: ["${env:SLACK}"]
"""


def document():
    (read,), _ = yamlfile.read(TEXT, "rules/a:b.yml")
    body = {key: value for key, value in read.value.items() if key not in ("kind", "id")}
    origins = {path: origin for path, origin in read.origins.items() if path[:1] not in (("kind",), ("id",))}
    return Document(read.value["kind"], read.value["id"], body, origins)


DOCUMENT = document()
ONE = Resource(
    "monitor",
    "acme-brute-force",
    {"name": "acme-brute-force", "url": "${env:SLACK}", "n": None, "f": 1.0, "i": 2**63 - 1},
    DOCUMENT.origin,
    frozenset({("channel", "acme-slack"), ("data_stream", "logs-x-default")}),
    DOCUMENT,
)
TWO = Resource("channel", "acme-slack", {}, Origin("rules/channels.yml", 2, 1))
PLAN = Plan(
    (Change(Action.CREATE, "monitor", "acme-brute-force", "new", ONE.origin, after=ONE.body),),
    (Limit("deletes", "too many"),),
    "acme",
    "uuid",
    3,
    "d" * 64,
)
OPTIONS = Options(prune=True, adopt=False, force=frozenset({"deletes", "changes"}))


def dumped(plan=PLAN, resources=(ONE, TWO)):
    return planfile.dump(plan, resources, OPTIONS, "production", "1a2b3c")


def edited(change):
    whole = json.loads(dumped())
    change(whole)
    return json.dumps(whole, indent=2)


def signed(change):
    """Edited by somebody who made the checksum anew."""
    whole = json.loads(edited(change))
    del whole["checksum"]
    return json.dumps({**whole, "checksum": planfile._checksum(whole)})


def test_what_is_written_is_read_again():
    read = planfile.load(dumped(), "plan.json")
    assert read == planfile.PlanFile("acme", "production", "uuid", "d" * 64, OPTIONS, (ONE, TWO), "1a2b3c")
    assert list(read.resources[0].body) == list(ONE.body)
    assert type(read.resources[0].body["f"]) is float


def test_places_survive():
    (read, _) = planfile.load(dumped(), "plan.json").resources
    assert read.document.at(("threshold", "count")) == Origin("rules/a:b.yml", 4, 20)
    assert read.document.at(("odd/key~", 0, "a")) == DOCUMENT.at(("odd/key~", 0, "a"))
    assert read.document.at(("not", "there")) == DOCUMENT.origin


def test_the_file_is_for_people_and_machines_too():
    whole = json.loads(dumped())
    assert (whole["format"], whole["written_by"], whole["options"]["force"]) == (1, __version__, ["changes", "deletes"])
    assert whole["plan"]["counts"]["create"] == 1
    assert whole["plan"]["changes"][0]["why"] == "new"
    assert dumped().endswith("}\n")
    assert '\n      "kind": "monitor",\n' in dumped()


def test_the_same_plan_is_the_same_file():
    again = replace(ONE, depends_on=frozenset(sorted(ONE.depends_on, reverse=True)))
    assert dumped(resources=(again, TWO)) == dumped()


def test_only_references_of_secrets_are_in_it(monkeypatch):
    monkeypatch.setenv("SLACK", "hunter2")
    assert "hunter2" not in dumped()
    assert "${env:SLACK}" in dumped()


def refused(text):
    with pytest.raises(ProvisionerError) as caught:
        planfile.load(text, "plan.json")
    assert caught.value.hint
    return caught.value.message


@pytest.mark.parametrize("text", ["", "{", "\x00", "key: value", '{"a": 1,}', "PK\x03\x04"])
def test_no_json(text):
    assert refused(text).startswith("plan.json:1:")
    assert "not JSON" in refused(text)


@pytest.mark.parametrize("text", ["[]", "1", "null", "{}", '{"changes": []}'])
def test_json_of_something_else(text):
    assert refused(text) == "plan.json is not a plan's file"


@pytest.mark.parametrize("number", [2, 0, "1", True, None, 1.5, [1]])
def test_another_format(number):
    message = refused(edited(lambda whole: whole.update(format=number)))
    assert message.startswith("plan.json has the format ")
    assert message.endswith("this provisioner knows 1")


def _without(name):
    return lambda whole: whole.pop(name)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_without("target"), "plan lacks the key 'target'"),
        (_without("resources"), "plan lacks the key 'resources'"),
        (lambda whole: whole["plan"].pop("digest"), "plan lacks the key 'digest'"),
        (lambda whole: whole["options"].update(prune="yes"), "options.prune: 'yes' is not true or false"),
        (lambda whole: whole["options"].update(all=True), "unknown key 'all' in options"),
        (lambda whole: whole["resources"][0].update(body=[]), "resources.0.body: a list is not a mapping"),
        (lambda whole: whole["resources"][1].pop("origin"), "resources.1 lacks the key 'origin'"),
        (lambda whole: whole["resources"][0].update(origin="x"), "resources.0.origin: 'x' has not the form"),
        (lambda whole: whole["resources"][0]["depends_on"].append(["a"]), "resources.0.depends_on.2: has fewer than 2"),
        (lambda whole: whole["resources"][0]["document"].update(body=1), "resources.0.document.body: 1 is not a mapp"),
        (lambda whole: whole["resources"][0]["document"]["places"].pop(""), "document.places lacks the key ''"),
    ],
)
def test_what_does_not_fit(change, message):
    said = refused(edited(change))
    assert message in said
    assert said.startswith("plan.json:")


def test_the_schema_is_one():
    folder = pathlib.Path(planfile.__file__).parent
    jsonschema.Draft202012Validator.check_schema(json.loads((folder / "planfile.schema.json").read_text()))


def test_the_place_of_the_mistake_is_told():
    text = edited(lambda whole: whole["options"].update(prune="yes"))
    line = text[: text.index('"yes"')].count("\n") + 1
    assert refused(text).startswith(f"plan.json:{line}:14: ")


def test_no_value_of_a_key_that_speaks_of_secrets_is_said():
    text = edited(lambda whole: whole["resources"][0].update(origin="https://user:hunter2@host"))
    assert "hunter2" not in refused(text)


def test_a_large_plan_is_read_in_no_time():
    resources = [replace(ONE, key=f"acme-{n}") for n in range(1000)]
    started = time.process_time()
    assert len(planfile.load(dumped(resources=resources), "plan.json").resources) == 1000
    assert time.process_time() - started < 5


def test_no_resource_stands_twice():
    assert "monitor 'acme-brute-force' stands twice" in refused(
        signed(lambda whole: whole["resources"].append(whole["resources"][0]))
    )


def test_spaces_and_the_order_of_keys_are_no_edit():
    whole = json.loads(dumped())
    turned = json.dumps(dict(reversed(whole.items())))
    assert planfile.load(turned, "plan.json") == planfile.load(dumped(), "plan.json")


def test_a_file_that_was_cut_off():
    text = dumped()
    for length in range(0, len(text) - 2, 7):
        assert refused(text[:length]).startswith("plan.json:")


def _places_of(value, place=()):
    yield place
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _places_of(child, (*place, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _places_of(child, (*place, index))


def _at(whole, place):
    for key in place:
        whole = whole[key]
    return whole


@pytest.mark.parametrize("value", [None, "x", 7, [], {"y": 1}, "gone"])
def test_whatever_is_edited_is_refused(value):
    """Each value of the file in turn is another one, or gone: a sentence and what to do, never another exception."""
    whole = json.loads(dumped())
    for place in _places_of(whole):
        if not place or _at(whole, place) == value:
            continue

        def change(copy, place=place):
            above = _at(copy, place[:-1])
            if value == "gone":
                del above[place[-1]]
            else:
                above[place[-1]] = value

        assert refused(edited(change)), place


def test_a_body_of_any_depth():
    deep = {}
    for _ in range(600):
        deep = {"a": deep}
    said = refused(edited(lambda whole: whole["resources"][0].update(body=deep)))
    assert said == "plan.json is not as it was written: somebody edited it, or it was damaged"
