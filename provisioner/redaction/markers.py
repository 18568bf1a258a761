"""Markers: what takes a value's place, and how an earlier one is recognised."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MARKER = re.compile(
    r"\[[a-z][a-z0-9_]{0,39}_REDACTED(?::(?:[A-Za-z0-9]{4}|[A-Za-z0-9_.\-]{1,20}:[0-9a-f]{16}))?\]", re.ASCII
)
"""[name_REDACTED], [name_REDACTED:1111] (partial), [name_REDACTED:key:0123456789abcdef] (pseudonym)."""
_NOT_WORD = re.compile("[^A-Za-z0-9]+")
_KEY_ID = re.compile(r"[A-Za-z0-9_.\-]{1,20}")


def end(text: str, at: int) -> int:
    """Where a marker that begins here ends, or -1."""
    found = MARKER.match(text, at)
    return found.end() if found else -1


@dataclass(frozen=True, slots=True)
class Marks:
    """Makes markers. `actions` is the detectors' action where it is no mask; `key` and `key_id` make pseudonyms.

    A pseudonym is the first 64 bits of HMAC-SHA-256 over detector, NUL, value: the same value under the same key has
    the same one, and without the key nobody can try values out. Without a key it is a mask, as in the cluster.
    """

    actions: Mapping[str, str]
    key: bytes | None = field(default=None, repr=False)
    key_id: str | None = None

    def __post_init__(self) -> None:
        if (self.key is None) != (self.key_id is None):
            raise ValueError("a pseudonym needs both a key and the key's id")
        if self.key_id is not None and not _KEY_ID.fullmatch(self.key_id):
            raise ValueError("a key's id is 1 to 20 letters, digits, _ . or -")
        if self.key is not None and len(self.key) < 16:
            raise ValueError("a pseudonym's key has 16 bytes at least")

    def of(self, value: str, detector: str) -> str:
        """The marker of one value."""
        action = self.actions.get(detector)
        if action == "partial" and len(letters := _NOT_WORD.sub("", value)) >= 12:
            return f"[{detector}_REDACTED:{letters[-4:]}]"
        if action == "pseudonym" and self.key is not None and value:
            message = f"{detector}\0{value}".encode("utf-8", "surrogatepass")
            return f"[{detector}_REDACTED:{self.key_id}:{hmac.digest(self.key, message, 'sha256').hex()[:16]}]"
        return f"[{detector}_REDACTED]"
