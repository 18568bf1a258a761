"""The event schema and the index templates on a real cluster."""

from __future__ import annotations

import time
from typing import Any

import pytest
from pack_cluster import OWNER, ROOT, STREAMS, Pack, stream

from provisioner import source

# The article's example, word for word, but for the lengths of its ids.
ARTICLE: dict[str, Any] = {
    "timestamp": "2026-05-11T14:23:45.123Z",
    "event_id": "evt_2k3j4h5g6f",
    "category": "authentication",
    "action": "login_failed",
    "severity": "warning",
    "message": "Failed login attempt",
    "source": {"ip": "203.0.113.42", "user_agent": "Mozilla/5.0 ...", "country": "US"},
    "actor": {"user_id": "user_abc123", "username": "john.doe", "session_id": "sess_xyz789"},
    "outcome": {"status": "failure", "reason": "invalid_password", "attempt_number": 3},
    "context": {"application": "web-app", "environment": "production", "version": "2.4.1"},
}
ECS = {
    "event.id": "evt_2k3j4h5g6f",
    "event.category": "authentication",
    "event.action": "login_failed",
    "event.outcome": "failure",
    "event.reason": "invalid_password",
    "log.level": "warning",
    "user.name": "john.doe",
    "user.id": "user_abc123",
    "user_agent.original": "Mozilla/5.0 ...",
    "source.geo.country_iso_code": "US",
    "service.name": "web-app",
    "service.environment": "production",
    "service.version": "2.4.1",
}


@pytest.mark.parametrize("log_type", STREAMS)
def test_the_articles_event_is_stored_in_every_stream(pack: Pack, log_type: str) -> None:
    pack.clear(log_type)
    assert pack.ship(log_type, [ARTICLE])[0]["status"] == 201
    (stored,) = pack.search(log_type)
    assert stored.pop("ingest").keys() == {"received"}
    assert stored.pop("@timestamp") == ARTICLE["timestamp"]
    assert stored == {key: value for key, value in ARTICLE.items() if key != "timestamp"}


def test_ecs_names_find_it(pack: Pack) -> None:
    pack.clear("authentication")
    pack.ship("authentication", [ARTICLE, ARTICLE | dict.fromkeys(("category", "action", "severity"), "other")])
    for field, value in ECS.items():
        assert pack.search("authentication", query={"term": {field: value}}), field


def test_every_field_of_the_schema_is_mapped_under_both_names(pack: Pack) -> None:
    fields = source.load(ROOT, {"replicas": 0}).documents["schema", "event"].body["fields"]
    path = f"/{stream('audit')}/_field_caps"
    known = pack.client.request("GET", path, params={"fields": "*"})["fields"]
    aliases = {about["ecs"] for about in fields.values() if "ecs" in about}
    assert not (set(fields) | aliases) - set(known)
    assert all(about["type"] in known[name] for name, about in fields.items())


def test_a_field_that_is_not_in_the_schema_is_refused(pack: Pack) -> None:
    top, inner, free = pack.ship(
        "application",
        [ARTICLE | {"colour": "red"}, ARTICLE | {"actor": {"shoe": 42}}, ARTICLE | {"labels": {"a": {"b": 1}}}],
    )
    assert top["error"]["type"] == inner["error"]["type"] == "strict_dynamic_mapping_exception"
    assert free["status"] == 201


def test_malformed_and_oversized_values_do_not_lose_the_event(pack: Pack) -> None:
    pack.clear("network")
    odd = {
        "source": {"ip": "not-an-address", "port": "many"},
        "actor": {"username": "ü" * 20_000},
        "details": {"records_count": "x", "duration": "y"},
    }
    (answer,) = pack.ship("network", [ARTICLE | odd])
    assert answer["status"] == 201
    (stored,) = pack.search("network", query={"term": {"_ignored": "source.ip"}})
    assert stored["source"]["ip"] == "not-an-address"


def test_an_incomplete_event_is_completed_and_marked(pack: Pack) -> None:
    pack.clear("system")
    (answer,) = pack.ship("system", [{"message": "hello", "timestamp": "yesterday", "occurrences": "often"}])
    assert answer["status"] == 201
    (stored,) = pack.search("system")
    assert stored["event_id"].startswith("evt_")
    assert stored["@timestamp"] == stored["ingest"]["received"]
    missing = [f"{field} is missing" for field in ("@timestamp", "category", "action", "severity")]
    assert set(stored["ingest"]["error"]) == {
        "timestamp is no time", "occurrences is no positive integer", *missing
    }  # fmt: skip


def test_an_update_is_refused_and_a_create_is_not(pack: Pack) -> None:
    """Data streams are append-only, which is what evidence needs."""
    answer = pack.client.request("POST", f"/{stream('audit')}/_bulk", '{"index":{}}\n{"message":"x"}\n')
    assert answer["items"][0]["index"]["status"] == 400


def test_the_templates_bear_the_owners_mark_and_make_the_settings(pack: Pack) -> None:
    for kind in ("component_template", "index_template"):
        for (resource_kind, key), resource in pack.resources.items():
            if resource_kind == kind:
                shown = pack.client.request("GET", f"/_{kind}/{key}")[f"{kind}s"][0][kind]
                assert shown["_meta"] == resource.body["_meta"]
                assert shown["_meta"]["owner"] == OWNER
    (index,) = pack.client.request("GET", f"/{stream('network')}/_settings").values()
    settings = index["settings"]["index"]
    assert settings["number_of_replicas"] == "0"
    assert "default_pipeline" not in settings  # one pass over each event, not two
    assert settings["final_pipeline"] == f"{OWNER}-redaction"


def attached(pack: Pack, index: str) -> str | None:
    """The policy that manages an index; ISM takes up new indexes within seconds."""
    until = time.monotonic() + 30
    while True:
        shown = pack.client.request("GET", f"/_plugins/_ism/explain/{index}").get(index, {})
        policy = shown.get("index.plugins.index_state_management.policy_id")
        if policy or time.monotonic() > until:
            return policy
        time.sleep(0.5)


def test_retention_is_attached_to_every_stream(pack: Pack) -> None:
    for log_type in STREAMS:
        backing = pack.client.request("GET", f"/_data_stream/{stream(log_type)}")["data_streams"][0]["indices"]
        index = backing[0]["index_name"]
        assert attached(pack, index) == f"{OWNER}-{log_type}"
        shown = pack.client.request("GET", f"/_plugins/_ism/policies/{OWNER}-{log_type}")["policy"]
        assert [state["name"] for state in shown["states"]] == ["hot", "cold", "delete"]
