"""The REST API of the Notifications plugin (`/_plugins/_notifications`)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from provisioner.devcluster.standin.errors import OpenSearchError, StandInError, illegal_argument, status_exception
from provisioner.devcluster.standin.node import Node
from provisioner.devcluster.standin.notifications.model import (
    CHANNEL_TYPES,
    TYPES,
    Wanted,
    check_id,
    check_type,
    parse_request,
)
from provisioner.devcluster.standin.notifications.query import FILTERS, MAPPINGS, filter_by, sort_by
from provisioner.devcluster.standin.notifications.sending import Sender
from provisioner.devcluster.standin.plugin import SendResult, route
from provisioner.devcluster.standin.rest import answer, check_params, parsed
from provisioner.devcluster.standin.settings import ClusterSettings
from provisioner.devcluster.standin.store import Store, Stored

INDEX = ".opensearch-notifications-config"
_BASE = "/_plugins/_notifications"
_ACTION = "cluster:admin/opensearch/notifications"
_PARAMS = frozenset({"config_id", "config_id_list", "sort_field", "sort_order", "from_index", "max_items"})
_MAX_ITEMS = 1000
_DENY_LIST = "opensearch.notifications.core.http.host_deny_list"


class NotificationsPlugin:
    """Channels and sending. Implements `plugin.Plugin` and `plugin.Notifier`."""

    name = "notifications"

    def __init__(self, node: Node, settings: ClusterSettings) -> None:
        self._node = node
        self._settings = settings
        self._store = Store(node, INDEX, MAPPINGS)
        self.sender = Sender(self)

    def routes(self) -> list[Route]:
        """The plugin's routes."""
        one, test = f"{_BASE}/configs/{{config_id}}", f"{_BASE}/feature/test/{{config_id}}"
        return [
            route(f"{_BASE}/features", self._features, ["GET"], action=f"{_ACTION}/features"),
            route(f"{_BASE}/channels", self._channels, ["GET"], action=f"{_ACTION}/channels/get"),
            route(f"{_BASE}/configs", self._list, ["GET"], action=f"{_ACTION}/configs/get"),
            route(f"{_BASE}/configs", self._create, ["POST"], action=f"{_ACTION}/configs/create"),
            route(f"{_BASE}/configs", self._delete, ["DELETE"], action=f"{_ACTION}/configs/delete"),
            route(one, self._list, ["GET"], action=f"{_ACTION}/configs/get"),
            route(one, self._update, ["PUT"], action=f"{_ACTION}/configs/update"),
            route(one, self._delete, ["DELETE"], action=f"{_ACTION}/configs/delete"),
            route(test, self._test, ["GET", "POST"], action=f"{_ACTION}/test_notification"),
        ]

    async def start(self) -> None:
        """Make the index, as the plugin does at its first use."""
        await self._store.ensure()

    async def stop(self) -> None:
        """Close connections to receivers."""
        await self.sender.close()

    async def send(self, channel_id: str, subject: str, message: str, *, severity: str = "info") -> SendResult:
        """See `plugin.Notifier`."""
        return await self.sender.send(channel_id, subject, message, severity=severity, reference=channel_id)

    async def exists(self, channel_id: str) -> bool:
        """See `plugin.Notifier`."""
        return await self._store.get(channel_id) is not None

    async def config(self, channel_id: str) -> dict[str, Any] | None:
        """See `plugin.Notifier`."""
        found = await self._store.get(channel_id)
        return found.source["config"] if found else None

    async def denied_hosts(self) -> list[str]:
        """The cluster setting `opensearch.notifications.core.http.host_deny_list`."""
        return list(await self._settings.get(_DENY_LIST) or [])

    async def _features(self, request: Request) -> Response:
        check_params(request)
        return answer({"allowed_config_type_list": list(TYPES), "plugin_features": {"tooltip_support": "true"}})

    async def _channels(self, request: Request) -> Response:
        check_params(request)
        body = {
            "size": _MAX_ITEMS,
            "sort": sort_by(None, None),
            "query": filter_by({"config_type": ",".join(CHANNEL_TYPES)}),
        }
        hits = (await self._store.search(body))["hits"]
        shown = ("name", "description", "config_type", "is_enabled")
        channels = [
            {"config_id": hit["_id"], **{key: hit["_source"]["config"][key] for key in shown}} for hit in hits["hits"]
        ]
        return answer({**_page(0, hits["total"]), "channel_list": channels})

    async def _create(self, request: Request) -> Response:
        check_params(request, _PARAMS)
        wanted = await parsed(request, self._node, parse_request)
        if wanted.config_id is not None:
            check_id(wanted.config_id)
        await self._check(wanted.config)
        now = _now()
        source = {
            "metadata": {"last_updated_time_ms": now, "created_time_ms": now, "access": []},
            "config": wanted.config,
        }
        try:
            made = await self._store.put(wanted.config_id, source, create=True)
        except StandInError as refused:
            raise self._create_error(wanted, refused) from None
        return answer({"config_id": made.id})

    async def _update(self, request: Request) -> Response:
        check_params(request, _PARAMS)
        config_id = request.path_params["config_id"]
        wanted = await parsed(request, self._node, parse_request)
        await self._check(wanted.config)
        current = await self._store.get(config_id)
        if current is None:
            raise _not_found(config_id)
        if current.source["config"]["config_type"] != wanted.config["config_type"]:
            raise status_exception(409, "Config type cannot be changed after creation")
        metadata = {**current.source["metadata"], "last_updated_time_ms": _now()}
        await self._store.put(config_id, {"metadata": metadata, "config": wanted.config})
        return answer({"config_id": config_id})

    async def _list(self, request: Request) -> Response:
        check_params(request, _PARAMS | FILTERS)
        ids = _ids(request)
        if ids:
            found = [await self._store.get(id_) for id_ in ids]
            missing = [id_ for id_, config in zip(ids, found, strict=True) if config is None]
            if missing:
                raise _not_found(missing[0] if len(ids) == 1 else f"[{', '.join(missing)}]")
            shown = [_info(config) for config in found if config is not None]
            return answer({**_page(0, {"value": len(shown), "relation": "eq"}), "config_list": shown})
        params = request.query_params
        start = _number(params.get("from_index"), 0)
        body = {
            "from": start,
            "size": _number(params.get("max_items"), _MAX_ITEMS),
            "sort": sort_by(params.get("sort_field"), params.get("sort_order")),
            "query": filter_by({name: value for name, value in params.items() if name in FILTERS}),
        }
        hits = (await self._store.search(body))["hits"]
        shown = [_info(Stored.of_hit(hit)) for hit in hits["hits"]]
        return answer({**_page(start, hits["total"]), "config_list": shown})

    async def _delete(self, request: Request) -> Response:
        check_params(request, _PARAMS)
        ids = [id_ for id_ in _ids(request) if id_.strip()]
        if not ids:
            return PlainTextResponse("either config_id or config_id_list is required", 400)
        missing = [id_ for id_ in ids if not await self.exists(id_)]
        if missing:
            raise _not_found(ids[0] if len(ids) == 1 else f"[{', '.join(missing)}]")
        for id_ in ids:
            await self._store.delete(id_)
        return answer({"delete_response_list": dict.fromkeys(ids, "OK")})

    async def _test(self, request: Request) -> Response:
        check_params(request)
        id_ = request.path_params["config_id"]
        result = await self.sender.send(
            id_,
            f"Test Message Title-{id_}",
            f"Test message content body for config id {id_}",
            severity="info",
            reference=id_,
            html=_TEST_HTML.format(id=id_),
        )
        if result.error is not None:
            return answer(result.error, result.error["status"])
        return answer(result.event)

    async def _check(self, config: dict[str, Any]) -> None:
        """What the plugin checks of a config that it is going to write. Raises 400, 404 or 406."""
        check_type(config)
        if config["config_type"] != "email":
            return
        email = config["email"]
        account, groups = email["email_account_id"], email["email_group_id_list"]
        if account in groups:
            raise status_exception(400, f"Config IDs {account} is in both emailAccountID and emailGroupIds")
        referred = {id_: await self.config(id_) for id_ in (account, *groups)}
        missing = [id_ for id_, found in referred.items() if found is None]
        if missing:
            raise status_exception(404, f"Config IDs not found:[{', '.join(missing)}]")
        for id_, found in referred.items():
            _check_referred(id_, found["config_type"] if found else "none", is_account=id_ == account)

    def _create_error(self, wanted: Wanted, refused: StandInError) -> StandInError:
        """The plugin's own words around the node's refusal to write a new config."""
        if refused.status == 409:
            reason = f"Document version conflict putting {wanted.config_id} in index {INDEX}"
            return status_exception(409, reason)
        error = refused.body.get("error", {}) if isinstance(refused.body, dict) else {}
        cause = {"type": error.get("type"), "reason": error.get("reason")}
        reason = f"Failed to put data object in index {INDEX}"
        return OpenSearchError(500, "status_exception", reason, caused_by=cause)


_TEST_HTML = """<html>
<header><title>Test Message</title></header>
<body>
<p>Test Message for config id {id}</p>
</body>
</html>"""


def _check_referred(id_: str, config_type: str, *, is_account: bool) -> None:
    """An e-mail channel names one account, and groups. Raises 406 for anything else."""
    if config_type == "email_group" and not is_account:
        return
    if config_type in ("smtp_account", "ses_account") and is_account:
        return
    what = {
        "email_group": "email account ID",
        "smtp_account": "email group ID",
        "ses_account": "email group ID",
    }.get(config_type, "email group ID or email account ID")
    raise status_exception(406, f"configId {id_} is not a valid {what}")


def _ids(request: Request) -> list[str]:
    """The ids that the path and the parameters name, each once."""
    named = [request.path_params.get("config_id") or request.query_params.get("config_id")]
    listed: Sequence[str | None] = (request.query_params.get("config_id_list") or "").split(",")
    return list(dict.fromkeys(id_ for id_ in (*listed, *named) if id_))


def _info(stored: Stored) -> dict[str, Any]:
    metadata = stored.source["metadata"]
    return {
        "config_id": stored.id,
        "last_updated_time_ms": metadata["last_updated_time_ms"],
        "created_time_ms": metadata["created_time_ms"],
        "config": stored.source["config"],
    }


def _page(start: int, total: dict[str, Any]) -> dict[str, Any]:
    return {"start_index": start, "total_hits": total["value"], "total_hit_relation": total["relation"]}


def _not_found(what: str) -> OpenSearchError:
    return status_exception(404, f"NotificationConfig {what} not found")


def _number(text: str | None, default: int) -> int:
    """A number; what is none counts as not given, as in the plugin. Raises 400 when negative."""
    number = int(text) if text and text.lstrip("-").isdecimal() else default
    if number < 0:
        raise illegal_argument(f"[from] and [size] must be non-negative, found [{number}]")
    return number


def _now() -> int:
    return int(time.time() * 1000)
