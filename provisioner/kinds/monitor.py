"""Alerting monitors.

The server makes the monitor's id and rewrites its queries (`gte` becomes `from`, every clause gains `boost` and
more), so the body sent and the body shown never compare: the state's fingerprints do. Trigger ids are kept as sent, and
they are the one mark that everyone sees: `<owner>:<rule id>`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provisioner.client import path
from provisioner.kinds._common import delete_if_there
from provisioner.model import Live

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provisioner.client import Client
    from provisioner.model import Body

_VOLATILE = frozenset(
    {
        "schema_version",
        "last_update_time",
        "enabled_time",
        "data_sources",
        "owner",
        "delete_query_index_in_every_run",
        "should_create_single_alert_for_findings",
        "associated_workflows",
        "user",
        "fan_out_enabled",
        "ui_metadata",
    }
)
_MOST = 10_000
"""The largest size that a search takes; a cluster holds 1,000 monitors by default."""


def normalize(monitor: Body) -> Body:
    """What the server shows without what it adds and changes by itself."""
    return {key: value for key, value in monitor.items() if key not in _VOLATILE}


def marks(monitor: Body) -> list[str]:
    """All `<owner>:<rule id>` among the trigger ids."""
    triggers: list[Any] = monitor.get("triggers") or []
    ids = (str(inner.get("id", "")) for trigger in triggers for inner in trigger.values() if isinstance(inner, dict))
    return [id_ for id_ in ids if ":" in id_]


class Monitors:
    """`_plugins/_alerting/monitors`: found by the id in the state, by mark, or by name (names are not unique)."""

    name = "monitor"
    secret_paths: tuple[tuple[str, ...], ...] = ()

    def live(self, client: Client, wanted: Mapping[str, str | None]) -> list[Live]:
        """One search reads all; workflows come with it and are left out. Id beats mark, mark beats name."""
        query = {"size": _MOST, "query": {"match_all": {}}}
        hits = client.request("POST", "/_plugins/_alerting/monitors/_search", query)["hits"]["hits"]
        by_id = {server_id: key for key, server_id in wanted.items() if server_id}
        best: dict[str, tuple[int, Live]] = {}
        for hit in hits:
            monitor = hit["_source"].get("monitor", hit["_source"])
            if monitor.get("type") == "workflow" or "workflow" in hit["_source"]:
                continue
            owner, rule = (marks(monitor) or [":"])[0].split(":", 1)
            marked = f"{owner}-{rule}"
            key, rank = monitor.get("name", ""), 0
            if marked in wanted:
                key, rank = marked, 1
            if hit["_id"] in by_id:
                key, rank = by_id[hit["_id"]], 2
            if key in wanted and rank >= best.get(key, (0, None))[0]:
                token = {"if_seq_no": hit["_seq_no"], "if_primary_term": hit["_primary_term"]}
                best[key] = (rank, Live(self.name, key, normalize(monitor), hit["_id"], token, owner or None))
        return [live for _, live in best.values()]

    def create(self, client: Client, key: str, body: Body) -> str:
        """Make it; the server's id."""
        answer = client.request("POST", "/_plugins/_alerting/monitors", body)
        return str(answer["_id"])

    def update(self, client: Client, live: Live, body: Body) -> None:
        """Replace it, unless someone changed it since (409)."""
        client.request("PUT", path("_plugins", "_alerting", "monitors", live.server_id), body, live.token)

    def delete(self, client: Client, live: Live) -> None:
        """Remove it; the body of a 404 is sometimes cut off, so it is not read."""
        delete_if_there(client, path("_plugins", "_alerting", "monitors", live.server_id))


KIND = Monitors()
