"""The head: how far a chain has come, as all writers of a stream share it in the lock file.

It is one line that is authenticated by the current key, so that a writer trusts no head that somebody else wrote. What
it says is compared with the file all the same.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provisioner.integrity.format import Mac

SIZE = 512
"""Bytes of the line at most; it is always written and read at once."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last record's sequence number (-1: none yet) and MAC, the key that signed it, the file's inode and size."""

    seq: int
    mac: str
    key: str
    inode: int
    size: int

    def line(self, mac: Mac) -> bytes:
        """The line, padded to its size."""
        text = b"%d %b %b %d %d" % (self.seq, self.mac.encode(), self.key.encode(), self.inode, self.size)
        return b"%b %b" % (text, mac(text))


def read(line: bytes) -> tuple[Head, bytes, bytes] | None:
    """The head that a line tells, the text and its MAC, which nobody has checked yet; None for another form."""
    text, _, digest = line.rstrip(b"\0\n ").rpartition(b" ")
    parts = text.split(b" ")
    if len(parts) != 5 or len(digest) != 64:
        return None
    try:
        head = Head(int(parts[0]), parts[1].decode(), parts[2].decode(), int(parts[3]), int(parts[4]))
    except ValueError:
        return None
    return head, text, digest


def checked(line: bytes, mac: Mac) -> Head | None:
    """The head where its MAC holds."""
    found = read(line)
    if found is None or not hmac.compare_digest(mac(found[1]), found[2]):
        return None
    return found[0]
