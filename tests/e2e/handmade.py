"""A cluster's objects as people and Terraform make them: plain requests, no provisioner about."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provisioner.client import Client, path

SCRIPT = """\
// Counts   what is there, and says "{{x}}".
def total = 0;
for (def hit : ctx.results[0].hits.hits) {
  total += hit._source.containsKey('n') ? 1 : 0;
}
return total > 3 && params.limit != 'on';
"""
MESSAGE = """\
Monitor {{ctx.monitor.name}}: {{#ctx.results.0.hits.hits}}
  - {{_source.message}} # "quoted" \\ and	tab
{{/ctx.results.0.hits.hits}}
"""
SECRETS = {
    "slack": "https://hooks.slack.com/services/T0/B0/s3cretSlackPart",
    "hook": "https://hooks.example:8443/in?token=s3cretHookPart",
    "header": "Bearer s3cretHeaderPart",
    "chime": "https://hooks.chime.aws/incomingwebhooks/a1?token=s3cretChimePart",
    "teams": "https://example.webhook.office.com/webhookb2/s3cretTeamsPart",
}


class Handmade:
    """Makes one of everything, all names beginning with a tag; knows how to remove it all."""

    def __init__(self, client: Client, tag: str) -> None:
        self.client = client
        self.tag = tag
        self.made: list[str] = []

    def put(self, *parts: str, body: Any = None) -> None:
        self.client.request("PUT", path(*parts), body)
        self.made.append(path(*parts))

    def make(self) -> None:
        for key, config in self.channels():
            self.client.request("POST", "/_plugins/_notifications/configs", {"config_id": key, "config": config})
            self.made.append(path("_plugins", "_notifications", "configs", key))
        for name, body in self.pipelines():
            self.put("_ingest", "pipeline", f"{self.tag}-{name}", body=body)
        for name, body in self.components():
            self.put("_component_template", f"{self.tag}-{name}", body=body)
        for name, body in self.templates():
            self.put("_index_template", f"{self.tag}-{name}", body=body)
        for name, body in self.policies():
            self.put("_plugins", "_ism", "policies", f"{self.tag}-{name}", body={"policy": body})
        self.put("_data_stream", f"{self.tag}-logs-app")
        for body in self.monitors():
            answer = self.client.request("POST", "/_plugins/_alerting/monitors", body)
            self.made.append(path("_plugins", "_alerting", "monitors", answer["_id"]))

    def remove(self) -> None:
        for each in reversed(self.made):
            self.client.request("DELETE", each)

    def channels(self) -> Iterator[tuple[str, dict[str, Any]]]:
        tag = self.tag
        common = {"is_enabled": True, "description": ""}
        slack = {"slack": {"url": SECRETS["slack"]}}
        yield f"{tag}Xk3-_Qz", {"name": f"{tag} Ops Slack", "config_type": "slack", **common, **slack}
        webhook = {
            "url": SECRETS["hook"],
            "header_params": {"Content-Type": "application/json", "Authorization": SECRETS["header"], "X-Empty": ""},
            "method": "PUT",
        }
        yield (
            f"{tag}-hook",
            {
                "name": f"{tag}: on",
                "config_type": "webhook",
                "webhook": webhook,
                "is_enabled": False,
                "description": "off: for now\n- 'quoted'\n",
            },
        )
        yield (
            f"{tag}-chime",
            {"name": f"{tag}-chime", "config_type": "chime", **common, "chime": {"url": SECRETS["chime"]}},
        )
        teams = {"microsoft_teams": {"url": SECRETS["teams"]}}
        yield f"{tag}-teams", {"name": f"{tag}-teams", "config_type": "microsoft_teams", **common, **teams}
        account = {"host": "mail.example", "port": 587, "method": "start_tls", "from_address": "soc@mail.example"}
        yield f"{tag}-smtp", {"name": f"{tag} sender", "config_type": "smtp_account", **common, "smtp_account": account}
        group = {"recipient_list": [{"recipient": "a@mail.example"}, {"recipient": "b@mail.example"}]}
        yield f"{tag}-group", {"name": f"{tag} group", "config_type": "email_group", **common, "email_group": group}
        email = {
            "email_account_id": f"{tag}-smtp",
            "recipient_list": [{"recipient": "c@mail.example"}],
            "email_group_id_list": [f"{tag}-group"],
        }
        yield f"{tag}-mail", {"name": f"{tag} Ops Slack", "config_type": "email", **common, "email": email}

    def pipelines(self) -> Iterator[tuple[str, dict[str, Any]]]:
        script = {
            "lang": "painless",
            "source": "ctx.a = params.x;\nctx.b = '0123';\n",
            "params": {"x": [1, 2.5, "1e3"]},
        }
        failed = [{"set": {"field": "error", "value": "{{ _ingest.on_failure_message }}"}}]
        yield (
            "inner",
            {
                "description": "by hand",
                "version": 3,
                "processors": [
                    {"script": script},
                    {"set": {"field": "host.name", "value": "{{hostname}}", "ignore_failure": True}},
                    {"set": {"field": "plain", "value": "{{{hostname}}}", "override": False}},
                    {"gsub": {"field": "m", "pattern": "\\s+#", "replacement": "\\\\ ", "on_failure": failed}},
                ],
                "on_failure": [{"set": {"field": "failed", "value": "yes"}}, {"remove": {"field": ["a", "b"]}}],
            },
        )
        yield (
            "outer/ü",
            {
                "processors": [
                    {"pipeline": {"name": f"{self.tag}-inner", "if": "ctx.tag == null"}},
                    {"foreach": {"field": "v", "processor": {"uppercase": {"field": "_ingest._value"}}}},
                ]
            },
        )

    def components(self) -> Iterator[tuple[str, dict[str, Any]]]:
        mappings = {
            "dynamic": "strict",
            "_source": {"enabled": True},
            "dynamic_templates": [{"s": {"match_mapping_type": "string", "mapping": {"type": "keyword"}}}],
            "properties": {
                "@timestamp": {"type": "date", "format": "epoch_millis||strict_date_time"},
                "n": {"type": "scaled_float", "scaling_factor": 100.5},
                "on": {"type": "boolean", "null_value": False},
                "123": {"type": "keyword", "ignore_above": 256},
            },
        }
        yield (
            "mappings",
            {"template": {"mappings": mappings}, "version": 12, "_meta": {"note": "1e3", "by": {"no": None}}},
        )
        analysis = {"analyzer": {"a": {"type": "custom", "tokenizer": "standard", "filter": ["lowercase"]}}}
        yield (
            "settings",
            {
                "template": {
                    "settings": {
                        "index.number_of_replicas": 0,
                        "index": {"refresh_interval": "5s", "analysis": analysis},
                        "final_pipeline": f"{self.tag}-inner",
                    },
                    "aliases": {"everything": {"filter": {"range": {"n": {"gte": 1}}}, "is_hidden": True}},
                }
            },
        )

    def templates(self) -> Iterator[tuple[str, dict[str, Any]]]:
        yield (
            "logs",
            {
                "index_patterns": [f"{self.tag}-logs-*"],
                "data_stream": {},
                "composed_of": [f"{self.tag}-mappings", f"{self.tag}-settings"],
                "priority": 600,
                "_meta": {"team": "ops"},
            },
        )
        yield (
            "plain",
            {
                "index_patterns": [f"{self.tag}-p-*", f"{self.tag}-q"],
                "template": {"settings": {"codec": "best_compression"}},
            },
        )

    def policies(self) -> Iterator[tuple[str, dict[str, Any]]]:
        notification = {
            "channel": {"id": f"{self.tag}-hook"},
            "message_template": {"source": "The index {{ctx.index}} failed", "lang": "mustache"},
        }
        yield (
            "retention",
            {
                "description": "thirty days",
                "default_state": "hot",
                "error_notification": notification,
                "states": [
                    {
                        "name": "hot",
                        "actions": [{"rollover": {"min_size": "20gb", "min_index_age": "1d"}}],
                        "transitions": [{"state_name": "warm", "conditions": {"min_index_age": "7d"}}],
                    },
                    {
                        "name": "warm",
                        "actions": [
                            {
                                "retry": {"count": 5, "backoff": "linear", "delay": "10m"},
                                "force_merge": {"max_num_segments": 1},
                            },
                            {"replica_count": {"number_of_replicas": 0}},
                            {"notification": {**notification, "message_template": {"source": "{{ctx.index}} is warm"}}},
                        ],
                        "transitions": [
                            {
                                "state_name": "gone",
                                "conditions": {"cron": {"cron": {"expression": "0 4 * * *", "timezone": "UTC"}}},
                            }
                        ],
                    },
                    {"name": "gone", "actions": [{"delete": {}}], "transitions": []},
                ],
                "ism_template": [{"index_patterns": [f"{self.tag}-logs-*", "-x*"], "priority": 40}],
            },
        )
        yield (
            "none",
            {"description": "", "default_state": "a", "states": [{"name": "a", "actions": [], "transitions": []}]},
        )

    def monitors(self) -> Iterator[dict[str, Any]]:
        yield from (
            self._query_monitor(name)
            for name in ("/ Failed: logins (SSH)", " Сбой входа", " Failed logins", " failed-logins")
        )
        yield self._bucket_monitor()
        yield self._document_monitor()

    def _action(self, **more: Any) -> dict[str, Any]:
        return {
            "name": "tell ops",
            "destination_id": f"{self.tag}Xk3-_Qz",
            "subject_template": {"source": "{{ctx.trigger.name}}", "lang": "mustache"},
            "message_template": {"source": MESSAGE, "lang": "mustache"},
            "throttle_enabled": True,
            "throttle": {"value": 10, "unit": "MINUTES"},
            **more,
        }

    def _query_monitor(self, name: str) -> dict[str, Any]:
        query = {
            "size": 10,
            "query": {
                "bool": {
                    "filter": [
                        {
                            "range": {
                                "@timestamp": {
                                    "gte": "{{period_end}}||-5m",
                                    "lte": "{{period_end}}",
                                    "format": "epoch_millis",
                                }
                            }
                        }
                    ],
                    "must": [
                        {"match_phrase": {"message": "Failed password"}},
                        {"query_string": {"query": "a:b AND n:[1 TO 3}"}},
                    ],
                    "must_not": {"terms": {"host.name": ["on", "1e3", "~"]}},
                }
            },
            "aggs": {
                "by_user": {"terms": {"field": "user", "size": 5}, "aggs": {"p": {"percentiles": {"field": "n"}}}}
            },
            "sort": [{"@timestamp": "desc"}],
        }
        condition = {"script": {"source": SCRIPT, "lang": "painless"}}
        trigger = {
            "name": "many",
            "severity": "1",
            "condition": condition,
            "actions": [self._action(), self._action(throttle_enabled=False)],
        }
        return {
            "type": "monitor",
            "monitor_type": "query_level_monitor",
            "name": f"{self.tag}{name}",
            "enabled": "SSH" not in name,
            "schedule": {"cron": {"expression": "0 9 * * 1-5", "timezone": "Europe/Berlin"}},
            "inputs": [{"search": {"indices": [f"{self.tag}-logs-app", f"{self.tag}-other*"], "query": query}}],
            "triggers": [
                {"query_level_trigger": trigger},
                {"query_level_trigger": {**trigger, "id": "mine", "actions": []}},
            ],
            "ui_metadata": {"schedule": {"frequency": "daily"}},
        }

    def _bucket_monitor(self) -> dict[str, Any]:
        sources = [
            {"user": {"terms": {"field": "user"}}},
            {"host": {"terms": {"field": "host.name", "missing_bucket": True}}},
        ]
        composite = {"composite": {"sources": sources, "size": 50}, "aggs": {"worst": {"max": {"field": "n"}}}}
        scope = {"per_alert": {"actionable_alerts": ["DEDUPED", "NEW"]}}
        trigger = {
            "name": "each user",
            "severity": "3",
            "condition": {
                "buckets_path": {"count": "_count", "worst": "worst"},
                "parent_bucket_path": "composite_agg",
                "script": {"source": "params.count > 5 || params.worst >= 1.5", "lang": "painless"},
                "gap_policy": "skip",
            },
            "actions": [self._action(action_execution_policy={"action_execution_scope": scope})],
        }
        return {
            "type": "monitor",
            "monitor_type": "bucket_level_monitor",
            "name": f"{self.tag}-buckets",
            "enabled": False,
            "schedule": {"period": {"interval": 1, "unit": "HOURS"}},
            "inputs": [
                {
                    "search": {
                        "indices": [f"{self.tag}-logs-*"],
                        "query": {"size": 0, "aggs": {"composite_agg": composite}},
                    }
                }
            ],
            "triggers": [{"bucket_level_trigger": trigger}],
        }

    def _document_monitor(self) -> dict[str, Any]:
        queries = [
            {
                "id": "sudo",
                "name": "sudo",
                "query": "message:sudo AND NOT user:root",
                "tags": ["high", "T1548"],
                "fields": [],
            },
            {"id": "b1", "name": "other", "query": "n:>=1", "tags": []},
        ]
        scope = {"per_execution": {}}
        trigger = {
            "name": "seen",
            "severity": "2",
            "condition": {"script": {"source": "query[tag=high] || query[name=other]", "lang": "painless"}},
            "actions": [
                self._action(
                    throttle_enabled=False, throttle=None, action_execution_policy={"action_execution_scope": scope}
                )
            ],
        }
        given = {"description": "", "indices": [f"{self.tag}-logs-app"], "queries": queries}
        return {
            "type": "monitor",
            "monitor_type": "doc_level_monitor",
            "name": f"{self.tag}-documents",
            "enabled": False,
            "schedule": {"period": {"interval": 10, "unit": "MINUTES"}},
            "inputs": [{"doc_level_input": given}],
            "triggers": [{"document_level_trigger": trigger}],
        }
