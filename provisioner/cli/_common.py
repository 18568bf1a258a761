"""What commands share: options, the two consoles, and how errors end a command."""

from __future__ import annotations

import contextlib
import pathlib
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from provisioner.errors import ProvisionerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from provisioner.model import Finding
    from provisioner.repository import Repository

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


class Output(StrEnum):
    """Formats that a command can print."""

    TEXT = "text"
    JSON = "json"


RepositoryOption = Annotated[
    pathlib.Path, typer.Option("-C", "--repository", help="The repository's folder, which holds provisioner.yml.")
]
TargetOption = Annotated[
    str | None, typer.Option("-t", "--target", help="The target in provisioner.yml; default: its default_target.")
]
OutputOption = Annotated[
    Output, typer.Option("-o", "--output", help="What to print: text for people, json for machines.")
]
YesOption = Annotated[bool, typer.Option("-y", "--yes", help="Don't ask before changing the cluster.")]

HERE = pathlib.Path()


def show(lines: Iterable[Text], console: Console = out) -> None:
    """Print texts as they are: nothing in them is taken as markup."""
    for line in lines:
        console.print(line)


def print_findings(found: Sequence[Finding], output: Output, console: Console = out) -> None:
    """Findings in the format asked for: JSON on standard output, text on the console given."""
    from provisioner.report import json, text

    if output is Output.JSON:
        print(json.dumps(json.findings(found)))
    else:
        show(text.findings(found), console)


def load(root: pathlib.Path, target: str | None, output: Output) -> Repository:
    """The repository without errors. Prints its findings and ends the command with 1 where there are any errors."""
    from provisioner import repository
    from provisioner.errors import FindingsError

    try:
        loaded = repository.load(root, target)
    except FindingsError as error:
        print_findings(error.findings, output)
        raise typer.Exit(1) from None
    if loaded.errors:
        print_findings(loaded.findings, output)
        err.print(Text("Nothing was applied.", style="bold"))
        raise typer.Exit(1)
    if loaded.findings and output is Output.TEXT:
        print_findings(loaded.findings, output, err)
    return loaded


def confirm(question: str, yes: bool) -> bool:
    """Ask on a terminal, unless told not to. No terminal, no question: the answer is yes."""
    return yes or not sys.stdin.isatty() or typer.confirm(question)


@contextlib.contextmanager
def dev_extra() -> Iterator[None]:
    """Around imports that need what only the dev extra brings. Raises ProvisionerError where it is not installed."""
    try:
        yield
    except ImportError as error:
        raise ProvisionerError(
            f"{error.name} is missing", "install the dev extra: pip install 'provisioner[dev]'"
        ) from None
