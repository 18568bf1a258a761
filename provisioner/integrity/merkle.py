"""Merkle trees of RFC 9162 (Certificate Transparency, section 2.1), in memory that grows with the logarithm.

A *range* is the list of the largest whole subtrees of a row of leaves, from left to right, each as (start, level,
hash): the subtree of 2^level leaves from `start` on. Ranges that follow each other can be joined, so that several
processes work on parts of one tree.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Node = tuple[int, int, bytes]
EMPTY = hashlib.sha256(b"").digest()
"""The root of no leaves."""


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256(0x00 || leaf)."""
    return hashlib.sha256(b"\0" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\1" + left + right).digest()


def fold(start: int, hashes: Sequence[bytes]) -> list[Node]:
    """The range of leaves from `start` on, by their hashes."""
    sha = hashlib.sha256
    left: list[Node] = []
    right: list[Node] = []
    row, at, level = list(hashes), start, 0
    while row:
        if at & 1:
            left.append((at << level, level, row[0]))
            row, at = row[1:], at + 1
        if len(row) & 1:
            right.append(((at + len(row) - 1) << level, level, row[-1]))
            row = row[:-1]
        row = [sha(b"\1" + a + b).digest() for a, b in zip(row[::2], row[1::2], strict=True)]
        at, level = at >> 1, level + 1
    return left + right[::-1]


def join(range_: list[Node], more: Iterable[Node]) -> None:
    """Add the range that follows, in place."""
    for start, level, hash_ in more:
        node = (start, level, hash_)
        while range_ and range_[-1][1] == node[1] and not range_[-1][0] >> node[1] & 1:
            before = range_.pop()
            node = (before[0], node[1] + 1, node_hash(before[2], node[2]))
        range_.append(node)


def root(range_: Sequence[Node]) -> bytes:
    """The root of the tree whose range from 0 on this is."""
    if not range_:
        return EMPTY
    found = range_[-1][2]
    for _, _, hash_ in reversed(range_[:-1]):
        found = node_hash(hash_, found)
    return found


def size(range_: Sequence[Node]) -> int:
    """How many leaves a range from 0 on has."""
    return range_[-1][0] + (1 << range_[-1][1]) if range_ else 0


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def inclusion_parts(index: int, count: int) -> list[tuple[int, int]]:
    """The subtrees, as (from, to), whose roots are the proof that a leaf is in the tree of `count` (2.1.3.1)."""
    parts: list[tuple[int, int]] = []
    begin, end = 0, count
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            parts.append((middle, end))
            end = middle
        else:
            parts.append((begin, middle))
            begin = middle
    return parts[::-1]


def consistency_parts(first: int, second: int) -> list[tuple[int, int]]:
    """The subtrees whose roots prove that the tree of `first` leaves is the begin of that of `second` (2.1.4.1)."""
    parts: list[tuple[int, int]] = []
    begin, end, whole = 0, second, True
    while first != end:
        middle = begin + _split(end - begin)
        if first <= middle:
            parts.append((middle, end))
            end = middle
        else:
            parts.append((begin, middle))
            begin, whole = middle, False
    if not whole:
        parts.append((begin, end))
    return parts[::-1]


def included(leaf: bytes, index: int, count: int, proof: Sequence[bytes], root_: bytes) -> bool:
    """Verify an inclusion proof for a leaf's hash (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < count:
        return False
    place, last, found = index, count - 1, leaf
    for part in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(part, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, part)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root_


def consistent(first: int, second: int, proof: Sequence[bytes], first_root: bytes, second_root: bytes) -> bool:
    """Verify a consistency proof (RFC 9162, 2.1.4.2); the tree without leaves is the begin of every tree."""
    if first == second:
        return not proof and first_root == second_root
    if first == 0:
        return not proof and first_root == EMPTY
    if not 0 < first < second or not proof:
        return False
    path = list(proof) if first & (first - 1) else [first_root, *proof]
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = path[0]
    for part in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(part, old), node_hash(part, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, part)
        place, last = place >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root
