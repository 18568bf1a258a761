"""Lints see documents that their schemas refuse: whatever stands in one, a lint gives findings and no traceback."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from provisioner import lints
from provisioner.model import Document, Origin, Resource
from provisioner.settings import Settings, Target
from provisioner.source import Source

KEYS = st.sampled_from(
    [
        *("query", "group_by", "threshold", "distinct", "ratio", "of", "within", "sequence", "steps", "type", "title"),
        *(
            "severity",
            "level",
            "channels",
            "response_time",
            "schedule",
            "delay",
            "throttle",
            "remind",
            "attack",
            "body",
        ),
        *("runbook", "tests", "resource", "config_type", "slack", "triggers", "actions", "destination_id", "inputs"),
        *("search", "indices", "fields", "ecs", "watch", "log_type", "cold", "absence", "for", "ism_template", "name"),
        *("index_patterns", "query_level_trigger", "value", "a", "detectors", "names", "endings", "except", "enabled"),
        *("log_types", "final_pipeline", "processors", "gsub", "grok", "pattern", "patterns", "on_failure", "foreach"),
        *("message_template", "source", "template", "settings", "index", "data_stream", "composed_of", "pipeline"),
    ]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=12),
    st.sampled_from(
        [
            "match",
            "raw",
            "monitor",
            "channel",
            "slack",
            "5m",
            "400d",
            "1",
            "action:x",
            "T1110",
            "none",
            "a",
            "b",
            "logs-*",
            "text",
            "(a|b)*c",
            "{{password}}",
            "d0",
        ]
    ),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.integers(0, 3), inner, max_size=5),
    max_leaves=15,
)
KINDS = st.sampled_from(
    [
        *("rule", "severity", "event", "raw", "retention", "schema", "channel"),
        *("redaction", "index_template", "ingest_pipeline"),
    ]
)
SETTINGS = Settings("acme", Target("dev", ("http://127.0.0.1:19799",)))


@settings(max_examples=300)
@given(st.lists(st.tuples(KINDS, st.dictionaries(KEYS, VALUES, max_size=8)), max_size=6))
@example(
    [
        ("raw", {"resource": "channel", "body": {"config_type": [], 1: 2}}),
        ("rule", {"type": "a", "a": {1: "a", "1": 5}}),
    ]
)
@example(
    [
        ("rule", {"severity": []}),
        ("severity", {"level": {}, "channels": [[]]}),
        ("retention", {"cold": "1d", "log_type": []}),
    ]
)
def test_any_body(given_):
    documents = [Document(kind, f"d{n}", body, {(): Origin("rules/a.yml")}) for n, (kind, body) in enumerate(given_)]
    resources = [
        Resource(kind, document.id, document.body, document.origin, document=document)
        for document in documents
        for kind in ("monitor", "ism_policy", "channel", "index_template", "data_stream", "ingest_pipeline")
    ]
    view = lints.View(Source({(d.kind, d.id): d for d in documents}, ()), tuple(resources), SETTINGS, frozenset())
    for finding in lints.run(view):
        assert finding.message
        assert finding.hint


@pytest.mark.parametrize("query", ["", " ", "\x00", "\ud800", "a" * 100_000, "(" * 100_000, "a:" * 5_000, '"' * 5_001])
def test_any_query(query):
    rule = Document("rule", "a", {"type": "match", "query": query}, {(): Origin("rules/a.yml")})
    lints.run(lints.View(Source({("rule", "a"): rule}, ()), (), SETTINGS, None))
