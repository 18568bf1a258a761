"""One worker's part of a verification: lines into runs of genuine records and bad lines.

Nearly every line of an intact log is in canonical form and follows the one before: the fast path cuts the MAC out of
the line's bytes and authenticates the rest, without parsing it. It accepts a line only where the authenticated bytes
have one member `integrity` and say what is expected; anything else goes the slow way: parsed, made canonical, and
looked at.
"""

from __future__ import annotations

import bisect
import hashlib
import hmac
import json
from binascii import hexlify
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from provisioner.integrity import merkle, notes
from provisioner.integrity.format import MEMBER, Link, Mac, body, leaf, link

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provisioner.integrity.keys import KeyRing

_MARKER = b"_REDACTED]"


@dataclass(slots=True)
class Run:
    """Genuine records that follow each other, all of one stream and one key. Lines count from 1.

    `range` is their Merkle range, `cuts` for some counts the last MAC and the range of the leaves before that count.
    """

    stream: str
    key: str
    line: int
    last_line: int
    seq: int
    last_seq: int
    prev: str
    mac: str
    range: list[merkle.Node] = field(default_factory=list)
    cuts: dict[int, tuple[str, list[merkle.Node]]] = field(default_factory=dict)


@dataclass(slots=True)
class Bad:
    """A line that is no genuine record: `why` is unreadable, unsigned, unknown_key or mac.

    `link` is what it claims. `size` and `sha256` are those of the line. `redacted`: it holds markers of a redaction.
    """

    line: int
    why: str
    size: int
    sha256: str
    link: Link | None = None
    redacted: bool = False


@dataclass(slots=True)
class Note:
    """A genuine record that the chain made about itself."""

    line: int
    seq: int
    stream: str
    action: str
    labels: dict[str, str]
    time: str = ""


@dataclass(slots=True)
class Part:
    """What a worker found in its lines, in order;

    `good` counts genuine records. `open_end`: the last line has no end.
    """

    lines: int = 0
    bytes: int = 0
    good: int = 0
    found: list[Run | Bad] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    open_end: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """The keys; whether the Merkle tree is wanted; the counts at which checkpoints cut it, ascending.

    Without any key MACs are not checked: what the records say is then proven by the tree's roots alone.
    """

    keys: KeyRing
    tree: bool = False
    counts: Sequence[int] = ()


class Scanner:
    """Looks at the lines of one part after the other;

    what it needs to know of a record before, it takes from the line.
    """

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self.part = Part()
        self._run: Run | None = None
        self._macs: dict[tuple[str, str], Mac | None] = {}
        self._leaves: list[bytes] = []

    def feed(self, block: bytes) -> None:
        """Whole lines; the last one may lack its end."""
        if not block:
            return
        lines = block.split(b"\n")
        self.part.open_end = bool(lines[-1])
        if not lines[-1]:
            lines.pop()
        special = notes.PREFIX in block
        at = 0
        while at < len(lines):
            before = at
            at = self._fast(lines, at, special)
            if at == before:
                self._slow(lines[at], self.part.lines + at + 1)
                at += 1
        self.part.lines += len(lines)
        self.part.bytes += len(block)
        self._flush()

    def end(self) -> Part:
        """All that was found."""
        return self.part

    def _fast(self, lines: list[bytes], at: int, special: bool) -> int:
        """Take lines as long as they continue the run in canonical form; the place of the first that does not."""
        run = self._run
        mac = self._mac(run.stream, run.key) if run is not None else None
        if run is None or mac is None:
            return at
        key, stream = run.key.encode(), run.stream.encode()
        begin, cut = b'%b"key":"%b","mac":"' % (MEMBER, key), b'%b"key":"%b",' % (MEMBER, key)
        follows = b'","prev":"%%b","seq":%%d,"stream":"%b","v":1}' % stream
        start, prev, seq = at, run.mac.encode(), run.last_seq + 1
        cut_at = self._next_cut(seq)
        chosen = lines[at:] if cut_at is None else lines[at : at + cut_at - seq]
        inner, outer = mac.inner, mac.outer
        base, tree, leaves, sha = self.part.lines + 1, self._wanted.tree, self._leaves, hashlib.sha256
        for line in chosen:
            head, found, rest = line.partition(begin)
            if not found:
                break
            after = rest[64:]
            if not after.startswith(follows % (prev, seq)):
                break
            signed = head + cut + after[2:]
            if signed.count(MEMBER) != 1:
                break
            hashed = inner.copy()
            hashed.update(len(signed).to_bytes(8, "big"))
            hashed.update(signed)
            whole = outer.copy()
            whole.update(hashed.digest())
            digest = hexlify(whole.digest())
            if digest != rest[:64]:
                break
            if special and notes.PREFIX in line:
                self._note(orjson.loads(line), base + at)
            if tree:
                leaves.append(sha(b"\0" + line).digest())
            prev = digest
            seq += 1
            at += 1
        if at > start:
            self.part.good += at - start
            run.last_line, run.last_seq, run.mac = base + at - 1, seq - 1, prev.decode()
            self._cut(run)
        return at

    def _slow(self, line: bytes, number: int) -> None:
        """Parse a line; it begins or continues a run, or is bad."""
        self._flush()
        record, why = _parse(line)
        found = link(record)
        if not why and found is None:
            why = "unsigned"
        mac = self._mac(found.stream, found.key) if found is not None else None
        if not why and self._wanted.keys:
            if mac is None:
                why = "unknown_key"
            elif found is not None and not _genuine(mac, record, found):
                why = "mac"
        if why or found is None:
            redacted = _MARKER in line and found is not None
            self.part.found.append(Bad(number, why, len(line), hashlib.sha256(line).hexdigest(), found, redacted))
            self._run = None
            return
        self.part.good += 1
        run = self._continue(found, number)
        if self._wanted.tree:
            self._leaves.append(merkle.leaf_hash(leaf(record)))
        self._note(record, number)
        self._cut(run)

    def _continue(self, found: Link, number: int) -> Run:
        run = self._run
        if run is not None and (run.stream, run.key, run.last_seq + 1, run.mac) == (
            *(found.stream, found.key),
            *(found.seq, found.prev),
        ):
            run.last_line, run.last_seq, run.mac = number, found.seq, found.mac
            return run
        run = Run(found.stream, found.key, number, number, found.seq, found.seq, found.prev, found.mac)
        self._run = run
        self.part.found.append(run)
        return run

    def _note(self, record: dict[str, Any], number: int) -> None:
        action, labels = record.get("action"), record.get("labels")
        if action in notes.ACTIONS and isinstance(labels, dict):
            said = {name: str(value) for name, value in labels.items()}
            link_ = record["integrity"]
            time = str(record.get("@timestamp"))
            self.part.notes.append(Note(number, link_["seq"], link_["stream"], str(action), said, time))

    def _mac(self, stream: str, key: str) -> Mac | None:
        """What authenticates records of this stream and key; None where the ring lacks the key."""
        if (stream, key) not in self._macs:
            id_, _, epoch = key.rpartition(".")
            if len(self._macs) > 256:
                self._macs.clear()
            known = id_ in self._wanted.keys
            self._macs[stream, key] = Mac(self._wanted.keys.key(id_, int(epoch), stream).mac_key()) if known else None
        return self._macs[stream, key]

    def _next_cut(self, seq: int) -> int | None:
        """The next count at which a checkpoint cuts the records from `seq` on."""
        counts = self._wanted.counts
        place = bisect.bisect_right(counts, seq)
        return counts[place] if place < len(counts) else None

    def _cut(self, run: Run) -> None:
        count, counts = run.last_seq + 1, self._wanted.counts
        place = bisect.bisect_left(counts, count)
        if place < len(counts) and counts[place] == count:
            self._flush()
            run.cuts[count] = (run.mac, list(run.range))

    def _flush(self) -> None:
        """The leaves into the run's range."""
        if self._run is not None and self._leaves:
            merkle.join(self._run.range, merkle.fold(self._run.last_seq + 1 - len(self._leaves), self._leaves))
        self._leaves.clear()


def _parse(line: bytes) -> tuple[Any, str]:
    """The record, and why it can't be one. A name that occurs twice would be read differently by different readers."""
    try:
        record = orjson.loads(line)
        json.loads(line, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None, "unreadable"
    return record, "" if isinstance(record, dict) else "unsigned"


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(members)
    if len(made) != len(members):
        raise ValueError("a name occurs twice")
    return made


def _genuine(mac: Mac, record: dict[str, Any], found: Link) -> bool:
    try:
        return hmac.compare_digest(mac(body(record)), found.mac.encode())
    except ValueError:
        return False
