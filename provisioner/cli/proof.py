"""`provisioner proof`: checkpoints of a signed log, and proofs that need no key of the log."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from provisioner.cli import Command, Group
from provisioner.cli._common import HERE, Output, OutputOption, RepositoryOption, TargetOption, out, print_json
from provisioner.cli.verify import CheckpointsOption, PublicKeyOption, read_checkpoints
from provisioner.errors import ProvisionerError

if TYPE_CHECKING:
    from provisioner.integrity.checkpoint import Checkpoint

app = typer.Typer(
    cls=Group, help="Checkpoints of a signed log, and proofs that need no key of the log.", no_args_is_help=True
)
LogsArgument = Annotated[
    list[pathlib.Path], typer.Argument(metavar="LOG...", help="All files of one log, .gz too, or its folder.")
]


@app.command("checkpoint", cls=Command)
def checkpoint(
    log: Annotated[pathlib.Path, typer.Argument(metavar="LOG", help="The log file that is written.")],
    key: Annotated[
        str, typer.Option("--checkpoint-key", metavar="SOURCE", help="The Ed25519 private key (PEM): file:/path, ...")
    ],
    to: Annotated[
        list[str], typer.Option("--checkpoint-to", metavar="PLACE", help="file:/path, stdout, or stream:NAME.")
    ],
    tree: Annotated[
        pathlib.Path | None, typer.Option("--tree", metavar="FILE", help="How far it has come; default: LOG.tree.")
    ] = None,
    root: RepositoryOption = HERE,
    target: TargetOption = None,
) -> None:
    """Make a checkpoint of a log's records up to now, with no key of the log: for another user than the writer."""
    from provisioner.cli.sign import checkpoints
    from provisioner.integrity.follow import stream_of

    checkpointer = checkpoints(key, to, root, target, tree)
    assert checkpointer is not None  # noqa: S101 (both options are there)
    made = checkpointer.make(log, stream_of(log))
    if "stdout" not in to:
        told = f"checkpoint {made.number}: {made.count} records, root {made.root}" if made else "no new records"
        out.print(Text(told))


@app.command("inclusion", cls=Command)
def inclusion(
    logs: LogsArgument,
    seq: Annotated[int, typer.Option("--seq", min=0, metavar="N", help="The record's sequence number.")],
    count: Annotated[
        int,
        typer.Option(
            "--count", min=0, metavar="N", help="The tree's size; default: the first checkpoint's that covers it."
        ),
    ] = 0,
    checkpoints: CheckpointsOption = None,
    public_key: PublicKeyOption = None,
    root: RepositoryOption = HERE,
    target: TargetOption = None,
) -> None:
    """Print the proof that a record is among the first records that a checkpoint covers, as JSON."""
    from provisioner.integrity import proofs

    signed = _signed(checkpoints, public_key, root, target)
    covering = next((each for each in signed if (each.count == count if count else each.count > seq)), None)
    if covering is None and not count:
        raise ProvisionerError(
            f"no checkpoint covers record {seq}", "give --checkpoints with one that does, or --count"
        )
    print_json(proofs.inclusion(logs, seq, covering.count if covering else count, covering))


@app.command("consistency", cls=Command)
def consistency(
    logs: LogsArgument,
    first: Annotated[int, typer.Option("--from", min=1, metavar="N", help="The smaller tree's size.")],
    second: Annotated[int, typer.Option("--to", min=1, metavar="N", help="The larger tree's size.")],
    checkpoints: CheckpointsOption = None,
    public_key: PublicKeyOption = None,
    root: RepositoryOption = HERE,
    target: TargetOption = None,
) -> None:
    """Print the proof that the log of one checkpoint is the begin of the log of a later one, as JSON."""
    from provisioner.integrity import proofs

    known = {each.count: each for each in _signed(checkpoints, public_key, root, target)}
    both = (known[first], known[second]) if first in known and second in known else None
    print_json(proofs.consistency(logs, first, second, both))


@app.command("check", cls=Command)
def check(
    file: Annotated[
        pathlib.Path, typer.Argument(metavar="PROOF", help="A proof, as `inclusion` or `consistency` printed it.")
    ],
    public_key: Annotated[
        pathlib.Path,
        typer.Option("--public-key", metavar="FILE", help="The Ed25519 public key (PEM) of the checkpoints."),
    ],
    output: OutputOption = Output.TEXT,
) -> None:
    """Check a proof, with the checkpoints' public key alone. Exit code 1 where it does not hold."""
    from provisioner.integrity import keysource, proofs

    said = _json(file)
    wrong = proofs.check(said, keysource.public_key(public_key))
    if output is Output.JSON:
        print_json({"holds": not wrong, "wrong": wrong})
    else:
        out.print(Text(f"The proof does not hold: {wrong}." if wrong else f"The proof holds: {_told(said)}."))
    if wrong:
        raise typer.Exit(1)


def _told(said: dict[str, Any]) -> str:
    if said["type"] == "inclusion":
        time = said["checkpoint"]["time"]
        return f"record {said['seq']} of {said['stream']} was among the first {said['count']} at {time}"
    return f"the first {said['first']} records of {said['stream']} are the begin of the first {said['second']}"


def _json(file: pathlib.Path) -> Any:
    import orjson

    from provisioner.integrity import keysource

    try:
        return orjson.loads(keysource.read_file(file))
    except ValueError:
        raise ProvisionerError(f"{file} is no JSON", "name a file that `provisioner proof` printed") from None


def _signed(
    places: list[str] | None, keys: list[pathlib.Path] | None, root: pathlib.Path, target: str | None
) -> list[Checkpoint]:
    """The genuine checkpoints, by their counts."""
    read = read_checkpoints(places or [], keys or [], root, target)
    if read is None:
        return []
    genuine = [each.made for each in read.placed if each.made is not None and read.genuine(each.made)]
    return sorted(genuine, key=lambda made: made.count)
