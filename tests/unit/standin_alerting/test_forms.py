"""The server's form of searches, against what OpenSearch 3.4.0 printed.

`forms.jsonl` was measured on the node: an index with `search.slowlog.threshold.query.trace: 0ms` logs every search in
the form that monitors show. `forms-that-differ.jsonl` holds the searches whose form the tables do not reproduce: they
must pass untouched, and `docs/stand-in.md` lists them.
"""

import json
from pathlib import Path

import pytest

from provisioner.devcluster.standin.alerting.forms import search_source

HERE = Path(__file__).parent


def lines(name: str) -> list[dict]:
    return [json.loads(line) for line in (HERE / name).read_text().splitlines()]


@pytest.mark.parametrize("case", lines("forms.jsonl"), ids=lambda case: json.dumps(case["sent"])[:80])
def test_form_is_what_the_server_shows(case):
    assert search_source(case["sent"]) == case["got"]


@pytest.mark.parametrize("name", ["forms.jsonl", "forms-that-differ.jsonl"])
def test_applying_the_form_twice_changes_nothing(name):
    for case in lines(name):
        once = search_source(case["sent"])
        assert search_source(once) == once, case["sent"]
        assert search_source(case["got"]) == case["got"], case["sent"]


def test_a_sent_body_is_not_changed():
    sent = {"query": {"bool": {"filter": {"term": {"a": "b"}}}}, "aggs": {"t": {"terms": {"field": "x"}}}}
    copy = json.loads(json.dumps(sent))
    search_source(sent)
    assert sent == copy


@pytest.mark.parametrize("case", lines("forms-that-differ.jsonl"), ids=lambda case: json.dumps(case["sent"])[:80])
def test_known_differences_still_differ(case):
    # When one of these begins to agree, move it to forms.jsonl and take it off the list in the docs.
    assert search_source(case["sent"]) != case["got"]


@pytest.mark.parametrize("broken", [{"query": {}}, {"query": {"term": {}, "match": {}}}, {"aggs": {"a": {}}}])
def test_an_object_without_one_type_is_refused(broken):
    with pytest.raises(ValueError, match="one key"):
        search_source(broken)
