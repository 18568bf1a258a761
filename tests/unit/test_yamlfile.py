"""YAML as documents write it: core schema, places, and nothing that a file can hold raises."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner import yamlfile
from provisioner.model import Origin


def value(text):
    documents, findings = yamlfile.read(text, "a.yml")
    assert findings == []
    return documents[0].value


def problem(text):
    documents, findings = yamlfile.read(text, "a.yml")
    assert documents == []
    assert len(findings) == 1
    assert findings[0].code == "YAML001"
    assert findings[0].hint
    return findings[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on", "on"),
        ("no", "no"),
        ("y", "y"),
        ("0755", 755),
        ("0o17", 15),
        ("0x1F", 31),
        ("12:30", "12:30"),
        ("2026-05-11", "2026-05-11"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        ("-.INF", "-.INF"),
        (".nan", ".nan"),
        ("true", True),
        ("False", False),
        ("tRUE", "tRUE"),
        ("~", None),
        ("null", None),
        ("''", ""),
        ("-12", -12),
        ("+12", 12),
        ("1e3", 1000.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("1e", "1e"),
        ("!!str 12", "12"),
        ("=", "="),
        ("18446744073709551615", 2**64 - 1),
        ("-9223372036854775808", -(2**63)),
        ('"\\0\\u2028"', "\0\u2028"),
    ],
)
def test_core_schema(text, expected):
    assert value(text) == expected
    assert type(value(text)) is type(expected)


@pytest.mark.parametrize(
    "text",
    ["1e999", "-1e999", str(2**64), str(-(2**63) - 1), "0x1FFFFFFFFFFFFFFFF", "9" * 5000, "!!int x", "!!float nan"],
)
def test_numbers_that_json_or_opensearch_cannot_hold_are_findings(text):
    found = problem(f"a:\n  b: {text}")
    assert "64 bits" in found.message
    assert len(found.message) < 100
    assert found.origin == Origin("a.yml", 2, 6)


def test_every_value_and_key_has_its_place():
    documents, _ = yamlfile.read("a: 1\nb:\n  - x\n  - {c: d}\n---\ne: f\n", "a.yml")
    first, second = documents
    assert first.origins == {
        (): Origin("a.yml", 1, 1),
        ("a",): Origin("a.yml", 1, 4),
        ("b",): Origin("a.yml", 3, 3),
        ("b", 0): Origin("a.yml", 3, 5),
        ("b", 1): Origin("a.yml", 4, 5),
        ("b", 1, "c"): Origin("a.yml", 4, 9),
    }
    assert first.key_origins == {
        ("a",): Origin("a.yml", 1, 1),
        ("b",): Origin("a.yml", 2, 1),
        ("b", 1, "c"): Origin("a.yml", 4, 6),
    }
    assert second.origins[("e",)] == Origin("a.yml", 6, 4)


@pytest.mark.parametrize("prefix", ["", "\ufeff", "# ümläut €\n", "# 🎉\n"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_places_behind_bom_wide_characters_and_carriage_returns(prefix, newline):
    text = (prefix + "ä: é\nb: [x, y]\n").replace("\n", newline)
    line = 2 + prefix.count("\n")
    documents, findings = yamlfile.read(text, "a.yml")
    assert findings == []
    assert documents[0].value == {"ä": "é", "b": ["x", "y"]}
    assert documents[0].origins[("b", 1)] == Origin("a.yml", line, 8)


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, 1, "'a' stands twice"),
        ("x: {k: 1, k: 2}\n", 1, 11, "'k' stands twice"),
        ("a: [1, 2\nb: 3\n", 2, 2, "flow sequence"),
        ("a:\n\t- 1\n", 2, 1, "cannot start any token"),
        ("a: b: c\n", 1, 5, "mapping values are not allowed"),
        ("a: @x\n", 1, 4, "cannot start any token"),
        ("a: 'x\n", 1, 4, "quoted scalar"),
        ("? [1]\n: x\n", 1, 3, "a key must be text"),
        ("a: !foo 1\n", 1, 4, "tag '!foo'"),
        ("a: !!python/object:os.system {}\n", 1, 4, "python/object"),
        ("a: !!set {x}\n", 1, 4, "set"),
        ("a: !!binary aGk=\n", 1, 4, "binary"),
        ("a: *x\n", 1, 4, "alias"),
        ("a: 1\n<<: 2\n", 2, 5, "'<<' takes a mapping"),
        ("ä: b\nc: \x07\n", 2, 4, "U+0007"),
        ("a: b\0c", 1, 5, "U+0000"),
        ("a: \ud800", 1, 4, "U+D800"),
        ("a: \x80", 1, 4, "U+0080"),
        ("a: \uffff", 1, 4, "U+FFFF"),
    ],
)
def test_what_is_no_yaml_is_a_finding_at_its_place(text, line, column, words):
    found = problem(text)
    assert words in found.message
    assert found.origin == Origin("a.yml", line, column)


def test_merge_keys_own_ones_win_and_keep_their_place():
    documents, _ = yamlfile.read("m: &m {a: 1, b: 2}\nn: &n {b: 3, c: 4}\nx: {a: 0, <<: [*m, *n]}\n", "a.yml")
    assert documents[0].value["x"] == {"a": 0, "b": 2, "c": 4}
    assert documents[0].key_origins[("x", "a")] == Origin("a.yml", 3, 5)
    assert documents[0].origins[("x", "a")] == Origin("a.yml", 3, 8)
    assert documents[0].key_origins[("x", "c")] == Origin("a.yml", 2, 14)
    assert value('"<<": x') == {"<<": "x"}


def _bomb(entry):
    """Nine levels, each naming the one before nine times: 9 ** 9 values from 300 bytes."""
    levels = ["a0: &a0 {x: 1}\n"]
    levels += [f"a{n}: &a{n} {entry % ', '.join([f'*a{n - 1}'] * 9)}\n" for n in range(1, 10)]
    return "".join(levels)


@pytest.mark.parametrize("entry", ["[%s]", "{<<: [%s]}"])
def test_alias_and_merge_bombs_are_refused_quickly(entry):
    started = time.monotonic()
    assert "unfold" in problem(_bomb(entry)).message
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("text", ["&a [*a]", "&a {x: *a}", "&a {<<: *a}", "&a [*a, *a]"])
def test_circles_of_aliases_are_refused(text):
    assert "nested too deeply" in problem(text).message


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,  # composing these recursively in C ended the process with a segmentation fault
        "[" * 200_000 + "]" * 200_000,
        "{a: " * 50_000,
        "- " * 20_000 + "x",
        "\n".join(" " * n + "a:" for n in range(2_000)),
        "? " * 20_000,
    ],
)
def test_depth_is_refused_where_it_begins(text):
    found = problem(text)
    assert "nested too deeply" in found.message
    assert max(found.origin.line, found.origin.column) > yamlfile.MAX_DEPTH


def test_depth_up_to_the_limit_is_read():
    nested = value("[" * yamlfile.MAX_DEPTH + "]" * yamlfile.MAX_DEPTH)
    for _ in range(yamlfile.MAX_DEPTH - 1):
        (nested,) = nested
    assert nested == []


def test_empty_files():
    assert yamlfile.read("", "a.yml") == ([], [])
    assert yamlfile.read("# only a comment\n", "a.yml") == ([], [])
    assert [document.value for document in yamlfile.read("---\n---\na: 1\n", "a.yml")[0]] == [None, {"a": 1}]


_CHARACTERS = list("\n\t\r\x00\x85\u2028\ufeff\ud800é🎉{}[],'\"\\#!@`=$%-~a")
_WORDS = ["b: ", "- ", "? ", ": ", "  ", "&a ", "*a", "<<: ", "|\n", ">-\n", "!!int ", "!!set ", "%YAML 1.1\n", "---\n"]
_PIECES = st.sampled_from([*_CHARACTERS, *_WORDS, "...\n", "1e9", "0x", "{{ x }}", "\x1b[0m"])


@settings(max_examples=400)
@given(st.one_of(st.text(), st.lists(_PIECES, max_size=40).map("".join)))
def test_read_never_raises_and_its_places_lie_in_the_text(text):
    documents, findings = yamlfile.read(text, "a.yml")
    lines = len(text.splitlines()) + 1
    origins = [origin for document in documents for origin in document.origins.values()]
    for origin in [*origins, *(finding.origin for finding in findings)]:
        assert 1 <= origin.line <= lines + 1
        assert origin.column >= 1
    for document in documents:
        assert set(document.key_origins) <= set(document.origins)
    assert not (documents and findings)


@pytest.mark.parametrize("line_break", ["\n", "\r", "\r\n", "\x85", "\u2028"])
@pytest.mark.parametrize(
    "deep",
    [
        lambda n, _: "[" * n + "]" * n,
        lambda n, _: "{a: " * n + "}" * n,
        lambda n, _: "- " * n + "a",
        lambda n, _: "? " * n + "a",
        lambda n, end: end.join(" " * i + "a:" for i in range(n)),
        lambda n, end: end.join(" " * i + "- " for i in range(n)),
    ],
)
def test_what_could_end_the_process_is_measured_first(deep, line_break):
    text = deep(yamlfile._SAFE_DEPTH + 1, line_break)
    assert yamlfile._may_be_deep(text)
    assert [finding.code for finding in yamlfile.read(text, "a.yml")[1]] == ["YAML001"]


def test_long_lines_and_many_lines_are_not_deep():
    lines = "\n".join(f"- {{name: {'x' * 5_000}, list: [1, 2, 3]}}" for _ in range(300))
    assert not yamlfile._may_be_deep(lines)
