from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import psutil

from provisioner.devcluster import node
from provisioner.devcluster.process import ProcessId
from provisioner.devcluster.record import Cluster, load, record_file, save

OURSELVES = ProcessId(os.getpid(), psutil.Process().create_time())
ENDED = ProcessId(os.getpid(), OURSELVES.created - 1000)


def cluster(home: Path) -> Cluster:
    return Cluster(
        name="dev",
        home=home,
        version="3.4.0",
        port=9200,
        node_port=9250,
        transport_port=9251,
        heap=512,
        secure=True,
        java="25",
        stands_in_for=("alerting", "ism"),
        plugin_zips={"notifications-3.4.0.0.zip": "ab"},
        job_interval=2.5,
        archive=Path("/cache/x.jsa"),
        node=OURSELVES,
        stand_in=ENDED,
    )


def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    saved = cluster(tmp_path)
    save(saved)
    assert load(tmp_path) == saved
    bare = dataclasses.replace(saved, archive=None, node=None, stand_in=None, job_interval=None)
    save(bare)
    assert load(tmp_path) == bare


def test_a_record_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    assert load(tmp_path) is None
    for text in ("", "{", "[]", "{}", '{"name": "dev", "stands_in_for": []}'):
        record_file(tmp_path).write_text(text)
        assert load(tmp_path) is None


def test_states(tmp_path: Path) -> None:
    broken = cluster(tmp_path)
    assert broken.state == "broken"
    assert dataclasses.replace(broken, stand_in=OURSELVES).state == "running"
    assert dataclasses.replace(broken, stand_in=None).state == "running"
    assert dataclasses.replace(broken, node=ENDED).state == "stopped"
    assert dataclasses.replace(broken, node=None, stand_in=None).state == "stopped"


def test_a_summary_names_the_password_file_and_not_the_password(tmp_path: Path) -> None:
    secured = cluster(tmp_path)
    (tmp_path / "password").write_text("correct horse\n")
    assert secured.password == "correct horse"
    summary = secured.summary()
    assert "correct horse" not in json.dumps(summary)
    assert "correct horse" not in repr(secured)
    assert summary["url"] == "https://127.0.0.1:9200"
    assert summary["pids"] == [os.getpid()]
    plain = dataclasses.replace(secured, secure=False)
    assert (plain.url, plain.password, plain.ca_file) == ("http://127.0.0.1:9200", None, None)


def test_what_the_stand_in_is_told(tmp_path: Path) -> None:
    words = node.stand_in_arguments(cluster(tmp_path))
    told = dict(zip(words[::2], words[1::2], strict=True))
    assert told["--node"] == "https://127.0.0.1:9250"
    assert (told["--port"], told["--plugins"], told["--job-interval"]) == ("9200", "alerting,ism", "2.5")
    assert told["--node-client-key"] == f"{tmp_path}/tls/admin-key.pem"
    plain = dataclasses.replace(cluster(tmp_path), secure=False, job_interval=None)
    assert node.stand_in_arguments(plain)[::2] == ["--node", "--host", "--port", "--plugins"]


def test_the_stand_in_understands_it(tmp_path: Path) -> None:
    from provisioner.devcluster.standin.__main__ import arguments

    options = arguments(node.stand_in_arguments(cluster(tmp_path)))
    assert options.plugins == ["alerting", "ism"]
    assert options.node_ca == tmp_path / "ca.pem"


def test_a_plugin_finds_its_own_settings_and_keeps_what_was_changed(tmp_path: Path) -> None:
    plugin, home = tmp_path / "dist" / "plugins" / "a-1.0", tmp_path / "home"
    (plugin / "config").mkdir(parents=True)
    (plugin / "plugin-descriptor.properties").write_text("version=1.0\nname=opensearch-a\n")
    (plugin / "config" / "a.yml").write_text("shipped")
    (home / "config").mkdir(parents=True)
    node.place_plugin_settings(home, tmp_path / "dist", None)
    settings = home / "config" / "opensearch-a" / "a.yml"
    assert settings.read_text() == "shipped"
    settings.write_text("changed")
    node.place_plugin_settings(home, tmp_path / "dist", None)
    assert settings.read_text() == "changed"


def test_the_log_of_the_start_before_is_kept_aside(tmp_path: Path) -> None:
    log = tmp_path / "node.log"
    node.start_new_log(log)
    log.write_text("first")
    node.start_new_log(log)
    assert not log.exists()
    assert (tmp_path / "node.log.1").read_text() == "first"
