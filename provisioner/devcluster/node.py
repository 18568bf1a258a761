"""The server process of a cluster: its folder, its start, and the wait until it answers."""

from __future__ import annotations

import os
import re
import ssl
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from provisioner.devcluster import config, process
from provisioner.devcluster.diagnosis import start_failure
from provisioner.devcluster.errors import DevClusterError
from provisioner.devcluster.places import make_folder, write_anew
from provisioner.devcluster.process import ProcessId
from provisioner.devcluster.record import Cluster

_START_LIMIT = 180.0  # seconds; a first start was seen to take 35 on two cores with a load of 7


def prepare_home(home: Path, owner: int | None) -> None:
    """Create a cluster's folders; those that the server writes belong to `owner`, a user id (None: to us)."""
    make_folder(home)
    for name, mode in (("config", 0o755), ("data", 0o700), ("logs", 0o755), ("tmp", 0o755), ("snapshots", 0o700)):
        make_folder(home / name, owner=owner, mode=mode)


def place_plugin_settings(home: Path, distribution: Path, owner: int | None) -> None:
    """Put each plugin's own `config` where the server looks for it, as its installer does; what is there stays."""
    for descriptor in distribution.glob("plugins/*/plugin-descriptor.properties"):
        shipped = descriptor.parent / "config"
        name = re.search(r"(?m)^name=(\S+)", descriptor.read_text(encoding="utf-8"))
        if shipped.is_dir() and name and not (home / "config" / name[1]).exists():
            settings = make_folder(home / "config" / name[1], owner=owner)
            for file in (path for path in shipped.iterdir() if path.is_file()):
                write_anew(settings / file.name, file.read_bytes(), owner=owner)


def write_settings(cluster: Cluster) -> None:
    """Write opensearch.yml and log4j2.properties for this start's ports."""
    settings = config.server_settings(
        cluster.name, cluster.home, cluster.node_port, cluster.transport_port, secure=cluster.secure
    )
    for name, text in (("opensearch.yml", config.to_yaml(settings)), ("log4j2.properties", config.LOG4J)):
        write_anew(cluster.home / "config" / name, text.encode())


def start(cluster: Cluster, command: list[str], owner: int | None) -> ProcessId:
    """Start the server in the background."""
    start_new_log(cluster.node_log)
    temporary = cluster.home / "tmp"
    environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(temporary)}
    return process.start(command, log=cluster.node_log, folder=temporary, environment=environment, uid=owner)


def start_stand_in(cluster: Cluster) -> ProcessId:
    """Start the stand-in in front of the server, as ourselves: another user may not be able to read this program."""
    start_new_log(cluster.stand_in_log)
    command = [sys.executable, "-P", "-m", "provisioner.devcluster.standin", *stand_in_arguments(cluster)]
    return process.start(command, log=cluster.stand_in_log, folder=cluster.home, environment=dict(os.environ))


def stand_in_arguments(cluster: Cluster) -> list[str]:
    """The stand-in's command line."""
    arguments: dict[str, Any] = {
        "--node": cluster.node_url,
        "--host": "127.0.0.1",
        "--port": cluster.port,
        "--plugins": ",".join(cluster.stands_in_for),
    }
    if cluster.job_interval is not None:
        arguments["--job-interval"] = cluster.job_interval
    if cluster.secure:
        tls = cluster.home / "tls"
        arguments |= {
            "--tls-cert": tls / "stand-in.pem",
            "--tls-key": tls / "stand-in-key.pem",
            "--node-ca": cluster.home / "ca.pem",
            "--node-client-cert": tls / "admin.pem",
            "--node-client-key": tls / "admin-key.pem",
        }
    return [str(word) for pair in arguments.items() for word in pair]


def start_new_log(log: Path) -> None:
    """Put the log of the start before this one aside, so that a failure is read from this start's lines only."""
    if log.exists():
        log.replace(log.with_name(log.name + ".1"))


def wait_until_ready(cluster: Cluster) -> None:
    """Wait until the server, and the stand-in if there is one, answer. Raises DevClusterError if one ends or hangs.

    The server's health need only be yellow: an index with a replica never gets green on one node.
    """
    waits = [_Wait("OpenSearch", cluster.node, cluster.node_log, f"{cluster.node_url}/_cluster/health", _YELLOW)]
    if cluster.stand_in:
        url = f"{cluster.url}/_plugins/_standin/health"
        waits.append(_Wait("the stand-in", cluster.stand_in, cluster.stand_in_log, url, {}))
    auth = (cluster.username, cluster.password) if cluster.username and cluster.password else None
    end = time.monotonic() + _START_LIMIT
    # trust_env: a proxy for the world outside has no business between us and our own machine.
    with httpx.Client(verify=_trust(cluster), auth=auth, timeout=10, trust_env=False) as client:
        for wait in waits:
            while not _answers(client, wait):
                for watched in waits:
                    if watched.process is None or not watched.process.alive:
                        raise DevClusterError(start_failure(f"{watched.what} ended while starting", watched.log))
                if time.monotonic() > end:
                    raise DevClusterError(
                        start_failure(f"{wait.what} did not answer within {_START_LIMIT:.0f} seconds", wait.log)
                    )
                time.sleep(0.1)


_YELLOW = {"wait_for_status": "yellow", "timeout": "5s"}


@dataclass(frozen=True)
class _Wait:
    """What we wait for: a name for messages, its process and log, and the address that answers 200 once it is ready."""

    what: str
    process: ProcessId | None
    log: Path
    url: str
    params: Mapping[str, str]


def _answers(client: httpx.Client, wait: _Wait) -> bool:
    try:
        return client.get(wait.url, params=wait.params).status_code == httpx.codes.OK
    except httpx.TransportError:  # it does not listen yet
        return False


def _trust(cluster: Cluster) -> ssl.SSLContext | bool:
    """How to verify the cluster's certificate: against its own authority, for a secured cluster."""
    return ssl.create_default_context(cafile=str(cluster.ca_file)) if cluster.ca_file else True
