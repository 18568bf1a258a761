"""The verdicts of our parser of query strings; tests/e2e/test_query_syntax.py compares them with a server's."""

import pytest

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
