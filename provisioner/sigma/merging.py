"""A rule that is imported again: what changed in Sigma is taken over, what was changed here is kept.

A three-way merge per key: `origin.imported` of the document remembers a fingerprint of each key as it was imported.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provisioner.model import Body

_MISSING = object()


@dataclass(slots=True)
class Merged:
    """Keys to write and to remove, and those kept as they are here; `both` of them changed in Sigma as well."""

    changed: Body = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    both: list[str] = field(default_factory=list)


def fingerprint(value: Any) -> str:
    """Twelve digits that tell one value from another."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:12]


def merge(theirs: Mapping[str, Any], ours: Mapping[str, Any], imported: Mapping[str, str]) -> Merged:
    """Sigma's keys against those of the document, by what was imported the last time."""
    found = Merged()
    for key in dict.fromkeys([*theirs, *imported]):
        their, our, base = theirs.get(key, _MISSING), ours.get(key, _MISSING), imported.get(key)
        if our == their:
            continue
        here = None if our is _MISSING else fingerprint(our)
        there = None if their is _MISSING else fingerprint(their)
        if here == base:
            if their is _MISSING:
                found.removed.append(key)
            else:
                found.changed[key] = their
        else:
            found.kept.append(key)
            if there != base:
                found.both.append(key)
    return found
