"""A cluster as its record tells: what `up` started, where it answers, and what a client needs to reach it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from provisioner.devcluster.process import ProcessId

State = Literal["running", "broken", "stopped"]
USERNAME = "admin"


@dataclass(frozen=True)
class Cluster:
    """A dev cluster. `port` is where clients connect; `node_port` is the server's own, the same if nothing is in front.

    `heap` is in megabytes, `stands_in_for` names the plugins that the stand-in answers for, `plugin_zips` maps each
    unpinned plugin zip in use to its sha256, `job_interval` is the stand-in's interval in seconds (None: its default),
    `archive` where the class-data archive goes that this start writes at its end (None: it writes none).
    """

    name: str
    home: Path
    version: str
    port: int
    node_port: int
    transport_port: int
    heap: int
    secure: bool
    java: str
    stands_in_for: tuple[str, ...] = ()
    plugin_zips: Mapping[str, str] = field(default_factory=dict)
    job_interval: float | None = None
    archive: Path | None = None
    node: ProcessId | None = None
    stand_in: ProcessId | None = None

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"{self._scheme}://127.0.0.1:{self.port}"

    @property
    def node_url(self) -> str:
        """Where the server itself answers, past the stand-in."""
        return f"{self._scheme}://127.0.0.1:{self.node_port}"

    @property
    def _scheme(self) -> str:
        return "https" if self.secure else "http"

    @property
    def ca_file(self) -> Path | None:
        """The certificate authority that a client must trust, for a secured cluster."""
        return self.home / "ca.pem" if self.secure else None

    @property
    def username(self) -> str | None:
        """Name of the one user, for a secured cluster."""
        return USERNAME if self.secure else None

    @property
    def password_file(self) -> Path | None:
        """File with the user's password, readable by its owner only."""
        return self.home / "password" if self.secure else None

    @property
    def password(self) -> str | None:
        """The user's password, read from its file. Raises OSError if that is gone."""
        return self.password_file.read_text(encoding="utf-8").strip() if self.password_file else None

    @property
    def state(self) -> State:
        """`running`, `stopped`, or `broken` if only one of the two processes is left."""
        alive = [process.alive for process in self._processes]
        return "running" if alive and all(alive) else "broken" if any(alive) else "stopped"

    @property
    def _processes(self) -> list[ProcessId]:
        return [process for process in (self.node, self.stand_in) if process]

    @property
    def node_log(self) -> Path:
        """The server's log."""
        return self.home / "node.log"

    @property
    def stand_in_log(self) -> Path:
        """The stand-in's log."""
        return self.home / "stand-in.log"

    def summary(self) -> dict[str, Any]:
        """What `status --output json` prints: no secret in it."""
        return {
            "name": self.name,
            "state": self.state,
            "url": self.url,
            "node_url": self.node_url,
            "version": self.version,
            "secure": self.secure,
            "username": self.username,
            "password_file": str(self.password_file) if self.password_file else None,
            "ca_file": str(self.ca_file) if self.ca_file else None,
            "stands_in_for": list(self.stands_in_for),
            "plugin_zips": dict(self.plugin_zips),
            "heap": f"{self.heap}m",
            "java": self.java,
            "home": str(self.home),
            "pids": [process.pid for process in self._processes if process.alive],
        }


def record_file(home: Path) -> Path:
    """Where a cluster's record lies."""
    return home / "cluster.json"


def save(cluster: Cluster) -> None:
    """Write the cluster's record in one step."""
    record = {
        **{name: value for name, value in vars(cluster).items() if name not in ("home", "node", "stand_in")},
        "plugin_zips": dict(cluster.plugin_zips),
        "archive": str(cluster.archive) if cluster.archive else None,
        "node": vars(cluster.node) if cluster.node else None,
        "stand_in": vars(cluster.stand_in) if cluster.stand_in else None,
    }
    target = record_file(cluster.home)
    temporary = target.with_suffix(".tmp")
    temporary.write_text(json.dumps(record, indent=2), encoding="utf-8")
    temporary.replace(target)


def load(home: Path) -> Cluster | None:
    """Read the record in a cluster's folder; None if there is none, or none that this version can read."""
    try:
        record = json.loads(record_file(home).read_text(encoding="utf-8"))
        record["stands_in_for"] = tuple(record["stands_in_for"])
        record["archive"] = Path(record["archive"]) if record["archive"] else None
        for part in ("node", "stand_in"):
            record[part] = ProcessId(**record[part]) if record[part] else None
        return Cluster(home=home, **record)
    except (OSError, ValueError, TypeError, KeyError):
        return None
