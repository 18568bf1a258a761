"""What `up` and `down` refuse before anything is fetched or started, through the command line."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import psutil
import pytest

from provisioner.cli import main
from provisioner.devcluster import cluster as module
from provisioner.devcluster.errors import DevClusterError
from provisioner.devcluster.places import Places
from provisioner.devcluster.process import ProcessId
from provisioner.devcluster.record import Cluster, save

pytestmark = pytest.mark.usefixtures("places", "nothing_starts")


@pytest.fixture
def nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal must come before the first look at Java, the network or the cache."""

    def unexpected(*_arguments: object) -> None:
        raise AssertionError("it went on")

    monkeypatch.setattr(module, "find_java", unexpected)


def run(*words: str) -> tuple[int, str, str]:
    """Exit code, output and errors of `provisioner dev`, by the same `main` that the installed command calls."""
    code = 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        patch.setattr(sys, "argv", ["provisioner", "dev", *words])
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return code, out.getvalue(), err.getvalue()


def known(places: Places, name: str = "dev", **differences: object) -> Cluster:
    home = places.home(name)
    home.mkdir(parents=True)
    made = Cluster(name, home, "3.4.0", 19290, 19291, 19292, 512, secure=False, java="25")
    made = dataclasses.replace(made, **differences)  # type: ignore[arg-type]
    save(made)
    return made


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["up", "--name", "../dev"], "--name ../dev: use up to 31 small letters"),
        (["up", "--heap", "1t"], "--heap 1t: give a size of"),
        (["up", "--port", "80"], "--port 80: choose one from 1024"),
        (["up", "--heap", "999g"], "needs about 1023276 MB of memory in all, but only "),
        (["down"], "there is no dev cluster 'dev'. `provisioner dev up --name dev` starts one."),
        (["status", "--name", "x"], "there is no dev cluster 'x'."),
        (["logs", "--name", "x"], "there is no dev cluster 'x'."),
    ],
)
def test_refusals_are_sentences_and_exit_with_2(words: list[str], says: str) -> None:
    code, output, errors = run(*words)
    assert (code, output) == (2, "")
    assert errors.startswith("error: ")
    assert says in errors


def test_a_port_that_another_program_holds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, errors = run("up", "--port", str(port))
    assert code == 2
    assert f"port {port} is taken by process {os.getpid()} (" in errors
    assert "--port" in errors


def test_a_port_that_another_cluster_holds(places: Places) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ourselves = ProcessId(os.getpid(), psutil.Process().create_time())
        known(places, "other", node_port=port, node=ourselves)
        _, _, errors = run("up", "--port", str(port))
    assert f"port {port} is taken by the dev cluster other (`provisioner dev down --name other` stops it)" in errors


def test_a_running_cluster_is_returned_as_it_is_but_does_not_move(places: Places) -> None:
    running = known(places, node=ProcessId(os.getpid(), psutil.Process().create_time()))
    assert module.up("dev") == running
    code, output, _ = run("up")
    assert (code, "http://127.0.0.1:19290" in output) == (0, True)
    with pytest.raises(DevClusterError, match="runs on port 19290: stop it first"):
        module.up("dev", 19293)


@pytest.mark.parametrize(
    ("was", "asked", "says"), [(True, [], "add --secure"), (False, ["--secure"], "leave --secure")]
)
def test_data_stays_as_secured_as_it_was(places: Places, was: bool, asked: list[str], says: str) -> None:
    known(places, secure=was)
    code, _, errors = run("up", *asked)
    assert code == 2
    assert says in errors


def test_status_of_what_is_stopped(places: Places) -> None:
    assert run("status")[1] == "There is no dev cluster: `provisioner dev up` starts one.\n"
    known(places, "one")
    known(places, "two")
    assert [line.split()[:2] for line in run("status")[1].splitlines()] == [["one", "stopped"], ["two", "stopped"]]
    code, output, _ = run("status", "--name", "one", "--output", "json")
    assert (code, json.loads(output)["state"]) == (1, "stopped")
    assert [summary["name"] for summary in json.loads(run("status", "--output", "json")[1])] == ["one", "two"]


def test_down_of_what_is_stopped_keeps_or_deletes(places: Places) -> None:
    home: Path = known(places).home
    (home / "data").mkdir()
    assert run("down")[:2] == (0, "The cluster dev is down; its data stays.\n")
    assert (home / "data").exists()
    assert run("down", "--delete")[:2] == (0, "The cluster dev is removed.\n")
    assert not home.exists()


def test_logs(places: Places) -> None:
    made = known(places)
    made.node_log.write_text("one\ntwo\nthree\n")
    made.stand_in_log.write_text("other\n")
    assert run("logs", "-n", "2")[1] == "two\nthree\n"
    assert run("logs", "--stand-in")[1] == "other\n"
