"""What the pack's documents become."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import Any

import pytest
import yaml
from pack_compiled import CATCH, ROOT, body, compiler, documents

from provisioner import source
from provisioner.compile import Compiler
from provisioner.settings import Settings, Target
from provisioner.terms import DAY, Term, deletes_after, shortened

RULES = ["account-lockout", "brute-force-login", "data-export", "privilege-escalation"]


def trigger(monitor: dict[str, Any]) -> dict[str, Any]:
    ((found,),) = (trigger.values() for trigger in monitor["triggers"])
    return dict(found)


@pytest.mark.parametrize("rule", RULES)
def test_ids_are_made_of_the_rules_id(rule: str) -> None:
    monitor = body("rule", rule)
    assert monitor["name"] in (f"acme-{rule}", "acme-match-authentication-1m-1")
    found = trigger(monitor)
    assert found["id"] == f"acme:{rule}"
    assert [action["id"] for action in found["actions"]] == [f"acme:{rule}:slack", f"acme:{rule}:email"]
    assert [action["destination_id"] for action in found["actions"]] == ["acme-slack", "acme-email"]
    assert found["severity"] == "2"


@pytest.mark.parametrize("rule", RULES)
def test_a_targets_schedule_replaces_the_rules(rule: str) -> None:
    assert body("rule", rule, schedule="5s")["schedule"] == {"period": {"interval": 5, "unit": "SECONDS"}}
    assert body("rule", rule)["schedule"]["period"]["unit"] == "MINUTES"


@pytest.mark.parametrize(
    ("rule", "schedule", "seconds"),
    [("brute-force-login", None, 1320), ("brute-force-login", "5s", 1265), ("data-export", None, 4860)],
)
def test_how_far_back_a_run_looks(rule: str, schedule: str | None, seconds: int) -> None:
    search = body("rule", rule, schedule=schedule)["inputs"][0]["search"]["query"]
    assert search["query"]["bool"]["filter"][0]["range"]["@timestamp"] == {
        "gte": f"{{{{period_end}}}}||-{seconds}s",
        "lte": "{{period_end}}",
        "format": "epoch_millis",
    }


def test_values_of_a_rule_reach_scripts_as_params_only() -> None:
    monitor = body("rule", "brute-force-login")
    metric = monitor["inputs"][0]["search"]["query"]["aggregations"]["composite_agg"]["aggregations"]["peak"]
    assert metric["scripted_metric"]["params"] == {"weight": "occurrences", "missing": 1, "within": 300_000}
    script = trigger(monitor)["condition"]["script"]
    assert script == {"lang": "painless", "source": "params.peak >= params.needed", "params": {"needed": 5}}
    export = body("rule", "data-export")
    metric = export["inputs"][0]["search"]["query"]["aggregations"]["composite_agg"]["aggregations"]["peak"]
    assert metric["scripted_metric"]["params"] == {"weight": "details.records_count", "missing": 0, "within": 3_600_000}


def test_a_match_reads_the_fields_of_its_query_alone() -> None:
    (query,) = body("rule", "privilege-escalation")["inputs"][0]["doc_level_input"]["queries"]
    assert query["query_field_names"] == ["action", "category", "details.to_role"]


@pytest.mark.parametrize(
    ("query", "fields"),
    [("event.action:x AND NOT user.name:y", ["action", "actor.username"]), ("*:*", ["@timestamp"])],
)
def test_a_match_reads_fields_not_aliases_and_never_everything(query: str, fields: list[str]) -> None:
    made = compiler()
    assert made.context(documents("rule")["account-lockout"], set())["query_fields"](query) == fields


def test_groups_go_by_ecs_names_too() -> None:
    rule = documents("rule")["brute-force-login"]
    made = compiler().resource(replace(rule, body={**rule.body, "group_by": ["user.name", "event.ingested"]})).body
    user, ingested = made["inputs"][0]["search"]["query"]["aggregations"]["composite_agg"]["composite"]["sources"]
    assert user["user.name"]["terms"]["script"]["params"] == {"field": "user.name"}
    assert ingested["event.ingested"]["terms"] == {"field": "event.ingested"}


def test_an_alert_is_told_once_when_it_is_new() -> None:
    """The throttle is how long an alert stays the same one: see how far back a run looks."""
    for rule in ("brute-force-login", "data-export"):
        for action in trigger(body("rule", rule))["actions"]:
            assert action["throttle_enabled"] is False
            assert action["action_execution_policy"] == {
                "action_execution_scope": {"per_alert": {"actionable_alerts": ["NEW"]}}
            }
    for action in trigger(body("rule", "account-lockout"))["actions"]:
        assert action["action_execution_policy"] == {"action_execution_scope": {"per_execution": {}}}
        assert action["throttle_enabled"] is False  # Alerting refuses a throttle on per_execution


def test_channels_have_the_servers_defaults_written_out_and_secrets_as_references() -> None:
    assert body("channel", "pagerduty") == {
        "name": "acme-pagerduty",
        "description": "PagerDuty, on-call engineer (provisioner owner=acme)",
        "is_enabled": True,
        "config_type": "webhook",
        "webhook": {
            "url": "https://events.pagerduty.com/v2/enqueue",
            "method": "POST",
            "header_params": {
                "Content-Type": "application/json",
                "X-Routing-Key": "${env:PAGERDUTY_ROUTING_KEY}",
            },
        },
    }
    assert body("channel", "slack")["slack"] == {"url": "${env:SLACK_WEBHOOK_URL}"}
    assert body("channel", "sms")["sns"] == {"topic_arn": "arn:aws:sns:eu-central-1:123456789012:security-alerts"}
    assert body("channel", "email")["email"] == {
        "email_account_id": "acme-mail-server",
        "recipient_list": [],
        "email_group_id_list": ["acme-security-team"],
    }
    assert body("channel", "mail-server")["smtp_account"] == {
        "host": "smtp.example.org",
        "port": 587,
        "method": "start_tls",
        "from_address": "alerts@example.org",
    }
    assert body("channel", "security-team")["email_group"] == {
        "recipient_list": [{"recipient": "security@example.org"}]
    }


def test_a_target_that_catches_sends_everything_to_itself_and_needs_no_secret() -> None:
    for id_, document in documents("channel").items():
        caught = body("channel", id_, catch=CATCH)
        assert "${" not in json.dumps(caught)
        if document.body["type"] in ("webhook", "slack", "sns"):
            assert caught["config_type"] == "webhook"
            assert caught["webhook"] == {"url": f"http://127.0.0.1:9281/{id_}", "method": "POST", "header_params": {}}
    smtp = body("channel", "mail-server", catch=CATCH)["smtp_account"]
    assert (smtp["host"], smtp["port"], smtp["method"]) == ("127.0.0.1", 9282, "none")


@pytest.mark.parametrize(
    ("id_", "hot", "delete"),
    [
        ("application", "30d", "365d"),
        ("authentication", "90d", "730d"),
        ("audit", "365d", "2555d"),
        ("network", "30d", "365d"),
        ("system", "30d", "365d"),
    ],
)
def test_retention_counts_from_the_rollover(id_: str, hot: str, delete: str) -> None:
    policy = body("retention", id_)
    first, cold, last = policy["states"]
    rollover = first["actions"][0]["rollover"]
    assert rollover["min_index_age"]
    assert rollover["min_primary_shard_size"] == "30gb"
    assert first["transitions"] == [{"state_name": "cold", "conditions": {"min_rollover_age": hot}}]
    assert cold["transitions"] == [{"state_name": "delete", "conditions": {"min_rollover_age": delete}}]
    assert [next(key for key in action if key != "retry") for action in cold["actions"]] == [
        "read_only",
        "force_merge",
        "index_priority",
    ]
    assert last["transitions"] == []
    assert policy["description"].endswith("(provisioner owner=acme)")
    assert deletes_after(policy) == Term(int(delete[:-1]) * DAY, "rolled_over")
    longer = f"{int(delete[:-1]):,} days → 365 days"
    assert shortened(policy, body("retention", "network")) == (longer if delete != "365d" else "")


def test_every_log_type_has_template_stream_retention_and_redaction() -> None:
    types = set(documents("retention"))
    assert types == set(documents("index_template")) == set(documents("data_stream"))
    for id_ in types:
        template = body("index_template", id_)
        assert template["index_patterns"] == [
            f"logs-{id_}-default"
        ]  # not `*`: another owner may have another namespace
        assert body("index_template", id_, namespace="eu")["index_patterns"] == [f"logs-{id_}-eu"]
        (attached,) = body("retention", id_, namespace="eu")["ism_template"]
        assert attached["index_patterns"] == [f"logs-{id_}-eu"]
        assert template["template"]["settings"]["index"]["final_pipeline"] == "acme-redaction"
        assert template["composed_of"] == ["acme-common", "acme-event"]
        assert template["_meta"]["owner"] == "acme"
        made = compiler()
        stream = made.resource(made.source.documents["data_stream", id_])
        assert stream.body == {"template": f"acme-{id_}"}
        assert stream.depends_on == {("index_template", f"acme-{id_}"), ("ism_policy", f"acme-{id_}")}


def shipper(id_: str) -> str:
    made = compiler()
    return made.text(made.source.documents["shipper", id_], f"shippers/{id_}.j2")


def test_filebeat_reads_json_and_lines_and_verifies_its_server() -> None:
    config = yaml.safe_load(shipper("filebeat"))
    events, lines = config["filebeat.inputs"]
    assert events["type"] == lines["type"] == "filestream"
    assert events["id"] != lines["id"]
    (parser,) = events["parsers"]
    assert parser["ndjson"]["target"] == ""
    assert not [key for key in events if key.startswith("json")]  # of the log input: filestream does not know them
    assert "parsers" not in lines
    for read, stream, pipeline in ((events, "application", "_none"), (lines, "authentication", "acme-sshd")):
        (added,) = (processor["add_fields"] for processor in read["processors"])
        assert added == {
            "target": "@metadata",
            "fields": {"stream": f"logs-{stream}-default", "pipeline": pipeline},
        }
    assert "output.elasticsearch" not in config
    assert config["output.logstash"]["ssl.verification_mode"] == "full"
    assert config["output.logstash"]["ssl.enabled"] is True
    assert config["output.logstash"]["ssl.certificate_authorities"] == ["/etc/filebeat/ca.pem"]


def test_filebeat_names_the_default_pipeline_of_a_log_type_that_has_one(tmp_path) -> None:
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    template = tmp_path / "templates/index/application.yml"
    template.write_text(template.read_text().replace("final_pipeline:", "default_pipeline: normalize\nfinal_pipeline:"))
    read = source.load(tmp_path, {"replicas": 1})
    made = Compiler(tmp_path, Settings("acme", Target("t", ("http://127.0.0.1:9",), vars={"replicas": 1})), read)
    text = made.text(read.documents["shipper", "filebeat"], "shippers/filebeat.j2")
    assert yaml.safe_load(text)["filebeat.inputs"][0]["processors"][0]["add_fields"]["fields"] == {
        "stream": "logs-application-default",
        "pipeline": "acme-normalize",
    }
    index = made.resource(read.documents["index_template", "application"]).body["template"]["settings"]["index"]
    assert index["default_pipeline"] == "acme-normalize"


def test_normalize_runs_within_the_final_pipeline() -> None:
    made = compiler()
    final = made.resource(made.source.documents["redaction", "redaction"])
    (processor,) = final.body["processors"]
    assert "normalize(ctx, (Map) params.before)" in processor["script"]["source"]
    alone = body("ingest_pipeline", "normalize")["processors"][0]["script"]
    assert alone["source"].endswith("\nnormalize(ctx, params);\n")
    assert "call" not in alone
    assert processor["script"]["params"]["before"] == alone["params"]
    assert "default_pipeline" not in str(body("index_template", "network"))


def test_logstash_creates_in_the_stream_that_filebeat_names() -> None:
    text = shipper("logstash")
    for line in (
        'action => "create"',
        'index => "%{[@metadata][stream]}"',
        'pipeline => "%{[@metadata][pipeline]}"',
        "ssl_certificate_verification => true",
        'password => "${OPENSEARCH_PASSWORD}"',
        'hosts => ["https://opensearch.internal:9200"]',
    ):
        assert line in text
    assert text.count("{") == text.count("}")


def test_the_pack_stands_in_the_checkout_as_the_wheel_takes_it() -> None:
    for part in ("rules", "templates", "ilm", "docs/runbooks"):
        assert any((ROOT / part).rglob("*.*"))
