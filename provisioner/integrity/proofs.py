"""Proofs from a log, and their check: that a record is among the first `count`, that one tree is the begin of another.

A proof is one JSON object that can be checked with the checkpoint's public key alone: no key of the stream, no log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from provisioner.errors import ProvisionerError
from provisioner.integrity import checkpoint, merkle, sources
from provisioner.integrity.follow import Follower
from provisioner.integrity.format import leaf, link

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterable, Iterator, Sequence

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from provisioner.integrity.checkpoint import Checkpoint

VERSION = 1
_BATCH = 4_096


class Subtrees:
    """The roots of some parts of the leaves, gathered in one walk: parts are (from, to), none overlaps another."""

    def __init__(self, parts: Iterable[tuple[int, int]]) -> None:
        self._parts = sorted(parts)
        self._ranges: dict[tuple[int, int], list[merkle.Node]] = {part: [] for part in self._parts}
        self._hashes: list[bytes] = []
        self._at = 0

    def leaf(self, seq: int, hash_: bytes) -> None:
        """The next leaf."""
        while self._at < len(self._parts) and seq >= self._parts[self._at][1]:
            self._at += 1
        if self._at == len(self._parts) or seq < self._parts[self._at][0]:
            return
        self._hashes.append(hash_)
        if len(self._hashes) == _BATCH or seq + 1 == self._parts[self._at][1]:
            range_ = self._ranges[self._parts[self._at]]
            merkle.join(range_, merkle.fold(seq + 1 - len(self._hashes), self._hashes))
            self._hashes.clear()

    def root(self, part: tuple[int, int]) -> bytes:
        """The root of a part; its leaves are numbered from its own begin, which is aligned."""
        return merkle.root(self._ranges[part])


def inclusion(
    paths: Sequence[pathlib.Path], seq: int, count: int, covering: Checkpoint | None = None
) -> dict[str, Any]:
    """The proof that record `seq` is among the first `count`. Raises ProvisionerError."""
    if not 0 <= seq < count:
        raise ProvisionerError(f"record {seq} is not among the first {count}", "ask for a later count or checkpoint")
    parts = merkle.inclusion_parts(seq, count)
    trees = Subtrees([*parts, (seq, seq + 1)])
    stream, record = _walk(paths, count, trees, seq)
    made = {
        "v": VERSION,
        "type": "inclusion",
        "stream": stream,
        "seq": seq,
        "count": count,
        "path": [trees.root(part).hex() for part in parts],
        "root": _whole(trees, parts, (seq, seq + 1)).hex(),
        "record": record,
        "checkpoint": covering.json() if covering is not None else None,
    }
    _own(check(made, None))
    return made


def consistency(
    paths: Sequence[pathlib.Path], first: int, second: int, signed: tuple[Checkpoint, Checkpoint] | None = None
) -> dict[str, Any]:
    """The proof that the first `first` records of both trees are the same. Raises ProvisionerError."""
    if not 0 < first <= second:
        raise ProvisionerError(f"{first} records are not the begin of {second}", "give the smaller count first")
    parts = merkle.consistency_parts(first, second)
    begin = merkle.inclusion_parts(0, first)
    old = Subtrees([(0, 1), *begin])
    new_begin = merkle.inclusion_parts(0, second)
    new = Subtrees([(0, 1), *new_begin])
    trees = Subtrees(parts)
    stream, _ = _walk(paths, second, trees, -1, old, new)
    made = {
        "v": VERSION,
        "type": "consistency",
        "stream": stream,
        "first": first,
        "second": second,
        "path": [trees.root(part).hex() for part in parts],
        "first_root": _whole(old, begin, (0, 1)).hex(),
        "second_root": _whole(new, new_begin, (0, 1)).hex(),
        "checkpoints": [each.json() for each in signed] if signed is not None else None,
    }
    _own(check(made, None))
    return made


def _whole(trees: Subtrees, parts: Sequence[tuple[int, int]], leaf_: tuple[int, int]) -> bytes:
    """The root of all, from a leaf and the subtrees beside its way up."""
    found = trees.root(leaf_)
    for part in parts:
        other = trees.root(part)
        found = merkle.node_hash(found, other) if part[0] >= leaf_[1] else merkle.node_hash(other, found)
    return found


def _walk(
    paths: Sequence[pathlib.Path], count: int, trees: Subtrees, seq: int, *more: Subtrees
) -> tuple[str, dict[str, Any] | None]:
    """Read the records up to `count`; the stream, and the record `seq`."""
    follower: Follower | None = None
    wanted: list[dict[str, Any]] = []

    def each(at: int, hash_: bytes) -> None:
        for tree in (trees, *more):
            tree.leaf(at, hash_)

    for file, line in _lines(paths):
        if follower is None:
            try:
                first = link(orjson.loads(line))
            except ValueError:
                continue
            if first is None:
                continue
            follower = Follower(first.stream, each=each)
        if follower.count == seq and link(_json(line)) is not None:
            wanted = [_json(line)]
        follower.lines([line], file)
        if follower.count == count:
            return follower.stream, wanted[0] if wanted else None
    have = follower.count if follower is not None else 0
    raise ProvisionerError(f"there are {have} records, {count} are needed", "name all files of the log, or its folder")


def _json(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except ValueError:
        return None


def _lines(paths: Sequence[pathlib.Path]) -> Iterator[tuple[str, bytes]]:
    for path in sources.files(paths):
        for piece in sources.pieces(path):
            for block in sources.blocks(piece):
                for line in block.split(b"\n"):
                    if line:
                        yield str(path), line


def _own(wrong: str) -> None:
    if wrong:
        raise AssertionError(wrong)


def check(said: Any, key: Ed25519PublicKey | None) -> str:
    """What is wrong with a proof;

    nothing where it holds. Without a key the checkpoints' signatures are not looked at.
    """
    try:
        if said["v"] != VERSION:
            return f"it is of version {said['v']}"
        path = [bytes.fromhex(each) for each in said["path"]]
        if said["type"] == "inclusion":
            return _check_inclusion(said, path, key)
        if said["type"] == "consistency":
            return _check_consistency(said, path, key)
        return f"its type is {said['type']!r}"
    except (KeyError, TypeError, ValueError, IndexError) as error:
        return f"it is no proof: {error}"


def _check_inclusion(said: Any, path: list[bytes], key: Ed25519PublicKey | None) -> str:
    found = link(said["record"])
    if found is None or (found.stream, found.seq) != (said["stream"], said["seq"]):
        return "it holds another record"
    if not merkle.included(
        merkle.leaf_hash(leaf(said["record"])), said["seq"], said["count"], path, bytes.fromhex(said["root"])
    ):
        return "the record is not in a tree with this root"
    return _signed(said["checkpoint"], said["stream"], said["count"], said["root"], key)


def _check_consistency(said: Any, path: list[bytes], key: Ed25519PublicKey | None) -> str:
    roots = bytes.fromhex(said["first_root"]), bytes.fromhex(said["second_root"])
    if not merkle.consistent(said["first"], said["second"], path, *roots):
        return "the first tree is not the begin of the second"
    both = said["checkpoints"] or (None, None)
    return _signed(both[0], said["stream"], said["first"], said["first_root"], key) or _signed(
        both[1], said["stream"], said["second"], said["second_root"], key
    )


def _signed(said: Any, stream: str, count: int, root: str, key: Ed25519PublicKey | None) -> str:
    if said is None:
        return "it holds no checkpoint" if key is not None else ""
    made = checkpoint.read(said)
    if (made.stream, made.count, made.root) != (stream, count, root):
        return "its checkpoint is about another tree"
    return "" if key is None or checkpoint.genuine(made, key) else "its checkpoint is not signed by this key"
