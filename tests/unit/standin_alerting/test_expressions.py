"""Trigger expressions over sets of documents."""

import pytest

from provisioner.devcluster.standin.alerting.expressions import ExpressionError, documents, operands

SETS = {"name=a": {1, 2}, "name=b": {2, 3}, "tag=t": {3, 4}}
ALL = {1, 2, 3, 4}


def evaluate(expression: str) -> set[int]:
    return documents(expression, lambda text: SETS.get(text, set()), ALL)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("query[name=a]", {1, 2}),
        ("!query[name=a]", {3, 4}),
        ("query[name=a] && query[name=b]", {2}),
        ("query[name=a] || query[tag=t]", {1, 2, 3, 4}),
        ("query[name=a] || query[name=b] && query[tag=t]", {3}),
        ("query[name=a] || (query[name=b] && query[tag=t])", {1, 2, 3}),
        ("query[name=a] && query[name=b] || query[tag=t]", {2, 3, 4}),
        ("!query[name=a] && query[tag=t] || query[name=b]", {2, 3, 4}),
        ("(query[name=a] || query[name=b]) && query[tag=t]", {3}),
        ("(query[name=a] && !query[name=b])", {1}),
        ("!(query[name=a] || query[name=b])", {4}),
        ("!!query[name=a]", {1, 2}),
        ("query[ name=a ]&&query[name=b]", {2}),
        ("query[name=nosuch]", set()),
    ],
)
def test_operators(expression, expected):
    assert evaluate(expression) == expected


@pytest.mark.parametrize(
    "broken", ["", "query[name=", "query[name=a] &&", "(query[name=a]", "a", "query[name=a] query[name=b]"]
)
def test_what_is_no_expression_is_refused(broken):
    with pytest.raises(ExpressionError):
        evaluate(broken)


def test_operands_in_order():
    assert operands("monitor[id=x] && (monitor[id=y] || !monitor[id=x])") == ["id=x", "id=y", "id=x"]
