"""Logs to attack, and the attacks: what each attacker can do to a log, at a place in it.

A log is a list of files, each a name and its lines. An attacker changes the list of events and signs what it can:
- `outsider` has no key: lines as they are, moved, changed, removed, or signed by a key of its own;
- `thief` has the current epoch's key (a stolen key state): signs anew from the place on with that key;
- `owner` has every key of the stream, ever: signs anew with the right keys. The checkpoints are out of its reach.
"""

from __future__ import annotations

import pathlib
from dataclasses import dataclass, replace

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from provisioner.integrity import Chain, KeyRing, Options
from provisioner.integrity.checking import Checkpoints
from provisioner.integrity.checkpointing import Checkpointer
from provisioner.integrity.format import Mac, body, first_prev
from provisioner.integrity.places import FilePlace, from_file
from provisioner.integrity.verdict import Result
from provisioner.integrity.verify import verify

ROOT = bytes(range(32))
KEYS = KeyRing({"k1": ROOT})
SIGNING = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
ATTACKERS = ("outsider", "thief", "owner")


def event(number: int) -> dict:
    """One event of many."""
    return {
        "category": "audit",
        "action": "data_export",
        "severity": "high",
        "message": f"export {number}",
        "actor": {"username": f"user{number % 7}"},
        "details": {"records_count": 2**53 + number},
    }


@dataclass(frozen=True)
class Log:
    """Files by name, in order; the stream, and where checkpoints lie."""

    files: tuple[tuple[str, tuple[bytes, ...]], ...]
    stream: str
    checkpoints: pathlib.Path

    @property
    def lines(self) -> list[bytes]:
        """All lines."""
        return [line for _, lines in self.files for line in lines]

    @property
    def records(self) -> list[dict]:
        """All records."""
        return [orjson.loads(line) for line in self.lines]

    def with_lines(self, lines: list[bytes]) -> Log:
        """The same files with other lines: as many in each, the last takes the rest."""
        files, at = [], 0
        for place, (name, old) in enumerate(self.files):
            end = len(lines) if place == len(self.files) - 1 else min(at + len(old), len(lines))
            files.append((name, tuple(lines[at:end])))
            at = end
        return replace(self, files=tuple(files))

    def with_file(self, place: int, lines: tuple[bytes, ...]) -> Log:
        """One file with other lines."""
        files = list(self.files)
        files[place] = (files[place][0], lines)
        return replace(self, files=tuple(files))


def build(
    folder: pathlib.Path,
    stream: str = "web1",
    count: int = 47,
    *,
    root: bytes = ROOT,
    rotate: int = 9_000,
    evolve: int = 8,
    checkpoint: bool = True,
) -> Log:
    """A real log: three files or more, several epochs, a checkpoint in the middle and one at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    path, place = folder / "a.jsonl", folder / "cp" / "checkpoints"
    checkpointer = Checkpointer(SIGNING, [FilePlace(place)])
    options = Options(fsync="never", rotate_bytes=rotate, evolve_records=evolve)
    with Chain(path, KeyRing({"k1": root}), stream=stream, options=options) as chain:
        for number in range(count):
            chain.append(event(number))
            if checkpoint and number == count // 2:
                checkpointer.make(path, stream)
    if checkpoint:
        checkpointer.make(path, stream)
    return read(folder, stream, place)


def read(folder: pathlib.Path, stream: str, checkpoints: pathlib.Path) -> Log:
    """The log in a folder."""
    names = sorted((p.name for p in folder.iterdir() if p.name[-6:].isdigit()), key=str)
    files = [(name, tuple((folder / name).read_bytes().split(b"\n")[:-1])) for name in [*names, "a.jsonl"]]
    return Log(tuple(files), stream, checkpoints)


def write(log: Log, folder: pathlib.Path) -> pathlib.Path:
    """The log as files, without anything beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in log.files:
        (folder / name).write_bytes(b"".join(line + b"\n" for line in lines))
    return folder


def judged(log: Log, folder: pathlib.Path, *, checkpoints: bool = False, keys: KeyRing = KEYS) -> Result:
    """What the verifier says of it."""
    signed = Checkpoints(from_file(log.checkpoints), [SIGNING.public_key()]) if checkpoints else None
    return verify([write(log, folder)], keys, signed)


def place(log: Log, where: str) -> int:
    """The record's place among all lines."""
    count = len(log.lines)
    first_file = len(log.files[0][1])
    return {"first": 0, "middle": count // 2, "last": count - 1, "across files": first_file - 1}[where]


# Signing as an attacker does


def macs(stream: str) -> dict[str, Mac]:
    """Every key of a stream: what the owner has."""
    return {f"k1.{epoch}": Mac(KEYS.key("k1", epoch, stream).mac_key()) for epoch in range(64)}


def resign(records: list[dict], start: int, stream: str, keys: dict[str, Mac], forced: str = "") -> list[bytes]:
    """Sign the records from `start` on anew, as a chain; `forced`: all with this key."""
    made, prev = [], first_prev(stream).decode()
    for seq, record in enumerate(records):
        if seq >= start:
            key = forced or _key(records, seq)
            said = {"key": key, "prev": prev, "seq": seq, "stream": stream, "v": 1}
            whole = {**record, "integrity": said}
            mac = keys[key](body(whole)).decode()
            record = {**whole, "integrity": {**said, "mac": mac}}  # noqa: PLW2901
        prev = record["integrity"]["mac"]
        made.append(orjson.dumps(record, option=orjson.OPT_SORT_KEYS))
    return made


def _key(records: list[dict], seq: int) -> str:
    """The key that the chain would have here: the one before, unless that record names another."""
    said = records[seq].get("integrity")
    return said["key"] if said else records[seq - 1 if seq else 1]["integrity"]["key"]


def changed(record: dict, message: str = "nothing happened") -> dict:
    """The record with another message."""
    return {**record, "message": message}
