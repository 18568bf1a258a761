"""How monitors run on a real node, where no recording tells: the life of alerts, pages, restarts, many queries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from alerting_replay import StoppedClock, alerting_of, assemble
from serving import Receiver, Served, serve

from provisioner.devcluster.standin.node import Node

MONITORS = "/_plugins/_alerting/monitors"
MINUTE = {"period": {"interval": 1, "unit": "MINUTES"}}
RECENT = {"range": {"@timestamp": {"gt": "{{period_end}}||-5m", "lte": "{{period_end}}", "format": "epoch_millis"}}}
MAPPING = {
    "properties": {
        "@timestamp": {"type": "date"},
        "source": {"properties": {"ip": {"type": "keyword"}}},
        "message": {"type": "text"},
    }
}


@dataclass
class Alerting:
    """The API, and time that passes when told to."""

    client: httpx.Client
    served: Served
    url: str

    def now(self) -> int:
        return alerting_of(self.served).clock.now()

    def passes(self, seconds: float) -> None:
        self.served.call(alerting_of(self.served).advance(self.now() + int(seconds * 1000)))

    def create(self, body: dict[str, Any]) -> str:
        answer = self.client.post(MONITORS, json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["_id"])

    def alerts(self, **query: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.get(f"{MONITORS}/alerts", params={"size": 1000, **query}).json()[
            "alerts"
        ]
        return found

    def states(self) -> dict[str, str]:
        """State by bucket key."""
        return {"#".join(alert["agg_alert_content"]["bucket_keys"]): alert["state"] for alert in self.alerts()}

    def write(self, ip: str, count: int = 1, index: str = "logs", **more: Any) -> None:
        for _ in range(count):
            document = {"@timestamp": self.now(), "source": {"ip": ip}, **more}
            self.client.post(f"/{index}/_doc?refresh=true", json=document).raise_for_status()


@pytest.fixture
def alerting(empty_node: str) -> Iterator[Alerting]:
    with serve(empty_node, assemble) as served, httpx.Client(base_url=served.url, timeout=60) as client:
        client.put("/logs", json={"mappings": MAPPING}).raise_for_status()
        yield Alerting(client, served, empty_node)


@pytest.fixture
def hook(alerting: Alerting, receiver: Receiver) -> Receiver:
    config = {"name": "h", "config_type": "webhook", "webhook": {"url": f"http://{receiver.address}/h"}}
    made = alerting.client.post("/_plugins/_notifications/configs", json={"config_id": "h", "config": config})
    made.raise_for_status()
    return receiver


def action(message: str, **more: Any) -> dict[str, Any]:
    return {"id": "a", "name": "a", "destination_id": "h", "message_template": {"source": message}, **more}


def bucket_monitor(actions: list[dict[str, Any]], *, size: int = 1000, least: int = 3, **more: Any) -> dict[str, Any]:
    sources = [{"ip": {"terms": {"field": "source.ip"}}}]
    query = {
        "size": 0,
        "query": {"bool": {"filter": [RECENT]}},
        "aggs": {"by": {"composite": {"size": size, "sources": sources}}},
    }
    condition = {
        "buckets_path": {"n": "_count"},
        "parent_bucket_path": "by",
        "script": {"source": "params.n >= params.least", "params": {"least": least}},
    }
    trigger = {"id": "t", "name": "t", "severity": "1", "condition": condition, "actions": actions}
    return {
        "name": "b",
        "monitor_type": "bucket_level_monitor",
        "schedule": MINUTE,
        "inputs": [{"search": {"indices": ["logs"], "query": query}}],
        "triggers": [{"bucket_level_trigger": trigger}],
        **more,
    }


def query_monitor(condition: str, actions: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    query = {"size": 1, "query": {"bool": {"filter": [RECENT]}}}
    script = {"script": {"source": condition}}
    trigger = {"id": "t", "name": "t", "severity": "1", "condition": script, "actions": actions}
    return {
        "name": "q",
        "monitor_type": "query_level_monitor",
        "schedule": MINUTE,
        "inputs": [{"search": {"indices": ["logs"], "query": query}}],
        "triggers": [{"query_level_trigger": trigger}],
        **more,
    }


def doc_monitor(queries: list[dict[str, Any]], condition: str, index: str = "logs") -> dict[str, Any]:
    trigger = {"id": "t", "name": "t", "severity": "1", "condition": {"script": {"source": condition}}, "actions": []}
    return {
        "name": "d",
        "monitor_type": "doc_level_monitor",
        "schedule": MINUTE,
        "inputs": [{"doc_level_input": {"indices": [index], "queries": queries}}],
        "triggers": [{"document_level_trigger": trigger}],
    }


def test_a_bucket_alert_is_new_then_known_then_completed_and_new_again(alerting: Alerting, hook: Receiver) -> None:
    kinds = {"newAlerts": "NEW", "completedAlerts": "END"}
    message = "".join(
        f"{{{{#ctx.{kind}}}}}{word} {{{{bucket_keys}}}}{{{{/ctx.{kind}}}}}" for kind, word in kinds.items()
    )
    scope = {"action_execution_scope": {"per_alert": {"actionable_alerts": ["NEW", "COMPLETED"]}}}
    alerting.create(bucket_monitor([action(message, action_execution_policy=scope)]))
    alerting.write("10.0.0.1", 3)
    alerting.write("10.0.0.2", 2)
    alerting.passes(61)
    assert alerting.states() == {"10.0.0.1": "ACTIVE"}
    alerting.write("10.0.0.2", 1)
    alerting.passes(60)
    assert alerting.states() == {"10.0.0.1": "ACTIVE", "10.0.0.2": "ACTIVE"}
    first = {alert["id"] for alert in alerting.alerts()}
    alerting.passes(300)
    assert set(alerting.states().values()) == {"COMPLETED"}
    assert all(alert["end_time"] for alert in alerting.alerts())
    alerting.write("10.0.0.1", 3)
    alerting.passes(60)
    active = alerting.alerts(alertState="ACTIVE")
    assert len(active) == 1
    assert active[0]["id"] not in first
    assert [got.body for got in hook.got] == [
        "NEW 10.0.0.1",
        "NEW 10.0.0.2",
        "END 10.0.0.1",
        "END 10.0.0.2",
        "NEW 10.0.0.1",
    ]


def test_every_page_of_a_composite_aggregation_counts(alerting: Alerting) -> None:
    alerting.create(bucket_monitor([], size=2, least=1))
    for number in range(7):
        alerting.write(f"10.0.0.{number}")
    alerting.passes(61)
    assert sorted(alerting.states()) == [f"10.0.0.{number}" for number in range(7)]
    alerting.passes(60)
    assert len(alerting.alerts()) == 7


def test_a_trigger_may_look_inside_another_aggregation(alerting: Alerting) -> None:
    body = bucket_monitor([], least=2)
    inner = {"by": {"terms": {"field": "source.ip"}}}
    outer = {"filter": {"exists": {"field": "message"}}, "aggs": inner}
    body["inputs"][0]["search"]["query"]["aggs"] = {"outer": outer}
    condition = body["triggers"][0]["bucket_level_trigger"]["condition"]
    condition.update(parent_bucket_path="outer>by", filter={"exclude": ["10.0.0.2"]})
    alerting.create(body)
    alerting.write("10.0.0.1", 2, message="x")
    alerting.write("10.0.0.2", 2, message="x")
    alerting.write("10.0.0.3", 2)
    alerting.passes(61)
    assert alerting.states() == {"10.0.0.1": "ACTIVE"}
    found = alerting.client.post(
        f"{MONITORS}/_search", params={"index": ".opendistro-alerting-alert*"}, json={"query": {"match_all": {}}}
    )
    assert [hit["_source"]["trigger_id"] for hit in found.json()["hits"]["hits"]] == ["t"]


def test_an_acknowledged_alert_is_silent_until_it_completes(alerting: Alerting, hook: Receiver) -> None:
    monitor = alerting.create(query_monitor("ctx.results[0].hits.total.value > 0", [action("{{ctx.alert.state}}|")]))
    alerting.write("10.0.0.1")
    alerting.passes(61)
    [alert] = alerting.alerts()
    assert [got.body for got in hook.got] == ["|"]
    acknowledged = alerting.client.post(f"{MONITORS}/{monitor}/_acknowledge/alerts", json={"alerts": [alert["id"]]})
    assert acknowledged.json() == {"success": [alert["id"]], "failed": []}
    alerting.passes(120)
    assert [found["state"] for found in alerting.alerts()] == ["ACKNOWLEDGED"]
    assert len(hook.got) == 1
    alerting.passes(300)
    assert [found["state"] for found in alerting.alerts()] == ["COMPLETED"]


def test_a_throttled_action_waits(alerting: Alerting, hook: Receiver) -> None:
    throttle = {"throttle_enabled": True, "throttle": {"value": 5, "unit": "MINUTES"}}
    alerting.create(query_monitor("true", [action("x", **throttle)]))
    alerting.passes(12 * 60 + 1)
    [alert] = alerting.alerts()
    # Sent at minutes 1, 7 and not before 13: the last sending must be more than five minutes ago.
    assert len(hook.got) == 2
    [result] = alert["action_execution_results"]
    assert result["throttled_count"] == 10


def test_a_condition_sees_what_the_plugin_hands_it(alerting: Alerting) -> None:
    condition = (
        "ctx.results[0].hits.hits[0]._source.source.ip == '10.0.0.1'"
        " && ctx.monitor.name == 'q' && ctx.trigger.id == 't'"
        " && ctx.periodEnd.toEpochMilli() - ctx.periodStart.toEpochMilli() == 60000 && ctx.alert == null"
    )
    alerting.write("10.0.0.1")
    answer = alerting.client.post(f"{MONITORS}/_execute?dryrun=true", json=query_monitor(condition, []))
    assert answer.json()["trigger_results"]["t"] == {
        "name": "t",
        "triggered": True,
        "action_results": {},
        "error": None,
    }


def test_doc_queries_are_reported_ten_at_most_for_each_document(alerting: Alerting) -> None:
    queries = [
        {"id": f"q{number}", "name": f"n{number}", "query": "message:boom", "tags": ["x" if number > 9 else "y"]}
        for number in range(12)
    ]
    alerting.create(doc_monitor(queries, "query[tag=x] || query[name=n0] && !query[id=q11]"))
    alerting.write("10.0.0.1", message="boom")
    alerting.write("10.0.0.1", message="quiet")
    alerting.passes(61)
    [found] = alerting.client.get("/_plugins/_alerting/findings/_search").json()["findings"]
    assert [query["id"] for query in found["finding"]["queries"]] == [f"q{number}" for number in range(10)]
    [alert] = alerting.alerts()
    assert alert["finding_ids"] == [found["finding"]["id"]]
    alerting.passes(120)
    assert len(alerting.alerts()) == 1


def test_a_thousand_doc_queries_run_in_one_monitor(alerting: Alerting) -> None:
    queries = [
        {"id": f"q{number}", "name": f"n{number}", "query": f'message:"word{number} end"', "tags": ["t"]}
        for number in range(1000)
    ]
    alerting.create(doc_monitor(queries, "query[tag=t]"))
    for number in (0, 499, 999):
        alerting.write("10.0.0.1", message=f"a word{number} end")
    alerting.passes(61)
    findings = alerting.client.get("/_plugins/_alerting/findings/_search").json()["findings"]
    assert sorted(finding["finding"]["queries"][0]["id"] for finding in findings) == ["q0", "q499", "q999"]


def test_a_restart_keeps_schedule_alerts_and_what_documents_were_seen(alerting: Alerting) -> None:
    alerting.create(bucket_monitor([], least=1))
    alerting.create(doc_monitor([{"id": "q", "name": "n", "query": "message:boom", "tags": []}], "query[id=q]"))
    alerting.create(query_monitor("true", [], enabled=False))
    alerting.write("10.0.0.1", message="boom")
    alerting.passes(61)
    before = {alert["id"] for alert in alerting.alerts()}
    assert len(before) == 2

    def again(node: Node) -> Any:
        return assemble(node)

    with serve(alerting.url, again) as served, httpx.Client(base_url=served.url, timeout=60) as client:
        restarted = Alerting(client, served, alerting.url)
        restarted.passes(121)
        assert {alert["id"] for alert in restarted.alerts()} == before
        restarted.write("10.0.0.2", message="boom")
        restarted.passes(60)
        assert len(restarted.alerts()) == 4


def test_a_slow_monitor_holds_nobody_up(alerting: Alerting) -> None:
    slow = query_monitor("int n = 0; for (int i = 0; i < 900000; i++) { n += i } return n != 0", [], name="slow")
    alerting.create(slow)
    alerting.create(bucket_monitor([], least=1))
    alerting.write("10.0.0.1")
    alerting.passes(61)
    assert {alert["monitor_name"] for alert in alerting.alerts()} == {"slow", "b"}


def test_disabled_and_deleted_monitors_do_not_run(alerting: Alerting) -> None:
    body = bucket_monitor([], least=1)
    disabled = alerting.create({**body, "enabled": False})
    deleted = alerting.create(body)
    alerting.write("10.0.0.1")
    alerting.client.delete(f"{MONITORS}/{deleted}").raise_for_status()
    alerting.passes(120)
    assert alerting.alerts() == []
    alerting.client.put(f"{MONITORS}/{disabled}", json={**body, "enabled": True}).raise_for_status()
    alerting.passes(61)
    assert len(alerting.alerts()) == 1


def test_more_monitors_than_allowed_are_refused(alerting: Alerting) -> None:
    setting = {"persistent": {"plugins.alerting.monitor.max_monitors": 2}}
    alerting.client.put("/_cluster/settings", json=setting).raise_for_status()
    body = query_monitor("true", [], enabled=False)
    answers = [alerting.client.post(MONITORS, json=body) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 400]
    assert "more than the allowed monitors [2]" in answers[2].text


def test_an_error_ends_when_its_cause_is_gone(alerting: Alerting) -> None:
    broken = query_monitor("ctx.nosuch.x > 1", [])
    monitor = alerting.create(broken)
    alerting.passes(121)
    [alert] = alerting.alerts()
    assert (alert["state"], len(alert["alert_history"])) == ("ERROR", 2)
    assert alert["error_message"].startswith("Failed evaluating trigger:\nctx.nosuch.x > 1\n")
    alerting.client.put(f"{MONITORS}/{monitor}", json=query_monitor("false", [])).raise_for_status()
    alerting.passes(60)
    [alert] = alerting.alerts()
    assert (alert["state"], alert["error_message"]) == ("COMPLETED", None)


def test_a_workflow_alerts_when_all_its_monitors_do(alerting: Alerting, hook: Receiver) -> None:
    ids = [
        alerting.create({**bucket_monitor([], least=least), "name": f"m{least}", "enabled": False}) for least in (1, 2)
    ]
    delegates = [{"order": order, "monitor_id": id_} for order, id_ in enumerate(ids, 1)]
    condition = {"script": {"source": " && ".join(f"monitor[id={id_}]" for id_ in ids)}}
    chained = {
        "id": "c",
        "name": "c",
        "severity": "1",
        "condition": condition,
        "actions": [action("{{ctx.monitor.name}}")],
    }
    workflow = {
        "name": "w",
        "schedule": MINUTE,
        "inputs": [{"composite_input": {"sequence": {"delegates": delegates}}}],
        "triggers": [{"chained_alert_trigger": chained}],
    }
    made = alerting.client.post("/_plugins/_alerting/workflows", json=workflow)
    made.raise_for_status()
    alerting.write("10.0.0.1")
    alerting.passes(61)
    assert alerting.alerts() == []
    alerting.write("10.0.0.1")
    alerting.passes(60)
    query = {"workflowIds": made.json()["_id"], "getAssociatedAlerts": "true"}
    shown = alerting.client.get("/_plugins/_alerting/workflows/alerts", params=query).json()
    [alert] = shown["alerts"]
    assert (alert["state"], len(shown["associatedAlerts"])) == ("ACTIVE", 2)
    assert {item["state"] for item in shown["associatedAlerts"]} == {"AUDIT"}
    assert [got.body for got in hook.got] == ["w"]
    alerting.passes(300)
    assert [found["state"] for found in alerting.alerts()] == ["COMPLETED"]


def test_cron_runs_at_its_minutes(alerting: Alerting) -> None:
    cron = {"cron": {"expression": "*/10 * * * *", "timezone": "Europe/Zurich"}}
    alerting.create(query_monitor("true", [], schedule=cron))
    alerting.passes(9 * 60)
    early = len(alerting.alerts())
    alerting.passes(2 * 60)
    [alert] = alerting.alerts()
    assert early <= 1
    assert alert["start_time"] // 60_000 % 10 == 0


def test_a_stopped_clock_stands_still() -> None:
    clock = StoppedClock()
    at = clock.now()
    clock.go_to(at + 5)
    clock.go_to(at)
    assert clock.now() == at + 5
