"""How a policy's new version reaches the indices that it manages: the product's kind against the stand-in's ISM."""

from __future__ import annotations

from typing import Any

import pytest
from stepped_ism import ISM, Ism, state

from provisioner import policycopies
from provisioner.client import Client
from provisioner.errors import ProvisionerError
from provisioner.kinds import ism_policy
from provisioner.kinds.ism_policy import IsmPolicies
from provisioner.settings import Target

KIND = IsmPolicies()
WAIT = {"rollover": {"min_doc_count": 9}}


def client_of(ism: Ism) -> Client:
    return Client(Target("contract", (str(ism.client.base_url).rstrip("/"),), timeout=60))


def body(*states: dict[str, Any]) -> dict[str, Any]:
    return {"description": "p", "default_state": states[0]["name"], "states": list(states)}


def stale(client: Client, key: str = "p") -> tuple[str, ...]:
    (live,) = KIND.live(client, {key: key})
    assert live.stale == tuple(KIND.behind(client, [key]).get(key, ()))
    return live.stale


def update(client: Client, new: dict[str, Any], key: str = "p") -> int:
    (live,) = KIND.live(client, {key: key})
    KIND.update(client, live, new)
    (now,) = KIND.shown(client, {key: key})
    assert now.token["if_seq_no"] > live.token["if_seq_no"]
    return now.token["if_seq_no"]


def rolling(ism: Ism, *names: str) -> None:
    for name in names:
        setting = {"plugins.index_state_management.rollover_alias": f"alias-{name}"}
        ism.index(name, "p", settings=setting, aliases={f"alias-{name}": {}})


def test_an_update_reaches_the_indices_that_the_policy_manages(ism: Ism) -> None:
    client = client_of(ism)
    states = [state("a", WAIT, to="b", when={"min_index_age": "90d"}), state("b")]
    ism.policy("p", states)
    ism.policy("q", [state("a", WAIT)])
    rolling(ism, "i-1", "i-2")
    ism.index("j", "q", settings={"plugins.index_state_management.rollover_alias": "w"}, aliases={"w": {}})
    ism.steps(2)
    rolling(ism, "i-3")  # attached, but without a run yet: it begins with the copy of this moment
    assert stale(client) == ()

    before = ism.explain("i-1")
    version = update(client, body(state("a", WAIT, to="b", when={"min_index_age": "30d"}), state("b")))
    assert stale(client) == ("i-1", "i-2", "i-3")  # the change waits
    ism.steps(3)
    assert stale(client) == ()
    assert {ism.explain(name)["policy_seq_no"] for name in ("i-1", "i-2", "i-3")} == {version}
    after = ism.explain("i-1")
    assert (after["state"], after["action"]["name"]) == (before["state"], "rollover")
    assert stale(client, "q") == ()
    assert KIND.roll_out(client, "p") == []


def test_without_a_rollout_they_keep_their_copy_and_asking_twice_does_no_harm(ism: Ism) -> None:
    """As after a run that was killed between the write and `change_policy`."""
    client = client_of(ism)
    ism.policy("p", [state("a", WAIT, to="b", when={"min_index_age": "90d"}), state("b")])
    rolling(ism, "i-1")
    ism.steps(2)
    rolling(ism, "i-2")
    (live,) = KIND.live(client, {"p": "p"})
    new = body(state("a", WAIT, to="b", when={"min_index_age": "30d"}), state("b"))
    client.request("PUT", f"{ISM}/policies/p", {"policy": new}, live.token)
    ism.steps(3)
    assert stale(client) == ("i-1", "i-2")  # i-2 began with its copy, long after the update
    begun = ism.explain("i-1")["state"]
    assert KIND.roll_out(client, "p") == ["i-1", "i-2"]
    assert KIND.roll_out(client, "p") == ["i-1", "i-2"]
    ism.steps(2)
    assert stale(client) == ()
    assert ism.explain("i-1")["state"] == begun
    assert ism.explain("i-1")["action"]["failed"] is False


def test_an_index_in_a_state_that_is_gone_begins_anew_and_would_fail_otherwise(ism: Ism) -> None:
    client = client_of(ism)
    ism.policy("p", [state("a", to="b", when={"min_index_age": "90d"}), state("b")])
    for name in ("i-1", "i-2"):
        ism.index(name, "p")
    ism.steps(2)
    assert ism.explain("i-1")["action"]["name"] == "transition"
    (live,) = KIND.live(client, {"p": "p"})
    new = body(state("x", {"index_priority": {"priority": 7}}, to="y", when={"min_index_age": "90d"}), state("y"))
    client.request("PUT", f"{ISM}/policies/p", {"policy": new}, live.token)
    ism.client.post(f"{ISM}/change_policy/i-2", json={"policy_id": "p"}).raise_for_status()
    ism.steps(3)
    failed = ism.explain("i-2")
    assert failed["retry_info"]["failed"] is True
    assert "Failed to find state" in failed["info"]["message"]
    assert KIND.roll_out(client, "p") == ["i-1"]
    ism.steps(3)
    assert (ism.explain("i-1")["state"]["name"], ism.settings("i-1")["index.priority"]) == ("x", "7")


def test_other_actions_in_the_state_wait_for_its_end(ism: Ism) -> None:
    client = client_of(ism)
    ism.policy("p", [state("a", WAIT, to="b", when={"min_index_age": "90d"}), state("b")])
    rolling(ism, "i-1")
    ism.steps(2)
    update(client, body(state("a", WAIT, {"index_priority": {"priority": 7}}, to="b"), state("b")))
    ism.steps(3)
    assert stale(client) == ("i-1",)
    for number in range(9):
        ism.client.post("/i-1/_doc", params={"refresh": True}, json={"n": number}).raise_for_status()
    ism.steps(3)
    assert stale(client) == ()


def test_a_policy_that_was_deleted_and_is_made_anew_reaches_its_indices_too(ism: Ism) -> None:
    client = client_of(ism)
    ism.policy("p", [state("a", WAIT)])
    rolling(ism, "i-1")
    ism.steps(2)
    (live,) = KIND.live(client, {"p": "p"})
    KIND.delete(client, live)
    KIND.delete(client, live)
    ism.steps(2)
    assert ism.explain("i-1")["policy_id"] == "p"  # it goes on with its copy
    assert KIND.create(client, "p", body(state("a", {"rollover": {"min_doc_count": 5}}))) == "p"
    assert stale(client) == ("i-1",)  # a step asks for the roll-out, where the plan knew of such indices
    assert KIND.roll_out(client, "p") == ["i-1"]
    ism.steps(2)
    assert stale(client) == ()
    assert ism.explain("i-1")["info"]["conditions"]["min_doc_count"]["condition"] == 5


def test_a_completed_index_is_left_and_a_failed_one_takes_over_after_a_retry(ism: Ism) -> None:
    client = client_of(ism)
    ism.policy("p", [state("a", {"rollover": {"min_doc_count": 9}, "retry": {"count": 0}}), state("b")])
    ism.policy("q", [state("a")])
    ism.index("bad", "p")  # no alias to roll over
    ism.index("done", "q")
    ism.steps(3)
    assert ism.explain("done")["policy_completed"] is True
    assert ism.explain("bad")["action"]["failed"] is True
    update(client, body(state("a")), "q")
    assert stale(client, "q") == ()
    update(client, body(state("a", WAIT), state("b"), state("c")))
    ism.steps(2)
    assert stale(client) == ("bad",)
    ism.client.post(f"{ISM}/retry/bad").raise_for_status()
    ism.steps(2)
    assert stale(client) == ()


def test_an_index_between_two_states_is_refused_by_name(ism: Ism, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ism_policy, "_PATIENCE", 0.2)
    client = client_of(ism)
    ism.policy("p", [state("a", to="b"), state("b", WAIT)])
    rolling(ism, "i-1")
    ism.steps(2)
    assert ism.explain("i-1")["transition_to"] == "b"
    rolling(ism, "i-2")
    with pytest.raises(ProvisionerError) as refused:
        update(client, body(state("a", to="b"), state("b", {"rollover": {"min_doc_count": 8}})))
    reason = "Cannot change policy while transitioning to new state"
    assert str(refused.value) == f"1 indices keep an older copy of policy p: i-1: {reason}"
    ism.steps(1)
    assert stale(client) == ("i-1",)
    assert KIND.roll_out(client, "p") == ["i-1"]
    ism.steps(1)
    assert stale(client) == ()


def test_hundreds_of_indices_take_few_requests(ism: Ism, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_of(ism)
    ism.policy("p", [state("a", WAIT)])
    ism.policy("q", [state("a", WAIT)])
    names = [f"a-rather-long-name-of-an-index-{number:03}" for number in range(150)]
    for name in names:
        ism.client.put(f"/{name}", json={"settings": {"number_of_replicas": 0}}).raise_for_status()
    ism.client.post(f"{ISM}/add/{','.join(names[:100])}", json={"policy_id": "p"}).raise_for_status()
    ism.client.post(f"{ISM}/add/{','.join(names[100:])}", json={"policy_id": "q"}).raise_for_status()
    (live,) = KIND.live(client, {"p": "p"})
    client.request("PUT", f"{ISM}/policies/p", {"policy": body(state("a", WAIT), state("b"))}, live.token)
    asked: list[tuple[str, str]] = []
    request = client.request

    def counted(method: str, path: str, *rest: Any, **more: Any) -> Any:
        asked.append((method, path))
        assert len(path) < 4_000
        return request(method, path, *rest, **more)

    monkeypatch.setattr(client, "request", counted)
    assert [live.stale for live in KIND.live(client, {"p": None, "q": None})] == [tuple(names[:100]), ()]
    assert len(asked) == 2
    assert KIND.live(client, {"missing": None}) == []
    assert len(asked) == 3
    monkeypatch.setattr(policycopies, "_MOST", 120)  # fewer than there are: by policy then
    found = policycopies.managed(client, ["p", "q", "missing"])
    assert found == {"p": tuple(names[:100]), "q": tuple(names[100:])}
    asked.clear()
    assert KIND.roll_out(client, "p") == names[:100]
    assert [method for method, _ in asked] == ["GET", "POST", "POST", "POST"]


def test_policies_are_listed_whole_and_alone(ism: Ism, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_of(ism)
    assert KIND.all(client) == []
    monkeypatch.setattr(ism_policy, "_PAGE", 2)
    for name in "abcde":
        ism.policy(name, [state("a")])
    found = KIND.all(client)
    assert [live.key for live in found] == list("abcde")
    assert KIND.live(client, {"b": None, "x": None}) == [found[1]]
    assert KIND.shown(client, {"e": "e", "x": "x"}) == [found[4]]


def test_explain_filters_before_it_pages_and_by_what_is_remembered(ism: Ism) -> None:
    for name in ("p", "q"):
        ism.policy(name, [state("a", WAIT)])
    for name, policy in (("i-1", "p"), ("i-2", "p"), ("j-1", "q"), ("j-2", "q")):
        ism.index(name, policy)

    def found(where: str, params: dict[str, Any], **wanted: Any) -> tuple[set[str], int]:
        answer = ism.client.post(f"{ISM}/explain{where}", params=params, json={"filter": wanted}).json()
        return {name for name in answer if name != "total_managed_indices"}, answer["total_managed_indices"]

    assert found("", {"size": 1}, policy_id="q") == ({"j-1"}, 2)
    assert found("", {"size": 2, "from": 1}, policy_id="q") == ({"j-2"}, 2)
    assert found("", {}, policy_id="q", state="z") == ({"j-1", "j-2"}, 2)  # nothing is remembered of them yet
    ism.steps(2)
    assert found("", {}, policy_id="q", state="z") == (set(), 0)
    assert found("", {}, action_type="rollover", failed=False) == ({"i-1", "i-2", "j-1", "j-2"}, 4)
    assert found("", {"size": 3}, failed=True) == (set(), 1)  # the plugin takes off only what its page held
    assert found("/i-1,j-1", {}, policy_id="q") == ({"i-1", "j-1"}, 1)  # named: shown as not managed
