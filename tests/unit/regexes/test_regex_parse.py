"""Regular expressions as trees: Java's syntax, Oniguruma's, and what neither reads."""

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.regexes import charsets as sets
from provisioner.regexes import grok
from provisioner.regexes.parse import Dialect, UnreadableError, parse
from provisioner.regexes.tree import At, Back, Chars, Choice, Group, Look, Mode, Place, Repeat, Sequence

JAVA, RUBY = Dialect.JAVA, Dialect.ONIGURUMA


def _one(text):
    return Chars(sets.of(text))


@pytest.mark.parametrize(
    ("text", "dialect", "tree"),
    [
        ("a", JAVA, _one("a")),
        ("a|b", JAVA, Choice((_one("a"), _one("b")))),
        ("a*?", JAVA, Repeat(_one("a"), 0, None, Mode.LAZY)),
        ("a{2,}+", JAVA, Repeat(_one("a"), 2, None, Mode.POSSESSIVE)),
        ("a{2}", RUBY, Repeat(_one("a"), 2, 2, Mode.GREEDY)),
        ("a{2}+", RUBY, Repeat(Repeat(_one("a"), 2, 2, Mode.GREEDY), 1, None, Mode.GREEDY)),
        ("a{,3}", RUBY, Repeat(_one("a"), 0, 3, Mode.GREEDY)),
        ("(?<name>a)", JAVA, Group(_one("a"))),
        ("(?>a)", JAVA, Group(_one("a"), atomic=True)),
        ("(?i)a", JAVA, Chars(sets.of("aA"))),
        ("(?i:a)a", JAVA, Sequence((Group(Chars(sets.of("aA"))), _one("a")))),
        ("(?x) a # b\n b", JAVA, Sequence((_one("a"), _one("b")))),
        ("(?!a)", JAVA, Look(_one("a"), ahead=True, negative=True)),
        ("(?<=a)", RUBY, Look(_one("a"), ahead=False, negative=False)),
        ("^$", JAVA, Sequence((Place(At.BEGIN), Place(At.LAST_END)))),
        ("^$", RUBY, Sequence((Place(At.LINE_BEGIN), Place(At.LINE_END)))),
        ("(?m)^", JAVA, Place(At.LINE_BEGIN)),
        (r"\k<n>\2", JAVA, Sequence((Back(), Back()))),
        (r"\Qa*\E+", JAVA, Repeat(Sequence((_one("a"), _one("*"))), 1, None, Mode.GREEDY)),
        (r"[a-c&&[^b]]", JAVA, Chars(sets.of("ac"))),
        (r"[]a]", RUBY, Chars(sets.of("]a"))),
        (r"[\]\-a]", JAVA, Chars(sets.of("]-a"))),
        (r"\x41\u0042\x{43}\t", JAVA, Sequence((_one("A"), _one("B"), _one("C"), _one("\t")))),
    ],
)
def test_tree(text, dialect, tree):
    assert parse(text, dialect) == tree


@pytest.mark.parametrize(
    "text", ["(", ")", "a)", "[a", "*", "(?", "\\", r"\x{110000}", r"\y", "(" * 500, r"\g<n>", "(?(1)a)"]
)
def test_unreadable(text):
    with pytest.raises(UnreadableError):
        parse(text, RUBY)


@given(st.text(alphabet="ab\\[]()*+?{},^$|.:<>!=-&1xp\u00e9\U0001f600", max_size=20), st.sampled_from(list(Dialect)))
def test_any_text_is_a_tree_or_unreadable(text, dialect):
    with contextlib.suppress(UnreadableError):
        parse(text, dialect)


@given(st.sampled_from([r"\d", r"\w", r"\s", "[a-f0]", "[^a-f0]", r"[^\s\d]", ".", r"[\w.-]"]), st.integers(0, 127))
def test_sets_hold_what_python_says(text, code):
    if (text == r"\s" and 28 <= code <= 31) or text == r"[^\s\d]":
        return  # Python counts four separators as spaces
    held = bool(parse(text, JAVA).set.may >> code & 1)
    assert held == bool(re.fullmatch(text, chr(code), re.ASCII)) or (text == "." and chr(code) == "\r")


def test_names_of_grok():
    assert grok.expanded("%{A:x} %{B:y:int}", {"A": "a%{B}", "B": "b"}) == "(?:a(?:b)) (?:b)"
    assert grok.expanded("%{NO_SUCH}", {}) == r"(?:\w{1,3})"
    with pytest.raises(UnreadableError):
        grok.expanded("%{A}", {"A": "%{A}"})
