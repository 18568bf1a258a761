"""A stream's file, head and key as all its writers share them. Whatever is called here is called under the lock.

Before each write a writer sees how far the others came: by the shared head where that agrees with the file, and else by
the file itself. It never gives a number again that was given, whatever became of the file.
"""

from __future__ import annotations

import secrets
import socket
import time
from typing import TYPE_CHECKING, Any

from provisioner.errors import ProvisionerError
from provisioner.integrity import keystate, notes, recovery
from provisioner.integrity.format import Mac, first_prev
from provisioner.integrity.head import Head, checked
from provisioner.integrity.keys import first_key
from provisioner.integrity.keystate import KeyState
from provisioner.integrity.logfile import LogFile
from provisioner.integrity.signing import Signer

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Iterable, Sequence

    from provisioner.integrity.keys import KeyRing


class Strand:
    """What one process holds of a stream: open files, the key, and the head as it was seen last."""

    def __init__(
        self,
        path: pathlib.Path,
        state_file: pathlib.Path,
        keys: KeyRing | None,
        stream: str | None,
        redact: Callable[[dict[str, Any]], dict[str, Any]] | None,
    ) -> None:
        """Open the files, mend what a killed writer left, change the key where the ring has a new one.

        Raises ProvisionerError.
        """
        self.path, self._state_file, self._keys, self._stream, self._redact = path, state_file, keys, stream, redact
        self.file = LogFile(path)
        self.unsynced = False
        self._seen = b""
        try:
            with self.file.locked():
                self.file.reopen()  # it may have become an archive while we waited
                self._load()
                self._recover()
                self._change_key()
        except BaseException:
            self.file.close()
            raise

    @property
    def stream(self) -> str:
        """The stream's id."""
        return self._state.stream

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
        self._signer = Signer(state.stream, state.key, state.seq + 1, state.mac.encode(), self._redact)

    def catch_up(self) -> None:
        """See how far the others came; mend where a writer was killed."""
        moved = self.file.reopen()
        if self._state_mark != keystate.mark(self._state_file):
            self._reload()  # another key by now: whoever changed it may have been killed before it told
        line = self.file.head()
        inode, size = self.file.stat()
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
        found = recovery.look(self.file, self._state, self._head_mac, self.head)
        inode, size = self.file.stat()
        self._accept(Head(found.seq, found.mac, self._state.key.name, inode, size), b"")
        if found.evolving:
            self._finish_epoch()
        if found.rotating:
            self.file.archive(found.rotating)
        begin = b"\n" if found.open_end else b""
        if begin or found.notes:
            self._write(self._signer.lines(found.notes), begin)
        else:
            self._tell()

    # Writing

    def _tell(self) -> None:
        inode, size = self.file.stat()
        self.head = Head(self._signer.seq - 1, self._signer.prev.decode(), self._state.key.name, inode, size)
        self._seen = self.file.put_head(self.head.line(self._head_mac))

    def append(self, events: Iterable[dict[str, Any]], own: bool = False) -> list[bytes]:
        """Sign and write; the lines. Raises OSError."""
        lines = self._signer.lines(events, own)
        self._write(lines)
        return lines

    def _write(self, lines: Sequence[bytes], begin: bytes = b"") -> None:
        try:
            self.file.write(begin + b"".join(lines))
        except OSError:
            self._seen = b""  # whatever was written of it is found by looking
            self._accept(Head(self.head.seq, self.head.mac, self.head.key, 0, -1), b"")
            raise
        self.unsynced = True
        self._tell()

    def evolve(self, records: int, seconds: float) -> None:
        """The next epoch's key, where this one was long enough in use; the old one is erased."""
        used, age = self.head.seq - self._state.seq, time.time() - self._state.since
        if used and (used >= records or age >= seconds):
            self._next_epoch()

    def _next_epoch(self) -> None:
        """The last record of an epoch names the next key, so that no log that was cut back can be continued with it."""
        self.append([notes.key_changed(self._state.key.next().name)])
        self._finish_epoch()

    def _finish_epoch(self) -> None:
        self.file.sync()  # the state must not know of records that the file may lose
        state = self._state.evolved(time.time(), self.head.seq, self.head.mac)
        keystate.save(self._state_file, state)
        self._take(state)
        self._tell()

    def _change_key(self) -> None:
        """To the key ring's current one, where the state has another one; never back to one that was in use."""
        old = self._state.key.id
        if not self._keys or self._keys.current in (old, *self._state.past):
            return
        key = first_key(self._keys.current, self._keys.root(self._keys.current), self.stream)
        self.append([notes.key_changed(key.name)])
        self.file.sync()
        past = (*self._state.past, old)
        state = KeyState(self.stream, key, time.time(), self.head.seq, self.head.mac, past)
        keystate.save(self._state_file, state)
        self._take(state)
        self._tell()

    def rotate(self) -> None:
        """Begin a new file; the last record of the old one and the first of the new one name each other."""
        name = self.file.next_archive()
        self.append([notes.rotated(name, self.path.name)])
        self.file.archive(name)
        self.append([notes.continued(self.path.name, name)])

    def sync(self) -> None:
        """Make what this process wrote durable."""
        if self.unsynced:
            self.file.sync()
            self.unsynced = False

    def close(self) -> None:
        """Close the files."""
        self.file.close()
