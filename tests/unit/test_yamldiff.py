"""The diff by structure: what a reader sees, and what holds for any two values."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner import fingerprint, yamldiff, yamlfile, yamltext
from provisioner.model import Document, Origin

RULE = """\
kind: rule
id: brute-force
title: Brute force
severity: high
query: category:authentication
threshold: {count: 4, within: 5m}
tests:
  - name: many fire
    expect: [{count: 4}]
  - name: one is silent
    expect: []
"""


def document(text=RULE):
    (read,), _ = yamlfile.read(text, "rules/a.yml")
    body = {key: value for key, value in read.value.items() if key not in ("kind", "id")}
    return Document(read.value["kind"], read.value["id"], body, read.origins, read.key_origins)


def shown(before, after, of=None, around=2):
    return [f"{line.sign} {line.text}" for line in yamldiff.lines(before, after, of, around)]


def test_a_changed_value_with_the_keys_that_lead_to_it_and_its_place():
    doc = document()
    before = {**doc.body, "threshold": {"count": 5, "within": "5m"}}
    assert shown(before, doc.body, doc) == ["  threshold:", "-   count: 5", "+   count: 4", "    within: 5m"]
    origins = [line.origin for line in yamldiff.lines(before, doc.body, doc)]
    assert origins == [None, None, Origin("rules/a.yml", 6, 20), None]


def test_neighbours_on_request():
    before, after = {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}, {"a": 1, "b": 2, "c": 9, "d": 4, "e": 5}
    assert shown(before, after, around=0) == ["- c: 3", "+ c: 9"]
    assert shown(before, after, around=1) == ["  b: 2", "- c: 3", "+ c: 9", "  d: 4"]
    assert len(shown(before, after)) == 6


def test_moved_keys_are_no_difference():
    assert shown({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1}) == []
    assert yamldiff.diff("as written", {"a": 1, "b": 2}, {"b": 2, "a": 1}) is None


def test_new_keys_stand_where_they_are_written_and_lost_ones_behind():
    before, after = {"lost": [1, 2], "b": 2}, {"new": {"x": {"y": 1}}, "b": 2}
    assert shown(before, after) == ["+ new:", "+   x:", "+     y: 1", "  b: 2", "- lost: [1, 2]"]


def test_every_new_line_has_its_place():
    doc = document()
    before = {key: value for key, value in doc.body.items() if key != "tests"}
    added = [line for line in yamldiff.lines(before, doc.body, doc) if line.sign == "+"]
    assert [(line.text, line.origin.line) for line in added] == [
        ("tests:", 8),
        ("  - name: many fire", 8),
        ("    expect:", 9),
        ("      - count: 4", 9),
        ("  - name: one is silent", 10),
        ("    expect: []", 11),
    ]


def test_items_are_matched_by_name():
    doc = document()
    before = {**doc.body, "tests": [doc.body["tests"][1], {"name": "other"}]}
    assert shown(before, doc.body, doc) == [
        "  tests:",
        "+   - name: many fire",
        "+     expect:",
        "+       - count: 4",
        "    - {name: one is silent, expect: []}",
        "-   - name: other",
    ]


def test_a_changed_item_shows_its_name_though_far_away():
    item = {"name": "a", **{f"k{n}": n for n in range(8)}}
    assert shown([item], [{**item, "k7": 0}], around=1) == ["  - name: a", "    k6: 6", "-   k7: 7", "+   k7: 0"]


def test_the_name_may_stand_one_level_down():
    def trigger(severity, name):
        return {"query_level_trigger": {"name": name, "severity": severity, "condition": {"script": {"source": "x"}}}}

    assert shown({"triggers": [trigger("1", "one")]}, {"triggers": [trigger("0", "new"), trigger("2", "one")]}) == [
        "  triggers:",
        "+   - query_level_trigger:",
        "+       name: new",
        '+       severity: "0"',
        "+       condition:",
        "+         script:",
        "+           source: x",
        "    - query_level_trigger:",
        "        name: one",
        '-       severity: "1"',
        '+       severity: "2"',
        "        condition: {script: {source: x}}",
    ]


def test_an_item_that_moved_says_so():
    items = [{"id": name, "v": 1} for name in "abc"]
    assert shown(items, [items[2], items[0], {**items[1], "v": 2}], around=0) == [
        "+ - id: c  # moved: it was number 3",
        "  - id: b",
        "-   v: 1",
        "+   v: 2",
    ]
    moved = [{"id": "b", "v": 2}, *items[::2]]
    assert shown(items, moved, around=0) == ["+ - id: b  # moved: it was number 2", "-   v: 1", "+   v: 2"]


def test_items_without_names_go_with_what_is_built_alike():
    before = [{"set": {"field": "a", "value": 1}}, {"script": {"source": "x", "lang": "painless"}}]
    after = [
        {"set": {"field": "a", "value": 2}},
        {"remove": {"field": "q"}},
        {"script": {"source": "z", "lang": "painless"}},
    ]
    assert shown(before, after) == [
        "  - set:",
        "      field: a",
        "-     value: 1",
        "+     value: 2",
        "+ - remove:",
        "+     field: q",
        "  - script:",
        "-     source: x",
        "+     source: z",
        "      lang: painless",
    ]
    assert shown(before, after[1:], around=0)[:3] == ["- - set:", "-     field: a", "-     value: 1"]


def test_names_that_stand_twice_are_none():
    assert shown([{"name": "a"}, {"name": "a"}], [{"name": "a"}], around=0) == ["- - name: a"]


def test_lists_of_plain_values():
    assert shown({"g": ["a"]}, {"g": ["a", "b"]}) == ["- g: [a]", "+ g: [a, b]"]
    long = [f"10.0.0.{n}/32" for n in range(20)]
    assert shown({"g": long}, {"g": [*long[:10], "new", *long[11:]]}, around=1) == [
        "  g:",
        "    - 10.0.0.9/32",
        "-   - 10.0.0.10/32",
        "+   - new",
        "    - 10.0.0.11/32",
    ]
    assert shown([[1], [2, [3]]], [[1], [2, [4]]]) == ["  - - 2", "-   - [3]", "+   - [4]"]


def test_scripts_are_compared_line_by_line():
    lines = [f"line {n}" for n in range(30)]
    before, after = "\n".join(lines) + "\n", "\n".join([*lines[:12], "twelve", *lines[13:]]) + "\n"
    assert shown({"source": before}, {"source": after}, around=1) == [
        "  source: |",
        "    …",
        "    line 11",
        "-   line 12",
        "+   twelve",
        "    line 13",
        "    …",
    ]
    assert shown({"source": "a\nb"}, {"source": "a\nb\n"}) == ["- source: |-", "+ source: |"]
    assert shown({"s": "a\r\nb\n"}, {"s": "a\nb\n"}) == ["  s: |", r"-   a\r", "+   a", "    b"]
    assert shown({"s": "x"}, {"s": "a\nb\n\n"}) == ["- s: x", "+ s: |+", "+   a", "+   b", "+   "]


def test_long_texts_are_cut_around_the_difference():
    query = "category:authentication AND (action:login_failed OR action:mfa_failed) AND NOT source.ip:10.0.0.0/8 OR x"
    old, new = shown({"q": query}, {"q": query.replace("mfa_failed", "mfa_failure")})
    assert old == "- q: …ogin_failed OR action:mfa_failed) AND NOT source.ip:10.0.0.0/8…"
    assert new == "+ q: …ogin_failed OR action:mfa_failure) AND NOT source.ip:10.0.0.0/8…"
    assert shown("a" * 300, "b" * 300) == [f"- {'a' * 300}", f"+ {'b' * 300}"]
    (huge,) = shown({}, {"x": "a" * 10_000})
    assert len(huge) < 500
    assert "…" in huge


def test_secrets_are_never_shown():
    one, other = "secret:" + "0" * 32, "secret:" + "a" * 32
    assert shown({"url": one}, {"url": other}) == ["- url: (secret)", "+ url: (secret, another one)"]
    assert shown({"l": [one]}, {"l": [other]}) == ["  l:", "-   - (secret)", "+   - (secret, another one)"]
    assert shown({}, {"a": {"url": one}}) == ["+ a:", "+   url: (secret)"]
    assert shown({"url": "(secret)"}, {}) == ["- url: (secret)"]
    assert shown({"url": "${env:OLD}"}, {"url": "${env:NEW}"}) == ["- url: ${env:OLD}", "+ url: ${env:NEW}"]
    masked = fingerprint.masked({"slack": {"url": "https://hunter2"}}, [("slack", "url")], "00" * 16)
    assert shown(None, masked) == ["+ slack:", "+   url: (secret)"]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (1, True, ["- 1", "+ true"]),
        ("1", 1, ['- "1"', "+ 1"]),
        (1, 1.0, ["- 1", "+ 1.0"]),
        ("null", None, ['- "null"']),
        ({"a": None}, {"a": "null"}, ["- a: null", '+ a: "null"']),
        (None, {}, ["+ {}"]),
        ({"a": {}}, {"a": {"b": 1}}, ["- a: {}", "+ a:", "+   b: 1"]),
        ({"a": ["x"]}, {"a": "x"}, ["- a: [x]", "+ a: x"]),
        ("a: b", "a #b", ['- "a: b"', '+ "a #b"']),
        ({"n": "on"}, {"n": "0755"}, ["- n: on", '+ n: "0755"']),
        ({"n": '"q"'}, {"n": r"it's a \w"}, ["- n: '\"q\"'", r"+ n: it's a \w"]),
    ],
)
def test_values_of_other_types(before, after, expected):
    assert shown(before, after) == expected


def test_neighbours_are_brief():
    same = {
        "one": {"set": {"field": "a", "value": {"x": 1}}},
        "two": [{"a": 1}, {"b": 2}],
        "long": {f"key{n}": "x" * 100 for n in range(9)},
        "text": "a\nb",
    }
    assert shown({**same, "z": 1}, {**same, "z": 2}, around=9)[:4] == [
        "  one: {set: {field: a, value: {…}}}",
        "  two: […]",
        f"  long: {{key0: {'x' * 30}…{'x' * 15}, …}}",
        '  text: "a\\nb"',
    ]
    deep = {"end": "x" * 50}
    for n in range(60):
        deep = {f"key{n}": deep}
    assert len(shown({"a": deep, "z": 1}, {"a": deep, "z": 2})[0]) < 200


@pytest.mark.parametrize("nasty", ["\x1b[31mx", "\u202eevil", "a\u2028b", "\x85", "\ufeff", "\x00", "\x7f", "\u200b"])
def test_what_can_not_be_printed_is_escaped(nasty):
    for line in (*yamldiff.lines({}, {nasty: nasty}), *yamldiff.lines({"a": "b\nc"}, {"a": f"b\n{nasty}"})):
        assert line.text.isprintable()
    assert shown({"a": nasty}, {"a": "x"}) != shown({"a": ""}, {"a": "x"})


PLAIN = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text() | st.lists(st.sampled_from(["a", "b", "", "x: y"])).map("\n".join) | st.just("secret:" + "0" * 32)
KEYS = st.sampled_from(["id", "name", "set", "a", "b"]) | st.text()
VALUES = st.recursive(
    PLAIN | TEXTS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=20
)
NAMED = st.lists(st.fixed_dictionaries({"id": st.sampled_from("abcd"), "v": st.integers(0, 2)}))


@given(VALUES | NAMED, VALUES | NAMED, st.integers(0, 3))
def test_different_values_have_a_difference_and_lines_are_lines(before, after, around):
    lines = yamldiff.lines(before, after, around=around)
    assert bool(lines) == (fingerprint.of(before) != fingerprint.of(after))
    assert all(line.text.isprintable() and len(line.text.splitlines()) <= 1 for line in lines)
    assert all(line.sign in ("+", "-", " ") for line in lines)
    assert not lines or any(line.sign != " " for line in lines)


@given(NAMED, NAMED)
def test_named_lists_have_a_difference_wherever_they_differ(before, after):
    assert bool(yamldiff.lines(before, after)) == (before != after)


@given(VALUES)
def test_the_same_has_none(value):
    assert yamldiff.lines(value, value) == ()
    assert yamldiff.diff("t", value, value) is None


@given(TEXTS.filter(lambda text: len(text) <= 100 and not yamltext.is_secret(text)))
def test_a_text_printed_is_the_text_read(text):
    """What is shown for one line is YAML for the same value, for our own reader too."""
    (read,), findings = yamlfile.read(f"key: {yamltext.value(text)}\nflow: [{yamltext.value(text, flow=True)}]\n", "f")
    assert not findings
    assert read.value == {"key": text, "flow": [text]}


def test_a_thousand_equal_bodies_cost_nothing():
    body = {f"key{n}": {"query": "x" * 40, "list": [1, 2, {"a": None}]} for n in range(60)}
    bodies = [(body, dict(reversed(body.items()))) for _ in range(1000)]
    started = time.process_time()
    assert not any(yamldiff.lines(before, after) for before, after in bodies)
    assert time.process_time() - started < 1
