"""The dev cluster: bring it up, take it down, tell how it is. Every function raises DevClusterError with what to do."""

from __future__ import annotations

import dataclasses
import re
import shutil
from pathlib import Path

from provisioner.devcluster import config, lock, node, process, security
from provisioner.devcluster.archive import adopt, class_data
from provisioner.devcluster.assemble import Distribution, distribution
from provisioner.devcluster.errors import DevClusterError
from provisioner.devcluster.java import Java, find_java
from provisioner.devcluster.places import Places, locked, make_folder, node_uid, require_reachable
from provisioner.devcluster.plugins import PluginZip, published, to_stand_in_for
from provisioner.devcluster.progress import Progress, Silent
from provisioner.devcluster.record import Cluster, State, load, save

__all__ = [
    "DEFAULT_NAME",
    "DEFAULT_PORT",
    "Cluster",
    "DevClusterError",
    "State",
    "checked",
    "clusters",
    "down",
    "status",
    "up",
]

DEFAULT_NAME = "dev"
DEFAULT_PORT = 9200
DEFAULT_HEAP = "512m"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
_BESIDES_HEAP = 300  # MB that the server and the stand-in take besides the heap
_NODE_PATIENCE = 60.0  # seconds; the first clean end also writes the class-data archive, about 6 s
_STAND_IN_PATIENCE = 10.0


def up(
    name: str = DEFAULT_NAME,
    port: int | None = None,
    *,
    heap: str = DEFAULT_HEAP,
    secure: bool = False,
    stand_in: bool = True,
    job_interval: float | None = None,
    optimize: bool = False,
    progress: Progress | None = None,
) -> Cluster:
    """Start the cluster `name`, or return it as it is if it runs.

    `port` is where clients connect (default: the cluster's last one, else 9200), `heap` the server's memory, `secure`
    adds the security plugin, `stand_in` answers for the plugins that can't be had; every `job_interval` seconds it
    looks at each managed index (default 300, as the real plugin does). `optimize` has Java compile fully: a slower
    start, and then the speed of a production server.
    """
    progress = progress or Silent()
    places = Places.of_this_user()
    home = places.home(checked(name))
    heap_size = config.heap_megabytes(heap)
    with locked(places.state / "clusters" / f"{name}.lock"):
        before = load(home)
        if before:
            _require_same_kind(before, port, secure=secure)
            if before.state == "running":
                progress.step(f"the cluster {name} runs already, as it was started: options given now change nothing")
                return before
            _stop(before)
        _require_memory(heap_size)
        port = port or (before.port if before else DEFAULT_PORT)
        _require_free(port, places)
        parts = _gather(places, progress, secure=secure, stand_in=stand_in, optimize=optimize)
        # One start at a time: ports that were found free belong to nobody until the server listens on them.
        with locked(places.cache / "start.lock", lambda: progress.step("waiting while another cluster starts")):
            _require_free(port, places)
            planned = _plan(name, home, port, heap_size, parts, secure=secure)
            return _start(dataclasses.replace(planned, job_interval=job_interval), parts, places, progress)


def down(name: str = DEFAULT_NAME, *, delete: bool = False, progress: Progress | None = None) -> None:
    """Stop the cluster `name` cleanly and keep its data, or remove it all if `delete`. Fine if it is stopped."""
    places = Places.of_this_user()
    home = places.home(checked(name))
    if not home.exists():
        raise _unknown(name, places)
    with locked(places.state / "clusters" / f"{name}.lock"):
        if cluster := load(home):
            if cluster.state != "stopped":
                (progress or Silent()).step(f"stopping the cluster {name}")
            _stop(cluster)
        if delete:
            shutil.rmtree(home)


def status(name: str = DEFAULT_NAME) -> Cluster:
    """The cluster `name` as its record and its processes tell."""
    places = Places.of_this_user()
    cluster = load(places.home(checked(name)))
    if cluster is None:
        raise _unknown(name, places)
    return cluster


def clusters(places: Places | None = None) -> list[Cluster]:
    """All clusters of this user, running or not, by name."""
    folder = (places or Places.of_this_user()).state / "clusters"
    homes = sorted(path for path in folder.glob("*") if path.is_dir())
    return [cluster for home in homes if (cluster := load(home))]


def checked(name: str) -> str:
    """The name itself. Raises DevClusterError where it can't be a cluster's."""
    if not _NAME.fullmatch(name):
        raise DevClusterError(
            f"--name {name}: use up to 31 small letters, digits and hyphens, not beginning with a hyphen."
        )
    return name


def _unknown(name: str, places: Places) -> DevClusterError:
    others = ", ".join(cluster.name for cluster in clusters(places))
    known = f" There is: {others}." if others else ""
    return DevClusterError(f"there is no dev cluster {name!r}.{known} `provisioner dev up --name {name}` starts one.")


def _require_same_kind(before: Cluster, port: int | None, *, secure: bool) -> None:
    if before.secure != secure:
        has, ask = ("is", "add --secure") if before.secure else ("is not", "leave --secure out")
        raise DevClusterError(
            f"the cluster {before.name} {has} secured, and its data stays so: {ask}, give another --name, "
            f"or remove it with `provisioner dev down --name {before.name} --delete`."
        )
    if before.state == "running" and port not in (None, before.port):
        raise DevClusterError(
            f"the cluster {before.name} runs on port {before.port}: stop it first "
            f"(`provisioner dev down --name {before.name}`), or give another --name."
        )


def _require_memory(heap: int) -> None:
    available = process.available_megabytes()
    if available < heap + _BESIDES_HEAP:
        raise DevClusterError(
            f"a heap of {heap} MB needs about {heap + _BESIDES_HEAP} MB of memory in all, "
            f"but only {available} MB are free. "
            "Stop other programs, or give a smaller --heap (256m is enough for small tests)."
        )


def _require_free(port: int, places: Places) -> None:
    if not 1024 <= port <= 65435:
        raise DevClusterError(f"--port {port}: choose one from 1024 to 65435.")
    if process.port_is_free(port):
        return
    for other in clusters(places):
        if other.state != "stopped" and port in (other.port, other.node_port, other.transport_port):
            holder = f"the dev cluster {other.name} (`provisioner dev down --name {other.name}` stops it)"
            break
    else:
        holder = process.holder_of(port)
    raise DevClusterError(f"port {port} is taken by {holder}. Choose another with --port.")


@dataclasses.dataclass(frozen=True)
class _Parts:
    """What a start is made of: the Java, the assembled server, and the plugins' zips in it or the stand-in for them."""

    java: Java
    server: Distribution
    zips: tuple[PluginZip, ...]
    stands_in_for: tuple[str, ...]
    optimize: bool = False


def _gather(places: Places, progress: Progress, *, secure: bool, stand_in: bool, optimize: bool) -> _Parts:
    java = find_java(places)
    found = published(places, lock.server_version(lock.pinned(secure=secure))) if stand_in else {}
    zips = tuple(part for parts in found.values() for part in parts)
    for part in zips:
        progress.step(f"using {part.path}, whose checksum is not pinned (sha256 {part.sha256})")
    server = distribution(places, zips, progress, secure=secure)
    return _Parts(java, server, zips, to_stand_in_for(found) if stand_in else (), optimize)


def _plan(name: str, home: Path, port: int, heap: int, parts: _Parts, *, secure: bool) -> Cluster:
    """The cluster with its ports chosen; the server's own lie 50 to 99 above the clients', so neighbours don't meet."""
    near = range(port + 50, port + 100)
    node_port = process.free_port(near) if parts.stands_in_for else port
    return Cluster(
        name=name,
        home=home,
        version=parts.server.version,
        port=port,
        node_port=node_port,
        transport_port=process.free_port(p for p in near if p != node_port),
        heap=heap,
        secure=secure,
        java=f"{parts.java.version} ({parts.java.home})",
        stands_in_for=parts.stands_in_for,
        plugin_zips={part.path.name: part.sha256 for part in parts.zips},
    )


def _start(cluster: Cluster, parts: _Parts, places: Places, progress: Progress) -> Cluster:
    java, server, owner = parts.java, parts.server, node_uid()
    make_folder(places.state)
    require_reachable(places.state, "PROVISIONER_STATE")
    node.prepare_home(cluster.home, owner)
    if cluster.secure:
        security.prepare(cluster.home, server.path, java, owner)
    node.place_plugin_settings(cluster.home, server.path, owner)
    node.write_settings(cluster)
    data = class_data(java, server, places, cluster.home)
    command = config.java_command(
        java.executable, server.path, cluster.home, cluster.heap, data.options, optimize=parts.optimize
    )
    cluster = dataclasses.replace(cluster, archive=data.target)
    try:
        progress.step(f"starting OpenSearch {cluster.version} on Java {java.version}")
        with process.uninterrupted():  # else nobody would know of a process that was just started
            cluster = dataclasses.replace(cluster, node=node.start(cluster, command, owner))
            save(cluster)
            if cluster.stands_in_for:  # at once: it waits for the server by itself
                cluster = dataclasses.replace(cluster, stand_in=node.start_stand_in(cluster))
                save(cluster)
        node.wait_until_ready(cluster)
    except BaseException:  # an interrupt too: leave nothing half-started behind
        _stop(cluster)
        raise
    return cluster


def _stop(cluster: Cluster) -> None:
    """End the stand-in, then the server; keep the record of where the data lies and how it was started.

    An interrupt meanwhile ends both at once.
    """
    stopped = dataclasses.replace(cluster, node=None, stand_in=None, archive=None)
    try:
        if cluster.stand_in:
            process.stop(cluster.stand_in, _STAND_IN_PATIENCE)
        if cluster.node:
            ended_by_itself = process.stop(cluster.node, _NODE_PATIENCE)
            if ended_by_itself and cluster.archive:
                adopt(cluster.home, cluster.archive)
    except (KeyboardInterrupt, SystemExit):
        for left in filter(None, (cluster.stand_in, cluster.node)):
            process.stop(left, 0)
        save(stopped)
        raise
    save(stopped)
