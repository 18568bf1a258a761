"""Policies run on a real node: every action that the stand-in claims, every condition, failures and retries."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest
from serving import Receiver
from stepped_ism import DAY, ISM, Ism, state


def test_a_data_stream_rolls_over_and_its_old_index_goes_through_every_action(
    ism: Ism, receiver: Receiver, tmp_path_factory: pytest.TempPathFactory
) -> None:
    hook = {"url": f"http://{receiver.address}/ism"}
    channel = {"name": "n", "config_type": "webhook", "webhook": hook}
    ism.client.post("/_plugins/_notifications/configs", json={"config_id": "ch", "config": channel}).raise_for_status()
    message = {"channel": {"id": "ch"}, "message_template": {"source": "{{ctx.index}} of {{ctx.policy_id}}"}}
    ism.policy(
        "logs",
        [
            state(
                "hot",
                {"rollover": {"min_doc_count": 2, "min_index_age": "11d"}},
                to="warm",
                when={"min_rollover_age": "2d"},
            ),
            state(
                "warm",
                {"replica_count": {"number_of_replicas": 2}},
                {"index_priority": {"priority": 5}},
                {"read_only": {}},
                {"allocation": {"exclude": {"box": "hot"}}},
                {"force_merge": {"max_num_segments": 1}},
                to="cold",
                when={"min_index_age": "9d"},
            ),
            state("cold", {"notification": message}, {"close": {}}, to="gone", when={"min_state_age": "2d"}),
            state("gone", {"delete": {}}),
        ],
        ism_template=[{"index_patterns": ["logs-*"], "priority": 1}],
    )
    template = {"index_patterns": ["logs-*"], "data_stream": {}, "template": {"settings": {"number_of_replicas": 0}}}
    ism.client.put("/_index_template/logs", json=template).raise_for_status()
    for number in range(3):
        document = {"@timestamp": "2026-11-23T07:00:00Z", "n": number}
        ism.client.post("/logs-app/_doc?refresh=true", json=document).raise_for_status()
    first, second = ".ds-logs-app-000001", ".ds-logs-app-000002"

    ism.steps(2)
    shown = ism.explain(first)
    assert shown["rolled_over"] is True
    assert shown["info"]["conditions"]["min_doc_count"] == {"condition": 2, "current": 3}
    assert ism.exists(second)
    ism.steps(2)
    assert ism.explain(first)["info"] == {"message": f"Evaluating transition conditions [index={first}]"}
    ism.forward(2 * DAY)
    ism.steps(9)
    shown = ism.explain(first)
    assert (shown["state"]["name"], shown["action"]["name"]) == ("warm", "transition"), shown
    settings = ism.settings(first)
    assert settings["index.number_of_replicas"] == "2"
    assert settings["index.priority"] == "5"
    assert settings["index.blocks.write"] == "true"
    assert settings["index.routing.allocation.exclude.box"] == "hot"
    assert ism.explain(second)["state"]["name"] == "hot"
    ism.forward(DAY)
    ism.steps(2)
    assert [got.body for got in receiver.got] == [f"{first} of logs"]
    assert ism.client.get(f"/_cat/indices/{first}?h=status&expand_wildcards=all").text.strip() == "close"
    assert ism.explain(first)["action"]["name"] == "transition"
    ism.steps(4)
    assert not ism.exists(first)
    [stream] = ism.client.get("/_data_stream/logs-app").json()["data_streams"]
    third = ".ds-logs-app-000003"
    assert [index["index_name"] for index in stream["indices"]] == [second, third]
    assert ism.explain(second)["rolled_over_index_name"] == third
    assert ism.client.get(f"{ISM}/explain").json()["total_managed_indices"] == 2


def test_an_alias_rolls_over_and_copies_its_other_aliases(ism: Ism) -> None:
    ism.policy("roll", [state("hot", {"rollover": {"min_size": "1b", "copy_alias": True}})])
    setting = {"plugins.index_state_management.rollover_alias": "w"}
    ism.index(
        "a-000001",
        "roll",
        settings=setting,
        aliases={"w": {"is_write_index": True}, "r": {"filter": {"match_all": {}}}},
    )
    ism.index("lonely", "roll")
    ism.index("reader", "roll", settings=setting, aliases={"w": {}})
    ism.client.post("/w/_doc?refresh=true", json={"n": 1}).raise_for_status()
    ism.steps(2)
    assert ism.explain("a-000001")["info"]["message"] == (
        "Successfully rolled over and copied alias from [index=a-000001] to [index=a-000002]"
    )
    assert set(ism.client.get("/a-000002/_alias").json()["a-000002"]["aliases"]) == {"w", "r"}
    assert ism.explain("lonely")["info"]["message"] == "Missing rollover_alias index setting [index=lonely]"
    assert ism.explain("reader")["info"]["message"] == (
        "Missing alias or not the write index when rollover [index=reader]"
    )


def test_the_rest_of_the_actions(ism: Ism, node_url: str) -> None:
    location = httpx.get(f"{node_url}/_nodes/settings").json()
    [node] = location["nodes"].values()
    paths = node["settings"]["path"]["repo"]
    repository = {"type": "fs", "settings": {"location": f"{paths if isinstance(paths, str) else paths[0]}/contract"}}
    ism.client.put("/_snapshot/repo", json=repository).raise_for_status()
    add = {"add": {"alias": "al", "is_hidden": True}}
    ism.policy(
        "rest",
        [
            state(
                "a",
                {"snapshot": {"repository": "repo", "snapshot": "s-{{ctx.index}}"}},
                {"alias": {"actions": [add]}},
                {"close": {}},
                {"open": {}},
                {"read_only": {}},
                {"read_write": {}},
                to="b",
                when={"no_alias": False},
            ),
            state("b"),
        ],
    )
    ism.index("i-1", "rest")
    ism.client.post("/i-1/_doc?refresh=true", json={"n": 1}).raise_for_status()
    ism.steps(2)
    snapshot = ism.explain("i-1")["action"]["action_properties"]["snapshot_name"]
    try:
        await_snapshot(ism.client, snapshot)
        ism.steps(1)
        shown = ism.explain("i-1")
        assert shown["info"] == {"message": "Successfully created snapshot [index=i-1]", "state": "SUCCESS"}, shown
        assert snapshot.startswith("s-i-1-")
        ism.steps(5)
        assert ism.settings("i-1")["index.blocks.write"] == "false"
        assert ism.client.get("/i-1/_alias").json()["i-1"]["aliases"] == {"al": {"is_hidden": True}}
        ism.steps(2)
        assert ism.explain("i-1")["policy_completed"] is True
        ism.steps(1)
        assert ism.explain("i-1")["enabled"] is False
    finally:
        ism.client.delete(f"/_snapshot/repo/{snapshot}")
        ism.client.delete("/_snapshot/repo")


def await_snapshot(client: httpx.Client, name: str) -> None:
    for _ in range(100):
        [snapshot] = client.get(f"/_snapshot/repo/{name}").json()["snapshots"]
        if snapshot["state"] != "IN_PROGRESS":
            break
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("condition", "met_after"),
    [
        ({"min_doc_count": 2}, 0),
        ({"min_size": "1b"}, 0),
        ({"no_alias": True}, 0),
        ({"min_index_age": "2d"}, 2 * DAY),
        ({"cron": {"cron": {"expression": "0 3 * * *", "timezone": "Europe/Berlin"}}}, DAY),
    ],
)
def test_every_condition_moves_an_index(ism: Ism, condition: dict[str, Any], met_after: int) -> None:
    ism.policy("p", [state("a", to="b", when=condition), state("b")])
    ism.index("i", "p")
    for number in range(2):
        ism.client.post("/i/_doc?refresh=true", json={"n": number}).raise_for_status()
    ism.steps(2)
    if "min_index_age" in condition:
        assert ism.explain("i")["step"]["step_status"] == "condition_not_met"
    ism.forward(met_after)
    ism.steps(2)
    assert ism.explain("i")["policy_completed"] is True


def test_a_condition_that_is_not_met_holds_an_index(ism: Ism) -> None:
    for name, condition in (
        ("docs", {"min_doc_count": 9}),
        ("size", {"min_size": "1gb"}),
        ("roll", {"min_rollover_age": "1m"}),
    ):
        ism.policy(name, [state("a", to="b", when=condition), state("b")])
        ism.index(f"i-{name}", name)
    ism.steps(6)
    assert [ism.explain(f"i-{name}")["state"]["name"] for name in ("docs", "size", "roll")] == ["a", "a", "a"]
    failed = ism.explain("i-roll")
    assert "has never been rolled over" in failed["info"]["message"]
    assert failed["step"]["step_status"] == "failed"


def test_a_failed_step_backs_off_gives_up_tells_and_can_be_retried(ism: Ism, receiver: Receiver) -> None:
    hook = {"url": f"http://{receiver.address}/err"}
    channel = {"name": "n", "config_type": "webhook", "webhook": hook}
    ism.client.post("/_plugins/_notifications/configs", json={"config_id": "ch", "config": channel}).raise_for_status()
    snapshot = {"snapshot": {"repository": "nope", "snapshot": "s"}, "retry": {"count": 1, "delay": "60h"}}
    told = {"channel": {"id": "ch"}, "message_template": {"source": "{{ctx.index}}: {{ctx.info.cause}}"}}
    ism.policy("p", [state("a", snapshot), state("calm")], error_notification=told)
    ism.index("i", "p")
    ism.steps(3)
    shown = ism.explain("i")
    assert (shown["action"]["consumed_retries"], shown["action"]["failed"]) == (1, False)
    ism.steps(3)
    assert ism.explain("i")["action"]["failed"] is False
    ism.steps(3)
    shown = ism.explain("i")
    assert (shown["action"]["failed"], shown["info"]["cause"]) == (True, "[nope] missing")
    assert [got.body for got in receiver.got] == ["i: [nope] missing"]
    retried = ism.client.post(f"{ISM}/retry/i", json={"state": "calm"}).json()
    assert retried["updated_indices"] == 1
    assert ism.explain("i")["transition_to"] == "calm"
    ism.steps(2)
    assert ism.explain("i")["policy_completed"] is True


def test_an_action_that_is_not_run_fails_in_words(ism: Ism) -> None:
    ism.policy("p", [state("a", {"shrink": {"num_new_shards": 1}, "retry": {"count": 0}})])
    ism.index("i", "p")
    ism.steps(2)
    shown = ism.explain("i")
    assert shown["action"]["failed"] is True
    assert shown["info"]["message"] == "The development stand-in does not run the action shrink [index=i]"


def test_an_action_that_takes_too_long_times_out(ism: Ism) -> None:
    ism.policy("p", [state("a", {"rollover": {"min_doc_count": 9}, "timeout": "60h"})])
    setting = {"plugins.index_state_management.rollover_alias": "w"}
    ism.index("i-1", "p", settings=setting, aliases={"w": {}})
    ism.steps(12)
    shown = ism.explain("i-1")
    assert (shown["step"]["step_status"], shown["info"]["message"]) == ("timed_out", "Action timed out")
    assert shown["enabled"] is False


def test_a_policy_changes_at_once_when_its_state_is_alike_else_at_the_transition(ism: Ism) -> None:
    ism.policy(
        "old", [state("a", {"rollover": {"min_doc_count": 9}}, to="b", when={"min_index_age": "1d"}), state("b")]
    )
    ism.policy(
        "alike", [state("a", {"rollover": {"min_doc_count": 1}}, to="b", when={"min_index_age": "1d"}), state("b")]
    )
    ism.policy("other", [state("x", to="y", when={"min_index_age": "90d"}), state("y")])
    setting = {"plugins.index_state_management.rollover_alias": "w"}
    ism.index("i-1", "old", settings=setting, aliases={"w": {}})
    ism.client.post("/i-1/_doc?refresh=true", json={"n": 1}).raise_for_status()
    ism.steps(2)
    assert ism.explain("i-1")["step"]["step_status"] == "condition_not_met"
    ism.client.post(f"{ISM}/change_policy/i-1", json={"policy_id": "alike"}).raise_for_status()
    ism.steps(2)
    shown = ism.explain("i-1")
    assert (shown["policy_id"], shown["rolled_over"]) == ("alike", True)
    ism.client.post(f"{ISM}/change_policy/i-1", json={"policy_id": "other", "state": "x"}).raise_for_status()
    ism.steps(3)
    shown = ism.explain("i-1")
    assert (shown["policy_id"], shown["state"]["name"]) == ("other", "x")


def test_a_removed_policy_does_not_come_back_and_templates_take_only_new_indexes(ism: Ism) -> None:
    ism.client.put("/old-1").raise_for_status()
    ism.steps(1)
    template = {"ism_template": [{"index_patterns": ["old-*", "new-*", "-new-x*"], "priority": 1}]}
    ism.policy("low", [state("a")], **template)
    ism.policy("high", [state("b")], ism_template={"index_patterns": ["new-h*"], "priority": 7})
    for name in ("new-1", "new-x1", "new-high"):
        ism.client.put(f"/{name}").raise_for_status()
    found = {name: ism.explain(name).get("policy_id") for name in ("old-1", "new-1", "new-x1", "new-high")}
    assert found == {"old-1": None, "new-1": "low", "new-x1": None, "new-high": "high"}
    assert ism.client.post(f"{ISM}/remove/new-1").json()["updated_indices"] == 1
    ism.steps(3)
    assert ism.explain("new-1")["enabled"] is None
    ism.client.delete("/new-high").raise_for_status()
    ism.steps(1)
    assert ism.client.get(f"{ISM}/explain").json()["total_managed_indices"] == 0


def test_explain_filters_and_pages(ism: Ism) -> None:
    ism.policy("p", [state("a")])
    ism.policy("q", [state("b")])
    for name, policy in (("i-1", "p"), ("i-2", "p"), ("j-1", "q")):
        ism.index(name, policy)
    page = ism.client.get(f"{ISM}/explain", params={"size": 1, "from": 1}).json()
    assert set(page) == {"i-2", "total_managed_indices"}
    assert page["total_managed_indices"] == 3
    found = ism.client.post(f"{ISM}/explain", json={"filter": {"policy_id": "q"}}).json()
    assert set(found) == {"j-1", "total_managed_indices"}
    assert (
        ism.client.get(f"{ISM}/explain/i-1", params={"show_policy": True}).json()["i-1"]["policy"]["policy_id"] == "p"
    )


def test_actions_outside_the_allow_list_are_refused(ism: Ism) -> None:
    name = "plugins.index_state_management.allow_list"
    ism.client.put("/_cluster/settings", json={"persistent": {name: ["delete"]}}).raise_for_status()
    body = {"policy": {"description": "x", "default_state": "a", "states": [state("a", {"close": {}})]}}
    refused = ism.client.put(f"{ISM}/policies/p", json=body)
    assert refused.status_code == 403
    assert refused.text == "You have actions that are not allowed in your policy [close]"


def test_nothing_runs_while_ism_is_disabled(ism: Ism) -> None:
    ism.policy("p", [state("a")])
    ism.index("i", "p")
    setting = "plugins.index_state_management.enabled"
    ism.client.put("/_cluster/settings", json={"persistent": {setting: False}}).raise_for_status()
    ism.steps(2)
    assert "state" not in ism.explain("i")
    ism.client.put("/_cluster/settings", json={"persistent": {setting: None}}).raise_for_status()
    ism.steps(2)
    assert ism.explain("i")["policy_completed"] is True
