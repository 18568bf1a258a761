"""Which matches a run of a doc-level monitor reports."""

from __future__ import annotations

from provisioner.devcluster.standin.alerting.new_documents import reported

QUERIES = [{"id": f"q{n}"} for n in range(20)]


def test_ten_queries_of_all_documents_are_reported_in_the_order_of_the_queries() -> None:
    found = {"a": ["q3", "q19"], "b": [f"q{n}" for n in range(4, 14)], "c": ["q15"]}
    assert reported(found, QUERIES) == {"a": ["q3"], "b": [f"q{n}" for n in range(4, 13)]}


def test_of_ten_queries_nothing_is_lost() -> None:
    found = {"a": [f"q{n}" for n in range(10)], "b": ["q9"], "c": []}
    assert reported(found, QUERIES) == {"a": [f"q{n}" for n in range(10)], "b": ["q9"]}
