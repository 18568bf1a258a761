"""`provisioner validate`: check a repository, without a cluster unless asked to."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from provisioner.cli._common import (
    HERE,
    AllTargetsOption,
    FindingsOutput,
    RepositoryOption,
    TargetsOption,
    choose,
    once,
    print_json,
    show,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from provisioner.model import Finding
    from provisioner.repository import Repository


def run(
    root: RepositoryOption = HERE,
    target: TargetsOption = None,
    all_targets: AllTargetsOption = False,
    online: Annotated[
        bool, typer.Option("--online", help="Ask each target's cluster as well whether scripts compile.")
    ] = False,
    output: Annotated[
        FindingsOutput,
        typer.Option("-o", "--output", help="What to print: text, json, or what a CI system reads."),
    ] = FindingsOutput.TEXT,
) -> None:
    """Check every file: YAML, schema, references, fields, templates. No cluster is asked.

    With the variables of one target, or of each of several. `--online` also asks each target's cluster whether scripts
    compile; it stores nothing. Exit code 0: nothing to say; 1: findings; 2: there is no repository here.
    """
    from provisioner import repository
    from provisioner.errors import FindingsError

    try:
        chosen = choose(root, target or [], all_targets)
        loaded = [repository.load_for(root, each, meanwhile=_prepare) for each in chosen]
    except FindingsError as error:
        print_all(error.findings, [], output)
        raise typer.Exit(1) from None
    found = once([*(each.findings for each in loaded), *(_online(each) for each in loaded if online)])
    print_all(found, (document.origin.file for each in loaded for document in each.source.documents.values()), output)
    if found:
        raise typer.Exit(1)
    if output is FindingsOutput.TEXT:
        from rich.text import Text

        from provisioner.report.text import count

        documents, resources = count(len(loaded[0].source.documents), "document"), len(loaded[0].resources)
        checked = f"{documents} and {count(resources, 'resource')}"
        targets = f"{documents} for {count(len(loaded), 'target')}"
        show([Text(f"{targets if len(loaded) > 1 else checked}: all good.", style="green")])


def _prepare() -> None:
    """Import what prints, while other processes have begun to read."""
    from provisioner.report import text  # noqa: F401


def print_all(found: Sequence[Finding], files: Iterable[str], output: FindingsOutput) -> None:
    """The findings in the format asked for; `files` are those that were checked."""
    if output is FindingsOutput.TEXT:
        from provisioner.report import text

        show(text.findings(found))
        return
    from provisioner.report import github, json, junit, sarif

    if output is FindingsOutput.JSON:
        print_json(json.findings(found))
    elif output is FindingsOutput.SARIF:
        print_json(sarif.findings(found))
    else:
        lines = "".join(f"{line}\n" for line in github.findings(found))
        text_ = junit.findings(found, files) if output is FindingsOutput.JUNIT else lines
        sys.stdout.flush()
        sys.stdout.buffer.write(text_.encode())  # whatever the locale, as its readers expect
        sys.stdout.flush()


def _online(loaded: Repository) -> Iterator[Finding]:
    from provisioner import online
    from provisioner.client import Client

    yield from online.check(Client(loaded.settings.target), loaded.resources)
