"""The published zips of Alerting, Notifications and Index Management, wherever they can be had.

They have no pinned checksum, since the registry did not offer them when the lock was written; a user who has built or
mirrored them finds them used instead of the stand-in.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from provisioner.devcluster.fetch import download, local_repository, move_into_place, sha256_of, staging_area
from provisioner.devcluster.lock import Coordinate
from provisioner.devcluster.places import Places, make_folder

_GROUP = "org.opensearch.plugin"
# What the stand-in calls a plugin, and the artifacts that the real one consists of.
PARTS: dict[str, tuple[str, ...]] = {
    "alerting": ("alerting",),
    "notifications": ("opensearch-notifications-core", "notifications"),
    "ism": ("opensearch-index-management",),
}
_ASK_AGAIN_AFTER = 24 * 3600  # seconds


@dataclass(frozen=True)
class PluginZip:
    """A plugin's zip in the local Maven repository: its folder's name in the distribution, and its checksum."""

    name: str
    path: Path
    sha256: str


def published(places: Places, server_version: str) -> dict[str, tuple[PluginZip, ...]]:
    """The zips found, by plugin (`alerting`, `notifications`, `ism`); a plugin that lacks any part is left out.

    Looks in the local Maven repository, then asks the registry, at most once a day for what it said it did not have.
    """
    repository = local_repository()
    names = [name for parts in PARTS.values() for name in parts]
    memory = _Memory(places.cache / "not-published.json")
    with ThreadPoolExecutor(len(names)) as pool:
        found = dict(
            zip(
                names,
                pool.map(lambda name: _look_for(_coordinate(name, server_version), repository, memory), names),
                strict=True,
            )
        )
    memory.save()
    return {
        plugin: tuple(PluginZip(name, path, sha256_of(path)) for name in parts if (path := found[name]))
        for plugin, parts in PARTS.items()
        if all(found[name] for name in parts)
    }


def _coordinate(name: str, server_version: str) -> Coordinate:
    return Coordinate(_GROUP, name, f"{server_version}.0", "zip")


def _look_for(coordinate: Coordinate, repository: Path, memory: _Memory) -> Path | None:
    local = repository / coordinate.repository_path
    if local.exists():
        return local
    if memory.recent(coordinate):
        return None
    try:
        with staging_area(repository) as staging:
            return move_into_place(download(coordinate, staging), local)
    except Exception as error:  # noqa: BLE001  jgo lets through whatever its HTTP library raises
        # A RuntimeError is jgo's word for "no registry has it". Anything else (no network, a broken proxy) tells
        # nothing, so the next start asks again.
        if isinstance(error, RuntimeError):
            memory.note(coordinate)
        return None


class _Memory:
    """Which coordinates the registry did not have, and when it said so (seconds since 1970)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._asked: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self._asked = {}
        self._before = dict(self._asked)

    def recent(self, coordinate: Coordinate) -> bool:
        return time.time() - self._asked.get(str(coordinate), 0) < _ASK_AGAIN_AFTER

    def note(self, coordinate: Coordinate) -> None:
        self._asked[str(coordinate)] = time.time()

    def save(self) -> None:
        if self._asked != self._before:
            make_folder(self._path.parent)
            self._path.write_text(json.dumps(self._asked, indent=2), encoding="utf-8")


def to_stand_in_for(found: Iterable[str]) -> tuple[str, ...]:
    """The plugins that the stand-in must answer for, given those whose own zips are installed."""
    return tuple(plugin for plugin in PARTS if plugin not in set(found))
