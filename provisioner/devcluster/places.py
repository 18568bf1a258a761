"""Where the dev cluster keeps its files, and as which user the server runs."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from provisioner import folders
from provisioner.devcluster.errors import DevClusterError

# The server refuses to run as root. A number needs no account and no change to the system; this one lies in the range
# that systemd sets aside for users that exist only while a service runs (61184 to 65519), so no login account has it.
NODE_UID = 61920


@dataclass(frozen=True)
class Places:
    """Folders of this user: `cache` can be built anew at any time, `state` holds the clusters and their data."""

    cache: Path
    state: Path

    @classmethod
    def of_this_user(cls) -> Places:
        """As `folders` says."""
        return cls(folders.cache(), folders.state())

    def home(self, name: str) -> Path:
        """Folder of the cluster `name`: its configuration, data, logs and record."""
        return self.state / "clusters" / name


def node_uid() -> int | None:
    """The user id the server must run as, or None if it can run as the user who asks."""
    return NODE_UID if os.geteuid() == 0 else None


def readable_by(uid: int | None, path: Path) -> bool:
    """Whether the user `uid` (who is in no group of ours) can reach and read `path`; True for None, ourselves."""
    if uid is None:
        return True
    path = path.resolve()
    return all(_permits(folder, uid, stat.S_IXOTH) for folder in path.parents) and _permits(path, uid, stat.S_IROTH)


def _permits(path: Path, uid: int, for_others: int) -> bool:
    status = path.stat()
    return bool(status.st_mode & for_others) or (status.st_uid == uid and bool(status.st_mode & (for_others << 6)))


def make_folder(path: Path, *, owner: int | None = None, mode: int = 0o755) -> Path:
    """Create `path` with its parents, and give it this owner and mode, whatever the umask says."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
    path.chmod(mode)
    if owner is not None:
        os.chown(path, owner, owner)
    return path


def write_anew(path: Path, content: bytes, *, mode: int = 0o644, owner: int | None = None) -> None:
    """Write a new file with this mode and owner from its first byte on, in place of whatever was there.

    It never follows a link: some folders belong to the server's user, and a link there could lead root anywhere.
    """
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
        if owner is not None:
            os.fchown(file.fileno(), owner, owner)
        os.fchmod(file.fileno(), mode)
        file.write(content)


def require_reachable(path: Path, variable: str) -> None:
    """Raise DevClusterError if the user the server runs as can't reach `path`, which `variable` sets."""
    uid = node_uid()
    if not readable_by(uid, path):
        raise DevClusterError(
            f"{path} can't be read by the unprivileged user (id {uid}) that the server runs as, "
            f"since it refuses to run as root. Set {variable} to a folder that "
            "every user can reach, or unset it (and its XDG variable) for the default."
        )


@contextmanager
def locked(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock file `path`; call `waiting` once if another process holds it. The kernel frees it if we die."""
    make_folder(path.parent)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
