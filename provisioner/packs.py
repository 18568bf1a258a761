"""Rules that share a monitor: which ones stand together. Pure.

A doc-level monitor holds several queries, and a cluster holds 1,000 monitors by default. So rules of one kind fill as
few monitors as can be, and yet a rule that comes or goes moves few others: each has its place by a hash that hardly
depends on how many packs there are (Lamping, Veach: A Fast, Minimal Memory, Consistent Hash Algorithm, 2014), and
another one where that is full.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_PATIENCE = 64
"""Places that are tried before the first pack with room is taken."""


def packs(ids: Iterable[str], most: int) -> list[list[str]]:
    """The ids in packs of at most `most`, as few as can be; within a pack sorted. The same for the same ids always."""
    ordered = sorted(ids, key=lambda id_: (_hash(id_), id_))
    found: list[list[str]] = [[] for _ in range(-(-len(ordered) // most))]
    for id_ in ordered:
        key = _hash(id_)
        for _ in range(_PATIENCE):
            place = found[_jump(key, len(found))]
            if len(place) < most:
                break
            key = (key * 6364136223846793005 + 1442695040888963407) % 2**64
        else:
            place = next(each for each in found if len(each) < most)
        place.append(id_)
    return [sorted(each) for each in found]


def _hash(id_: str) -> int:
    return int.from_bytes(hashlib.blake2b(id_.encode(), digest_size=8).digest())


def _jump(key: int, buckets: int) -> int:
    """A bucket for the key: with one bucket more, one key in `buckets + 1` moves, and that to the new one."""
    bucket, following = -1, 0
    while following < buckets:
        bucket = following
        key = (key * 2862933555777941757 + 1) % 2**64
        following = int((bucket + 1) * (2**31 / ((key >> 33) + 1)))
    return bucket
