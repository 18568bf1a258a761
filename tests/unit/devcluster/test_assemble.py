from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest

from provisioner.devcluster import assemble
from provisioner.devcluster.assemble import distribution, module_descriptors, place
from provisioner.devcluster.errors import DevClusterError
from provisioner.devcluster.lock import Artifact, Coordinate
from provisioner.devcluster.places import Places
from provisioner.devcluster.plugins import PluginZip

from .conftest import Registry, Told

DESCRIPTOR = "name=opensearch-security\nextended.plugins=opensearch-job-scheduler;optional=true,rule-framework\n"


def zipped(**files: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/"), text)
    return content.getvalue()


def test_a_jar_is_linked_and_one_that_others_cannot_read_is_copied(tmp_path: Path) -> None:
    jar = tmp_path / "a.jar"
    jar.write_bytes(b"jar")
    jar.chmod(0o644)
    place(jar, tmp_path / "lib")
    assert (tmp_path / "lib" / "a.jar").samefile(jar)
    jar.chmod(0o600)
    place(jar, tmp_path / "other")
    assert not (tmp_path / "other" / "a.jar").samefile(jar)


def test_a_zip_stays_in_its_folder(tmp_path: Path) -> None:
    source = tmp_path / "p.zip"
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr("../../escaped", "x")
        archive.writestr("a/b", "y")
    place(source, tmp_path / "plugins" / "p")
    assert (tmp_path / "plugins" / "p" / "a" / "b").read_text() == "y"
    assert not (tmp_path / "escaped").exists()


def test_a_zip_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "p.zip").write_bytes(b"half a z")
    with pytest.raises(DevClusterError, match="is no whole zip: remove it"):
        place(tmp_path / "p.zip", tmp_path / "plugins")


def test_descriptors() -> None:
    text = module_descriptors('[a]\nclassname = "x.Y"\nextended = "b"\n', "3.4.0")["a"]
    assert "classname=x.Y\n" in text
    assert "extended.plugins=b\n" in text
    assert "opensearch.version=3.4.0\n" in text


@pytest.fixture
def artifacts(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> list[Artifact]:
    """A lock of three artifacts, which the test's registry has."""
    server = registry.publish("opensearch", b"server")
    module = registry.publish("mod", b"module")
    security = registry.publish("security", zipped(**{"plugin-descriptor.properties": DESCRIPTOR}), "zip")
    locked = [
        server,
        Artifact(module.coordinate, "modules/mod", module.size, module.sha256),
        Artifact(security.coordinate, "plugins/opensearch-security", security.size, security.sha256),
    ]
    monkeypatch.setattr(assemble.lock, "pinned", lambda *, secure: tuple(locked))
    monkeypatch.setattr(assemble, "_modules_text", lambda: '[mod]\nclassname = "x.Y"\n')
    return locked


def test_a_distribution_is_assembled_once_and_readable_by_all(
    places: Places, artifacts: list[Artifact], registry: Registry, told: Told
) -> None:
    before = os.umask(0o077)
    try:
        made = distribution(places, [], told, secure=True)
    finally:
        os.umask(before)
    assert made.version == "1.0"
    assert (made.path / "lib" / "opensearch-1.0.jar").read_bytes() == b"server"
    assert (made.path / "modules" / "mod" / "plugin-descriptor.properties").exists()
    mended = (made.path / "plugins" / "opensearch-security" / "plugin-descriptor.properties").read_text()
    assert "rule-framework;optional=true\n" in mended
    assert all(path.stat().st_mode & 0o004 for path in made.path.rglob("*"))
    asked = registry.asked.copy()
    assert distribution(places, [], told, secure=True) == made
    assert registry.asked == asked


def test_a_failure_leaves_nothing_that_looks_like_a_distribution(
    places: Places, artifacts: list[Artifact], registry: Registry, told: Told
) -> None:
    registry.broken_off.add(artifacts[1].coordinate.repository_path)
    with pytest.raises(DevClusterError, match="could not fetch"):
        distribution(places, [], told, secure=True)
    assert {path.name for path in places.cache.iterdir()} == {"assemble.lock"}
    registry.broken_off.clear()
    assert distribution(places, [], told, secure=True).path.exists()


def test_a_plugin_zip_makes_another_distribution(
    places: Places, artifacts: list[Artifact], told: Told, tmp_path: Path
) -> None:
    plain = distribution(places, [], told, secure=True)
    source = tmp_path / "alerting-1.0.0.zip"
    source.write_bytes(zipped(a="1"))
    with_plugin = distribution(places, [PluginZip("alerting", source, "aa")], told, secure=True)
    assert with_plugin.path != plain.path
    assert (with_plugin.path / "plugins" / "alerting" / "a").read_text() == "1"
    assert distribution(places, [PluginZip("alerting", source, "bb")], told, secure=True).path != with_plugin.path


def test_a_cache_that_cannot_be_written(places: Places, artifacts: list[Artifact], told: Told) -> None:
    places.cache.write_text("a file where the folder should be")
    with pytest.raises(DevClusterError, match="or set PROVISIONER_CACHE to another folder"):
        distribution(places, [], told, secure=True)


def test_coordinates_of_plugins_and_server_agree() -> None:
    from provisioner.devcluster.plugins import _coordinate

    assert _coordinate("alerting", "3.4.0") == Coordinate.parse("org.opensearch.plugin:alerting:3.4.0.0:zip")
