"""Bring the pinned artifacts into the ordinary local Maven repository, in parallel, and trust no byte unchecked."""

from __future__ import annotations

import hashlib
import logging
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from provisioner.devcluster.errors import DevClusterError
from provisioner.devcluster.lock import Artifact, Coordinate
from provisioner.devcluster.progress import Progress

_PARALLEL = 8
_ATTEMPTS = 2
_TIMEOUT = 30  # seconds without a byte before a download is given up


def local_repository() -> Path:
    """The local Maven repository: M2_REPO or `.m2/repository` in the home folder, shared with Maven itself."""
    from jgo.constants import default_maven_repo

    return Path(default_maven_repo())


def download(coordinate: Coordinate, repository: Path, advance: Callable[[int], None] | None = None) -> Path:
    """Fetch one file into `repository` with jgo and return its path; `advance` is called with each chunk's bytes.

    Raises what jgo raises: RuntimeError where no registry has the file, requests' errors where none can be reached.
    """
    from jgo.maven import MavenContext
    from jgo.maven import PythonResolver as Resolver

    logging.getLogger("jgo").setLevel(logging.CRITICAL)  # we check and report by ourselves

    @contextmanager
    def chunks(_name: str, _size: int) -> Iterator[Callable[[int], None]]:
        yield advance or (lambda _bytes: None)

    context = MavenContext(resolver=Resolver(progress_callback=chunks), repo_cache=repository, timeout=_TIMEOUT)
    project = context.project(coordinate.group, coordinate.artifact)
    return Path(project.at_version(coordinate.version).artifact(packaging=coordinate.packaging).resolve())


@contextmanager
def staging_area(repository: Path) -> Iterator[Path]:
    """A folder for downloads, beside the files they become, so that a finished one moves into place in one step.

    A download that is cut off leaves nothing that Maven or the next start could take for the whole file.
    """
    repository.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".provisioner-", dir=repository) as staging:
        yield Path(staging)


def move_into_place(downloaded: Path, target: Path) -> Path:
    """Move a finished download to its place in the repository, over whatever is there. Returns the place."""
    target.parent.mkdir(parents=True, exist_ok=True)
    return downloaded.replace(target)


def sha256_of(path: Path) -> str:
    """Hex sha256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(artifacts: Iterable[Artifact], progress: Progress) -> dict[Coordinate, Path]:
    """Return the path of every artifact in the local Maven repository, each checked against its sha256 just now.

    A file that is missing is fetched; one that is damaged is replaced. Raises DevClusterError naming the artifact that
    could not be had; what was fetched before stays.
    """
    repository = local_repository()
    wanted = {artifact.coordinate: artifact for artifact in artifacts}
    paths = {coordinate: repository / coordinate.repository_path for coordinate in wanted}
    try:
        with ThreadPoolExecutor(_PARALLEL) as pool:
            states = list(pool.map(lambda coordinate: _state(wanted[coordinate], paths[coordinate]), wanted))
        for coordinate in (c for c, state in zip(wanted, states, strict=True) if state == "damaged"):
            progress.step(f"{coordinate} is here without its pinned checksum: fetching it again")
        missing = [wanted[c] for c, state in zip(wanted, states, strict=True) if state != "good"]
        if missing:
            progress.step(f"fetching {len(missing)} of {len(wanted)} artifacts into {repository}")
            _fetch_missing(missing, repository, progress)
    except OSError as error:
        raise DevClusterError(
            f"can't use the local Maven repository {repository}: {error.strerror or error}. "
            "Mend that, or set M2_REPO to another folder."
        ) from error
    return paths


def _state(artifact: Artifact, path: Path) -> str:
    try:
        good = path.stat().st_size == artifact.size and sha256_of(path) == artifact.sha256
    except FileNotFoundError:
        return "missing"
    return "good" if good else "damaged"


class _Counter:
    """Adds up the bytes of parallel downloads."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._done, self._total, self._progress, self._lock = 0, total, progress, threading.Lock()

    def advance(self, count: int) -> None:
        with self._lock:
            self._done = min(self._done + count, self._total)
            self._progress.downloaded(self._done, self._total)


def _fetch_missing(missing: list[Artifact], repository: Path, progress: Progress) -> None:
    counter = _Counter(sum(artifact.size for artifact in missing), progress)
    with staging_area(repository) as staging, ThreadPoolExecutor(_PARALLEL) as pool:
        # The largest first: they decide how long the whole takes.
        largest_first = sorted(missing, key=lambda artifact: -artifact.size)
        jobs = [pool.submit(_fetch_one, a, staging, repository, counter.advance) for a in largest_first]
        try:
            for job in as_completed(jobs):
                job.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _fetch_one(artifact: Artifact, staging: Path, repository: Path, advance: Callable[[int], None]) -> None:
    reason = ""
    for _ in range(_ATTEMPTS):
        staged = staging / artifact.coordinate.repository_path
        staged.unlink(missing_ok=True)
        try:
            downloaded = download(artifact.coordinate, staging, advance)
        except Exception as error:  # noqa: BLE001  jgo lets through whatever its HTTP library raises
            reason = _reason(error)
            continue
        if _state(artifact, downloaded) == "good":
            move_into_place(downloaded, repository / artifact.coordinate.repository_path)
            return
        reason = f"what the registry sent is not the pinned file (sha256 {artifact.sha256} expected)"
    raise DevClusterError(
        f"could not fetch {artifact.coordinate}: {reason}. Check the network connection "
        "(behind a proxy: HTTPS_PROXY), then run again: what is here already is not fetched again."
    )


# By the names of requests' errors, the most specific first: the library is jgo's dependency, not ours.
_REASONS = {
    "SSLError": "the registry's certificate could not be verified (a proxy that opens TLS? set REQUESTS_CA_BUNDLE)",
    "ProxyError": "the proxy in HTTPS_PROXY did not connect us",
    "Timeout": f"the registry did not answer within {_TIMEOUT} seconds",
    "ChunkedEncodingError": "the connection broke off",
    "ConnectionError": "no connection to the registry",
    "RuntimeError": "the registry does not have it, or refused to send it",
}


def _reason(error: Exception) -> str:
    ancestors = {kind.__name__ for kind in type(error).__mro__}
    return next((reason for name, reason in _REASONS.items() if name in ancestors), f"{type(error).__name__}: {error}")
