"""A text read by its form gives what reading the whole text gives, or is read whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner import source, yamlfile, yamlforms
from provisioner.bodytemplates import encode, kept
from provisioner.compile import Compiler
from provisioner.settings import Settings, Target
from provisioner.yamlforms import Forms, Pieces, UnfitError

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
FORMS = [
    ["a: ", "\n"],
    ["a: ", "\nb: ", ""],
    ["a:\n  - ", "\n  - ", "\n"],
    ["", ": 1\nb: 2\n"],
    ["", ": ", "\n", ": 3\n"],
    ["{a: ", ", b: [", ", ", "]}"],
    ['{"a":', "}"],
    ["{a:", "}"],
    ["- ", " # a comment\n# ", "\n"],
    ["# only a comment ", "\n"],
    ["", "\n"],
    ['a: "', '"\n'],
    ["a: '", "'\n"],
    ["a: b", "\n"],
    ["a: ", "c\n"],
    ["a: ", " ", "\n"],
    ["a: |\n  text ", "\n  more\nb: ", "\n"],
    ["a: >\n  ", "\n"],
    ["a: ", "\n  more\n"],
    ["a: &x ", "\nb: *x\n"],
    ["a: !!str ", "\n"],
    ["<<: ", "\na: 1\n"],
    ["a: {<<: ", "}\n"],
    ["? ", "\n: ", "\n"],
    ["a: 1\na: ", "\n"],
    ["--- ", "\n--- ", "\n"],
    ["%YAML 1.1\n---\na: ", "\n"],
    ["a: [", "\n"],
    ["a: 0o17\nb: ", "\n"],
    ["a: -1\nb: 1.5\nc: ", "\n"],
    ["a: yes\nb: ~\nc: true\nd: 0755\ne: ", "\n"],
]
TEXT = st.text(st.characters(exclude_characters="\ufdd0\ufdd1\ufdd2\ufdd3"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT.map(lambda key: key[:5]), inner, max_size=3),
    max_leaves=8,
)


def whole(pieces: list[str], values: list[str]) -> tuple[list[object], bool]:
    """The documents of the whole text, and whether there was nothing to say."""
    text, stretches = pieces[0], []
    for value, piece in zip(values, pieces[1:], strict=True):
        stretches.append((len(text), len(text) + len(value)))
        text += value + piece
    documents, findings = yamlfile.rendered(text, "a", stretches)
    return documents, not findings


def alike(one: object, other: object) -> bool:
    """Equal, types and order included."""
    return json.dumps(one) == json.dumps(other)


def check_that_both_read_the_same(pieces: list[str], values: list[object], form: Callable[[object], object]) -> None:
    """`form`: how values are kept until they are put in, encoded or as they are."""
    try:
        found = Forms().value(Pieces(pieces, [form(value) for value in values]))
    except UnfitError:
        return
    documents, fine = whole(pieces, [encode(value) for value in values])
    assert fine
    assert alike([found], documents)


@settings(max_examples=1_000)
@given(st.sampled_from(FORMS), st.data())
def test_a_form_reads_what_the_whole_text_says(pieces: list[str], data: st.DataObject) -> None:
    values = [data.draw(VALUES) for _ in pieces[1:]]
    check_that_both_read_the_same(pieces, values, data.draw(st.sampled_from([encode, kept])))


ODD = [
    2**64,
    2**64 - 1,
    -(2**63),
    -(2**63) - 1,
    1e308,
    1e-320,
    -0.0,
    1e22,
    "<<",
    "~",
    "null",
    "",
    " ",
    "\ud800",
    "\U0001f600",
]
ODD += ["a\u2028b", "\x7f", "\ufeff", '"', "\\", "\\ud800", "*a", "&a", "!a", "x" * 2_000, [[[]]], {"<<": {"a": 1}}]


@pytest.mark.parametrize("pieces", FORMS, ids=repr)
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:20])
@pytest.mark.parametrize("form", [encode, kept])
def test_odd_values(pieces: list[str], odd: object, form: Callable[[object], object]) -> None:
    check_that_both_read_the_same(pieces, [odd for _ in pieces[1:]], form)


@pytest.mark.parametrize(
    ("pieces", "values", "expected"),
    [
        (["a: ", "\nb: ", "\n"], [1, "x"], {"a": 1, "b": "x"}),
        (["", ":\n  - ", "\n"], ["key", {"deep": [1.5]}], {"key": [{"deep": [1.5]}]}),
        (["{a: ", ", b: [", "]}"], [True, None], {"a": True, "b": [None]}),
        (["- ", " # ", "\n"], ["one", "told"], ["one"]),
    ],
)
def test_what_has_a_form_is_read_by_it(pieces: list[str], values: list[object], expected: object) -> None:
    forms = Forms()
    assert forms.value(Pieces(pieces, [encode(value) for value in values])) == expected
    assert len(forms.known) == 1
    again = forms.value(Pieces(pieces, [encode(value) for value in values]))
    assert again == expected
    assert len(forms.known) == 1
    assert again is not forms.value(Pieces(pieces, [encode(value) for value in values]))


def test_what_a_macro_wrote_in_brackets_has_a_form_of_its_own() -> None:
    def pieces(count: int) -> Pieces:
        inner = Pieces(["[", *[", "] * (count - 1), "]\n"], list(range(count)))
        return Pieces(["a: ", "\nb: ", "\n"], [inner, "x"])

    forms = Forms()
    for count in (1, 2, 3, 2):
        assert forms.value(pieces(count)) == {"a": list(range(count)), "b": "x"}
    assert len(forms.known) == 4  # the one around it is the same
    comment = Pieces(["[1] # ", ""], [2])
    with pytest.raises(UnfitError):
        forms.value(Pieces(["a: {b: ", ", c: 1}"], [comment]))


def test_compiling_by_forms_and_by_whole_texts_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = Settings("acme", Target("tests", ("http://127.0.0.1:9",), vars={"replicas": 1}, access=True))
    read = source.load(ROOT, chosen.target.vars)
    by_forms = Compiler(ROOT, chosen, read).run()

    def unfit(*_: object) -> None:
        raise UnfitError

    monkeypatch.setattr(Forms, "value", unfit)
    assert Compiler(ROOT, chosen, read).run() == by_forms
    assert len(by_forms.resources) > 70


def test_nearly_everything_that_we_ship_has_a_form(monkeypatch: pytest.MonkeyPatch) -> None:
    whole: list[str] = []
    rendered = yamlfile.rendered
    monkeypatch.setattr(
        yamlfile, "rendered", lambda text, file, values: whole.append(file) or rendered(text, file, values)
    )
    chosen = Settings("acme", Target("tests", ("http://127.0.0.1:9",), vars={"replicas": 1}, access=True))
    assert len(Compiler(ROOT, chosen, source.load(ROOT, chosen.target.vars)).run().resources) > 70
    assert len(whole) < 8


def test_deep_values_and_forms_are_read_whole() -> None:
    deep: object = 1
    for _ in range(yamlforms._DEPTH + 1):
        deep = [deep]
    with pytest.raises(UnfitError):
        Forms().value(Pieces(["a: ", ""], [encode(deep)]))
    with pytest.raises(UnfitError):
        Forms().value(Pieces(["[" * (yamlforms._DEPTH + 1), "]" * (yamlforms._DEPTH + 1)], [1]))


def test_forms_are_forgotten_where_there_are_very_many() -> None:
    forms = Forms()
    for number in range(yamlforms._MOST + 10):
        assert forms.value(Pieces([f"k{number}: ", "\n"], [1])) == {f"k{number}": 1}
    assert len(forms.known) <= yamlforms._MOST
