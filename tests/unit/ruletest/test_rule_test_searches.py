"""Monitors as searches of their own."""

from provisioner.model import Document, Origin
from provisioner.ruletest import searches
from provisioner.ruletest.cases import Case
from provisioner.ruletest.events import TestEvent as Event
from provisioner.ruletest.runs import Run

BUCKET = {
    "monitor_type": "bucket_level_monitor",
    "schedule": {"period": {"interval": 2, "unit": "MINUTES"}},
    "inputs": [
        {
            "search": {
                "indices": ["logs"],
                "query": {
                    "size": 0,
                    "query": {"range": {"@timestamp": {"gte": "{{period_end}}||-60s", "lte": "{{period_start}}"}}},
                    "aggregations": {"composite_agg": {"composite": {}, "aggregations": {"peak": {}}}},
                },
            }
        }
    ],
    "triggers": [
        {
            "bucket_level_trigger": {
                "condition": {
                    "parent_bucket_path": "composite_agg",
                    "buckets_path": {"peak": "peak.value"},
                    "script": {"source": "params.peak > 1"},
                }
            }
        }
    ],
}
QUERIES = [{"id": "x", "query": "a:b", "fields": []}, {"id": "y", "query": "c:d", "fields": []}]
DOC = {"monitor_type": "doc_level_monitor", "inputs": [{"doc_level_input": {"queries": QUERIES}}], "triggers": []}
QUERY = {
    **BUCKET,
    "monitor_type": "query_level_monitor",
    "triggers": [{"query_level_trigger": {"condition": {"script": {"source": "true"}}}}],
}


def case(monitor, **rule):
    document = Document("rule", "x", {"group_by": ["user"], **rule}, {(): Origin("a")})
    events = [Event(0, 0, {}), Event(1, 1, {})]
    return Case(7, document, "t", Origin("a"), [], events, [Run(60_000, (0,)), Run(120_000, (0, 1))], monitor)


def test_a_bucket_level_monitor_sees_what_is_stored_at_its_time_and_its_trigger_is_a_selector():
    first, second = searches.searches(case(BUCKET), 1_000_000)
    (query,) = first.body["query"]["bool"]["must"]
    assert query["range"]["@timestamp"] == {"gte": "1060000||-60s", "lte": "940000"}
    assert first.body["query"]["bool"]["filter"] == [{"ids": {"values": ["7-0"]}}]
    assert second.body["query"]["bool"]["filter"] == [{"ids": {"values": ["7-0", "7-1"]}}]
    selector = first.body["aggregations"]["composite_agg"]["aggregations"][searches.FIRES]["bucket_selector"]
    assert selector == {"buckets_path": {"peak": "peak.value"}, "script": {"source": "params.peak > 1"}}
    assert searches.FIRES not in BUCKET["inputs"][0]["search"]["query"]["aggregations"]["composite_agg"]["aggregations"]
    buckets = [{"key": {"user": "a"}, "doc_count": 3, "peak": {"value": 5.0}}, {"key": {"user": "b"}, "doc_count": 3}]
    answer = {"aggregations": {"composite_agg": {"buckets": buckets}}}
    assert searches.fired(first, answer) == {("a",): 5.0, ("b",): 3}


def test_of_a_pack_only_the_rules_own_query_is_asked():
    (only,) = searches.searches(case(DOC), 0)
    assert only.body["query"]["bool"]["must"] == [{"query_string": {"query": "a:b"}}]
    assert only.body["query"]["bool"]["filter"] == [{"ids": {"values": ["7-0", "7-1"]}}]


def test_a_query_level_trigger_is_a_script_to_ask_for():
    first, _ = searches.searches(case(QUERY), 0)
    assert first.condition == {"source": "true"}
