"""What bodies name: for every kind, and for bodies that are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.kinds import all_kinds
from provisioner.mentions import attaches, mentions, pipelines

ACTION = {"name": "a", "destination_id": "ops"}
CASES = {
    "query monitor": (
        "monitor",
        {
            "inputs": [{"search": {"indices": ["logs-a", "logs-b-*"], "query": {}}}],
            "triggers": [{"query_level_trigger": {"id": "t", "actions": [ACTION, {"destination_id": ""}]}}],
        },
        {("channel", "ops"), ("data_stream", "logs-a"), ("data_stream", "logs-b-*")},
    ),
    "document monitor": (
        "monitor",
        {"inputs": [{"doc_level_input": {"indices": ["logs-a"], "queries": []}}], "triggers": []},
        {("data_stream", "logs-a")},
    ),
    "monitor of the cluster": ("monitor", {"inputs": [{"uri": {"path": "/_cluster/health"}}]}, set()),
    "workflow": (
        "workflow",
        {
            "inputs": [{"composite_input": {"sequence": {"delegates": [{"order": 1, "monitor_id": "xyz"}]}}}],
            "triggers": [{"chained_alert_trigger": {"actions": [ACTION]}}],
        },
        {("monitor", "xyz"), ("channel", "ops")},
    ),
    "e-mail": (
        "channel",
        {"config_type": "email", "email": {"email_account_id": "smtp", "email_group_id_list": ["soc", "it"]}},
        {("channel", "smtp"), ("channel", "soc"), ("channel", "it")},
    ),
    "webhook": ("channel", {"config_type": "webhook", "webhook": {"url": "https://x", "header_params": {}}}, set()),
    "retention": (
        "ism_policy",
        {
            "error_notification": {"channel": {"id": "errors"}, "message_template": {"source": "x"}},
            "states": [{"name": "a", "actions": [{"notification": {"channel": {"id": "ops"}}}, {"delete": {}}]}],
        },
        {("channel", "errors"), ("channel", "ops")},
    ),
    "nested settings": (
        "index_template",
        {
            "composed_of": ["one", "two"],
            "template": {"settings": {"index": {"default_pipeline": "p", "final_pipeline": "_none"}}},
        },
        {("component_template", "one"), ("component_template", "two"), ("ingest_pipeline", "p")},
    ),
    "flat settings": (
        "component_template",
        {"template": {"settings": {"index.default_pipeline": "p", "final_pipeline": "q", "index.search.x": "r"}}},
        {("ingest_pipeline", "p"), ("ingest_pipeline", "q")},
    ),
    "pipelines at any depth": (
        "ingest_pipeline",
        {
            "processors": [
                {"pipeline": {"name": "a"}},
                {"foreach": {"field": "x", "processor": {"pipeline": {"name": "b"}}}},
                {"set": {"field": "pipeline", "value": {"pipeline": {"name": "no"}}}},
                {"set": {"field": "x", "value": 1, "on_failure": [{"pipeline": {"name": "c"}}]}},
            ],
            "on_failure": [{"pipeline": {"name": "d"}}],
        },
        {("ingest_pipeline", name) for name in "abcd"},
    ),
    "data stream": ("data_stream", {"template": "t"}, {("index_template", "t")}),
    "user": ("user", {"opendistro_security_roles": ["writer"]}, {("role", "writer")}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_a_body_names(name):
    kind, body, named = CASES[name]
    assert mentions(kind, body) == named


def test_a_role_mapping_names_the_role_of_its_own_name():
    assert mentions("role_mapping", {"users": ["a"]}, "writer") == {("role", "writer")}


@pytest.mark.parametrize(
    ("template", "attached"),
    [
        ({"index_patterns": ["logs-*"]}, True),
        ([{"index_patterns": ["x"]}, {"index_patterns": ["logs-app"], "priority": 3}], True),
        ([{"index_patterns": ["log*app", "-logs-a*"]}], False),
        ([{"index_patterns": ["-x"]}], False),
        ([{"index_patterns": ["logs-?pp", "logs.app", "ogs-app"]}], False),
        (None, False),
        ([None, {"index_patterns": 5}], False),
    ],
)
def test_which_indices_ism_gives_a_policy(template, attached):
    assert attaches({"ism_template": template}, "logs-app") is attached


def test_which_setting_names_a_pipeline():
    settings = {"index": {"default_pipeline": "a", "final_pipeline": "b"}, "index.number_of_replicas": "0"}
    assert list(pipelines(settings)) == [("default_pipeline", "a"), ("final_pipeline", "b")]


KEYS = ["inputs", "search", "indices", "triggers", "destination_id", "email", "states", "channel", "template"]
KEYS += ["settings", "processors", "pipeline", "name", "composed_of", "on_failure", "processor", "index"]
JUNK = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@pytest.mark.parametrize("kind", [*all_kinds(), "workflow"])
@given(body=st.dictionaries(st.sampled_from(["inputs", "triggers", "email", "states", "template", "processors"]), JUNK))
def test_any_body_can_be_asked(kind, body):
    assert all(isinstance(name, str) and name for _, name in mentions(kind, body))
