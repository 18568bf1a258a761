"""What is read: chunks of whole lines, whatever the input's size; gzip is unpacked by its first bytes, not its name."""

from __future__ import annotations

import gzip
import os
import select
import stat
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provisioner.errors import ProvisionerError

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Iterator

CHUNK = 1 << 20
LONGEST = 64 << 20
"""A line longer than this is not passed on: it could not be cut without cutting a secret in two."""
IDLE = b""
"""Stands between chunks where a pipe has nothing to read at the moment."""
_WAIT = 0.05
_KEY = 32 << 10
_GZIP = b"\x1f\x8b"
_OTHERS = {
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ\x00": "compressed by xz",
    b"\x04\x22\x4d\x18": "compressed by lz4",
    b"PK\x03\x04": "a zip archive",
    b"\xff\xfe": "in UTF-16",
    b"\xfe\xff": "in UTF-16",
}
"""What would hide secrets from every detector, by its first bytes."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """A line that was too long, in its place."""


def lines(file: io.BufferedReader, name: str, *, wait: bool = False) -> Iterator[bytes | Withheld]:
    """Chunks that end with a line's end, but for the last. `wait`: yield `IDLE` while there is nothing to read.

    Raises ProvisionerError where the input can't be read, or is packed in a form that is not known here.
    """
    first = file.peek(8)[:8]
    for magic, what in _OTHERS.items():
        if first.startswith(magic):
            raise ProvisionerError(f"{name} is {what}", "unpack it, or convert it to UTF-8, before it is redacted")
    packed = first.startswith(_GZIP)
    read: Callable[[int], bytes] = gzip.GzipFile(fileobj=file).read if packed else file.read1
    try:
        yield from _whole(_parts(read, file, wait=wait and not packed))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ProvisionerError(f"{name} is cut off or damaged: {error}", "get the file again") from None
    except OSError as error:
        raise ProvisionerError(f"{name} can't be read: {error.strerror or error}", "") from None


def _parts(read: Callable[[int], bytes], file: io.BufferedReader, *, wait: bool) -> Iterator[bytes]:
    first = True  # what was peeked at is in the buffer, where `select` does not see it
    while True:
        if wait and not first and not select.select([file], [], [], _WAIT)[0]:
            yield IDLE
            continue
        first = False
        part = read(CHUNK)
        if not part:
            return
        yield part


def _whole(parts: Iterator[bytes]) -> Iterator[bytes | Withheld]:
    begun: list[bytes] = []  # what came behind the last line's end, `size` bytes of it
    size = 0
    for part in parts:
        if not part:
            yield IDLE
            continue
        end, rest = part.rfind(b"\n") + 1, part
        if end and size > LONGEST:
            yield Withheld()
            rest = part[part.find(b"\n") + 1 :]
            begun, size, end = [], 0, rest.rfind(b"\n") + 1
        if end and size < _KEY:  # a private key that came in pieces
            begun, rest, end, size = [], b"".join([*begun, rest]), size + end, 0
        end = _before_key(rest, end)
        if end:
            yield b"".join([*begun, rest[:end]])
            begun, rest, size = [], rest[end:], 0
        size += len(rest)
        begun = [] if size > LONGEST else [*begun, rest]
    if size > LONGEST:
        yield Withheld()
    elif size:
        yield b"".join(begun)


def _before_key(part: bytes, end: int) -> int:
    """Where to cut: before a private key that goes on behind the last line, so that it is redacted as one."""
    window = max(end - _KEY, 0)
    begin = part.find(b"-----BEGIN ", max(part.rfind(b"-----END ", window, end), window), end)
    return end if begin < 0 else part.rfind(b"\n", 0, begin) + 1


def is_pipe(descriptor: int) -> bool:
    """Whether what comes may come slowly: no regular file."""
    try:
        return not stat.S_ISREG(os.fstat(descriptor).st_mode)
    except OSError:
        return False


def size(descriptor: int) -> int | None:
    """Bytes of a regular file."""
    found = os.fstat(descriptor)
    return found.st_size if stat.S_ISREG(found.st_mode) else None
