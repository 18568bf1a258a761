"""What the story needs to stand on: free ports, a cluster of its own, a repository, the bootstrap command."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from provisioner import repository, starter
from provisioner.client import Client
from provisioner.cluster import Cluster
from provisioner.demo.errors import DemoError
from provisioner.devcluster import cluster as dev
from provisioner.devcluster.places import Places, make_folder
from provisioner.devcluster.process import free_port
from provisioner.errors import ProvisionerError
from provisioner.settings import Target

if TYPE_CHECKING:
    import pathlib

    from provisioner.demo.receivers import Receivers
    from provisioner.demo.teller import Teller
    from provisioner.model import Plan
    from provisioner.repository import Repository

OWNER = "demo"
_HIGHEST = 65_400  # the last port that leaves room for a cluster's inner ones
MARK = "made-by-the-demo"
"""An empty file in the home of a cluster that a demo started: only such a one may be removed by the next."""
_READING = ("_search", "_count", "_refresh", "_mget", "_render", "_simulate")


def note_port(name: str, wanted: int, used: int, teller: Teller) -> None:
    """A word where something uses another port than the one wanted."""
    if used != wanted:
        teller.say(f"port {wanted} is taken; {name} uses {used}", style="yellow")


def _port(wanted: int, teller: Teller) -> int:
    """The port wanted, or else the next free one. Raises DevClusterError where none is.

    By hundreds: a cluster's inner ports lie 50 to 99 above, and must not meet those of one that starts beside it.
    """
    found = free_port(range(wanted, min(wanted + 5_000, _HIGHEST), 100))
    note_port("the cluster", wanted, found, teller)
    return found


def claim(name: str, teller: Teller) -> None:
    """Make the name the demo's. What an earlier demo of this name left is removed, nothing else ever is.

    Raises ProvisionerError where the name belongs to a cluster that no demo made.
    """
    home = Places.of_this_user().home(dev.checked(name))
    if home.exists():
        if not (home / MARK).exists():
            raise ProvisionerError(
                f"there is a dev cluster {name!r} that is not the demo's, and its data would be lost",
                "give the demo another --name",
            )
        teller.step("removing what the last demo left")
        dev.down(name, delete=True)
    make_folder(home)
    (home / MARK).touch()


def start(name: str, wanted: int, teller: Teller) -> dev.Cluster:
    """An empty cluster, of a name that was claimed. Raises DevClusterError, ClusterError."""
    cluster = dev.up(name, _port(wanted, teller), progress=teller)
    _allow_many_runs(cluster)
    return cluster


def _allow_many_runs(cluster: dev.Cluster) -> None:
    """Let a monitor run more often than it would in earnest.

    Alerting renders the query of each page of groups as a template of its own, and the server compiles 75 new templates
    in five minutes; runs every two seconds, or over a log's hours, are more.
    """
    client = Client(Target("demo", (cluster.url,)))
    limit = {"script.context.template.max_compilations_rate": "10000/1m"}
    client.request("PUT", "/_cluster/settings", {"persistent": limit})


def write_repository(folder: pathlib.Path, url: str, receivers: Receivers, schedule: str) -> list[str]:
    """The starter pack with a dev target that fits; the paths written."""
    settings = starter.settings_text(OWNER, host=url, schedule=schedule, http=receivers.http, smtp=receivers.smtp)
    return starter.write(folder, settings)


def bootstrap(folder: pathlib.Path, width: int) -> None:
    """The real command, its output where ours goes, `width` columns wide. Raises DemoError where it fails."""
    command = [sys.executable, "-m", "provisioner", "bootstrap", "--repository", str(folder), "--yes"]
    environment = {**os.environ, "COLUMNS": str(width)}
    ended = subprocess.run(command, check=False, env=environment)  # noqa: S603 (ourselves, no shell)
    if ended.returncode:
        raise DemoError(f"`provisioner bootstrap` ended with {ended.returncode}", "see what it said above")


def plan_again(loaded: Repository) -> tuple[Plan, list[str]]:
    """Apply once more, as the command does; the plan, and every request that would have written."""
    from provisioner.deploy import Wanted, deploy

    cluster = Cluster(loaded.settings)
    written: list[str] = []
    send = cluster.client.request

    def watched(method: str, path: str, *arguments: Any, **more: Any) -> Any:
        if method not in ("GET", "HEAD") and not path.rstrip("/").endswith(_READING):
            written.append(f"{method} {path}")
        return send(method, path, *arguments, **more)

    cluster.client.request = watched  # type: ignore[method-assign]
    return deploy(cluster, Wanted(loaded.resources)).plan, written


def monitor_id(loaded: Repository, name: str) -> str:
    """The server's id of a monitor that was pushed. Raises DemoError where there is none."""
    found = Cluster(loaded.settings).live({"monitor": {name: None}}).get(("monitor", name))
    if found is None:
        raise DemoError(f"there is no monitor {name} in the cluster", "see what bootstrap said")
    return found.server_id


def load(folder: pathlib.Path) -> Repository:
    """The repository, without errors."""
    return repository.load(folder).checked()
