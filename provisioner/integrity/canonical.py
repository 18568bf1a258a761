"""Canonical JSON: RFC 8785 by the library `rfc8785`, and one extension for integers.

RFC 8785 knows only numbers of IEEE 754, so that an integer beyond 2^53 would lose digits or be refused. Logs are full
of such integers (inodes, counters, ids of 64 bits). The extension: an integer of -2^63 to 2^64-1 stands as its exact
decimal digits. Every other number stands as RFC 8785 says.
"""

from __future__ import annotations

import re
from typing import Any

import orjson
import rfc8785

LEAST, MOST = -(2**63), 2**64 - 1
"""Integers that have exact digits."""
BEYOND_BMP = re.compile(rb"[\xf0-\xff]")
SORTED = orjson.OPT_SORT_KEYS
_SIMPLE = frozenset({str, int, bool, type(None)})


def encode(event: dict[str, Any]) -> bytes:
    """Canonical bytes of a JSON object. Raises ValueError for what JSON can't hold: NaN, lone surrogates, other types.

    orjson with sorted keys gives the same bytes where no number has a fraction and no key can lie beyond the Basic
    Multilingual Plane: RFC 8785 sorts by UTF-16, orjson by code points. A test compares the two.
    """
    if plain(event):
        try:
            raw = orjson.dumps(event, option=SORTED)
        except (TypeError, ValueError) as error:
            raise ValueError(str(error)) from None
        if raw.isascii() or not BEYOND_BMP.search(raw):
            return raw
    return canonical(event)


def plain(value: dict[str, Any]) -> bool:
    """Whether there are but texts, integers, true, false, null, mappings and lists. The keys are not looked at."""
    for each in value.values():
        kind = type(each)
        if kind is str:
            continue
        if kind is dict:  # most events have mappings of texts: no call for those
            for inner in each.values():
                if type(inner) not in _SIMPLE and not _plain(inner):
                    return False
        elif kind not in _SIMPLE and not _plain(each):
            return False
    return True


def _plain(value: Any) -> bool:
    if type(value) is dict:
        return plain(value)
    return type(value) is list and plain(dict(enumerate(value)))  # type: ignore[arg-type]


def canonical(value: Any) -> bytes:
    """Canonical bytes of any JSON value, by the library alone but for large integers. Raises ValueError."""
    try:
        return rfc8785.dumps(value)
    except rfc8785.IntegerDomainError:
        pass
    if isinstance(value, int):
        if not LEAST <= value <= MOST:
            raise ValueError(f"{value} does not fit 64 bits")
        return b"%d" % value
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda member: member[0].encode("utf-16be"))
        return b"{%b}" % b",".join(b"%b:%b" % (rfc8785.dumps(key), canonical(each)) for key, each in members)
    return b"[%b]" % b",".join(canonical(each) for each in value)
