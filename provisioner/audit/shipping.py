"""The chain's way into the audit data stream of a cluster: all of it, in order, each record once.

A file beside the chain remembers how far each cluster has it. A record's id in the cluster is its `event_id`, so that
sending it twice stores it once; but a data stream knows an id only within its latest index. So what was under way when
an answer got lost is looked for before it is sent again.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson

from provisioner.audit.place import shipped_file
from provisioner.client import path
from provisioner.errors import ProvisionerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from provisioner.client import Client
    from provisioner.settings import Settings

BATCH = 500
_THERE = (200, 201, 409)
_KEPT = 50
"""Clusters and releases that are remembered: the latest."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """How far a cluster has a chain: the last record's number, and where the next one begins (inode, bytes).

    `trying` is the last record of a batch under way, -1: none is. An answer may have got lost.
    """

    chain: str = ""
    seq: int = -1
    inode: int = 0
    offset: int = 0
    trying: int = -1


@dataclass(frozen=True, slots=True)
class Line:
    """One record as it stands in the file, and where the next one begins."""

    chain: str
    seq: int
    id: str
    text: bytes
    inode: int
    end: int


def stream(settings: Settings) -> str:
    """The audit data stream of a target's namespace."""
    return f"logs-audit-{settings.target.namespace}"


def ship(client: Client, name: str, file: Path) -> int:
    """Send what this cluster does not have yet, where it has that data stream; how many records that were.

    Raises ProvisionerError, OSError: what was taken before is remembered.
    """
    if client.get(path("_data_stream", name)) is None:
        return 0
    place = _place(client, name)
    known = _read(file).places.get(place, Shipped())
    sent = 0
    for batch in _batches(file, known):
        if batch[0].chain != known.chain:  # the chain was begun anew
            known = Shipped(batch[0].chain)
        unclear = [line for line in batch if line.seq <= known.trying]
        there = _there(client, name, unclear) if unclear else frozenset()
        trying = max(batch[-1].seq, known.trying)
        _remember(file, place, replace(known, trying=trying))
        refused = _send(client, name, [line for line in batch if line.id not in there])
        took = next((n for n, line in enumerate(batch) if line.id in refused), len(batch))
        if took:
            last = batch[took - 1]
            known = Shipped(last.chain, last.seq, last.inode, last.end, trying if trying > last.seq else -1)
            _remember(file, place, known)
            sent += took
        if refused:
            raise ProvisionerError(_refusal(name, next(iter(refused.values()))))
    return sent


def waiting(client: Client, name: str, file: Path) -> int | None:
    """How many records this cluster does not have yet; None where it has no such data stream. Nothing is sent."""
    if client.get(path("_data_stream", name)) is None:
        return None
    known = _read(file).places.get(_place(client, name), Shipped())
    return sum(len(batch) for batch in _batches(file, known))


def _place(client: Client, name: str) -> str:
    return f"{client.greet().get('cluster_uuid', '')}/{name}"


def _there(client: Client, name: str, lines: Sequence[Line]) -> frozenset[str]:
    body = {"size": len(lines), "_source": False, "query": {"ids": {"values": [line.id for line in lines]}}}
    found = client.request("POST", path(name, "_search"), body, safe=True)
    return frozenset(hit["_id"] for hit in found["hits"]["hits"])


def _send(client: Client, name: str, lines: Sequence[Line]) -> dict[str, Mapping[str, Any]]:
    """Send records; the errors of those that were refused, by their ids."""
    if not lines:
        return {}
    body = b"".join(orjson.dumps({"create": {"_id": line.id}}) + b"\n" + line.text + b"\n" for line in lines)
    answer = client.request("POST", path(name, "_bulk"), body.decode())
    items = [item["create"] for item in answer["items"]]
    return {each["_id"]: each.get("error", {}) for each in items if each["status"] not in _THERE}


def _refusal(name: str, error: Mapping[str, Any]) -> str:
    type_ = str(error.get("type", ""))
    if type_ == "strict_dynamic_mapping_exception":
        return f"the latest index of {name} has an older schema: POST {name}/_rollover gives it the new one"
    return f"{name} refuses them: {type_}"


# The records


def _batches(file: Path, known: Shipped) -> Iterator[list[Line]]:
    batch: list[Line] = []
    for line in _lines(file, known):
        if batch and (len(batch) == BATCH or line.chain != batch[0].chain):
            yield batch
            batch = []
        batch.append(line)
    if batch:
        yield batch


def _lines(file: Path, known: Shipped) -> Iterator[Line]:
    """The records behind what is known, from the file itself and those that it was before."""
    files = _files(file)
    inodes = [each.stat().st_ino for each in files]
    first = inodes.index(known.inode) if known.inode in inodes else 0
    for each, inode in zip(files[first:], inodes[first:], strict=True):
        begin = known.offset if inode == known.inode and known.offset <= each.stat().st_size else 0
        for line in _records(each, inode, begin):
            if line.chain != known.chain or line.seq > known.seq:
                yield line


def _files(file: Path) -> list[Path]:
    from provisioner.integrity import sources

    if not file.exists():
        return []
    return [each for each in sources.files([file.parent]) if sources.base(each) == str(file) and each.suffix != ".gz"]


def _records(file: Path, inode: int, begin: int) -> Iterator[Line]:
    """Whole lines that hold a record; a torn one is left out, as the record after it says what became of it."""
    with file.open("rb") as opened:
        opened.seek(begin)
        at = begin
        for raw in opened:
            at += len(raw)
            try:
                record = orjson.loads(raw) if raw.endswith(b"\n") else {}
                chain, seq, id_ = record["integrity"]["stream"], record["integrity"]["seq"], record["event_id"]
            except (ValueError, KeyError, TypeError):
                continue
            yield Line(chain, seq, id_, raw[:-1], inode, at)


# What is remembered


@dataclass(frozen=True, slots=True)
class _Known:
    """`places`: how far each data stream of each cluster has the chain. `told`: releases recorded for another run."""

    places: Mapping[str, Shipped]
    told: tuple[str, ...]


def told(file: Path) -> tuple[str, ...]:
    """Releases of killed and unrecorded runs that this chain has."""
    return _read(file).told


def tell(file: Path, mark: str) -> None:
    """This chain has that release. Raises OSError."""
    known = _read(file)
    _write(file, replace(known, told=(*known.told, mark)[-_KEPT:]))


def _remember(file: Path, place: str, shipped: Shipped) -> None:
    known = _read(file)
    others = [(name, each) for name, each in known.places.items() if name != place]
    _write(file, replace(known, places=dict([*others[-_KEPT:], (place, shipped)])))


def _read(file: Path) -> _Known:
    """What is remembered; nothing where that can't be read: sending twice is harmless."""
    try:
        said = orjson.loads(shipped_file(file).read_bytes())
        return _Known({name: Shipped(**each) for name, each in said["places"].items()}, tuple(said["told"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return _Known({}, ())


def _write(file: Path, known: _Known) -> None:
    place = shipped_file(file)
    made = place.with_name(f"{place.name}.{os.getpid()}.new")
    said = {"places": {name: asdict(each) for name, each in known.places.items()}, "told": list(known.told)}
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, orjson.dumps(said))
    finally:
        os.close(descriptor)
    made.replace(place)
