"""Second places for checkpoints: a file, standard output, a data stream."""

from __future__ import annotations

import os
import pathlib
import sys
from typing import TYPE_CHECKING, Any

from provisioner.errors import ApiError, ProvisionerError
from provisioner.integrity.checking import Placed
from provisioner.integrity.checkpointing import read_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from provisioner.client import Client
    from provisioner.integrity.checkpoint import Checkpoint
    from provisioner.integrity.checkpointing import Place

PAGE = 1_000


class FilePlace:
    """A file that is only appended to;

    it belongs elsewhere than the log: another disk, another user, a remote mount.
    """

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path

    def put(self, made: Checkpoint) -> None:
        """Append it and make it durable."""
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, flags, 0o640)
            try:
                size = os.fstat(descriptor).st_size
                torn = size and os.pread(descriptor, 1, size - 1) != b"\n"
                os.write(descriptor, (b"\n" if torn else b"") + made.line() + b"\n")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise ProvisionerError(
                f"the checkpoint can't be written to {self._path}: {error.strerror}", "name a file in another place"
            ) from None


class OutputPlace:
    """Standard output, for a program that puts it into an object store with a lock."""

    def put(self, made: Checkpoint) -> None:
        """Print it."""
        sys.stdout.buffer.write(made.line() + b"\n")
        sys.stdout.flush()


class StreamPlace:
    """A data stream such as logs-audit-default: it takes new events and lets nobody change one."""

    def __init__(self, client: Client, stream: str) -> None:
        self._client, self._stream = client, stream

    def put(self, made: Checkpoint) -> None:
        """Create the event whose id follows from the checkpoint, so that twice is once."""
        from provisioner.client import path

        try:
            self._client.request("PUT", path(self._stream, "_create", f"checkpoint_{made.sha256()}"), event(made))
        except ApiError as error:
            if error.status != 409:
                raise


def event(made: Checkpoint) -> dict[str, Any]:
    """The event that carries a checkpoint; the checkpoint itself is one text, so that nothing changes its form."""
    return {
        "@timestamp": made.time,
        "event_id": f"checkpoint_{made.sha256()[:32]}",
        "category": "system",
        "action": "log_checkpoint",
        "severity": "info",
        "message": f"Checkpoint {made.number} of {made.stream}: {made.count} records",
        "checkpoint": {
            "stream": made.stream,
            "number": made.number,
            "count": made.count,
            "signed": made.line().decode(),
        },
    }


def of(said: str, client: Callable[[], Client]) -> Place | None:
    """The place that `file:/path`, `stdout` or `stream:NAME` names; None for what names none."""
    kind, _, where = said.partition(":")
    if said == "stdout":
        return OutputPlace()
    if kind == "file" and where:
        return FilePlace(pathlib.Path(where))
    return StreamPlace(client(), where) if kind == "stream" and where else None


def from_file(path: pathlib.Path) -> list[Placed]:
    """The checkpoints of a file. Raises ProvisionerError."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise ProvisionerError(f"{path} can't be read: {error.strerror}", "name the file of checkpoints") from None
    return [Placed(str(path), number, made, wrong) for number, made, wrong in read_lines(lines)]


def from_stream(client: Client, stream: str) -> list[Placed]:
    """The checkpoints in a data stream, by their numbers. Raises ProvisionerError."""
    from provisioner.client import path

    found: list[Placed] = []
    after: list[Any] | None = None
    while True:
        body: dict[str, Any] = {
            "size": PAGE,
            "query": {"term": {"action": "log_checkpoint"}},
            "sort": [{"checkpoint.stream": "asc"}, {"checkpoint.number": "asc"}, {"event_id": "asc"}],
            "_source": ["checkpoint.signed"],
        }
        if after is not None:
            body["search_after"] = after
        hits = client.request("POST", path(stream, "_search"), body, safe=True)["hits"]["hits"]
        for hit in hits:
            text = (hit["_source"].get("checkpoint") or {}).get("signed")
            found += [
                Placed(stream, len(found) + 1, made, wrong) for _, made, wrong in read_lines([str(text).encode()])
            ]
        if len(hits) < PAGE:
            return found
        after = hits[-1]["sort"]
