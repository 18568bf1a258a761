"""Whatever a client sends as a monitor is read or refused, never a crash."""

import asyncio
import copy
import random

import pytest

from provisioner.devcluster.standin.alerting.buckets import with_sample_documents, with_selectors
from provisioner.devcluster.standin.alerting.inputs import InputError
from provisioner.devcluster.standin.alerting.model import Trigger, instant, new_id
from provisioner.devcluster.standin.alerting.parse_monitor import monitor_form
from provisioner.devcluster.standin.alerting.parse_trigger import trigger_form
from provisioner.devcluster.standin.alerting.parse_workflow import workflow_form
from provisioner.devcluster.standin.errors import OpenSearchError
from provisioner.devcluster.standin.node import Node

MONITOR = {
    "name": "d",
    "monitor_type": "doc_level_monitor",
    "schedule": {"period": {"interval": 1, "unit": "MINUTES"}},
    "inputs": [{"doc_level_input": {"indices": ["a"], "queries": [{"name": "n", "query": "q", "tags": ["t"]}]}}],
    "triggers": [
        {
            "document_level_trigger": {
                "name": "t",
                "severity": 1,
                "condition": {"script": "query[tag=t]"},
                "actions": [{"name": "a", "destination_id": "c", "message_template": {"source": "m"}}],
            }
        }
    ],
}
NODE = Node("http://127.0.0.1:1")  # never asked: a doc-level monitor has no query for it to judge
VALUES = [None, True, 0, -1, 1.5, "", "x", [], {}, [None], {"a": 1}, ["a"], [{}]]


def read(body):
    """The stored form."""
    return asyncio.run(monitor_form(body, NODE, 5))


def places(value, path=()):
    yield path
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(item, (*path, key))


def test_a_good_monitor_is_read():
    form = read(MONITOR)
    assert (form["enabled"], form["enabled_time"], form["owner"], form["schema_version"]) == (True, 5, "alerting", 0)
    [trigger] = form["triggers"]
    body = trigger["document_level_trigger"]
    assert body["severity"] == "1"
    assert len(body["id"]) == len(body["actions"][0]["id"]) == 20


def test_reading_a_stored_form_again_changes_nothing():
    form = read(MONITOR)
    assert read(form) == form


def test_nothing_that_is_sent_crashes():
    random.seed(7)
    for path in [path for path in places(MONITOR) if path]:
        for value in VALUES:
            body = copy.deepcopy(MONITOR)
            target = body
            for step in path[:-1]:
                target = target[step]
            target[path[-1]] = value
            try:
                read(body)
            except (OpenSearchError, AttributeError, KeyError, TypeError, ValueError):
                continue  # the endpoint makes a 500 of the latter four


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({"name": None}, 400, "Monitor name is null"),
        ({"monitor_type": "a b"}, 500, "should follow pattern"),
        ({"data_sources": {"alerts_index": "mine"}}, 400, "Custom Data Sources"),
        ({"triggers": [{"chained_alert_trigger": {}}]}, 500, "name has not been initialized"),
        ({"inputs": [{"nosuch": {}}]}, 500, "nosuch"),
    ],
)
def test_refusals(change, status, reason):
    with pytest.raises(OpenSearchError, match=reason) as refused:
        read({**MONITOR, **change})
    assert refused.value.status == status


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"inputs": [{"composite_input": {"sequence": {"delegates": []}}}]}, "can not be empty"),
        ({"inputs": [{"composite_input": {"sequence": {"delegates": [{"order": 0, "monitor_id": "x"}]}}}]}, "order"),
        ({"triggers": MONITOR["triggers"]}, "Incompatible trigger"),
        ({"workflow_type": "x"}, "should be one of"),
    ],
)
def test_workflow_refusals(change, reason):
    delegates = [{"order": 1, "monitor_id": "x"}]
    body = {
        "name": "w",
        "schedule": MONITOR["schedule"],
        "inputs": [{"composite_input": {"sequence": {"delegates": delegates}}}],
    }
    assert workflow_form(body, 1)["audit_delegate_monitor_alerts"] is True
    with pytest.raises(OpenSearchError, match=reason):
        workflow_form({**body, **change}, 1)


def bucket_trigger(**condition):
    sent = {"buckets_path": {"n": "_count"}, "parent_bucket_path": "by", "script": "params.n > 1", **condition}
    action = {
        "name": "a",
        "destination_id": "c",
        "message_template": {"source": "{{#sample_documents}}{{_source.m}}{{/sample_documents}}"},
    }
    form = trigger_form(
        {"bucket_level_trigger": {"id": "t", "name": "t", "severity": "1", "condition": sent, "actions": [action]}}
    )
    return Trigger("bucket_level_trigger", form["bucket_level_trigger"])


QUERY = {"aggregations": {"by": {"composite": {"size": 2}, "aggregations": {"m": {"max": {"field": "x"}}}}}}


def test_a_trigger_selects_in_an_aggregation_of_its_own():
    body = with_selectors(QUERY, [bucket_trigger()], {"t": {"ip": "a"}})
    assert list(body["aggregations"]) == ["t", "by"]
    selector = body["aggregations"]["t"]["aggregations"]["__provisioner_selected"]["bucket_selector"]
    assert selector["buckets_path"] == {"n": "_count"}
    assert body["aggregations"]["by"]["composite"]["after"] == {"ip": "a"}
    assert "after" not in QUERY["aggregations"]["by"]["composite"]


@pytest.mark.parametrize("condition", [{"parent_bucket_path": "nosuch"}, {"buckets_path": {"n": "nosuch.value"}}])
def test_wrong_paths_are_errors(condition):
    with pytest.raises(InputError):
        with_selectors(QUERY, [bucket_trigger(**condition)], {})


def test_samples_are_sorted_by_the_metrics_fields_and_fail_on_scripted_metrics():
    trigger = bucket_trigger(parent_bucket_path="composite_agg")
    plain = {"aggregations": {"composite_agg": QUERY["aggregations"]["by"]}}
    found = with_sample_documents(plain, trigger)["aggregations"]["composite_agg"]["aggregations"]
    assert found["top_hits"]["top_hits"] == {
        "size": 5,
        "sort": [{"x": {"order": "desc"}}],
        "_source": {"includes": ["m"], "excludes": []},
    }
    scripted = copy.deepcopy(plain)
    scripted["aggregations"]["composite_agg"]["aggregations"]["p"] = {
        "scripted_metric": {"map_script": {"source": "1"}}
    }
    assert with_sample_documents(scripted, trigger) is None
    assert with_sample_documents(QUERY, bucket_trigger()) is None


def test_ids_and_instants_look_like_the_servers():
    assert len({new_id() for _ in range(100)}) == 100
    assert instant(1795423088448) == "2026-11-23T08:38:08.448Z"
    assert instant(1795423088000) == "2026-11-23T08:38:08Z"
