"""`provisioner redact`: a filter that takes secrets and personal data out of logs."""

from __future__ import annotations

import contextlib
import os
import pathlib
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from provisioner.cli._common import HERE, RepositoryOption, err, show
from provisioner.cli._redaction import CatalogueOption, LogTypeOption, catalogue_of
from provisioner.errors import ProvisionerError

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Iterator

    from provisioner.redactfiles.outputs import Sink
    from provisioner.redactfiles.stream import Stream
    from provisioner.redactfiles.work import Counts
    from provisioner.redaction import Catalogue


class Report(StrEnum):
    """How the counts are told, on standard error."""

    TEXT = "text"
    JSON = "json"
    NONE = "none"


_Files = Annotated[
    list[pathlib.Path] | None,
    typer.Argument(metavar="FILE", help="Logs, also packed by gzip; default or -: standard input."),
]
_Text = Annotated[bool, typer.Option("--text", help="Lines are plain text, also those that look like JSON.")]
_Folder = Annotated[
    pathlib.Path | None,
    typer.Option("-o", "--output-dir", metavar="FOLDER", help="Write each file there under its name."),
]
_InPlace = Annotated[bool, typer.Option("--in-place", help="Put each file in its own place, at once.")]
_Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that are in --output-dir.")]
_Processes = Annotated[
    int | None,
    typer.Option(
        "-j", "--processes", min=1, max=64, metavar="N", help="Default: one for standard input, else all cores."
    ),
]
_KeyFile = Annotated[
    pathlib.Path | None, typer.Option("--key-file", metavar="FILE", help="Holds the key of pseudonyms.")
]
_KeyEnv = Annotated[
    str | None, typer.Option("--key-env", metavar="NAME", help="The environment variable that holds it.")
]
_KeyId = Annotated[
    str | None, typer.Option("--key-id", metavar="ID", help="Stands in each pseudonym: which key it was.")
]
_Report = Annotated[Report, typer.Option("--report", help="Counts by detector, on standard error.")]


def run(
    files: _Files = None,
    root: RepositoryOption = HERE,
    catalogue: CatalogueOption = None,
    log_type: LogTypeOption = None,
    text: _Text = False,
    folder: _Folder = None,
    in_place: _InPlace = False,
    overwrite: _Overwrite = False,
    processes: _Processes = None,
    key_file: _KeyFile = None,
    key_env: _KeyEnv = None,
    key_id: _KeyId = None,
    report: _Report = Report.TEXT,
) -> None:
    """Take secrets and personal data out of logs: standard input to standard output, or files.

    The same catalogue and result as in the cluster. A line that is no JSON is redacted as text; one that can't be
    looked at is not passed on. Lines keep their order.
    """
    from provisioner.redactfiles import stream

    names = files or [pathlib.Path("-")]
    _check(names, folder, in_place)
    chosen = catalogue_of(catalogue, root)
    setup = (chosen, log_type, _key(key_file, key_env, key_id), key_id, text)
    _tell_unkeyed(chosen, setup[2])
    many = processes or (1 if names == [pathlib.Path("-")] else len(os.sched_getaffinity(0)))
    try:
        work = stream.Stream(setup, many)
    except ValueError as error:
        raise ProvisionerError(f"the key of pseudonyms: {error}", "see --key-file and --key-id") from None
    done: list[tuple[str, Counts]] = []
    try:
        with _progress(names, folder is not None or in_place) as advance:
            for name in names:
                done.append((str(name), _one(name, folder, work, advance, in_place=in_place, overwrite=overwrite)))
    except BrokenPipeError:
        # Nobody reads any more: that is no mistake, and Python shall not complain when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(141) from None
    finally:
        work.close()
    _report(done, report)


def _check(names: list[pathlib.Path], folder: pathlib.Path | None, in_place: bool) -> None:
    if in_place and folder is not None:
        raise ProvisionerError("--in-place and --output-dir exclude each other", "say where the files go")
    if (in_place or folder is not None) and pathlib.Path("-") in names:
        raise ProvisionerError("standard input has no name to write under", "redirect standard output instead")
    for name in names:
        if str(name) != "-" and not name.is_file():
            raise ProvisionerError(f"there is no file {name}", "name files, or - for standard input")
        if in_place and (name.is_symlink() or name.stat().st_nlink > 1):
            raise ProvisionerError(f"{name} has other names (links)", "redact it to --output-dir")
    if folder is not None:
        twice = sorted({name.name for name in names if sum(other.name == name.name for other in names) > 1})
        if twice:
            raise ProvisionerError(f"two files are named {twice[0]}", "redact them to different folders")
        if any(name.resolve().parent == folder.resolve() for name in names):
            raise ProvisionerError("a file would be written over itself", "name another folder, or say --in-place")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ProvisionerError(f"{folder} can't be made: {error.strerror}", "name another folder") from None


def _key(file: pathlib.Path | None, variable: str | None, key_id: str | None) -> bytes | None:
    if file is not None and variable is not None:
        raise ProvisionerError("--key-file and --key-env exclude each other", "name the one that holds the key")
    if file is None and variable is None:
        if key_id is not None:
            raise ProvisionerError("--key-id without a key", "name the key's place: --key-file or --key-env")
        return None
    if key_id is None:
        raise ProvisionerError("a key without --key-id", "give the key a name that may be seen, such as 2026-1")
    if variable is not None:
        if not (value := os.environ.get(variable)):
            raise ProvisionerError(f"the environment variable {variable} is not set", "set it, or name another")
        return value.encode("utf-8", "surrogateescape")
    try:
        return file.read_bytes().rstrip(b"\r\n")  # type: ignore[union-attr]
    except OSError as error:
        raise ProvisionerError(f"{file} can't be read: {error.strerror}", "name the file that holds the key") from None


def _tell_unkeyed(catalogue: Catalogue, key: bytes | None) -> None:
    wanted = [str(one["name"]) for one in catalogue.body["detectors"] if one.get("action") == "pseudonym"]
    if wanted and key is None:
        err.print(f"{', '.join(wanted)}: masked, as in the cluster; pseudonyms need --key-file", markup=False)


def _one(
    name: pathlib.Path,
    folder: pathlib.Path | None,
    work: Stream,
    advance: Callable[[int], None],
    *,
    in_place: bool,
    overwrite: bool,
) -> Counts:
    from provisioner.redactfiles import outputs

    if str(name) == "-":
        return _through(sys.stdin.buffer, "standard input", sys.stdout.buffer, work, advance, flush=True)  # type: ignore[arg-type]
    try:
        source = name.open("rb")
    except OSError as error:
        raise ProvisionerError(f"{name} can't be read: {error.strerror}", "") from None
    with source:
        if folder is None and not in_place:
            return _through(source, str(name), sys.stdout.buffer, work, advance)
        before = os.fstat(source.fileno())
        target = name if in_place else folder / name.name  # type: ignore[operator]
        with outputs.whole(name, target, overwrite=in_place or overwrite) as sink:
            counts = _through(source, str(name), sink, work, advance)
            if in_place:
                outputs.unchanged(name, before)
        return counts


def _through(
    source: io.BufferedReader,
    name: str,
    sink: Sink,
    work: Stream,
    advance: Callable[[int], None],
    *,
    flush: bool = False,
) -> Counts:
    from provisioner.redactfiles import inputs
    from provisioner.redactfiles.work import Counts

    counts = Counts()
    wait = flush and inputs.is_pipe(source.fileno())
    for data, found in work.run(inputs.lines(source, name, wait=wait)):
        sink.write(data)
        if flush:
            sink.flush()
        counts.add(found)
        with contextlib.suppress(OSError, ValueError):  # a pipe has no place
            advance(source.tell())
    sink.flush()
    return counts


@contextlib.contextmanager
def _progress(names: list[pathlib.Path], apart: bool) -> Iterator[Callable[[int], None]]:
    """A bar over the bytes of all files, on a terminal that the result does not go to."""
    sizes = [0 if str(name) == "-" else name.stat().st_size for name in names]
    if not err.is_terminal or not sum(sizes) or not (apart or not sys.stdout.isatty()):
        yield lambda _: None
        return
    from provisioner.report import progress

    with progress.bytes_read(err, sizes) as advance:
        yield advance


def _report(done: list[tuple[str, Counts]], report: Report) -> None:
    from provisioner.redactfiles.work import Counts
    from provisioner.report import redact

    total = Counts()
    for _, counts in done:
        total.add(counts)
    if report is Report.TEXT:
        show(redact.lines(total), err)
    elif report is Report.JSON:
        from provisioner.report import json

        value: dict[str, Any] = redact.json(done, total)
        print(json.dumps(value), file=sys.stderr)
