from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.devcluster.fetch import local_repository, sha256_of
from provisioner.devcluster.lock import Coordinate
from provisioner.devcluster.places import Places
from provisioner.devcluster.plugins import PARTS, published, to_stand_in_for

from .conftest import Registry


def path_of(name: str) -> str:
    return Coordinate("org.opensearch.plugin", name, "3.4.0.0", "zip").repository_path


def put_locally(name: str) -> Path:
    path = local_repository() / path_of(name)
    path.parent.mkdir(parents=True)
    path.write_bytes(name.encode())
    return path


def test_nothing_to_be_had_is_remembered(places: Places, registry: Registry) -> None:
    assert published(places, "3.4.0") == {}
    assert to_stand_in_for([]) == ("alerting", "notifications", "ism")
    asked = registry.asked.copy()
    assert len(asked) == sum(len(parts) for parts in PARTS.values())
    assert published(places, "3.4.0") == {}
    assert registry.asked == asked
    assert published(places, "3.5.0") == {}  # of another version nothing is known
    assert registry.asked != asked


def test_after_a_day_it_is_asked_again(places: Places, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    published(places, "3.4.0")
    asked = registry.asked.total()
    import time

    now = time.time()
    monkeypatch.setattr("provisioner.devcluster.plugins.time.time", lambda: now + 24 * 3600 + 1)
    published(places, "3.4.0")
    assert registry.asked.total() == 2 * asked


def test_no_answer_is_not_remembered(places: Places, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jgo.maven._core.DEFAULT_REMOTE_REPOS", {"test": "http://127.0.0.1:9"})
    assert published(places, "3.4.0") == {}
    monkeypatch.setattr("jgo.maven._core.DEFAULT_REMOTE_REPOS", {"test": registry.url})
    registry.files[path_of("alerting")] = b"zip"
    assert list(published(places, "3.4.0")) == ["alerting"]


@pytest.mark.usefixtures("registry")
def test_a_plugin_counts_only_with_all_its_parts(places: Places) -> None:
    alerting = put_locally("alerting")
    put_locally("notifications")
    found = published(places, "3.4.0")
    assert {name: [part.name for part in parts] for name, parts in found.items()} == {"alerting": ["alerting"]}
    assert found["alerting"][0].sha256 == sha256_of(alerting)
    assert to_stand_in_for(found) == ("notifications", "ism")
    put_locally("opensearch-notifications-core")
    assert to_stand_in_for(published(places, "3.4.0")) == ("ism",)


def test_the_registry_is_asked_for_what_is_not_here(places: Places, registry: Registry) -> None:
    registry.files[path_of("opensearch-index-management")] = b"from the registry"
    (part,) = published(places, "3.4.0")["ism"]
    assert part.path == local_repository() / path_of("opensearch-index-management")
    assert part.path.read_bytes() == b"from the registry"


def test_half_a_zip_is_not_taken_for_a_whole_one(places: Places, registry: Registry) -> None:
    registry.files[path_of("alerting")] = b"from the registry"
    registry.broken_off.add(path_of("alerting"))
    assert published(places, "3.4.0") == {}
    assert not (local_repository() / path_of("alerting")).exists()
    registry.broken_off.clear()
    assert list(published(places, "3.4.0")) == ["alerting"]
