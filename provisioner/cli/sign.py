"""`provisioner sign`: events into a log whose records are chained and signed."""

from __future__ import annotations

import os
import pathlib
import re
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from provisioner.cli._common import HERE, RepositoryOption, TargetOption
from provisioner.errors import ProvisionerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from provisioner.client import Client
    from provisioner.integrity.checkpointing import Checkpointer, Place

_SIZES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}
_LINES = 1_000
SHIPPED, NOTHING = "shipped", "none"


class Fsync(StrEnum):
    """When written records are durable."""

    ALWAYS = "always"
    INTERVAL = "interval"
    NEVER = "never"


KeyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--key",
        metavar="[ID=]SOURCE",
        help="The root key: file:/path, env:NAME or command:PROGRAM. Needed at a log's first start, and with a new "
        "id for a new key; otherwise the key state beside the log suffices.",
    ),
]
CheckpointKeyOption = Annotated[
    str,
    typer.Option("--checkpoint-key", metavar="SOURCE", help="The Ed25519 private key (PEM) that signs checkpoints."),
]
CheckpointToOption = Annotated[
    list[str] | None,
    typer.Option(
        "--checkpoint-to",
        metavar="PLACE",
        help="Where they go: file:/path, stdout, or stream:NAME on the target's cluster.",
    ),
]
RedactionOption = Annotated[
    str,
    typer.Option(
        "--redaction",
        metavar="FILE",
        help=f"The catalogue to redact by before signing; {SHIPPED} is the starter pack's, {NOTHING}: no redaction.",
    ),
]
FsyncOption = Annotated[Fsync, typer.Option("--fsync", help="When records are made durable.")]
StateOption = Annotated[
    pathlib.Path | None, typer.Option("--state", metavar="FILE", help="The key state; default: LOG.state.")
]
StreamOption = Annotated[str, typer.Option("--stream", metavar="ID", help="The id of a new stream; default: made up.")]
EveryOption = Annotated[
    str, typer.Option("--checkpoint-every", metavar="5m", help="How often; one is made at the end as well.")
]


def run(
    log: Annotated[pathlib.Path, typer.Argument(metavar="LOG", help="The log file; it is only appended to.")],
    key: KeyOption = None,
    stream: StreamOption = "",
    state: StateOption = None,
    fsync: FsyncOption = Fsync.INTERVAL,
    rotate: Annotated[str, typer.Option("--rotate", metavar="100M", help="Begin a new file at this size.")] = "",
    evolve: Annotated[str, typer.Option("--evolve", metavar="1h", help="Replace the signing key this often.")] = "1h",
    redaction: RedactionOption = SHIPPED,
    checkpoint_key: CheckpointKeyOption = "",
    checkpoint_to: CheckpointToOption = None,
    checkpoint_every: EveryOption = "5m",
    tee: Annotated[bool, typer.Option("--tee", help="Print the signed records too.")] = False,
    root: RepositoryOption = HERE,
    target: TargetOption = None,
) -> None:
    """Sign the events on standard input, one JSON object a line, and append them to a log.

    A line that is no event is signed as the message of one. What a killed writer left is recorded in the log. Several
    processes may write one log. `provisioner verify` checks it.
    """
    from provisioner import durations
    from provisioner.integrity import keysource
    from provisioner.integrity.chain import Chain, Options

    try:
        evolve_seconds, every = durations.ms(evolve) / 1_000, durations.ms(checkpoint_every) / 1_000
    except ValueError as error:
        raise ProvisionerError(str(error)) from None
    options = Options(
        fsync=fsync.value,
        rotate_bytes=_size(rotate) if rotate else None,
        evolve_seconds=evolve_seconds,
        redact=_redactor(redaction),
        checkpoint_seconds=every,
    )
    checkpointer = checkpoints(checkpoint_key, checkpoint_to or [], root, target)
    keys = keysource.ring(key) if key else None
    with Chain(log, keys, stream=stream or None, state=state, checkpointer=checkpointer, options=options) as chain:
        try:
            for lines in (each for events in _batches() for each in chain.write(events, own=True)):
                if tee:
                    _print(lines)
            if checkpointer is not None:
                chain.checkpoint()
        except OSError as error:
            raise ProvisionerError(
                f"{log} can't be written: {error.strerror}", "free space, then run it again"
            ) from None


def _print(lines: Sequence[bytes]) -> None:
    try:
        sys.stdout.buffer.write(b"".join(lines))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains when it ends
        raise ProvisionerError("nobody reads what --tee prints", "what was read so far is signed and written") from None


def _batches() -> Iterator[list[dict[str, Any]]]:
    """Events as they come: what is there is signed at once, however little it is."""
    from provisioner.integrity import sources

    for block in sources.aligned(iter(lambda: os.read(sys.stdin.fileno(), sources.BLOCK), b"")):
        lines = block.split(b"\n")
        for begin in range(0, len(lines), _LINES):
            yield [event(line) for line in lines[begin : begin + _LINES] if line.strip()]


def event(line: bytes) -> dict[str, Any]:
    """A line's event; a line that is none, or that is signed already, becomes the message of one."""
    import orjson

    try:
        said = orjson.loads(line)
    except ValueError:
        said = None
    if isinstance(said, dict) and "integrity" not in said:
        return said
    text = line.decode("utf-8", "replace")
    return {"category": "system", "action": "unclassified", "severity": "info", "message": text}


def checkpoints(
    key: str, places: Sequence[str], root: pathlib.Path, target: str | None, tree: pathlib.Path | None = None
) -> Checkpointer | None:
    """The checkpointer that the options describe. Raises ProvisionerError."""
    if not key and not places:
        return None
    if not key or not places:
        raise ProvisionerError("checkpoints need a key and a place", "give both --checkpoint-key and --checkpoint-to")
    from provisioner.integrity import keysource
    from provisioner.integrity.checkpointing import Checkpointer

    return Checkpointer(keysource.private_key(key), [_place(each, root, target) for each in places], tree)


def _place(said: str, root: pathlib.Path, target: str | None) -> Place:
    from provisioner.integrity import places

    def client() -> Client:
        from provisioner import settings
        from provisioner.client import Client

        return Client(settings.load(root, target).target)

    found = places.of(said, client)
    if found is None:
        raise ProvisionerError(f"--checkpoint-to: {said!r} is no place", "write file:/path, stdout or stream:NAME")
    return found


def _redactor(catalogue: str) -> Callable[[dict[str, Any]], dict[str, Any]] | None:
    if catalogue == NOTHING:
        return None
    from provisioner.redaction import Catalogue, Redactor

    return Redactor(Catalogue.shipped() if catalogue == SHIPPED else Catalogue.load(pathlib.Path(catalogue))).event


def _size(text: str) -> int:
    match = re.fullmatch(r"([1-9]\d*)([kMG]?)", text)
    if match is None:
        raise ProvisionerError(f"--rotate: {text!r} is no size", "write for example 500k, 100M or 2G")
    return int(match[1]) * _SIZES[match[2]]
