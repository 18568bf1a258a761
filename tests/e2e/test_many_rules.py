"""Many match rules on a cluster: in how few monitors they stand, what a change touches, that each alert names its rule.

The same tests for 120 rules and, among the long ones, for 3,000: 300 of the 1,000 monitors that a cluster has.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import manyrules
import pytest
from clusters import Cluster, Repository, copied
from manyrules import Rule
from percolation import Pairs, Percolator

from provisioner.client import Client

MONITORS = "/_plugins/_alerting/monitors"
ALERTS = {"alertState": "ALL", "size": 1000, "sortString": "start_time"}


@dataclass(frozen=True)
class Many:
    """The rules, their repository, which is applied, and the messages that came, in their order."""

    repository: Repository
    rules: list[Rule]
    messages: list[Any]

    def monitors(self) -> dict[str, Any]:
        """All monitors of the owner by name, as a search shows them."""
        query = {"size": 1000, "query": {"prefix": {"monitor.name.keyword": f"{self.repository.owner}-"}}}
        hits = self.repository.client.request("POST", f"{MONITORS}/_search", query)["hits"]["hits"]
        return {hit["_source"].get("monitor", hit["_source"])["name"]: hit for hit in hits}

    def full(self, log_type: str) -> tuple[str, list[Rule]]:
        """The id and the rules of a monitor with ten rules of a log type."""
        by_id = {rule.id: rule for rule in self.rules}
        for hit in self.monitors().values():
            held = [by_id[query["id"]] for query in _queries(hit)]
            if len(held) == 10 and held[0].log_type == log_type:
                return hit["_id"], held
        raise AssertionError(f"no monitor with ten rules of {log_type}")


def _queries(hit: Any) -> list[Any]:
    source = hit["_source"].get("monitor", hit["_source"])
    return list(source["inputs"][0]["doc_level_input"]["queries"])


@pytest.fixture(scope="module", params=[120, pytest.param(3000, marks=pytest.mark.long)])
def many(request: pytest.FixtureRequest, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Many]:
    """So many rules, applied by the real command."""
    messages: list[Any] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
    rules = manyrules.rules(request.param)
    try:
        with copied(cluster, tmp_path_factory.mktemp("many")) as repository:
            manyrules.write(repository, rules, f"http://127.0.0.1:{server.server_port}")
            seconds = _seconds(repository, "apply")
            print(f"\n{request.param} match rules: applied in {seconds:.1f} s", end="")
            print(f", a plan without change takes {_seconds(repository, 'plan', '--exit-code'):.1f} s")
            yield Many(repository, rules, messages)
    finally:
        server.shutdown()
        server.server_close()


def _seconds(repository: Repository, *command: str) -> float:
    start = time.monotonic()
    done = repository.run(*command)
    assert done.code == 0, done.text
    return time.monotonic() - start


def _changes(repository: Repository, *options: str) -> Counter[str]:
    """How many objects a plan creates, updates and deletes; all are monitors."""
    done = repository.run("plan", "-o", "json", *options)
    assert done.code == 0, done.text
    changes = [change for change in json.loads(done.out)["changes"] if change["action"] != "no-op"]
    assert {change["kind"] for change in changes} <= {"monitor"}
    return Counter(change["action"] for change in changes)


def test_as_few_monitors_as_can_be_and_each_rule_in_one(many: Many) -> None:
    found = many.monitors()
    assert len(found) == math.ceil(len(many.rules) / 10) <= 300
    assert Counter(query["id"] for hit in found.values() for query in _queries(hit)) == {r.id: 1 for r in many.rules}
    assert all(len(_queries(hit)) == 10 for hit in found.values())


def test_a_changed_rule_changes_one_monitor(many: Many) -> None:
    rule = many.rules[len(many.rules) // 2]
    before = {name: hit["_version"] for name, hit in many.monitors().items()}
    changed = manyrules.text(replace(rule, query=f"{rule.query} AND NOT host.name:none"))
    many.repository.write({rule.file: changed})
    assert _changes(many.repository) == {"update": 1}
    assert many.repository.run("apply").code == 0
    after = many.monitors()
    (touched,) = (name for name, hit in after.items() if hit["_version"] != before.pop(name))
    assert before == {}
    assert [q["query"].endswith("none") for q in _queries(after[touched]) if q["id"] == rule.id] == [True]
    many.repository.write({rule.file: manyrules.text(rule)})
    assert many.repository.run("apply").code == 0


def test_a_rule_that_comes_or_goes_changes_monitors_of_its_own_log_type_and_schedule_alone(many: Many) -> None:
    of_a_kind = len(many.rules) // len(manyrules.LOG_TYPES) // len(manyrules.SCHEDULES) // 10
    last = many.rules[-1]
    many.repository.remove(last.file)
    gone = _changes(many.repository)
    many.repository.write({last.file: manyrules.text(last)})
    # All monitors are full, so one more rule makes one more monitor: the most that ever moves.
    new = replace(last, id="one-more", query="action:one_more")
    many.repository.write({new.file: manyrules.text(new)})
    come = _changes(many.repository)
    many.repository.remove(new.file)
    print(
        f"\n{len(many.rules)} rules, {of_a_kind} full monitors of a log type and schedule: a rule less changes ", end=""
    )
    print(f"{gone['update']}, a rule more changes {come['update']} and makes one")
    assert set(gone) == {"update"}
    assert 1 <= gone["update"] <= of_a_kind
    assert come.pop("create") == 1
    assert come["update"] <= of_a_kind
    assert not come["delete"]
    assert _changes(many.repository) == {}


def test_a_monitor_that_is_left_over_goes_without_prune(many: Many) -> None:
    """Its rules are in others by then: it would tell everything twice."""
    monitors = len(many.monitors())
    new = replace(many.rules[-1], id="one-more", query="action:one_more")
    many.repository.write({new.file: manyrules.text(new)})
    assert many.repository.run("apply").code == 0
    assert len(many.monitors()) == monitors + 1
    many.repository.remove(new.file)
    assert _changes(many.repository)["delete"] == 1
    assert many.repository.run("apply").code == 0
    test_as_few_monitors_as_can_be_and_each_rule_in_one(many)
    assert _changes(many.repository) == {}


def test_an_event_that_ten_rules_of_a_monitor_find_raises_ten_alerts(many: Many) -> None:
    client, owner = many.repository.client, many.repository.owner
    monitor, held = many.full("network")
    stream = f"logs-network-{many.repository.namespace}"
    manyrules.store(client, stream, [manyrules.event(held), manyrules.event([held[3]]), manyrules.event([])])
    ran = client.request("POST", f"{MONITORS}/{monitor}/_execute")
    assert ran["error"] is None
    alerts = client.request("GET", f"{MONITORS}/alerts", params={**ALERTS, "monitorId": monitor})["alerts"]
    raised = Counter({f"{owner}:{rule.id}": 1 for rule in held}) + Counter([f"{owner}:{held[3].id}"])
    assert Counter(alert["trigger_id"] for alert in alerts) == raised
    assert {alert["state"] for alert in alerts} == {"ACTIVE"}

    named = []
    for id_ in {id_ for alert in alerts for id_ in alert["finding_ids"]}:
        answer = client.request("GET", "/_plugins/_alerting/findings/_search", params={"findingId": id_})
        named += [sorted(query["id"] for query in each["finding"]["queries"]) for each in answer["findings"]]
    assert sorted(named) == sorted([sorted(rule.id for rule in held)] * 10 + [[held[3].id]])
    # One message for each rule, which names the rule: that of the fourth holds both events.
    assert Counter(message["rule"]["id"] for message in many.messages) == {rule.id: 1 for rule in held}

    # Monitors of other schedules and log types find nothing.
    others = [hit["_id"] for hit in many.monitors().values() if hit["_id"] != monitor]
    for other in others[:30]:
        client.request("POST", f"{MONITORS}/{other}/_execute")
        assert client.request("GET", f"{MONITORS}/alerts", params={**ALERTS, "monitorId": other})["alerts"] == []


def test_what_a_run_costs(many: Many) -> None:
    """The stand-in's searches, and the real plugin's percolation on the real node: both find the same, and how fast."""
    client, log_type = many.repository.client, "authentication"
    rules = [rule for rule in many.rules if rule.log_type == log_type]
    documents, every = 10 * len(rules), 100 if len(rules) >= 1000 else 10
    stream = f"logs-{log_type}-{many.repository.namespace}"
    manyrules.store(client, stream, manyrules.traffic(documents, rules, every))
    monitors = {h["_id"]: _queries(h) for n, h in many.monitors().items() if f"-match-{log_type}-" in n}

    start, cpu = time.perf_counter(), _cpu(client)
    for monitor in monitors:
        assert client.request("POST", f"{MONITORS}/{monitor}/_execute")["error"] is None
    figures = [f"by the stand-in's searches: {time.perf_counter() - start:.1f} ({_cpu(client) - cpu:.1f} of CPU)"]
    found = set()
    for monitor in monitors:
        alerts = client.request("GET", f"{MONITORS}/alerts", params={**ALERTS, "monitorId": monitor})["alerts"]
        for alert in alerts:
            (document,) = alert["related_doc_ids"]
            found.add((alert["trigger_id"].removeprefix(f"{many.repository.owner}:"), document.partition("|")[0]))
    assert len(found) == documents // every

    packed, whole = (Percolator(client, f"{many.repository.owner}-{name}", stream) for name in ("packed", "whole"))
    try:
        for monitor in monitors:
            packed.create(monitor)
        same: Pairs = set()
        cpu = _cpu(client)
        for monitor, queries in monitors.items():
            same |= packed.run(monitor, queries)
        assert same == found
        figures.append(f"as the plugin asks, in packs of ten: {_cost(packed)} ({_cpu(client) - cpu:.1f} of CPU)")
        whole.create("whole")
        cpu = _cpu(client)
        together = [query for queries in monitors.values() for query in queries]
        assert whole.run("whole", together, 10_000) == found
        figures.append(f"the same in one monitor: {_cost(whole)} ({_cpu(client) - cpu:.1f} of CPU)")
        # Up to 3.6 the plugin asks for no size, and a hit is a query: in a larger monitor most rules would be lost.
        assert 10 <= len({rule for rule, _ in whole.run("whole", together)}) < len({rule for rule, _ in found})
    finally:
        packed.remove()
        whole.remove()
    print(
        f"\n{len(rules)} rules in {len(monitors)} monitors, {documents} new documents; seconds, and the node's of CPU:"
    )
    print(*figures, sep="\n")


def _cpu(client: Client) -> float:
    """Seconds of the processor that the node has taken: on a busy machine they tell more than the clock."""
    nodes = client.request("GET", "/_nodes/stats/process")["nodes"].values()
    return float(sum(node["process"]["cpu"]["total_in_millis"] for node in nodes)) / 1000


def _cost(made: Percolator) -> str:
    parts = dict(made.seconds)
    once = parts.pop("mapping of a new monitor")
    said = ", ".join(f"{part} {seconds:.1f}" for part, seconds in parts.items())
    indices = f"once {once:.1f} for mappings in {len(made.indices)} hidden indexes"
    return f"{sum(parts.values()):.1f} ({said}; the searches' own time {made.took:.1f}); {indices}"
