"""What a writer finds when it opens a log, or when the file is not as the last writer left it."""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from provisioner.errors import ProvisionerError
from provisioner.integrity import notes, tail
from provisioner.integrity.format import Mac
from provisioner.integrity.head import checked

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable

    from provisioner.integrity.format import Link
    from provisioner.integrity.head import Head
    from provisioner.integrity.keystate import KeyState
    from provisioner.integrity.logfile import LogFile


@dataclass(slots=True)
class Found:
    """Where the chain goes on: behind the record `seq` with this MAC.

    `open_end`: the file's last line lacks its end. `rotating`: the file ended with a record that gives it this name.
    `evolving`: the file ended with a record that names the next epoch's key. `notes`: what is to be recorded first.
    """

    seq: int
    mac: str
    open_end: bool = False
    rotating: str = ""
    evolving: bool = False
    notes: list[dict[str, Any]] = field(default_factory=list)


def look(file: LogFile, state: KeyState, head_mac: Mac, known: Head) -> Found:
    """Look at the file's end, at the shared head and at what this process remembers: the furthest of them counts.

    A record that one of these knows and that the file does not hold is missing: its number is never given again.
    """
    mac = Mac(state.key.mac_key())

    def genuine(record: dict[str, Any], link: Link) -> bool:
        if link.stream != state.stream:
            return False
        if link.seq == state.seq and link.mac == state.mac:  # signed by the key before
            return True
        return link.key == state.key.name and mac(tail.body_of(record)) == link.mac.encode()

    at_end = tail.read(file.descriptor, genuine)
    shared = checked(file.head(), head_mac)
    furthest = max((each for each in (shared, known) if each is not None), key=lambda each: each.seq)
    if at_end.link is not None and at_end.link.seq >= furthest.seq:
        found = Found(at_end.link.seq, at_end.link.mac, open_end=at_end.open_end)
        _unfinished(file, state, at_end, found)
    else:
        found = Found(furthest.seq, furthest.mac, open_end=at_end.open_end)
        _missing(file, at_end.link, genuine, found)
    found.open_end = found.open_end or at_end.open_line
    torn = [notes.torn(file.path.name, len(line), hashlib.sha256(line).hexdigest()) for line in at_end.torn]
    found.notes[:0] = torn
    return found


def _unfinished(file: LogFile, state: KeyState, at_end: tail.Tail, found: Found) -> None:
    """A writer that was killed between a record about the file or the key and what the record says."""
    assert at_end.record is not None  # noqa: S101 (for the type)
    action, labels = at_end.record.get("action"), at_end.record.get("labels")
    if action == notes.ROTATED:
        found.rotating = _archive_name(file, at_end.record)
        found.notes.append(notes.continued(file.path.name, found.rotating))
    signed_now = at_end.link is not None and at_end.link.key == state.key.name
    if action == notes.KEY_CHANGED and signed_now and isinstance(labels, dict):
        found.evolving = labels.get("next_key") == state.key.next().name


def _missing(file: LogFile, last: Link | None, genuine: Callable[[dict[str, Any], Link], bool], found: Found) -> None:
    """The file does not hold the last record: a new file behind an archive, or records are gone."""
    archives = file.archives() if last is None else []
    if archives:
        last = _end_of(archives[-1], genuine)
        if last is not None and last.seq > found.seq:
            found.seq, found.mac = last.seq, last.mac
        if found.seq < 0:
            raise ProvisionerError(
                f"{file.path}: there are archives, but nothing tells which record was the last",
                f"put {file.path.name}.lock back, unpack {archives[-1].name}, or name another file",
            )
        found.notes.append(notes.continued(file.path.name, archives[-1].name))
    first = last.seq + 1 if last is not None else 0
    if first <= found.seq:
        found.notes.append(notes.missing(file.path.name, first, found.seq))


def _end_of(archive: pathlib.Path, genuine: Callable[[dict[str, Any], Link], bool]) -> Link | None:
    """The last genuine record of an archive."""
    if archive.suffix == ".gz":
        try:
            with gzip.open(archive) as lines:
                return tail.last(deque(lines, maxlen=1), genuine)
        except (OSError, EOFError, zlib.error):
            return None
    descriptor = os.open(archive, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return tail.read(descriptor, genuine).link
    finally:
        os.close(descriptor)


def _archive_name(file: LogFile, record: dict[str, Any]) -> str:
    """The name that the record gives, unless another file has it by now."""
    labels = record.get("labels")
    name = labels.get("file") if isinstance(labels, dict) else None
    taken = {each.name for each in file.archives()}
    return (
        name
        if isinstance(name, str) and name.startswith(f"{file.path.name}.") and "/" not in name and name not in taken
        else file.next_archive()
    )
