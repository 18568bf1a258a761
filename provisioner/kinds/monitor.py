"""Alerting monitors.

The server makes the monitor's id and rewrites its queries (`gte` becomes `from`, every clause gains `boost` and
more), so the body sent and the body shown never compare: the state's fingerprints do. Trigger ids are kept as sent, and
they are the one mark that everyone sees: `<owner>:<rule id>`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from provisioner.client import path
from provisioner.errors import ProvisionerError
from provisioner.kinds._common import delete_if_there
from provisioner.marks import TRIGGER
from provisioner.model import Live
from provisioner.values import each

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from provisioner.client import Client
    from provisioner.model import Body

_VOLATILE = frozenset(
    {
        "schema_version",
        "last_update_time",
        "enabled_time",
        "data_sources",
        "owner",
        "associated_workflows",
        "user",
        "ui_metadata",
    }
)
_DEFAULTS = {
    "delete_query_index_in_every_run": False,
    "should_create_single_alert_for_findings": False,
    "fan_out_enabled": True,
}
_MOST = 10_000
"""The largest size that a search takes; a cluster holds 1,000 monitors by default."""
_SEARCH = "/_plugins/_alerting/monitors/_search"


def normalize(monitor: Body) -> Body:
    """What the server shows without what it adds and changes by itself."""
    return {
        key: value
        for key, value in monitor.items()
        if key not in _VOLATILE and not (key in _DEFAULTS and value == _DEFAULTS[key])
    }


def marks(monitor: Body) -> list[str]:
    """All `<owner>:<rule id>` among the trigger ids."""
    triggers = each(monitor.get("triggers"))
    ids = (str(inner.get("id", "")) for trigger in triggers for inner in trigger.values() if isinstance(inner, dict))
    return [id_ for id_ in ids if TRIGGER.fullmatch(id_)]


def workflows(client: Client) -> dict[str, Body]:
    """All workflows as the server shows them, by its ids: they use monitors and channels."""
    hits = search(client, {"match_all": {}})
    return {hit["_id"]: hit["_source"].get("workflow", hit["_source"]) for hit in hits if is_workflow(hit)}


def search(client: Client, query: Body) -> list[Body]:
    """Monitors, and with them workflows, as the server's hits."""
    found = client.request("POST", _SEARCH, {"size": _MOST, "query": query}, safe=True)
    hits: list[Body] = found["hits"]["hits"]
    return hits


def is_workflow(hit: Body) -> bool:
    """Whether a hit of the search for monitors is a workflow."""
    return "workflow" in hit["_source"] or _monitor(hit).get("type") == "workflow"


class Monitors:
    """`_plugins/_alerting/monitors`: found by the id in the state, by mark, or by name (names are not unique)."""

    name = "monitor"
    collection = "monitors"
    secret_paths: tuple[tuple[str, ...], ...] = ()

    def live(self, client: Client, wanted: Mapping[str, str | None]) -> list[Live]:
        """Id beats mark, mark beats name. Raises ProvisionerError where two of one name could both be meant.

        Two that differ in nothing are one and its duplicate: whether they are ours is not known here.
        """
        by_id = {server_id: key for key, server_id in wanted.items() if server_id}
        found: dict[str, dict[int, list[Live]]] = defaultdict(lambda: defaultdict(list))
        for hit in self._search(client, {"match_all": {}}):
            live = self._live(hit)
            marked = next(iter(marks(live.body)), "").replace(":", "-", 1)
            if live.server_id in by_id:
                key, rank = by_id[live.server_id], 2
            elif live.key in wanted and live.owner and live.key.startswith(f"{live.owner}-"):
                key, rank = live.key, 1  # rules that share a monitor have marks of their own
            else:
                key, rank = (marked, 1) if marked in wanted else (live.key, 0)
            if key in wanted:
                found[key][rank].append(replace(live, key=key))
        return [_chosen(key, ranks) for key, ranks in found.items()]

    def all(self, client: Client) -> list[Live]:
        """All, by their names; those that other plugins keep for themselves (Security Analytics) are left out."""
        hits = self._search(client, {"match_all": {}})
        return [self._live(hit) for hit in hits if _monitor(hit).get("owner", "alerting") == "alerting"]

    def shown(self, client: Client, ids: Mapping[str, str]) -> list[Live]:
        """By search, as `live` does: GET adds `associated_workflows`, and takes one id only."""
        keys = {server_id: key for key, server_id in ids.items()}
        hits = self._search(client, {"ids": {"values": sorted(keys)}})
        return [replace(self._live(hit), key=keys[hit["_id"]]) for hit in hits if hit["_id"] in keys]

    def _search(self, client: Client, query: Body) -> list[Body]:
        return [hit for hit in search(client, query) if not is_workflow(hit)]

    def _live(self, hit: Body) -> Live:
        monitor = _monitor(hit)
        owner = next(iter(marks(monitor)), "").partition(":")[0]
        token = {"if_seq_no": hit["_seq_no"], "if_primary_term": hit["_primary_term"]}
        return Live(self.name, monitor.get("name", ""), normalize(monitor), hit["_id"], token, owner or None)

    def create(self, client: Client, key: str, body: Body) -> str:
        """Make it; the server's id."""
        answer = client.request("POST", path("_plugins", "_alerting", self.collection), body)
        return str(answer["_id"])

    def update(self, client: Client, live: Live, body: Body) -> None:
        """Replace it, unless someone changed it since (409); duplicates go."""
        client.request("PUT", path("_plugins", "_alerting", self.collection, live.server_id), body, live.token)
        self._delete(client, live.duplicates)

    def delete(self, client: Client, live: Live) -> None:
        """Remove it; the body of a 404 is sometimes cut off, so it is not read.

        Duplicates go first: after a kill in between, the one that the state knows by its id is still there to be found.
        """
        self._delete(client, (*live.duplicates, live.server_id))

    def _delete(self, client: Client, ids: Iterable[str]) -> None:
        for id_ in ids:
            delete_if_there(client, path("_plugins", "_alerting", self.collection, id_))


def _monitor(hit: Body) -> Body:
    monitor: Body = hit["_source"].get("monitor", hit["_source"])
    return monitor


def _chosen(key: str, ranks: Mapping[int, Sequence[Live]]) -> Live:
    """The one that is meant, by the ids of all that were found with its id (2), its mark (1) or its name (0)."""
    rank = max(ranks)
    by_id = sorted(ranks[rank], key=lambda live: live.server_id)
    live = max(by_id, key=lambda live: live.body.get("name") == key)  # of several with one mark, one named so still
    others = [other for found in ranks.values() for other in found if other.server_id != live.server_id]
    twins = [other for other in others if _is_twin(other, live)]
    if rank == 0 and len(twins) < len(others):
        raise _ambiguous(key, by_id[0].server_id, by_id[1].server_id)
    return replace(live, duplicates=tuple(sorted(twin.server_id for twin in twins)))


def _is_twin(other: Live, live: Live) -> bool:
    """The API takes no id from us: a POST that took effect after its answer was given up makes a second monitor.

    That one has the name that was sent. A copy that somebody made and renamed bears our mark too, but is theirs. Where
    there are no marks, nothing but the ids that the server gives to triggers and actions may differ.
    """
    if other.body.get("name") != live.body.get("name"):
        return False
    if live.owner is not None:
        return set(marks(other.body)) & set(marks(live.body)) != set()
    return other.owner is None and _without_ids(other.body) == _without_ids(live.body)


def _without_ids(monitor: Body) -> Body:
    return {**monitor, "triggers": _stripped(monitor.get("triggers"))}


def _stripped(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _stripped(child) for key, child in value.items() if key != "id"}
    return [_stripped(child) for child in value] if isinstance(value, list) else value


def _ambiguous(name: str, first: str, second: str) -> ProvisionerError:
    return ProvisionerError(
        f"two monitors have the name {name!r}, and nothing tells which one is meant: ids {first} and {second}",
        "rename or delete one of them in the cluster",
    )


KIND = Monitors()
