"""The list's filters and sort order, as a search of the stored configs (fields as the plugin's REST API names them)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.devcluster.standin.errors import illegal_argument, status_exception

_RANGE = ("last_updated_time_ms", "created_time_ms")
_TEXT = (
    "name",
    "description",
    "slack.url",
    "chime.url",
    "microsoft_teams.url",
    "webhook.url",
    "smtp_account.host",
    "smtp_account.from_address",
    "sns.topic_arn",
    "sns.role_arn",
    "ses_account.role_arn",
    "ses_account.from_address",
)
_KEYWORD = (
    "config_type",
    "email.email_account_id",
    "email.email_group_id_list",
    "smtp_account.method",
    "ses_account.region",
    *(f"{field}.keyword" for field in _TEXT),
)
_NESTED = ("email.recipient_list", "email_group.recipient_list")
_NESTED_TEXT = tuple(f"{path}.recipient" for path in _NESTED)
_ALL_OF = {"query": (*_KEYWORD, *_TEXT), "text_query": _TEXT}

FILTERS = frozenset({*_RANGE, *_TEXT, *_KEYWORD, *_NESTED_TEXT, *_ALL_OF, "is_enabled"})

_TEXT_FIELD: dict[str, Any] = {"type": "text", "fields": {"keyword": {"type": "keyword"}}}
_RECIPIENTS = {"recipient_list": {"type": "nested", "properties": {"recipient": _TEXT_FIELD}}}
_TIME = {"type": "date", "format": "epoch_millis"}
_CHAT = {"properties": {"url": _TEXT_FIELD}}
# Only what the filters need is indexed; the source keeps everything.
MAPPINGS: dict[str, Any] = {
    "dynamic": False,
    "properties": {
        "metadata": {"properties": {"last_updated_time_ms": _TIME, "created_time_ms": _TIME}},
        "config": {
            "properties": {
                "name": _TEXT_FIELD,
                "description": _TEXT_FIELD,
                "config_type": {"type": "keyword"},
                "is_enabled": {"type": "boolean"},
                "slack": _CHAT,
                "chime": _CHAT,
                "microsoft_teams": _CHAT,
                "webhook": _CHAT,
                "email": {
                    "properties": {
                        "email_account_id": {"type": "keyword"},
                        "email_group_id_list": {"type": "keyword"},
                        **_RECIPIENTS,
                    }
                },
                "email_group": {"properties": _RECIPIENTS},
                "sns": {"properties": {"topic_arn": _TEXT_FIELD, "role_arn": _TEXT_FIELD}},
                "smtp_account": {
                    "properties": {"host": _TEXT_FIELD, "method": {"type": "keyword"}, "from_address": _TEXT_FIELD}
                },
                "ses_account": {
                    "properties": {"region": {"type": "keyword"}, "role_arn": _TEXT_FIELD, "from_address": _TEXT_FIELD}
                },
            }
        },
    },
}


def sort_by(field: str | None, order: str | None) -> list[dict[str, str]]:
    """The `sort` of the search; by default the least recently updated first. Raises 406 for an unknown field."""
    direction = (order or "asc").lower()
    if direction not in ("asc", "desc"):
        raise illegal_argument(f"No enum constant org.opensearch.search.sort.SortOrder.{direction.upper()}")
    if field is None or field in _RANGE:
        return [{f"metadata.{field or 'last_updated_time_ms'}": direction}]
    if field in _TEXT:
        # The node breaks ties by an order of its own: oldest first is what the plugin's small index gives.
        return [{f"config.{field}.keyword": direction}, {"metadata.created_time_ms": "asc"}]
    if field == "is_enabled" or field in _KEYWORD:
        return [{f"config.{field}": direction}]
    raise status_exception(406, f"Sort on {field} not acceptable")


def filter_by(params: Mapping[str, str]) -> dict[str, Any]:
    """The `query` of the search for these filter parameters. Raises 406 for a range that is none."""
    return {"bool": {"filter": [_clause(name, value) for name, value in params.items()]}}


def _clause(name: str, value: str) -> dict[str, Any]:
    if name in _ALL_OF:
        return _anywhere(value, _ALL_OF[name], with_keyword=name == "query")
    if name in _RANGE:
        return _range(name, value)
    if name == "is_enabled":
        return {"term": {"config.is_enabled": value}}
    if name in _KEYWORD:
        return {"terms": {f"config.{name}": value.split(",")}}
    if name in _NESTED_TEXT:
        match = {"match": {f"config.{name}": value}}
        return {"nested": {"path": f"config.{name.rpartition('.')[0]}", "query": match}}
    return {"match": {f"config.{name}": value}}


def _range(name: str, value: str) -> dict[str, Any]:
    match value.split(".."):
        case [_]:
            return {"term": {f"metadata.{name}": value}}
        case [low, high]:
            return {"range": {f"metadata.{name}": {"gte": low, "lte": high}}}
    raise status_exception(406, f"Invalid Range format {value}, allowed format 'exact' or 'from..to'")


def _anywhere(value: str, fields: tuple[str, ...], *, with_keyword: bool) -> dict[str, Any]:
    clauses: list[dict[str, Any]] = [
        {"query_string": {"query": value, "fields": [f"config.{field}" for field in fields]}}
    ]
    for path in _NESTED:
        nested = [f"config.{path}.recipient", *([f"config.{path}.recipient.keyword"] if with_keyword else [])]
        query = {"query_string": {"query": value, "fields": nested}}
        clauses.append({"nested": {"path": f"config.{path}", "query": query, "score_mode": "none"}})
    return {"bool": {"should": clauses}}
