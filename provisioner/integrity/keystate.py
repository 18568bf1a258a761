"""The key state: the one file in which a writer keeps the current epoch's key.

Older keys are erased: the new state is written beside the old one, renamed over it, and the old file's bytes are
overwritten. What that can't erase: copies that a journal, a snapshot, a copy-on-write file system, a flash drive's
spare blocks, swap or a backup keep. docs/integrity.md says so.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from provisioner.errors import ProvisionerError
from provisioner.integrity.format import KEY, STREAM
from provisioner.integrity.keys import EpochKey

if TYPE_CHECKING:
    import pathlib

_PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class KeyState:
    """The stream's id, the current key, since when it is current (seconds since 1970), the last record before it, and
    the ids of the keys before."""

    stream: str
    key: EpochKey
    since: float
    seq: int
    mac: str
    past: tuple[str, ...] = ()

    def evolved(self, since: float, seq: int, mac: str) -> KeyState:
        """The next epoch's, which begins behind that record."""
        return replace(self, key=self.key.next(), since=since, seq=seq, mac=mac)


def load(file: pathlib.Path) -> KeyState | None:
    """The state, None where there is no file. Raises ProvisionerError for one that can't be read."""
    try:
        said = json.loads(file.read_bytes())
        name = KEY.fullmatch(said["key"])
        if name is None or not STREAM.fullmatch(said["stream"]) or said["v"] != 1:
            raise ValueError("not of version 1")
        key = EpochKey(name[1], int(name[2]), bytes.fromhex(said["chain"]))
        past = tuple(map(str, said["past"]))
        return KeyState(said["stream"], key, float(said["since"]), int(said["seq"]), str(said["mac"]), past)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ProvisionerError(
            f"{file} can't be read: {error.strerror}", "run as the user who writes the log"
        ) from None
    except (ValueError, KeyError, TypeError):
        raise ProvisionerError(
            f"{file} is no key state", "put it back from where it was, or name another file by --state"
        ) from None


def mark(file: pathlib.Path) -> tuple[int, int]:
    """What differs after every save: inode and time of change; zeros where there is no file."""
    try:
        found = file.stat()
    except OSError:
        return 0, 0
    return found.st_ino, found.st_mtime_ns


def save(file: pathlib.Path, state: KeyState) -> None:
    """Write the state in place of the one before, durably, and overwrite the old one's bytes."""
    said = {
        "v": 1,
        "stream": state.stream,
        "key": state.key.name,
        "chain": state.key.chain.hex(),
        "since": state.since,
        "seq": state.seq,
        "mac": state.mac,
        "past": list(state.past),
    }
    new = file.with_name(f"{file.name}.new")
    try:
        _write(new, json.dumps(said).encode() + b"\n")
        old = _open_old(file)
        new.replace(file)
        sync_folder(file.parent)
        if old is not None:
            _erase(old)
    except OSError as error:
        raise ProvisionerError(f"{file} can't be written: {error.strerror}", "name another file by --state") from None


def _write(file: pathlib.Path, data: bytes) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, _PRIVATE)
    try:
        os.fchmod(descriptor, _PRIVATE)
        os.write(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _open_old(file: pathlib.Path) -> int | None:
    try:
        return os.open(file, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None


def _erase(descriptor: int) -> None:
    try:
        os.pwrite(descriptor, os.urandom(os.fstat(descriptor).st_size), 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: pathlib.Path) -> None:
    """Make names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
