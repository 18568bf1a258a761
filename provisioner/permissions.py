"""What the logged-in user may not do of what apply does; asked of the cluster, and nothing is done.

The security plugin answers any request of the server itself with `perform_permission_check=true` by what is missing,
and does not perform it (since 3.2; a server without that refuses the parameter). It does the same for requests of other
plugins, but those then fall over its answer, as does GET of a document. So these are asked for what can't come about:
the permission is looked at first, and what is named is not there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provisioner.client import path
from provisioner.errors import ApiError, ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.client import Client

_DENIED = re.compile(r"no permissions for \[([^\]]+)\]")
_TOKEN = {"if_seq_no": "1", "if_primary_term": "1"}


@dataclass(frozen=True, slots=True)
class Missing:
    """The permissions that are missing; `unasked` says why some could not be asked for."""

    permissions: tuple[str, ...]
    unasked: str = ""


def missing(client: Client, owner: str | None) -> Missing:
    """Ask for everything that apply does, on a cluster with the security plugin. Raises ClusterError, ApiError.

    `owner` is whose state is meant; None: nobody's.
    """
    nowhere = f"logs-nowhere-{client.target.namespace}"  # like a data stream: roles are given by such patterns
    found: list[str] = []
    unasked = ""
    for method, url, body in _reads():
        found += _refused(client, method, url, body)
    for method, url, body in _server(nowhere, owner):
        answer = _simulated(client, method, url, body)
        if answer is None:
            unasked = "the security plugin tells what is missing from OpenSearch 3.2 on"
            break
        found += answer
    for method, url, body in _plugins(nowhere):
        found += _refused(client, method, url, body, _TOKEN if "/policies/" in url and method == "PUT" else None)
    return Missing(tuple(dict.fromkeys(found)), unasked)


def _reads() -> Iterator[tuple[str, str, Any]]:
    """What a plan reads, besides the state."""
    for url in ("/", "/_component_template", "/_index_template", "/_ingest/pipeline", "/_data_stream"):
        yield "GET", url, None
    yield "GET", "/_plugins/_notifications/configs?max_items=1", None
    yield "GET", "/_plugins/_ism/policies?size=1", None
    yield "POST", "/_plugins/_alerting/monitors/_search", {"size": 0, "query": {"match_all": {}}}


def _server(nowhere: str, owner: str | None) -> Iterator[tuple[str, str, Any]]:
    """Every kind of write to the server itself, and the reading of the state."""
    for api, body in (
        ("_component_template", {"template": {}}),
        ("_index_template", {"index_patterns": [nowhere], "data_stream": {}}),
        ("_ingest/pipeline", {"processors": []}),
        ("_data_stream", None),
    ):
        yield "PUT", f"/{api}/{nowhere}", body
        yield "DELETE", f"/{api}/{nowhere}", None
    if owner:
        state = f".provisioner-{owner}"
        yield "PUT", path(state), None
        yield "PUT", path(state, "_doc", nowhere), {}
        yield "DELETE", path(state, "_doc", nowhere), None
        yield "GET", path(state, "_search"), None


def _plugins(nowhere: str) -> Iterator[tuple[str, str, Any]]:
    """Every kind of write to a plugin, each of them for something that is not there."""
    monitor = {
        "name": nowhere,
        "type": "monitor",
        "monitor_type": "query_level_monitor",
        "enabled": False,
        "schedule": {"period": {"interval": 1, "unit": "MINUTES"}},
        "inputs": [{"search": {"indices": [nowhere], "query": {"query": {"match_all": {}}}}}],
        "triggers": [],
    }
    email = {"email_account_id": nowhere, "recipient_list": [], "email_group_id_list": []}
    channel = {"name": nowhere, "description": "", "config_type": "email", "is_enabled": False, "email": email}
    states = [{"name": "only", "actions": [], "transitions": []}]
    policy = {"description": nowhere, "default_state": "only", "states": states}
    monitors, channels, ism = "/_plugins/_alerting/monitors", "/_plugins/_notifications/configs", "/_plugins/_ism"
    yield "POST", monitors, monitor  # its index is missing: refused before anything is stored
    yield "DELETE", f"{monitors}/{nowhere}", None
    yield "POST", channels, {"config_id": nowhere, "config": channel}  # its account is missing
    yield "PUT", f"{channels}/{nowhere}", {"config": channel}
    yield "DELETE", f"{channels}/{nowhere}", None
    yield "PUT", f"{ism}/policies/{nowhere}", {"policy": policy}  # an update of nothing: a conflict
    yield "DELETE", f"{ism}/policies/{nowhere}", None
    yield "POST", f"{ism}/change_policy/{nowhere}", {"policy_id": nowhere}


def _simulated(client: Client, method: str, url: str, body: Any) -> list[str] | None:
    """What is missing; None where the server has no such check."""
    try:
        answer = client.request(method, url, body, {"perform_permission_check": "true"}, safe=True)
    except ApiError as error:
        if error.status == 400 and "unrecognized parameter" in error.reason:
            return None
        raise
    except ClusterError as error:
        return _named(error)
    return [] if answer["accessAllowed"] else [str(name) for name in answer["missingPrivileges"]]


def _refused(client: Client, method: str, url: str, body: Any, params: dict[str, str] | None = None) -> list[str]:
    try:
        client.request(method, url, body, params, safe=True)
    except ApiError:
        return []  # not there, as was to be expected: permitted
    except ClusterError as error:
        return _named(error)
    return []


def _named(error: ClusterError) -> list[str]:
    """The permissions that a refusal names."""
    found = _DENIED.search(error.message)
    if not found:
        raise error
    return [name.strip() for name in found[1].split(",")]
