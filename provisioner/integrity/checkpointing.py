"""Making checkpoints: follow the files since the last one, sign the head, and write it to a second place.

The checkpointer needs no key of the stream. It keeps in the tree file (`<log>.tree`) how far it has come: some hundred
bytes, however long the log is. What it finds there and in the files is checked by whoever verifies.
"""

from __future__ import annotations

import json
import os
import pathlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from provisioner.errors import ProvisionerError
from provisioner.integrity import checkpoint, complete, sources
from provisioner.integrity.follow import Follower
from provisioner.integrity.keystate import sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from provisioner.integrity.checkpoint import Checkpoint


class Place(Protocol):
    """A second place for checkpoints."""

    def put(self, made: Checkpoint) -> None:
        """Write it, durably; twice the same one is no error. Raises ProvisionerError."""


@dataclass(slots=True)
class Tree:
    """How far a checkpointer has come: inode and offset in a file, count, last MAC, Merkle range, the next number, the
    hash of the last checkpoint, and one that may not have arrived in its place yet."""

    stream: str
    inode: int = 0
    offset: int = 0
    count: int = 0
    head: str = ""
    range: list[Any] = field(default_factory=list)
    number: int = 0
    previous: str = "0" * 64
    pending: dict[str, Any] | None = None


class Checkpointer:
    """Makes checkpoints of the log at a path. One at a time: the writer calls it under its lock."""

    def __init__(self, key: Ed25519PrivateKey, places: Sequence[Place], tree: pathlib.Path | None = None) -> None:
        """`tree`: the tree file; default: beside the log."""
        self._key, self._places, self._tree = key, tuple(places), tree

    def make(self, path: pathlib.Path, stream: str) -> Checkpoint | None:
        """Sign the records up to now; None where there are no new ones. Raises ProvisionerError."""
        file = self._tree or path.with_name(f"{path.name}.tree")
        tree = _load(file, stream)
        if tree.pending is not None:  # made before, but perhaps not written everywhere
            self._put(checkpoint.read(tree.pending))
        before = tree.count
        _follow(path, tree)
        if tree.count == before:
            return None
        made = checkpoint.sign(
            checkpoint.Checkpoint(
                stream, tree.number, tree.count, tree.head, _root(tree), complete.now(), tree.previous, ""
            ),
            self._key,
        )
        tree.number, tree.previous, tree.pending = tree.number + 1, made.sha256(), made.json()
        _save(file, tree)
        self._put(made)
        tree.pending = None
        _save(file, tree)
        return made

    def _put(self, made: Checkpoint) -> None:
        for place in self._places:
            place.put(made)


def _follow(path: pathlib.Path, tree: Tree) -> None:
    """Take the records behind the place where the tree is."""
    follower = Follower(tree.stream, tree.count, tree.head, [tuple(node) for node in tree.range])
    for file, begin in _rest(path, tree):
        offset = begin
        with file.open("rb", buffering=0) as opened:
            opened.seek(offset)
            for block in sources.aligned(_read(opened)):
                lines = block.split(b"\n")
                lines.pop()  # what follows the last line end is no line yet
                follower.lines(lines, str(file), written=True)
                offset += block.rfind(b"\n") + 1
            tree.inode, tree.offset = os.fstat(opened.fileno()).st_ino, offset
    tree.count, tree.head, tree.range = follower.count, follower.head, list(follower.range)


def _read(opened: Any) -> Iterator[bytes]:
    return iter(lambda: opened.read(sources.BLOCK), b"")


def _rest(path: pathlib.Path, tree: Tree) -> list[tuple[pathlib.Path, int]]:
    """The files from the tree's place on; all of them where that file is gone, which then must hold what is missing."""
    found = [each for each in sources.files([path.parent]) if sources.base(each) == str(path) and each.suffix != ".gz"]
    inodes = [each.stat().st_ino for each in found]
    if tree.inode in inodes:
        place = inodes.index(tree.inode)
        return [(each, tree.offset if n == 0 else 0) for n, each in enumerate(found[place:])]
    if tree.count:
        raise ProvisionerError(
            f"{path}: the file up to which checkpoints were made is gone",
            "provisioner verify says what is missing; remove the tree file to begin anew",
        )
    return [(each, 0) for each in found]


def _root(tree: Tree) -> str:
    from provisioner.integrity import merkle

    return merkle.root(tree.range).hex()


def _load(file: pathlib.Path, stream: str) -> Tree:
    try:
        said = json.loads(file.read_bytes())
        said["range"] = [(start, level, bytes.fromhex(hash_)) for start, level, hash_ in said["range"]]
        tree = Tree(**said)
    except FileNotFoundError:
        return Tree(stream)
    except (OSError, ValueError, KeyError, TypeError):
        raise ProvisionerError(
            f"{file} can't be read", "remove it: the next checkpoint then reads the whole log"
        ) from None
    if tree.stream != stream:
        raise ProvisionerError(
            f"{file} is about the stream {tree.stream}, not {stream}", "remove it, or name another one"
        )
    return tree


def _save(file: pathlib.Path, tree: Tree) -> None:
    said = {name: getattr(tree, name) for name in Tree.__dataclass_fields__}
    said["range"] = [(start, level, hash_.hex()) for start, level, hash_ in tree.range]
    new = file.with_name(f"{file.name}.new")
    try:
        with new.open("wb") as opened:
            opened.write(json.dumps(said).encode())
            opened.flush()
            os.fsync(opened.fileno())
        new.replace(file)
        sync_folder(file.parent)
    except OSError as error:
        raise ProvisionerError(f"{file} can't be written: {error.strerror}", "name another file") from None


def read_lines(lines: Iterable[bytes]) -> Iterator[tuple[int, Checkpoint | None, str]]:
    """Checkpoints of a file: line number, checkpoint or None, and what is wrong with it."""
    import orjson

    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield number, checkpoint.read(orjson.loads(line)), ""
        except ValueError as error:
            yield number, None, f"this is no checkpoint: {error}"
