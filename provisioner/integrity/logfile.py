"""The files of one log: the one that is written, those that it was before, and the lock beside them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import re
from typing import TYPE_CHECKING

from provisioner.errors import ProvisionerError
from provisioner.integrity import head, keystate

if TYPE_CHECKING:
    from collections.abc import Iterator

_MODE = 0o640
_DIGITS = 6


class LogFile:
    """`path` is written by appending alone; when it is full it becomes `path.000001`, `path.000002`, ... for good."""

    def __init__(self, path: pathlib.Path) -> None:
        """Open or make the files. Raises ProvisionerError."""
        self.path = path
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(path.with_name(f"{path.name}.lock"), flags, 0o600)
            self.descriptor = self._open()
            keystate.sync_folder(path.parent)
        except OSError as error:
            raise ProvisionerError(
                f"{path} can't be written: {error.strerror}", "name a file in a folder of yours"
            ) from None

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        return os.open(self.path, flags, _MODE)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else writes. The kernel takes the lock away from a process that dies."""
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def head(self) -> bytes:
        """The head's line in the lock file."""
        return os.pread(self._lock, head.SIZE, 0)

    def put_head(self, line: bytes) -> bytes:
        """Write the head's line, at once; give it as it will be read."""
        padded = line.ljust(head.SIZE, b"\0")
        os.pwrite(self._lock, padded, 0)
        return padded

    def reopen(self) -> bool:
        """Follow the path where another file stands there by now, or none; whether that was so."""
        mine = os.fstat(self.descriptor)
        try:
            there = self.path.lstat()
            if (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino):
                return False
        except FileNotFoundError:
            pass
        os.close(self.descriptor)
        self.descriptor = self._open()
        return True

    def stat(self) -> tuple[int, int]:
        """Inode and size."""
        found = os.fstat(self.descriptor)
        return found.st_ino, found.st_size

    def write(self, data: bytes) -> None:
        """Append all of it. Raises OSError, for example when the disk is full: part of it may be written."""
        left = memoryview(data)
        while left:
            left = left[os.write(self.descriptor, left) :]

    def sync(self) -> None:
        """Make it durable."""
        os.fsync(self.descriptor)

    def archives(self) -> list[pathlib.Path]:
        """What the log was before, in order."""
        return sorted(
            (each for each in self.path.parent.iterdir() if self._number(each.name)), key=lambda p: self._number(p.name)
        )

    def _number(self, name: str) -> int:
        match = re.fullmatch(re.escape(self.path.name) + r"\.(\d{6,})(\.gz)?", name)
        return int(match[1]) if match else 0

    def next_archive(self) -> str:
        """The name that the file gets when it is full."""
        numbers = [self._number(each.name) for each in self.archives()]
        return f"{self.path.name}.{max(numbers, default=0) + 1:0{_DIGITS}}"

    def archive(self, name: str) -> None:
        """Give the file that name and begin a new one, durably."""
        self.sync()
        self.path.rename(self.path.with_name(name))
        os.close(self.descriptor)
        self.descriptor = self._open()
        keystate.sync_folder(self.path.parent)

    def sync_folder(self) -> None:
        """Make the file's name durable."""
        keystate.sync_folder(self.path.parent)

    def close(self) -> None:
        """Close both files."""
        os.close(self.descriptor)
        os.close(self._lock)
