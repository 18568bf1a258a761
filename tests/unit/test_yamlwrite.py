"""Values into YAML and back: the same, whatever they are."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner import yamlfile
from provisioner.yamlwrite import dump

TRAPS = ["on", "off", "yes", "no", "y", "n", "true", "True", "null", "~", "Null", "NULL", "1e3", "1.0", ".5", "5."]
TRAPS += ["0123", "0x1f", "0o17", "0b1", "1_000", "12:30", "12:30:45", "2026-05-11", "=", "<<", "-", "?", ":", "-a"]
TRAPS += ["#x", "&a", "*a", "!a", "!!str", "|", ">", "@a", "`a", "%a", ".inf", "-.inf", ".nan", "+1", "-0", "1e-07"]
TRAPS += ["[]", "{}", ",", "a,b", "a:", ":a", "a#b"]
TEXTS = [
    *TRAPS,
    "",
    " ",
    " leading",
    "trailing ",
    "a: b",
    "a #b",
    "a\nb",
    "a\nb\n",
    "a\nb\n\n",
    "\na",
    "  a\nb",
    "a \nb",
    "a\t\n \n\t\n  b\tc \n",
    "a\n\tb",
    "a\nb ",
    "a\n ",
    "a\n\t\n",
    "- a\n\n\n  b",
    "a\n b\n  c",
    "a\tb",
    "\ta\nb",
    "a\r\nb",
    "a\u2028b",
    "a\x85b\nc",
    "\ufeffa",
    "a\u200bb",
    "Сбой входа",
    "🔥\nb",
    "\x07",
    "\ue000",
    "---",
    "...",
    "--- a\n...\nb",
    "'",
    '"',
    "\\",
    "{{ctx.monitor.name}}\n{{#ctx.results.0.hits.hits}}{{_source.x}}{{/ctx.results.0.hits.hits}}",
    "%YAML 1.1\na",
    "#\n#",
    "# a\nb",
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.text(st.sampled_from(" \n\t-:#'\"|>{}[]&*!%@`,?\\\u2028\x85aé🔥0.e~"))
    | st.sampled_from(TEXTS),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | st.sampled_from(TEXTS), inner, max_size=4)
    ),
    max_leaves=20,
)  # fmt: skip


def back(value):
    documents, findings = yamlfile.read(dump(value), "x.yml")
    assert findings == []
    (document,) = documents
    return document.value


def same(one, other):
    """Equal with the same types: 1 is not True, 0.0 not 0, nor -0.0."""
    if isinstance(one, dict):
        return isinstance(other, dict) and list(one) == list(other) and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and repr(one) == repr(other)


@settings(max_examples=300)
@given(VALUES)
def test_what_is_written_is_read_again(value):
    assert same(back({"a": value}), {"a": value})


@pytest.mark.parametrize("text", TEXTS)
def test_traps(text):
    for value in (text, [text], {text: text}, [[text]], [{"a": text, text or "b": {text: [text]}}]):
        assert same(back({"x": value}), {"x": value})


@pytest.mark.parametrize("text", TRAPS)
def test_what_other_readers_take_for_something_else_is_quoted(text):
    """PyYAML's own loader follows YAML 1.1, as many tools do."""
    assert yaml.safe_load(dump({"x": text})) == {"x": text}


def test_scripts_with_tabs_and_trailing_spaces_stay_readable():
    assert dump({"x": "if (a) { \n\tb;\n}\n"}) == "x: |\n  if (a) { \n  \tb;\n  }\n"


def test_readable():
    script = "if (x) {\n  y\n}\n"
    shared = {"a": [1]}
    value = {"name": "Failed logins: today", "source": script, "list": [{"b": "on", "c": "x" * 200}, shared, shared]}
    assert dump(value) == (
        "name: 'Failed logins: today'\nsource: |\n  if (x) {\n    y\n  }\nlist:\n  - b: 'on'\n"
        f"    c: {'x' * 200}\n  - a:\n      - 1\n  - a:\n      - 1\n"
    )
