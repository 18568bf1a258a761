"""The writer: `Chain.append(event)` signs an event and appends it, for several threads and processes at once.

    chain = Chain("/var/log/secure/audit.jsonl", KeyRing({"k1": key}), fsync="always")
    chain.append({"category": "audit", "action": "data_export", "severity": "high", "message": "..."})

Each append takes the lock of the stream, sees how far other writers have come, signs, writes, and tells the others.
"""

from __future__ import annotations

import itertools
import os
import pathlib
import secrets
import socket
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import orjson

from provisioner.errors import ProvisionerError
from provisioner.integrity import keystate, notes, recovery
from provisioner.integrity.format import STREAM, Mac, first_prev
from provisioner.integrity.head import Head, checked
from provisioner.integrity.keys import KeyRing, first_key
from provisioner.integrity.keystate import KeyState
from provisioner.integrity.logfile import LogFile
from provisioner.integrity.signing import Signer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from provisioner.integrity.checkpointing import Checkpointer

_BATCH = 200


@dataclass(frozen=True, slots=True)
class Options:
    """How a chain writes.

    `fsync`: `always` before an append returns; `interval` at most `fsync_seconds` later; `never`. `rotate_bytes`: a file
    that has so many becomes an archive. A key evolves after so many records or seconds. `redact`: what takes secrets out
    of an event before it is signed. `checkpoint_*`: how often the checkpointer is asked.
    """

    fsync: Literal["always", "interval", "never"] = "interval"
    fsync_seconds: float = 1.0
    rotate_bytes: int | None = None
    evolve_records: int = 100_000
    evolve_seconds: float = 3_600.0
    redact: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    checkpoint_records: int | None = None
    checkpoint_seconds: float | None = None


class Chain:
    """One stream in one file and its archives. Threads may share it; a forked child opens the files anew."""

    def __init__(
        self,
        path: pathlib.Path | str,
        keys: KeyRing | None = None,
        *,
        stream: str | None = None,
        state: pathlib.Path | None = None,
        checkpointer: Checkpointer | None = None,
        options: Options | None = None,
    ) -> None:
        """Open the files and mend what a killed writer left. Raises ProvisionerError.

        `keys` is needed for a stream's first start and for a new key; otherwise the key state suffices. `stream` is the
        id of a new stream; by default host and file name with a random part.
        """
        if stream is not None and not STREAM.fullmatch(stream):
            raise ProvisionerError(f"{stream!r} is no stream id", "use letters, digits, dots, - and _; at most 128")
        self.path = pathlib.Path(path)
        self.options = options or Options()
        self._state_file = state or self.path.with_name(f"{self.path.name}.state")
        self._keys, self._stream, self._checkpointer = keys, stream, checkpointer
        self._mutex = threading.RLock()
        self._timer: threading.Timer | None = None
        self._open()

    def _open(self) -> None:
        self._file, self._pid = LogFile(self.path), os.getpid()
        self._seen = b""
        self._unsynced = False
        self._synced = self._checkpointed_at = time.monotonic()
        try:
            with self._file.locked():
                self._file.reopen()  # it may have become an archive while we waited
                self._load()
                self._recover()
                self._change_key()
        except BaseException:
            self._file.close()
            raise
        self._checkpointed = self.head.seq

    @property
    def stream(self) -> str:
        """The stream's id."""
        return self._state.stream

    # What others did

    def _load(self) -> None:
        """The key state; made from the root key at a stream's first start."""
        state = keystate.load(self._state_file)
        if state is None:
            state = self._first_state()
            keystate.save(self._state_file, state)
        if self._stream is not None and self._stream != state.stream:
            raise ProvisionerError(
                f"{self.path} is the stream {state.stream}, not {self._stream}",
                "leave --stream out, or name another file",
            )
        self._take(state)
        self.head = Head(state.seq, state.mac, state.key.name, 0, 0)

    def _first_state(self) -> KeyState:
        if not self._keys:
            raise ProvisionerError(
                f"{self.path} has no key yet", "give one by --key, e.g. --key k1=file:/etc/audit.key"
            )
        host = "".join(c if c.isascii() and (c.isalnum() or c in ".-") else "-" for c in socket.gethostname()).lstrip(
            ".-"
        )
        stream = self._stream or f"{host[:60] or 'host'}_{secrets.token_hex(8)}"
        key = first_key(self._keys.current, self._keys.root(self._keys.current), stream)
        return KeyState(stream, key, time.time(), -1, first_prev(stream).decode())

    def _take(self, state: KeyState) -> None:
        self._state, self._state_mark = state, keystate.mark(self._state_file)
        self._head_mac = Mac(state.key.mac_key(), b"head")
        self._signer = Signer(state.stream, state.key, state.seq + 1, state.mac.encode(), self.options.redact)

    def _catch_up(self) -> None:
        """See how far the others came; mend where a writer was killed."""
        moved = self._file.reopen()
        if self._state_mark != keystate.mark(self._state_file):
            self._reload()  # another key by now: whoever changed it may have been killed before it told
        line = self._file.head()
        inode, size = self._file.stat()
        if not moved and line == self._seen and (inode, size) == (self.head.inode, self.head.size):
            return
        found = checked(line, self._head_mac)
        if found is not None and (found.inode, found.size) == (inode, size) and found.seq >= self.head.seq:
            self._accept(found, line)
        else:
            self._recover()

    def _reload(self) -> None:
        state = keystate.load(self._state_file)
        if state is None:
            keystate.save(self._state_file, self._state)  # somebody removed it; this process still has it
        elif state.stream == self.stream and state.seq >= self._state.seq:
            self._take(state)
        self._state_mark = keystate.mark(self._state_file)
        self._seen = b""

    def _accept(self, head: Head, line: bytes) -> None:
        self.head, self._seen = head, line
        self._signer.seq, self._signer.prev = head.seq + 1, head.mac.encode()

    def _recover(self) -> None:
        """Go by the file itself, and record what is not as it was left."""
        found = recovery.look(self._file, self._state, self._head_mac, self.head)
        inode, size = self._file.stat()
        self._accept(Head(found.seq, found.mac, self._state.key.name, inode, size), b"")
        if found.evolving:
            self._finish_epoch()
        if found.rotating:
            self._file.archive(found.rotating)
        begin = b"\n" if found.open_end else b""
        if begin or found.notes:
            self._write(self._signer.lines(found.notes), begin)
        else:
            self._tell()

    # Writing; all of it under the lock

    def _tell(self) -> None:
        inode, size = self._file.stat()
        self.head = Head(self._signer.seq - 1, self._signer.prev.decode(), self._state.key.name, inode, size)
        self._seen = self._file.put_head(self.head.line(self._head_mac))

    def _write(self, lines: Sequence[bytes], begin: bytes = b"") -> None:
        try:
            self._file.write(begin + b"".join(lines))
        except OSError:
            self._seen = b""  # whatever was written of it is found by looking
            self._accept(Head(self.head.seq, self.head.mac, self.head.key, 0, -1), b"")
            raise
        self._unsynced = True
        self._tell()

    def _evolve(self) -> None:
        """The next epoch's key, where this one was long enough in use; the old one is erased."""
        used, seconds = self.head.seq - self._state.seq, time.time() - self._state.since
        if used and (used >= self.options.evolve_records or seconds >= self.options.evolve_seconds):
            self._next_epoch()

    def _next_epoch(self) -> None:
        """The last record of an epoch names the next key: a log that is cut back can't be continued with a later key."""
        self._write(self._signer.lines([notes.key_changed(self._state.key.next().name)]))
        self._finish_epoch()

    def _finish_epoch(self) -> None:
        self._file.sync()  # the state must not know of records that the file may lose
        state = self._state.evolved(time.time(), self.head.seq, self.head.mac)
        keystate.save(self._state_file, state)
        self._take(state)
        self._tell()

    def _change_key(self) -> None:
        """To the key ring's current one, where the state has another one."""
        if not self._keys or self._keys.current == self._state.key.id:
            return
        key = first_key(self._keys.current, self._keys.root(self._keys.current), self.stream)
        self._write(self._signer.lines([notes.key_changed(key.name)]))
        self._file.sync()
        state = KeyState(self.stream, key, time.time(), self.head.seq, self.head.mac)
        keystate.save(self._state_file, state)
        self._take(state)
        self._tell()

    def _rotate(self) -> None:
        name = self._file.next_archive()
        self._write(self._signer.lines([notes.rotated(name, self.path.name)]))
        self._file.archive(name)
        self._write(self._signer.lines([notes.continued(self.path.name, name)]))

    def append_all(self, events: Iterable[dict[str, Any]]) -> list[bytes]:
        """Sign and append events; their lines. Raises OSError where they can't be written."""
        return [line for lines in self.write(events) for line in lines]

    def write(self, events: Iterable[dict[str, Any]]) -> Iterator[list[bytes]]:
        """Sign and append events as they come, many at once; the lines of each batch, with their ends."""
        for batch in _batches(events):
            yield self._append(batch)

    def _append(self, events: Sequence[dict[str, Any]]) -> list[bytes]:
        with self._mutex:
            if os.getpid() != self._pid:
                self._open()
            with self._file.locked():
                self._catch_up()
                self._evolve()
                lines = self._signer.lines(events)
                self._write(lines)
                if self.options.rotate_bytes is not None and self.head.size >= self.options.rotate_bytes:
                    self._rotate()
                self._after()
        return lines

    def append(self, event: dict[str, Any]) -> dict[str, Any]:
        """Sign and append one event; the record. With fsync `always` it is durable then. Raises OSError."""
        (line,) = self._append((event,))
        record: dict[str, Any] = orjson.loads(line)
        return record

    def rotate(self) -> None:
        """Begin a new file."""
        with self._mutex, self._file.locked():
            self._catch_up()
            self._rotate()
            self._after()

    def _after(self) -> None:
        """Make it durable and checkpointed, as far as it is time."""
        options, now = self.options, time.monotonic()
        if options.fsync == "always" or (options.fsync == "interval" and now - self._synced >= options.fsync_seconds):
            self._sync(now)
        elif options.fsync == "interval" and self._timer is None:
            self._timer = threading.Timer(options.fsync_seconds, self.sync)
            self._timer.daemon = True
            self._timer.start()
        if self._checkpointer is None:
            return
        records, seconds = options.checkpoint_records, options.checkpoint_seconds
        new = self.head.seq - self._checkpointed
        if new and (
            (records is not None and new >= records) or (seconds is not None and now - self._checkpointed_at >= seconds)
        ):
            try:
                self._checkpoint()
            except ProvisionerError as error:  # the log goes on; it is tried again when it is time
                self._checkpointed, self._checkpointed_at = self.head.seq, time.monotonic()
                print(f"provisioner: no checkpoint was made: {error.message}", file=sys.stderr)

    def _checkpoint(self) -> None:
        assert self._checkpointer is not None  # noqa: S101 (for the type)
        self._file.sync()
        made = self._checkpointer.make(self.path, self.stream)
        self._checkpointed_at = time.monotonic()
        if made is not None:
            self._write(self._signer.lines([notes.checkpointed(made.number, made.count, made.root, made.sha256())]))
            self._file.sync()
        self._checkpointed = self.head.seq

    def checkpoint(self) -> None:
        """Make a checkpoint now."""
        with self._mutex, self._file.locked():
            self._catch_up()
            self._checkpoint()

    def _sync(self, now: float) -> None:
        if self._unsynced:
            self._file.sync()
            self._unsynced = False
        self._synced = now

    def sync(self) -> None:
        """Make all that this process wrote durable."""
        with self._mutex:
            self._timer = None
            if os.getpid() == self._pid:
                self._sync(time.monotonic())

    def close(self) -> None:
        """Make it durable, unless told never to, and close the files."""
        with self._mutex:
            if self._timer is not None:
                self._timer.cancel()
            if self.options.fsync != "never":
                self.sync()
            self._file.close()
            self._pid = -1

    def __enter__(self) -> Chain:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _batches(events: Iterable[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    left = iter(events)
    while batch := list(itertools.islice(left, _BATCH)):
        yield batch
