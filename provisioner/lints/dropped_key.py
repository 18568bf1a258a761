"""RAW001: a key that OpenSearch drops without a word.

Alerting and Notifications take bodies with keys that they do not know, and forget those: a `throtle` means no
throttle. (ISM refuses such a policy, and templates and pipelines are refused as well, so that nothing has to be said
here.)

Bad:

    kind: raw
    resource: monitor
    body: {name: a, monitor_type: query_level_monitor, enabeld: false}

Good:

    kind: raw
    resource: monitor
    body: {name: a, monitor_type: query_level_monitor, enabled: false}

To mend it, correct the key or take it out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provisioner.model import Finding, Severity
from provisioner.schema import suggest
from provisioner.values import mapping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.lints import View
    from provisioner.model import Path

CODE = "RAW001"
_ANY: dict[str, Any] = {}
_SCRIPT = {"source": _ANY, "lang": _ANY, "params": _ANY, "options": _ANY}
_ACTION = {
    **dict.fromkeys(("id", "name", "destination_id", "throttle_enabled", "action_execution_policy"), _ANY),
    "subject_template": _SCRIPT,
    "message_template": _SCRIPT,
    "throttle": {"value": _ANY, "unit": _ANY},
}
_TRIGGER = {"id": _ANY, "name": _ANY, "severity": _ANY, "condition": _ANY, "actions": _ACTION}
_QUERY = dict.fromkeys(("id", "name", "query", "fields", "tags", "query_field_names"), _ANY)
_DOC_INPUT = {"description": _ANY, "indices": _ANY, "queries": _QUERY, "fan_out_enabled": _ANY}
_MONITOR = {
    **dict.fromkeys(("type", "name", "monitor_type", "enabled", "enabled_time", "last_update_time", "user"), _ANY),
    **dict.fromkeys(("schema_version", "ui_metadata", "data_sources", "owner", "fan_out_enabled", "metadata"), _ANY),
    **dict.fromkeys(("delete_query_index_in_every_run", "should_create_single_alert_for_findings"), _ANY),
    "schedule": {
        "period": {"interval": _ANY, "unit": _ANY},
        "cron": {"expression": _ANY, "timezone": _ANY},
    },
    "inputs": {"search": {"indices": _ANY, "query": _ANY}, "doc_level_input": _DOC_INPUT},
    "triggers": {
        "query_level_trigger": _TRIGGER,
        "bucket_level_trigger": _TRIGGER,
        "document_level_trigger": _TRIGGER,
    },
}
_ADDRESS = {"url": _ANY}
_CHANNELS = {
    "slack": _ADDRESS,
    "chime": _ADDRESS,
    "microsoft_teams": _ADDRESS,
    "webhook": {**_ADDRESS, "header_params": _ANY, "method": _ANY},
    "email": dict.fromkeys(("email_account_id", "recipient_list", "email_group_id_list"), _ANY),
    "sns": {"topic_arn": _ANY, "role_arn": _ANY},
    "smtp_account": dict.fromkeys(("host", "port", "method", "from_address"), _ANY),
    "ses_account": dict.fromkeys(("region", "role_arn", "from_address"), _ANY),
    "email_group": {"recipient_list": _ANY},
}
_OPEN = frozenset({"inputs", "triggers"})
"""Other monitor types have inputs and triggers of their own; in plain triggers of old monitors, nothing is wrapped."""


def check(view: View) -> Iterator[Finding]:
    """A finding for each key of a raw monitor or channel that the server would forget."""
    for document in (*view.source.of_kind("raw"), *view.rules):
        if document.kind == "rule" and document.body.get("type") != "raw":
            continue
        resource, body = document.body.get("resource", "monitor"), document.body.get("body")
        if resource == "monitor":
            known = _MONITOR
        elif resource == "channel" and (type_ := str(mapping(body).get("config_type"))) in _CHANNELS:
            known = {**dict.fromkeys(("name", "description", "config_type", "is_enabled"), _ANY)}
            known[type_] = _CHANNELS[type_]
        else:
            continue
        for path, allowed in _unknown(body, known, ("body",)):
            place = document.key_origins.get(path) or document.at(path)
            message = f"OpenSearch would drop the key {path[-1]!r} of this {resource}"
            yield Finding(CODE, message, place, suggest(str(path[-1]), allowed, "known keys"), Severity.WARNING)


def _unknown(value: Any, known: dict[str, Any], path: Path) -> Iterator[tuple[Path, list[str]]]:
    if isinstance(value, list):
        for index, child in enumerate(value):
            yield from _unknown(child, known, (*path, index))
    elif isinstance(value, dict) and known:
        for key, child in value.items():
            if key in known:
                yield from _unknown(child, known[key], (*path, key))
            elif not _OPEN.intersection(path[1:2]) or len(path) > 3:
                yield (*path, key), list(known)
