"""Follow a log without its key: records in order, their hashes into the Merkle tree.

This is what a checkpointer does, who needs not be able to sign records, and an auditor, who must not.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import orjson

from provisioner.errors import ProvisionerError
from provisioner.integrity import merkle, sources
from provisioner.integrity.format import MEMBER, first_prev, leaf, link

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Iterable

_BATCH = 4_096


class Follower:
    """A stream's records so far: how many, the last MAC, and the Merkle range.

    `each` is given the sequence number and the leaf's hash of every record.
    """

    def __init__(
        self,
        stream: str,
        count: int = 0,
        head: str = "",
        range_: list[merkle.Node] | None = None,
        each: Callable[[int, bytes], None] | None = None,
    ) -> None:
        self.stream, self.count, self.head = stream, count, head or first_prev(stream).decode()
        self._range, self._each = list(range_ or []), each
        self._hashes: list[bytes] = []

    def lines(self, lines: Iterable[bytes], file: str, *, written: bool = False) -> None:
        """Take lines. `written`: the writer itself wrote them, so that they are canonical unless they hold `ingest`.

        Lines that are no JSON are left out: torn ones. Raises ProvisionerError where a record does not follow.
        """
        prev, seq = self.head.encode(), self.count
        follows = b'","prev":"%%b","seq":%%d,"stream":"%b","v":1}' % self.stream.encode()
        for line in lines:
            digest = b""
            if written and b'"ingest":' not in line and line.count(MEMBER) == 1:
                _, _, rest = line.partition(MEMBER)
                place = rest.find(b'"mac":"') + 7
                if place > 6 and rest[place + 64 :].startswith(follows % (prev, seq)):
                    digest, hash_ = rest[place : place + 64], hashlib.sha256(b"\0" + line).digest()
            if not digest:
                taken = self._parsed(line, prev.decode(), seq, file)
                if taken is None:
                    continue
                digest, hash_ = taken
            self._hashes.append(hash_)
            if self._each is not None:
                self._each(seq, hash_)
            if len(self._hashes) == _BATCH:
                self._fold(seq + 1)
            prev, seq = digest, seq + 1
        self.head, self.count = prev.decode(), seq
        self._fold(seq)

    def _fold(self, count: int) -> None:
        merkle.join(self._range, merkle.fold(count - len(self._hashes), self._hashes))
        self._hashes.clear()

    def _parsed(self, line: bytes, prev: str, seq: int, file: str) -> tuple[bytes, bytes] | None:
        try:
            record = orjson.loads(line)
        except ValueError:
            return None
        found = link(record)
        if found is None or (found.stream, found.seq, found.prev) != (self.stream, seq, prev):
            raise ProvisionerError(
                f"{file}: record {seq} of the stream {self.stream} does not follow the one before",
                "provisioner verify says what happened to the log",
            )
        return found.mac.encode(), merkle.leaf_hash(leaf(record))

    @property
    def range(self) -> list[merkle.Node]:
        """The range from 0 on."""
        return self._range

    @property
    def root(self) -> str:
        """The Merkle root, hexadecimal."""
        return merkle.root(self._range).hex()


def stream_of(path: pathlib.Path) -> str:
    """The stream of a log, by its first record. Raises ProvisionerError."""
    for file in [each for each in sources.files([path.parent]) if sources.base(each) == str(path)]:
        for piece in sources.pieces(file):
            for block in sources.blocks(piece):
                for line in block.split(b"\n"):
                    found = link(_record(line))
                    if found is not None:
                        return found.stream
    raise ProvisionerError(f"{path} holds no record", "name the log file that is written")


def _record(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except ValueError:
        return None
