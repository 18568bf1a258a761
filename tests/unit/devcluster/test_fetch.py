"""Downloads through the real jgo, from a registry on this machine."""

from __future__ import annotations

import dataclasses
import os
import random

import pytest

from provisioner.devcluster.errors import DevClusterError
from provisioner.devcluster.fetch import fetch, local_repository, sha256_of
from provisioner.devcluster.lock import Artifact
from provisioner.devcluster.places import Places

from .conftest import Registry, Told

pytestmark = pytest.mark.usefixtures("places")


def published(registry: Registry, count: int = 6) -> list[Artifact]:
    source = random.Random(1)
    return [registry.publish(f"thing-{n}", source.randbytes(30_000 + n)) for n in range(count)]


def leftovers() -> list[str]:
    return [path.name for path in local_repository().iterdir() if path.name.startswith(".")]


def test_everything_is_fetched_checked_and_then_left_alone(registry: Registry, told: Told) -> None:
    artifacts = published(registry)
    paths = fetch(artifacts, told)
    assert {sha256_of(paths[a.coordinate]) for a in artifacts} == {a.sha256 for a in artifacts}
    total = sum(a.size for a in artifacts)
    assert told.bytes[-1] == (total, total)
    assert told.bytes == sorted(told.bytes)
    before = registry.asked.copy()
    assert fetch(artifacts, told) == paths
    assert registry.asked == before
    assert leftovers() == []


def test_a_damaged_file_is_fetched_again(registry: Registry, told: Told) -> None:
    good, damaged, cut = published(registry, 3)
    paths = fetch([good, damaged, cut], told)
    paths[damaged.coordinate].write_bytes(b"x" * damaged.size)
    os.truncate(paths[cut.coordinate], 10)
    before = registry.asked.copy()
    fetch([good, damaged, cut], told)
    assert sha256_of(paths[damaged.coordinate]) == damaged.sha256
    assert sha256_of(paths[cut.coordinate]) == cut.sha256
    again = registry.asked - before
    assert {path for path in again if path.endswith(".jar")} == {a.coordinate.repository_path for a in (damaged, cut)}
    assert any(str(damaged.coordinate) in step and "checksum" in step for step in told.steps)


def test_a_download_that_breaks_off_is_named_and_the_next_run_goes_on(registry: Registry, told: Told) -> None:
    artifacts = published(registry, 8)
    victim = artifacts[0]  # the smallest, so that the others are on their way before it
    registry.broken_off.add(victim.coordinate.repository_path)
    with pytest.raises(DevClusterError) as failure:
        fetch(artifacts, told)
    message = str(failure.value)
    assert f"could not fetch {victim.coordinate}: " in message
    assert "run again: what is here already is not fetched again" in message
    assert not (local_repository() / victim.coordinate.repository_path).exists()
    assert leftovers() == []

    registry.broken_off.clear()
    here = {
        a.coordinate.repository_path for a in artifacts if (local_repository() / a.coordinate.repository_path).exists()
    }
    before = registry.asked.copy()
    fetch(artifacts, told)
    assert here.isdisjoint(registry.asked - before)


def test_a_file_other_than_the_pinned_one_never_gets_in(registry: Registry, told: Told) -> None:
    (artifact,) = published(registry, 1)
    registry.files[artifact.coordinate.repository_path] = b"y" * artifact.size
    with pytest.raises(DevClusterError, match="not the pinned file"):
        fetch([artifact], told)
    assert registry.asked[artifact.coordinate.repository_path] == 2
    assert not (local_repository() / artifact.coordinate.repository_path).exists()


def test_what_no_registry_has(registry: Registry, told: Told) -> None:
    (artifact,) = published(registry, 1)
    missing = dataclasses.replace(
        artifact, coordinate=dataclasses.replace(artifact.coordinate, artifact="never-published")
    )
    with pytest.raises(DevClusterError, match=r"org\.example:never-published:1\.0:jar: the registry does not have it"):
        fetch([missing], told)


def test_an_unreachable_registry(registry: Registry, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    (artifact,) = published(registry, 1)
    monkeypatch.setattr("jgo.maven._core.DEFAULT_REMOTE_REPOS", {"test": "http://127.0.0.1:9"})
    with pytest.raises(DevClusterError, match="no connection to the registry"):
        fetch([artifact], told)


def test_a_repository_that_cannot_be_written(registry: Registry, told: Told, places: Places) -> None:
    (artifact,) = published(registry, 1)
    places.cache.parent.joinpath("m2").write_text("a file where the folder should be")
    with pytest.raises(DevClusterError, match="can't use the local Maven repository"):
        fetch([artifact], told)
