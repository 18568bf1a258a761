"""`provisioner verify`: is a signed log as it was written."""

from __future__ import annotations

import os
import pathlib
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from provisioner.cli._common import HERE, Output, OutputOption, RepositoryOption, TargetOption, err, print_json, show
from provisioner.errors import ProvisionerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provisioner.integrity.checking import Checkpoints
    from provisioner.integrity.keys import KeyRing
    from provisioner.integrity.verdict import Result

KeyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--key",
        metavar="[ID=]SOURCE",
        help="A root key: file:/path, env:NAME or command:PROGRAM. May be given several times.",
    ),
]
CheckpointsOption = Annotated[
    list[str] | None,
    typer.Option("--checkpoints", metavar="PLACE", help="Checkpoints: a file, or stream:NAME on the target's cluster."),
]
PublicKeyOption = Annotated[
    list[pathlib.Path] | None,
    typer.Option("--public-key", metavar="FILE", help="The Ed25519 public key (PEM) that checks checkpoints."),
]


def run(
    logs: Annotated[
        list[pathlib.Path] | None,
        typer.Argument(metavar="[LOG]...", help="Log files, .gz too, folders of them, or - for standard input."),
    ] = None,
    key: KeyOption = None,
    checkpoints: CheckpointsOption = None,
    public_key: PublicKeyOption = None,
    stream: Annotated[
        str, typer.Option("--stream", metavar="NAME", help="Verify this data stream on the target's cluster instead.")
    ] = "",
    partial: Annotated[
        bool, typer.Option("--partial", help="The first and the last records may be missing: a part of a log.")
    ] = False,
    accept_redacted: Annotated[
        bool, typer.Option("--accept-redacted", help="Records redacted after signing are told, but are no failure.")
    ] = False,
    article: Annotated[
        bool, typer.Option("--article", help="The lines have _prev_hash, _timestamp and _signature instead.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, metavar="N", help="Processes; default: one for each processor.")
    ] = None,
    output: OutputOption = Output.TEXT,
    page: Annotated[
        pathlib.Path | None, typer.Option("--html", metavar="FILE", help="Write a report for an evidence file as well.")
    ] = None,
    root: RepositoryOption = HERE,
    target: TargetOption = None,
) -> None:
    """Verify signed logs: intact, or every record that is not as it was written, and what was done to it.

    Without a key, by checkpoints alone: what they cover is proven, and nothing else. Exit code 0: intact; 1: not; 2: it
    could not be verified.
    """
    from provisioner.integrity import keysource

    if bool(logs) == bool(stream):
        raise ProvisionerError(
            "name logs, or a data stream by --stream", "for example: provisioner verify /var/log/secure"
        )
    if article:
        _article(logs or [], key or [], output)
        return
    if not key and not checkpoints:
        raise ProvisionerError(
            "a key or checkpoints are needed to verify", "give --key k1=file:/path, or --checkpoints and --public-key"
        )
    ring = keysource.ring(key or [])
    signed = read_checkpoints(checkpoints or [], public_key or [], root, target)
    if stream:
        result = _stream(stream, ring, signed, root, target, partial)
    else:
        result = _files(logs or [], ring, signed, jobs or os.cpu_count() or 1, partial)
    _print(result, output)
    if page is not None:
        _write(page, result)
    if not _fine(result, accept_redacted):
        raise typer.Exit(1)


def _files(logs: Sequence[pathlib.Path], ring: KeyRing, signed: Checkpoints | None, jobs: int, partial: bool) -> Result:
    from provisioner.integrity import sources, verify
    from provisioner.report import progress

    total = sum(path.stat().st_size for path in sources.files(logs) if str(path) != sources.STDIN)
    with progress.verified(err, total) as advance:
        return verify.verify(logs, ring, signed, jobs=jobs, partial=partial, advance=advance)


def _stream(
    name: str, ring: KeyRing, signed: Checkpoints | None, root: pathlib.Path, target: str | None, partial: bool
) -> Result:
    from provisioner import settings
    from provisioner.client import Client
    from provisioner.integrity import clusterreader

    return clusterreader.verify(Client(settings.load(root, target).target), name, ring, signed, partial=partial)


def read_checkpoints(
    said: Sequence[str], keys: Sequence[pathlib.Path], root: pathlib.Path, target: str | None
) -> Checkpoints | None:
    """The checkpoints in the places named; None where none is. Raises ProvisionerError."""
    if not said:
        return None
    if not keys:
        raise ProvisionerError("checkpoints need the public key that checks them", "give --public-key")
    from provisioner.integrity import keysource, places
    from provisioner.integrity.checking import Checkpoints

    placed = []
    for each in said:
        kind, _, where = each.partition(":")
        if kind == "stream" and where:
            from provisioner import settings
            from provisioner.client import Client

            placed += places.from_stream(Client(settings.load(root, target).target), where)
        else:
            placed += places.from_file(pathlib.Path(where if kind == "file" and where else each))
    return Checkpoints(placed, [keysource.public_key(each) for each in keys])


def _article(logs: Sequence[pathlib.Path], keys: Sequence[str], output: Output) -> None:
    from provisioner.integrity import article, keysource
    from provisioner.report import integrity as report

    if len(keys) != 1:
        raise ProvisionerError("the article's format has one key", "give one --key, whose text is the secret")
    secret = keysource.fetch(keys[0]).rstrip(b"\r\n")
    results = [article.verify(log, secret) for log in logs]
    if output is Output.JSON:
        print_json({"logs": [report.article_json(each) for each in results]})
    else:
        show(line for each in results for line in report.article_text(each))
    if any(each.problems for each in results):
        raise typer.Exit(1)


def _print(result: Result, output: Output) -> None:
    from provisioner.report import integrity as report

    if output is Output.JSON:
        print_json(report.json(result))
    else:
        show(report.text(result))


def _write(file: pathlib.Path, result: Result) -> None:
    from provisioner.integrity.verify import hash_files
    from provisioner.report import integritypage

    hash_files(result)
    try:
        file.write_text(integritypage.page(result), encoding="utf-8", errors="replace")
    except OSError as error:
        raise ProvisionerError(f"{file} can't be written: {error.strerror}", "name another file") from None
    err.print(Text(f"Written to {file}"))


def _fine(result: Result, accept_redacted: bool) -> bool:
    from provisioner.integrity.verdict import Kind

    left = [each for each in result.problems if not (accept_redacted and each.kind is Kind.REDACTED)]
    return result.proven and not left
