"""What is written: a file that is whole under its name, or not there at all."""

from __future__ import annotations

import contextlib
import errno
import gzip
import os
import pathlib
import tempfile
from typing import TYPE_CHECKING, Protocol

from provisioner.errors import ProvisionerError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Sink(Protocol):
    """Where bytes go."""

    def write(self, data: bytes, /) -> int:
        """Take these."""
        ...

    def flush(self) -> None:
        """Pass them on."""
        ...


@contextlib.contextmanager
def whole(source: pathlib.Path, target: pathlib.Path, *, overwrite: bool) -> Iterator[Sink]:
    """Where to write the file `target`, packed where its name ends in .gz, with the rights of `source`.

    It gets its name at the end, at once; where that is taken and may not be overwritten, or anything goes wrong before,
    nothing is left. Raises ProvisionerError.
    """
    if not overwrite and target.exists():
        raise _taken(target)
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    except OSError as error:
        raise ProvisionerError(f"{target} can't be written: {error.strerror}", "name another folder") from None
    part = pathlib.Path(name)
    try:
        with os.fdopen(descriptor, "wb") as raw:
            _same_rights(source, part)
            if target.name.endswith(".gz"):
                with gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=6) as packed:
                    yield packed
            else:
                yield raw
            raw.flush()
            os.fsync(raw.fileno())
        _rename(part, target, overwrite=overwrite)
    except OSError as error:
        raise ProvisionerError(f"{target} can't be written: {error.strerror or error}", "is the disk full?") from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()


def _same_rights(source: pathlib.Path, part: pathlib.Path) -> None:
    about = source.stat()
    part.chmod(about.st_mode & 0o777)
    with contextlib.suppress(OSError):  # another's file, read by somebody who may
        os.chown(part, about.st_uid, about.st_gid)


def _rename(part: pathlib.Path, target: pathlib.Path, *, overwrite: bool) -> None:
    if overwrite:
        part.replace(target)
        return
    try:
        target.hardlink_to(part)  # unlike a rename, it never takes another file's place
    except FileExistsError:
        raise _taken(target) from None
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS):
            raise
        if target.exists():
            raise _taken(target) from None
        part.rename(target)


def _taken(target: pathlib.Path) -> ProvisionerError:
    return ProvisionerError(f"{target} is there already", "name another folder, or say --overwrite")


def unchanged(file: pathlib.Path, before: os.stat_result) -> None:
    """Raises ProvisionerError where somebody wrote to a file meanwhile: what he wrote would be lost."""
    now = file.stat()
    if (now.st_ino, now.st_size, now.st_mtime_ns) != (before.st_ino, before.st_size, before.st_mtime_ns):
        raise ProvisionerError(
            f"{file} was written to meanwhile: it is left as it is",
            "redact it when nobody writes to it, or to --output-dir",
        )
