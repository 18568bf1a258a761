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
    from provisioner.settings import Settings

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


class Output(StrEnum):
    """Formats that a command can print."""

    TEXT = "text"
    JSON = "json"


class PlanOutput(StrEnum):
    """Formats that a plan can be printed in."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


RepositoryOption = Annotated[
    pathlib.Path, typer.Option("-C", "--repository", help="The repository's folder, which holds provisioner.yml.")
]
TargetOption = Annotated[
    str | None, typer.Option("-t", "--target", help="The target in provisioner.yml; default: its default_target.")
]
TargetsOption = Annotated[
    list[str] | None,
    typer.Option("-t", "--target", help="A target in provisioner.yml, or several; default: its default_target."),
]
AllTargetsOption = Annotated[bool, typer.Option("--all-targets", help="Every target in provisioner.yml, in its order.")]
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
    return load_all(root, [target] if target else [], False, output)[0]


def load_all(root: pathlib.Path, targets: Sequence[str], every: bool, output: Output) -> list[Repository]:
    """The repository for each target, without errors; findings that several targets share are printed once."""
    from provisioner import repository
    from provisioner.errors import FindingsError

    try:
        loaded = [repository.load_for(root, chosen) for chosen in choose(root, targets, every)]
    except FindingsError as error:
        print_findings(error.findings, output)
        raise typer.Exit(1) from None
    found = list(dict.fromkeys(finding for each in loaded for finding in each.findings))
    if any(each.errors for each in loaded):
        print_findings(found, output)
        err.print(Text("Nothing was applied.", style="bold"))
        raise typer.Exit(1)
    if found and output is Output.TEXT:
        print_findings(found, output, err)
    return loaded


def choose(root: pathlib.Path, targets: Sequence[str], every: bool) -> list[Settings]:
    """The targets named; all of them with `every`; else the default one."""
    from provisioner import settings

    if targets or every:
        return settings.load_all(root, targets, every)
    return [settings.load(root, None)]


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
