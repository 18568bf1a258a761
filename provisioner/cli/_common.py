"""What commands share: options, the two consoles, and how errors end a command."""

from __future__ import annotations

import contextlib
import pathlib
import sys
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import typer

from provisioner.errors import FindingsError, ProvisionerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from provisioner.model import Finding
    from provisioner.repository import Repository
    from provisioner.settings import Settings

    out: Console
    err: Console


@cache
def _console(name: str) -> Console:
    from rich.console import Console

    return Console(stderr=name == "err", highlight=False, soft_wrap=True)


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """`out` and `err`, made when they are asked for: rich takes its time, which a command may have better uses for
        while it begins."""
        if name in ("out", "err"):
            return _console(name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class Output(StrEnum):
    """Formats that a command can print."""

    TEXT = "text"
    JSON = "json"


class FindingsOutput(StrEnum):
    """Formats that findings can be printed in."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"
    JUNIT = "junit"


class PlanOutput(StrEnum):
    """Formats that a plan can be printed in."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


class TestOutput(StrEnum):
    """Formats that results of rule tests can be printed in."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    GITHUB = "github"


RepositoryOption = Annotated[
    pathlib.Path,
    typer.Option("-C", "--repository", metavar="FOLDER", help="The repository's folder, which holds provisioner.yml."),
]
TargetOption = Annotated[
    str | None,
    typer.Option("-t", "--target", metavar="NAME", help="The target in provisioner.yml; default: its default_target."),
]
TargetsOption = Annotated[
    list[str] | None,
    typer.Option(
        "-t",
        "--target",
        metavar="NAME",
        help="The target in provisioner.yml; may be given several times. Default: its default_target.",
    ),
]
AllTargetsOption = Annotated[bool, typer.Option("--all-targets", help="Every target in provisioner.yml, in its order.")]
OutputOption = Annotated[
    Output, typer.Option("-o", "--output", help="What to print: text for people, json for machines.")
]
YesOption = Annotated[bool, typer.Option("-y", "--yes", help="Don't ask before changing the cluster.")]

HERE = pathlib.Path()
_UNFOLDED = 10_000


def show(lines: Iterable[Text], console: Console | None = None) -> None:
    """Print texts as they are: nothing in them is taken as markup."""
    from provisioner.report import progress

    console = console or _console("out")
    for line in lines:
        progress.put(console, line)


def print_json(value: Any) -> None:
    """JSON on standard output: in UTF-8 whatever the locale, as its readers expect."""
    from provisioner.report import json

    sys.stdout.flush()
    sys.stdout.buffer.write(f"{json.dumps(value)}\n".encode())
    sys.stdout.flush()


def show_table(table: Table) -> None:
    """Print a table; in a file or a pipe its cells are not folded, so that each is found by one search."""
    if _console("out").is_terminal:
        _console("out").print(table)
        return
    from rich.console import Console

    wide = Console(highlight=False, width=_UNFOLDED)
    with wide.capture() as captured:
        wide.print(table)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))


def print_findings(found: Sequence[Finding], output: Output, console: Console | None = None) -> None:
    """Findings in the format asked for: JSON on standard output, text on the console given."""
    from provisioner.report import json, text

    if output is Output.JSON:
        print_json(json.findings(found))
    else:
        show(text.findings(found), console)


def warn(said: str) -> None:
    """What is not as it should be, but stops nothing, on standard error."""
    from rich.text import Text

    _console("err").print(Text(f"warning: {said}", style="yellow"))


def print_error(error: ProvisionerError, where: str = "") -> None:
    """What went wrong and what to do, on standard error."""
    if isinstance(error, FindingsError):
        print_findings(error.findings, Output.TEXT, _console("err"))
        return
    _console("err").print(f"error: {where}{error.message}", style="bold red", markup=False)
    if error.hint:
        _console("err").print(f"       {error.hint}", markup=False)


def load(root: pathlib.Path, target: str | None, output: Output) -> Repository:
    """The repository without errors. Prints its findings and ends the command with 1 where there are any errors."""
    return load_all(root, [target] if target else [], False, output)[0]


def load_all(root: pathlib.Path, targets: Sequence[str], every: bool, output: Output | PlanOutput) -> list[Repository]:
    """The repository for each target, without errors; findings that several targets share are printed once."""
    from provisioner import repository

    try:
        loaded = [repository.load_for(root, chosen) for chosen in choose(root, targets, every)]
    except FindingsError as error:
        _print_refused({" ".join(targets) or "provisioner.yml": error.findings}, output)
        raise typer.Exit(1) from None
    if any(each.errors for each in loaded):
        _print_refused({each.settings.target.name: each.findings for each in loaded}, output)
        _console("err").print("Nothing was applied.", style="bold")
        raise typer.Exit(1)
    found = once(each.findings for each in loaded)
    if found and output != Output.JSON:
        print_findings(found, Output.TEXT, _console("err"))
    return loaded


def once(found: Iterable[Iterable[Finding]]) -> list[Finding]:
    """The findings of several targets, each one once."""
    return list(dict.fromkeys(finding for each in found for finding in each))


def _print_refused(found: Mapping[str, Sequence[Finding]], output: Output | PlanOutput) -> None:
    """The findings of each target, on standard output: they are the result."""
    if output is PlanOutput.MARKDOWN:
        from provisioner.report import markdown

        longest = markdown.LONGEST // len(found)
        print("\n".join(markdown.findings(each, name, longest=longest) for name, each in found.items()))
    else:
        print_findings(once(found.values()), Output(output.value))


def choose(root: pathlib.Path, targets: Sequence[str], every: bool) -> list[Settings]:
    """The targets named; all of them with `every`; else the default one."""
    from provisioner import settings

    if targets or every:
        return settings.load_all(root, targets, every)
    return [settings.load(root, None)]


def confirm(question: str, yes: bool) -> bool:
    """Ask on a terminal, unless told not to. No terminal, no question: the answer is yes. Raises KeyboardInterrupt."""
    if yes or not sys.stdin.isatty():
        return True
    try:
        return typer.confirm(question)
    except typer.Abort:  # Ctrl-C or the end of input: behind the question on its line
        print()
        raise KeyboardInterrupt from None


def agreed(question: str, yes: bool, output: Output) -> bool:
    """The same where JSON may be printed: then nothing is asked. Raises ProvisionerError, KeyboardInterrupt."""
    if output is Output.JSON and not yes and sys.stdin.isatty():
        raise ProvisionerError("with --output json no question is asked", "look at the plan first, then add --yes")
    return confirm(question, yes)


@contextlib.contextmanager
def dev_extra() -> Iterator[None]:
    """Around imports that need what only the dev extra brings. Raises ProvisionerError where it is not installed."""
    try:
        yield
    except ImportError as error:
        raise ProvisionerError(
            f"{error.name} is missing", "install the dev extra: pip install 'provisioner[dev]'"
        ) from None
