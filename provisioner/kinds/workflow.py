"""Alerting workflows: several monitors run together, with triggers over their alerts.

A workflow names its monitors by ids that the server makes. In a body here they stand as names, `@<name>`, and become
ids while it is written; what is shown is turned back. So a monitor that was made anew is drift of the workflow.
Workflows are found by the same search as monitors, and keep their triggers' ids, where the mark is.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from provisioner.errors import ProvisionerError
from provisioner.kinds.monitor import Monitors, is_workflow, search

if TYPE_CHECKING:
    from collections.abc import Callable

    from provisioner.client import Client
    from provisioner.model import Body, Live

_IN_CONDITION = re.compile(r"monitor\[id=([^\]]+)\]")


class Workflows(Monitors):
    """`_plugins/_alerting/workflows`: composite ones. A monitor that one of them runs can't be deleted (403)."""

    name = "workflow"
    collection = "workflows"

    def all(self, client: Client) -> list[Live]:
        """All, by their names."""
        return [self._live(hit) for hit in self._search(client, {"match_all": {}})]

    def _search(self, client: Client, query: Body) -> list[Body]:
        """Monitors are read as well: their names are wanted."""
        hits = search(client, {"match_all": {}})
        names = {hit["_id"]: f"@{_inner(hit).get('name', '')}" for hit in hits if not is_workflow(hit)}
        shown = ((hit, _replaced(_inner(hit), lambda id_: names.get(id_, id_))) for hit in hits if is_workflow(hit))
        return [{**hit, "_source": {"monitor": _plain(workflow)}} for hit, workflow in shown]

    def create(self, client: Client, key: str, body: Body) -> str:
        """Make it; the server's id. Raises ProvisionerError where one of its monitors is not there."""
        return super().create(client, key, _with_ids(client, body))

    def update(self, client: Client, live: Live, body: Body) -> None:
        """Replace it, unless someone changed it since (409)."""
        super().update(client, live, _with_ids(client, body))


def _inner(hit: Body) -> Body:
    source: Body = hit["_source"]
    inner: Body = source.get("workflow") or source.get("monitor") or source
    return inner


def _plain(workflow: Body) -> Body:
    """Without a default that the server adds."""
    return {key: value for key, value in workflow.items() if (key, value) != ("audit_delegate_monitor_alerts", True)}


def _with_ids(client: Client, body: Body) -> Body:
    ids = {_inner(hit).get("name", ""): hit["_id"] for hit in search(client, {"match_all": {}}) if not is_workflow(hit)}

    def id_of(name: str) -> str:
        if name.startswith("@") and name[1:] not in ids:
            raise ProvisionerError(f"there is no monitor {name[1:]!r}, which the workflow runs", "apply again")
        return str(ids[name[1:]]) if name.startswith("@") else name

    return _replaced(body, id_of)


def _replaced(workflow: Body, by: Callable[[str], str]) -> Body:
    """The workflow with every id of a monitor replaced: among the delegates, and in the conditions of triggers."""

    def walk(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: walk(child, name) for name, child in value.items()}
        if isinstance(value, list):
            return [walk(child) for child in value]
        if key == "monitor_id" and isinstance(value, str):
            return by(value)
        if key == "source" and isinstance(value, str):
            return _IN_CONDITION.sub(lambda match: f"monitor[id={by(match[1])}]", value)
        return value

    found: Body = json.loads(json.dumps(walk(workflow)))
    return found


KIND = Workflows()
