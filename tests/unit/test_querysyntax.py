"""The verdicts of our parser of query strings; tests/e2e/test_query_syntax.py compares them with a server's."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner import querysyntax


@pytest.mark.parametrize(
    "query",
    [
        *("action:x", "+a -b !c", "- a", "a && b || !c", "(a OR (b))", "a(b)", '"a""b"', "*:*", "a^2~1", "n:[* TO 5}"),
        *(
            "a\\:b",
            "a~1.5",
            "//",
            "m:/a\\/b/",
            "m:/[]a)]/",
            "n:>=5",
            "n:(>1 AND <3)",
            "ANDx",
            "",
            "  ",
            "a\tb",
            'a:"-1"',
        ),
    ],
)
def test_what_parses(query):
    assert querysyntax.wrong(query) is None


@pytest.mark.parametrize(
    ("query", "position"),
    [
        *(("a AND", 6), ("OR a", 1), ("a AND OR b", 7), ("a:", 3), ("a::b", 3), ("a:b:c", 4), ("()", 2), ("(a", 1)),
        *(('"a', 1), ("a\\", 2), ("a/b", 2), ("n:[1 TO]", 3), ("n:[1 5]", 3), ("n:{1 TO 2", 3), ("a^x", 2), ("]", 1)),
        *(("acti*:a", 6), ("NOT NOT a", 5), ("\\u00", 1), ("m:/(a/", 3), ("a~ ~", 4), ("a:-1", 3), ("a~b", 2)),
    ],
)
def test_what_does_not(query, position):
    wrong = querysyntax.wrong(query)
    assert wrong is not None
    assert wrong.position == position
    assert wrong.hint


def test_deep_nesting_is_no_traceback():
    assert "too deep" in querysyntax.wrong("(" * 5000 + "a" + ")" * 5000).message
    assert querysyntax.wrong("(" * 100 + "a" + ")" * 100) is None


_PIECES = [" ", "(", ")", ":", "a", "b.c", "AND", "OR", "NOT", "&&", "||", "-", "+", "!", "*", "?", "\\", "\\:", '"']
_PIECES += [
    '"a b"',
    "/",
    "/x/",
    "~",
    "^2",
    "[1 TO 2]",
    "[",
    "}",
    "\n",
    "\u3000",
    "\\u",
    "é",
    "f:",
    " AND ",
    " OR (",
    "NOT (",
]


@settings(max_examples=1_000)
@given(st.lists(st.sampled_from(_PIECES), max_size=14).map("".join))
def test_what_is_decided_at_once_is_what_the_grammar_says(query):
    assert querysyntax._grammar(query) is None or not querysyntax._usual(query)


@given(st.lists(st.sampled_from(["a", "f:a", '"a b"', "NOT f:a*", "(a b)", "f:(a OR b)"]), min_size=1, max_size=6))
def test_usual_queries_are_decided_at_once(clauses):
    query = " AND ".join(clauses)
    assert querysyntax._usual(f"({query}) OR NOT (x:y AND ({query}))")
    assert not querysyntax._usual(f"{query} AND")
    assert not querysyntax._usual(f"({query}")


@pytest.mark.parametrize("piece", ["a ", "(", "(a OR ", "a:", '"', '"a', "\\ ", "a AND (", "NOT "])
def test_long_queries_are_decided_without_going_back(piece):
    """Each of these would take for ever if the expression tried its parts in more than one way."""
    querysyntax._usual(piece * 50_000)
    assert re.fullmatch(querysyntax._USUAL, piece * 50_000 + ")") is None
