"""A small shipper: the lines of a log into a data stream, through an ingest pipeline, by `_bulk`."""

from __future__ import annotations

import gzip
import time
import zlib
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

import orjson

from provisioner.client import path
from provisioner.errors import ProvisionerError

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Iterable, Iterator

    from provisioner.client import Client

BATCH = 500  # lines a request; about 60 KB of a usual auth.log
TRIES = 6  # of lines that the cluster is too busy for (429), a second and more apart
_GZIP = b"\x1f\x8b"


@dataclass(slots=True)
class Shipped:
    """How many lines were stored, and how many refused for which reason."""

    stored: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


def read(file: pathlib.Path) -> Iterator[str]:
    """The lines of a log, gzipped or not, without line ends and empty lines; bytes that are no UTF-8 are replaced.

    Raises ProvisionerError where it can't be read.
    """
    try:
        with file.open("rb") as probe:
            zipped = probe.read(2) == _GZIP
        with gzip.open(file) if zipped else file.open("rb") as lines:
            for line in lines:
                if text := line.decode("utf-8", errors="replace").rstrip("\r\n"):
                    yield text
    except (OSError, EOFError, zlib.error) as error:
        words = getattr(error, "strerror", None) or str(error)
        raise ProvisionerError(f"{file} can't be read: {words}", "name a log file, plain or gzipped") from None


def ship(
    client: Client, stream: str, pipeline: str, lines: Iterable[str], progress: Callable[[int], None] = lambda _: None
) -> Shipped:
    """Store each line as `message` of one document. What the cluster refuses is counted, not raised.

    Raises ClusterError where no answer comes, ApiError where a whole request is refused.
    """
    began, result, sent, rest = time.monotonic(), Shipped(), 0, iter(lines)
    while batch := list(islice(rest, BATCH)):
        sent += len(batch)
        for attempt in range(TRIES):
            batch = _send(client, stream, pipeline, batch, result, last=attempt == TRIES - 1)
            if not batch:
                break
            time.sleep(1 + attempt)
        progress(sent)
    client.request("POST", path(stream, "_refresh"))
    result.seconds = time.monotonic() - began
    return result


def _send(client: Client, stream: str, pipeline: str, batch: list[str], result: Shipped, *, last: bool) -> list[str]:
    """One request; gives the lines that are worth another try."""
    body = b"".join(b'{"create":{}}\n' + orjson.dumps({"message": line}) + b"\n" for line in batch)
    answer = client.request("POST", path(stream, "_bulk"), body.decode(), {"pipeline": pipeline})
    again = []
    for line, item in zip(batch, answer["items"], strict=True):
        told = item["create"]
        if told["status"] == 429 and not last:
            again.append(line)
        elif error := told.get("error"):
            result.refused[_reason(error)] += 1
        else:
            result.stored += 1
    return again


def _reason(error: dict[str, object]) -> str:
    """The type of an error, and of its cause: reasons in full may quote the line."""
    cause = error.get("caused_by")
    inner = cause.get("type") if isinstance(cause, dict) else None
    return f"{error.get('type')}: {inner}" if inner else str(error.get("type"))
