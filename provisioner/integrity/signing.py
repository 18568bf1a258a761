"""Events into signed lines: the pure part of the writer."""

from __future__ import annotations

import dataclasses
import math
import secrets
import struct
from binascii import hexlify
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import orjson

from provisioner.integrity.canonical import BEYOND_BMP, LEAST, MOST, SORTED, canonical, encode, plain
from provisioner.integrity.complete import finish
from provisioner.integrity.format import MEMBER, VERSION, Mac, body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from provisioner.integrity.keys import EpochKey

join, dumps, length = b"".join, orjson.dumps, struct.Struct(">Q").pack


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
        # What stands in the place of `integrity` until the event is bytes: a number that no event can hold but by
        # chance, so that its bytes are found nowhere else. It is below 2^53, as RFC 8785 knows only those.
        self._number = 2**52 + secrets.randbits(52)
        self._place = b'"integrity":%d' % self._number
        self.use(key)

    def use(self, key: EpochKey) -> None:
        """Sign with this key from now on."""
        self.key = key
        self._mac = Mac(key.mac_key())

    def lines(self, events: Iterable[dict[str, Any]], own: bool = False) -> list[bytes]:
        """A line with its end for each event, canonical but for `ingest`, which is kept as it is.

        `own`: the events are nobody else's, and may be changed.
        The event is made canonical once, with a place for `integrity`; what belongs there is put in as bytes.
        """
        made: list[bytes] = []
        redact, prev, seq = self._redact, self.prev, self.seq
        begin = b'%b"key":"%b",' % (MEMBER, self.key.name.encode())
        begin_mac = b'%b"mac":"' % begin
        link = b'"prev":"%%b","seq":%%d,"stream":"%b","v":%d}' % (self.stream.encode(), VERSION)
        inner, outer, number, place = self._mac.inner.copy, self._mac.outer.copy, self._number, self._place
        more = len(begin) - len(place)
        for event in events:
            if not own or redact is not None:
                event = dict(event if redact is None else redact(event))  # noqa: PLW2901
            whole = finish(event)
            whole["integrity"] = number
            try:  # `encode`, without a call
                raw = dumps(whole, option=SORTED) if plain(whole) else canonical(whole)
                if not raw.isascii() and BEYOND_BMP.search(raw):
                    raw = canonical(whole)
            except (TypeError, ValueError):
                whole = storable(whole)
                raw = b""
            head, found, tail = raw.partition(place)
            if not found or "ingest" in whole:
                line, prev = self._one(whole, prev, seq)
            else:
                said = link % (prev, seq)
                hashed, whole_hash = inner(), outer()
                hashed.update(join((length(len(raw) + more + len(said)), head, begin, said, tail)))
                whole_hash.update(hashed.digest())
                prev = hexlify(whole_hash.digest())
                line = join((head, begin_mac, prev, b'",', said, tail, b"\n"))
            made.append(line)
            seq += 1
        self.prev, self.seq = prev, seq
        return made

    def _one(self, whole: dict[str, Any], prev: bytes, seq: int) -> tuple[bytes, bytes]:
        """Any event's line and its MAC, without regard to time."""
        inner: dict[str, Any] = {
            "key": self.key.name,
            "prev": prev.decode(),
            "seq": seq,
            "stream": self.stream,
            "v": VERSION,
        }
        whole["integrity"] = inner
        digest = self._mac(body(whole))
        return encode({**whole, "integrity": {**inner, "mac": digest.decode()}}) + b"\n", digest


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
