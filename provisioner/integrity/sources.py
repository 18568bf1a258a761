"""Where lines come from: files, gzip files, standard input; folders become the files of the logs in them."""

from __future__ import annotations

import gzip
import os
import pathlib
import re
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from provisioner.errors import ProvisionerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BLOCK = 1 << 20
CHUNK = 16 << 20
"""Bytes of one worker's part of a file."""
_NUMBERED = re.compile(r"(.+?)(?:\.(\d+))?(?:\.gz)?")
_ASIDE = (".lock", ".state", ".tree", ".new", ".key", ".shipped")
STDIN = "-"


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines of a file: the bytes from, to. A gzip file is one piece (`end` None)."""

    file: str
    begin: int
    end: int | None


def files(paths: Iterable[pathlib.Path]) -> list[pathlib.Path]:
    """The files: a folder stands for the logs in it. Raises ProvisionerError for a path that is not there."""
    found: list[pathlib.Path] = []
    for path in paths:
        if path.is_dir():
            inside = [each for each in path.iterdir() if each.is_file() and not each.name.startswith(".")]
            found += [each for each in inside if not each.name.endswith(_ASIDE)]
        elif path.exists() or str(path) == STDIN:
            found.append(path)
        else:
            raise ProvisionerError(
                f"{path}: there is no such file", "name log files, folders of them, or - for standard input"
            )
    return sorted(dict.fromkeys(found), key=order)


def base(path: pathlib.Path) -> str:
    """What the files of one log share: the name without its number and without .gz."""
    match = _NUMBERED.fullmatch(path.name)
    return str(path.with_name(match[1] if match else path.name))


def order(path: pathlib.Path) -> tuple[str, float]:
    """Archives by their numbers, then the file that is written."""
    match = _NUMBERED.fullmatch(path.name)
    return base(path), int(match[2]) if match and match[2] else float("inf")


def pieces(path: pathlib.Path) -> Iterator[Piece]:
    """A file in pieces of whole lines. Raises ProvisionerError."""
    if path.suffix == ".gz":
        yield Piece(str(path), 0, None)
        return
    try:
        with path.open("rb", buffering=0) as file:
            size, begin = os.fstat(file.fileno()).st_size, 0
            while begin < size:
                end = _line_end(file, min(begin + CHUNK, size), size)
                yield Piece(str(path), begin, end)
                begin = end
    except OSError as error:
        raise _unreadable(path, error) from None


def _line_end(file: IO[bytes], at: int, size: int) -> int:
    """The first place from `at` on where a line begins."""
    file.seek(at - 1)
    while at < size:
        block = file.read(64 * 1024)
        place = block.find(b"\n")
        if place >= 0:
            return at + place
        at += len(block)
    return size


def blocks(piece: Piece) -> Iterator[bytes]:
    """Blocks of whole lines. Raises ProvisionerError."""
    path = pathlib.Path(piece.file)
    try:
        if piece.end is None:
            with gzip.open(path) as packed:
                yield from aligned(iter(lambda: packed.read(BLOCK), b""))
            return
        with path.open("rb", buffering=0) as file:
            file.seek(piece.begin)
            left = [piece.end - piece.begin]
            yield from aligned(iter(lambda: _next(file, left), b""))
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(path, error) from None


def _next(file: IO[bytes], left: list[int]) -> bytes:
    block = file.read(min(BLOCK, left[0]))
    left[0] -= len(block)
    return block


def aligned(blocks_: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, cut at line ends."""
    rest: list[bytes] = []
    for block in blocks_:
        place = block.rfind(b"\n") + 1
        if place:
            yield b"".join((*rest, block[:place]))
            rest = [block[place:]] if place < len(block) else []
        else:
            rest.append(block)
    if rest:
        yield b"".join(rest)


def _unreadable(path: pathlib.Path, error: Exception) -> ProvisionerError:
    words = getattr(error, "strerror", None) or str(error)
    return ProvisionerError(f"{path} can't be read: {words}", "run as a user who may read it; a .gz file must be whole")
