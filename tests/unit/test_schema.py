"""Findings of JSON Schemas: in a person's words, at the right place, never with a secret."""

import orjson
import pytest

from provisioner import schema, yamlfile
from provisioner.model import Document

SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 2, "pattern": "^[a-z]*$", "description": "lower-case letters"},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "kind_of": {"enum": ["fast", "slow"]},
        "fixed": {"const": "this"},
        "list": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": ["string", "null"]}},
        "inner": {
            "type": "object",
            "required": ["a", "b"],
            "properties": {"a": {"description": "the first"}, "b": {}},
            "additionalProperties": False,
        },
        "either": {"oneOf": [{"required": ["x"]}, {"required": ["y"]}], "properties": {"x": {"type": "integer"}}},
        "names": {"propertyNames": {"pattern": "^[a-z.]+$", "description": "lower-case words", "examples": ["a.b"]}},
        "patterned": {"patternProperties": {"^x-": {}}, "additionalProperties": False},
        "password": {"type": "string"},
        "headers": {"additionalProperties": {"type": "string"}},
        "size": {"type": "string", "examples": ["10gb"]},
        "forbidden": {"not": {}, "description": "there is no such key"},
        "few": {"maxItems": 1},
    },
    "additionalProperties": False,
}


def findings(text, rules=SCHEMA):
    parsed, problems = yamlfile.read(text, "a.yml")
    assert problems == []
    document = Document("thing", "x", parsed[0].value, parsed[0].origins, parsed[0].key_origins)
    return list(schema.check(document, rules))


def one(text):
    (found,) = findings(text)
    assert found.code == "DOC002"
    assert found.hint
    return str(found.origin), found.message, found.hint


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("cuont: 1", "a.yml:1:1", "unknown key 'cuont' in thing", "did you mean 'count'?"),
        ("count: 1\nxyzzy: 1", "a.yml:2:1", "unknown key 'xyzzy' in thing", "known keys: count"),
        ("inner: {a: 1, b: 2, c: 3}", "a.yml:1:21", "unknown key 'c' in inner", "known keys: a, b"),
        ("inner: {b: 1}", "a.yml:1:8", "inner lacks the key 'a'", "add 'a': the first"),
        ("count: many", "a.yml:1:8", "count: 'many' is not a whole number", ""),
        ("count: 0", "a.yml:1:8", "count: 0 is out of range (minimum 1)", ""),
        ("count: 10", "a.yml:1:8", "count: 10 is out of range (maximum 9)", ""),
        ("name: ''", "a.yml:1:7", "name: is empty", "lower-case letters"),
        ("name: x", "a.yml:1:7", "name: has fewer than 2 elements", "lower-case letters"),
        ("name: XX", "a.yml:1:7", "name: 'XX' has not the form that is needed here", "lower-case letters"),
        ("name: on\ncount: yes", "a.yml:2:8", "count: 'yes' is not a whole number", ""),
        ("name: 12", "a.yml:1:7", "name: 12 is not text", "lower-case letters"),
        ("name: true", "a.yml:1:7", "name: true is not text", "lower-case letters"),
        ("name:", "a.yml:1:6", "name: nothing is not text", "lower-case letters"),
        ("name: [hunter2]", "a.yml:1:7", "name: a list is not text", "lower-case letters"),
        ("list: {a: hunter2}", "a.yml:1:7", "list: a mapping is not a list", ""),
        ("list: [a, 1]", "a.yml:1:11", "list.1: 1 is not text or nothing", ""),
        ("list: []", "a.yml:1:7", "list: is empty", ""),
        ("list: [a, a]", "a.yml:1:7", "list: has the same element twice", ""),
        ("kind_of: fsat", "a.yml:1:10", "kind_of: 'fsat' is none of the values allowed here", "did you mean 'fast'?"),
        ("fixed: that", "a.yml:1:8", "fixed: 'that' is none of the values allowed here", "write 'this'"),
        ("either: {x: z}", "a.yml:1:13", "either.x: 'z' is not a whole number", ""),
        ("either: {}", "a.yml:1:9", "either: fits none of the forms that are allowed here", "give one of these: x; y"),
        ("either: {x: 1, y: 2}", "a.yml:1:9", "either: fits more than one of the forms that are allowed here", ""),
        ("names: {a: 1, B C: 2}", "a.yml:1:15", "the key 'B C' can't stand in names", "lower-case words; for example"),
        ("patterned: {x-a: 1, y: 2}", "a.yml:1:21", "unknown key 'y' in patterned", ""),
        ("size: 5", "a.yml:1:7", "size: 5 is not text", "for example '10gb'"),
        ("forbidden: 1", "a.yml:1:12", "forbidden: is not allowed here", "there is no such key"),
        ("few: [1, 2]", "a.yml:1:6", "few: has more than 1 elements", ""),
    ],
)
def test_each_keyword_in_words_and_at_its_place(text, place, message, hint):
    found = one(text)
    assert found[:2] == (place, message)
    assert hint in found[2]


def test_every_mistake_is_told_at_once():
    assert len(findings("cuont: 1\nname: 1\ninner: {}\nlist: [1, 2]")) == 6


@pytest.mark.parametrize(
    "text",
    [
        "password: 12345678",
        "password: [hunter2]",
        "headers: {X-Auth: {Bearer: hunter2}}",
        "headers: {Authorization: 12345678}",
        "headers: [hunter2]",
        "name: {password: hunter2}",
        "list: {password: hunter2}",
        "count: https://user:hunter2@host/",
    ],
)
def test_no_secret_is_shown(text):
    shown = str(findings(text))
    assert "hunter2" not in shown
    assert "12345678" not in shown


def test_a_literal_password_in_provisioner_yml_is_never_shown():
    for value in ("hunter2", "12345678", "[hunter2]", "{a: hunter2}"):
        found = findings(
            f"owner: acme\ntargets: {{dev: {{hosts: ['http://a'], password: {value}}}}}", schema.load("provisioner")
        )
        assert found
        assert "hunter2" not in str(found)
        assert "12345678" not in str(found)


def test_long_values_are_cut():
    assert len(findings(f"name: {'X' * 1000}")[0].message) < 120


def test_a_rule_has_the_keys_of_its_type_too():
    combined = schema.combine(
        {"properties": {"a": {}}, "required": ["a"], "$defs": {"d": {}}},
        {"title": "T", "properties": {"b": {}}, "required": ["b"]},
    )
    assert combined["required"] == ["a", "b"]
    assert set(combined["properties"]) == {"a", "b"}
    assert combined["additionalProperties"] is False
    assert combined["title"] == "T"


@pytest.mark.parametrize("text", ["", "{", "[]", "5", '{"type": "strin"}', '{"properties": []}'])
def test_what_is_no_schema_is_refused(text):
    with pytest.raises(schema.BrokenSchemaError):
        schema.parse(text)


@pytest.mark.parametrize(
    "broken",
    [{"$ref": "#/$defs/none"}, {"$ref": "http://127.0.0.1:1/x.json"}, {"pattern": "("}, {"$ref": "file:///etc/passwd"}],
)
def test_a_reference_or_pattern_that_leads_nowhere_is_refused_and_nothing_is_fetched(broken):
    with pytest.raises(schema.BrokenSchemaError):
        findings("name: x", {"properties": {"name": broken}})


@pytest.mark.parametrize("kind", [*schema.kinds(), "provisioner"])
def test_our_own_schemas_are_schemas_and_say_what_every_key_is_for(kind):
    loaded = schema.load(kind)
    assert schema.parse(orjson.dumps(loaded).decode()) == loaded
    without = [name for name, about in loaded["properties"].items() if not about.get("description")]
    assert without == []


def test_unknown_kinds():
    with pytest.raises(KeyError):
        schema.load("nothing")
    assert "provisioner" not in schema.kinds()
    assert "rule" in schema.kinds()


def test_suggestions():
    assert schema.suggest("treshold", ["threshold", "match"], "types") == "did you mean 'threshold'?"
    assert schema.suggest("zzz", ["b", "a"], "types") == "types: a, b"
    assert schema.suggest("zzz", [], "there are") == "there are: none"
    many = [f"n{number:02}" for number in range(30)]
    assert schema.suggest("zzz", many, "names").endswith("n18, n19, and 10 more")
