"""The writer: `Chain.append(event)` signs an event and appends it, for several threads and processes at once.

    chain = Chain("/var/log/secure/audit.jsonl", KeyRing({"k1": key}), fsync="always")
    chain.append({"category": "audit", "action": "data_export", "severity": "high", "message": "..."})

Each append takes the lock of the stream, sees how far other writers have come, signs, writes, and tells the others.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pathlib
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import orjson

from provisioner.errors import ProvisionerError
from provisioner.integrity import notes
from provisioner.integrity.format import STREAM
from provisioner.integrity.head import Head
from provisioner.integrity.keys import KeyRing
from provisioner.integrity.strand import Strand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from provisioner.integrity.checkpointing import Checkpointer

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Options:
    """How a chain writes.

    `fsync`: `always` before an append returns; `interval` at most `fsync_seconds` later; `never`. `rotate_bytes`: a
    file that has so many becomes an archive. A key evolves after so many records or seconds. `redact`: what takes
    secrets out of an event before it is signed. `checkpoint_*`: how often the checkpointer is asked.
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
        self._open()
        self._checkpointed = self.head.seq

    def _open(self) -> None:
        self._strand = Strand(self.path, self._state_file, self._keys, self._stream, self.options.redact)
        self._pid, self._closed = os.getpid(), False
        self._timer: threading.Timer | None = None
        self._synced = self._checkpointed_at = time.monotonic()

    @property
    def stream(self) -> str:
        """The stream's id."""
        return self._strand.stream

    @property
    def head(self) -> Head:
        """How far the chain had come when this process last looked."""
        return self._strand.head

    @contextlib.contextmanager
    def _turn(self) -> Iterator[Strand]:
        """This thread's and process's turn to write."""
        with self._mutex:
            if self._closed:
                raise ValueError("the chain is closed")
            if os.getpid() != self._pid:  # a forked child would share the parent's lock
                self._strand.close()
                self._open()
            with self._strand.file.locked():
                self._strand.catch_up()
                yield self._strand

    def append_all(self, events: Iterable[dict[str, Any]]) -> list[bytes]:
        """Sign and append events; their lines. Raises OSError where they can't be written."""
        return [line for lines in self.write(events) for line in lines]

    def write(self, events: Iterable[dict[str, Any]], *, own: bool = False) -> Iterator[list[bytes]]:
        """Sign and append events as they come, many at once; the lines of each batch, with their ends.

        `own`: the events are nobody else's, and may be changed.
        """
        for batch in _batches(events):
            yield self._append(batch, own)

    def _append(self, events: Sequence[dict[str, Any]], own: bool = False) -> list[bytes]:
        options = self.options
        with self._turn() as strand:
            strand.evolve(options.evolve_records, options.evolve_seconds)
            lines = strand.append(events, own)
            if options.rotate_bytes is not None and strand.head.size >= options.rotate_bytes:
                strand.rotate()
            self._after()
        return lines

    def append(self, event: dict[str, Any]) -> dict[str, Any]:
        """Sign and append one event; the record. With fsync `always` it is durable then. Raises OSError."""
        (line,) = self._append((event,))
        record: dict[str, Any] = orjson.loads(line)
        return record

    def rotate(self) -> None:
        """Begin a new file."""
        with self._turn() as strand:
            strand.rotate()
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
        self._strand.file.sync()
        made = self._checkpointer.make(self.path, self.stream)
        self._checkpointed_at = time.monotonic()
        if made is not None:
            self._strand.append([notes.checkpointed(made.number, made.count, made.root, made.sha256())])
            self._strand.sync()
        self._checkpointed = self.head.seq

    def checkpoint(self, checkpointer: Checkpointer | None = None) -> None:
        """Make a checkpoint now, by this checkpointer where one is given. Raises ProvisionerError, OSError."""
        with self._turn():
            self._checkpointer = checkpointer or self._checkpointer
            self._checkpoint()

    def _sync(self, now: float) -> None:
        self._strand.sync()
        self._synced = now

    def sync(self) -> None:
        """Make all that this process wrote durable."""
        with self._mutex:
            self._timer = None
            if os.getpid() == self._pid and not self._closed:
                self._sync(time.monotonic())

    def close(self) -> None:
        """Make it durable, unless told never to, and close the files."""
        with self._mutex:
            if self._closed:
                return
            if self._timer is not None:
                self._timer.cancel()
            if self.options.fsync != "never":
                self.sync()
            self._strand.close()
            self._closed = True

    def __enter__(self) -> Chain:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _batches(events: Iterable[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    left = iter(events)
    while batch := list(itertools.islice(left, _BATCH)):
        yield batch
