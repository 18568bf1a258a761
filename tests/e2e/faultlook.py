"""What a cluster must look like after an apply, seen by plain requests past the proxy."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clusters import Repository
from faultlab import Lane

from provisioner.client import path

FIRST, UPDATE = "first apply", "update"
APPLY = ("apply", "--yes", "--prune", "--wait", "1s")

_VOLATILE = frozenset(
    {
        *("_id", "_version", "_seq_no", "_primary_term", "schema_version", "version", "generation"),
        *("last_update_time", "last_updated_time", "enabled_time", "created_time_ms", "last_updated_time_ms"),
        *("indices", "destination_id"),
    }
)
"""What differs between two clusters that are both as the repository says: ids and times, a data stream's indices."""


def comparable(repository: Repository, log_type: str) -> dict[str, Any]:
    """All objects as the cluster shows them, without ids, times and the names of this lane."""
    text = json.dumps(_still(repository.objects()), sort_keys=True)
    for ours, name in ((repository.owner, "OWNER"), (repository.namespace, "SPACE"), (f"-{log_type}", "-LOG")):
        text = text.replace(ours, name)
    return dict(json.loads(text))


def _still(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _still(inner) for key, inner in value.items() if key not in _VOLATILE}
    return [_still(inner) for inner in value] if isinstance(value, list) else value


@dataclass
class Reference:
    """What an undisturbed apply leads to, by version, and how many requests it takes, by campaign and sort."""

    objects: dict[int, dict[str, Any]] = field(default_factory=dict)
    requests: dict[tuple[str, str], int] = field(default_factory=dict)


def measured(lane: Lane) -> Reference:
    """Apply both versions undisturbed."""
    found = Reference()
    for campaign, version in ((FIRST, 1), (UPDATE, 2), (UPDATE, 1)):
        lane.turn(version)
        lane.proxy.arm(None)
        done = lane.run(*APPLY)
        assert done.code == 0, done.text
        for among in ("write", "read"):
            found.requests[campaign, among] = lane.proxy.count(among)
        shown = comparable(lane.direct, lane.log_type)
        assert found.objects.setdefault(version, shown) == shown
    assert found.objects[1] != found.objects[2]
    return found


def flaws(lane: Lane, reference: Reference, alerts: Mapping[str, Any]) -> list[str]:
    """What is not as it must be, seen by plain requests past the proxy."""
    found: list[str] = []
    repository = lane.direct
    shown, wanted = comparable(repository, lane.log_type), reference.objects[lane.version]
    found += [f"{name} is not there" for name in wanted.keys() - shown.keys()]
    found += [f"{name} should not be there" for name in shown.keys() - wanted.keys()]
    found += [
        f"{name} differs: {json.dumps(shown[name])[:400]} is not {json.dumps(wanted[name])[:400]}"
        for name in shown.keys() & wanted.keys()
        if shown[name] != wanted[name]
    ]
    names = Counter(monitor_names(repository))
    found += [f"{number} monitors {name}" for name, number in names.items() if number > 1]
    recorded, made = recorded_refs(repository), set(repository.objects())
    found += [f"{name} is not in the state" for name in made - recorded]
    found += [f"{name} is in the state, and no object" for name in recorded - made]
    if alerts and (now := lane.alerts()) != alerts:
        found.append(f"alerts were {dict(alerts)}, are {now}")
    return found


def monitor_names(repository: Repository) -> list[str]:
    """Names of the owner's monitors; one name may be there several times."""
    query = {"size": 1000, "query": {"match_all": {}}}
    hits = repository.client.request("POST", "/_plugins/_alerting/monitors/_search", query)["hits"]["hits"]
    names = [str(hit["_source"].get("monitor", hit["_source"]).get("name", "")) for hit in hits]
    return [name for name in names if name.startswith(f"{repository.owner}-")]


def recorded_refs(repository: Repository) -> set[str]:
    """What the state says that we own."""
    query = {"size": 1000, "query": {"term": {"type": "resource"}}}
    answer = repository.client.get(path(repository.state_index, "_search"), query)
    return {f"{d['_source']['kind']} {d['_source']['key']}" for d in answer["hits"]["hits"]} if answer else set()


def unfinished(repository: Repository) -> list[str]:
    """Releases that still run or left something unclear, and a lock that nobody let go; nothing runs by now."""
    query = {"size": 100, "query": {"term": {"open": True}}}
    answer = repository.client.get(path(repository.state_index, "_search"), query)
    found = [f"release {hit['_source']['number']} is open" for hit in answer["hits"]["hits"]] if answer else []
    lock = repository.client.get(path(repository.state_index, "_doc", "lock"))
    return [*found, f"the lock is held: {lock['_source']}"] if lock else found
