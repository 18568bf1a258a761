"""Events into signed lines: the pure part of the writer."""

from __future__ import annotations

import dataclasses
import math
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from provisioner.integrity.canonical import LEAST, MOST, encode
from provisioner.integrity.complete import complete
from provisioner.integrity.format import VERSION, Mac, body, sealed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from provisioner.integrity.keys import EpochKey


class Signer:
    """Signs one stream's events, one after the other. `seq` and `prev` are the next record's.

    `redact` takes an event and gives the one to sign; it must not change what it was given.
    """

    def __init__(
        self,
        stream: str,
        key: EpochKey,
        seq: int,
        prev: bytes,
        redact: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    ) -> None:
        self.stream, self.seq, self.prev = stream, seq, prev
        self._redact = redact
        self.use(key)

    def use(self, key: EpochKey) -> None:
        """Sign with this key from now on."""
        self.key = key
        self._mac = Mac(key.mac_key())

    def lines(self, events: Iterable[dict[str, Any]]) -> list[bytes]:
        """A line with its end for each event, canonical but for `ingest`, which is kept as it is."""
        made: list[bytes] = []
        key, stream, mac, redact = self.key.name, self.stream, self._mac, self._redact
        name = key.encode()
        for event in events:
            whole = complete(event if redact is None else redact(event))
            inner: dict[str, Any] = {"key": key, "prev": self.prev.decode(), "seq": self.seq, "stream": stream, "v": VERSION}
            whole["integrity"] = inner
            try:
                signed = encode(whole) if "ingest" not in whole else body(whole)
            except ValueError:
                whole = storable(whole)
                whole["integrity"] = inner
                signed = body(whole)
            digest = mac(signed)
            line = sealed(signed, name, digest) if "ingest" not in whole else None
            if line is None:
                line = encode({**whole, "integrity": {**inner, "mac": digest.decode()}})
            made.append(line + b"\n")
            self.prev, self.seq = digest, self.seq + 1
        return made


def storable(value: Any) -> Any:
    """What JSON can hold of any value; what it can't becomes text: a log loses no event for its form."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if LEAST <= value <= MOST else str(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return {_text(key): storable(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [storable(each) for each in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "replace")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return storable(dataclasses.asdict(value))
    return _text(value)


def _text(value: Any) -> str:
    """Text in which every lone surrogate is U+FFFD."""
    return str(value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
