"""Fingerprints: how a body is recognised again without keeping what the server made of it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import orjson

from provisioner import secretrefs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MASK = "(secret)"


def of(body: Any) -> str:
    """SHA-256 of the body as JSON with sorted keys: 64 hexadecimal digits. Equal bodies have equal fingerprints."""
    return of_encoded(encoded(body))


def of_encoded(content: bytes) -> str:
    """The same of a body that is JSON already, as `encoded` gives it."""
    return hashlib.sha256(content).hexdigest()


def encoded(body: Any) -> bytes:
    """The body as JSON with sorted keys. Objects made by hand may hold integers beyond 64 bits (`_meta` keeps them)."""
    try:
        return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def masked(body: Any, secret_paths: Sequence[tuple[str, ...]], salt: str | None = None) -> Any:
    """The body with every secret replaced: by its keyed fingerprint where a salt is given, else by `(secret)`.

    Whatever lies below a secret's path is one; lists are looked through.
    """
    return _replaced(body, secret_paths, lambda secret: f"secret:{secretrefs.keyed(secret, salt)}" if salt else MASK)


def secrets(body: Any, secret_paths: Sequence[tuple[str, ...]]) -> list[str]:
    """What `masked` replaces."""
    found: list[str] = []

    def note(secret: str) -> str:
        found.append(secret)
        return MASK

    _replaced(body, secret_paths, note)
    return found


def _replaced(body: Any, secret_paths: Sequence[tuple[str, ...]], by: Callable[[str], str]) -> Any:
    if not secret_paths:
        return body
    if isinstance(body, list):
        return [_replaced(value, secret_paths, by) for value in body]
    if any(not path for path in secret_paths):
        if isinstance(body, dict):
            return {key: _replaced(value, [()], by) for key, value in body.items()}
        return body if body is None or isinstance(body, bool) else by(str(body))
    if not isinstance(body, dict):
        return body
    return {
        key: _replaced(value, [path[1:] for path in secret_paths if path[0] in (key, "*")], by)
        for key, value in body.items()
    }


class Prints:
    """Fingerprints of bodies that are asked for again and again: an apply looks three times, each look plans twice.

    A body is known by its identity, and is kept, so that no other one takes that; it must not be changed.
    """

    def __init__(self) -> None:
        self._sent: dict[int, tuple[Any, str, bool]] = {}
        self._shown: dict[int, tuple[Any, str, str]] = {}

    def sent(self, body: Any) -> tuple[str, bool]:
        """The fingerprint of a body, and whether a reference to a secret may stand in it."""
        found = self._sent.get(id(body))
        if found is None:
            content = encoded(body)
            found = self._sent[id(body)] = (body, of_encoded(content), secretrefs.MARK in content)
        return found[1:]

    def shown(self, body: Any, secret_paths: Sequence[tuple[str, ...]], salt: str) -> str:
        """As the function `shown`; one salt at a time."""
        found = self._shown.get(id(body))
        if found is None or found[1] != salt:
            found = self._shown[id(body)] = (body, salt, shown(body, secret_paths, salt))
        return found[2]


def shown(body: Any, secret_paths: Sequence[tuple[str, ...]], salt: str) -> str:
    """The fingerprint of what the server shows; a changed secret changes it, and it can't be turned back into one."""
    return of(masked(body, secret_paths, salt))
