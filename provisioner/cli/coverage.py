"""`provisioner coverage`: what the rules cover, and what they don't."""

from __future__ import annotations

import pathlib
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from provisioner.cli import _common
from provisioner.cli._common import HERE, RepositoryOption, TargetOption, err, print_json, show, show_table

if TYPE_CHECKING:
    from provisioner.coverage import Coverage


class CoverageOutput(StrEnum):
    """Formats that coverage can be printed in."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    NAVIGATOR = "navigator"


def run(
    root: RepositoryOption = HERE,
    target: TargetOption = None,
    output: Annotated[
        CoverageOutput,
        typer.Option("-o", "--output", help="navigator: a layer for MITRE's ATT&CK Navigator."),
    ] = CoverageOutput.TEXT,
    file: Annotated[
        pathlib.Path | None, typer.Option("--out", metavar="FILE", help="Write it into a file instead of printing it.")
    ] = None,
    runbooks: Annotated[
        str,
        typer.Option(
            "--runbooks", metavar="URL", help="Where the repository's files can be read: a layer's links go there."
        ),
    ] = "",
) -> None:
    """Show what the enabled rules cover: techniques of ATT&CK by tactic, and events, log types and rules with gaps.

    No cluster is asked.
    """
    from provisioner import attack, coverage

    shape = _common.Output.JSON if output in (CoverageOutput.JSON, CoverageOutput.NAVIGATOR) else _common.Output.TEXT
    loaded = _common.load(root, target, shape)
    found = coverage.cover(loaded.source, attack.load())
    if file is not None:
        _write(file, _text(found, output, loaded.settings.owner, runbooks))
        err.print(f"Written to {file}", markup=False)
    elif output is CoverageOutput.TEXT:
        from provisioner.report import coverage as report

        show_table(report.table(found))
        show(report.lines(found))
    elif output is CoverageOutput.MARKDOWN:
        print(_text(found, output, loaded.settings.owner, runbooks), end="")
    else:
        print_json(_value(found, output, loaded.settings.owner, runbooks))


def _value(found: Coverage, output: CoverageOutput, owner: str, runbooks: str) -> object:
    from provisioner.report import coverage as report
    from provisioner.report import navigator

    return navigator.layer(found, owner, runbooks) if output is CoverageOutput.NAVIGATOR else report.json(found)


def _text(found: Coverage, output: CoverageOutput, owner: str, runbooks: str) -> str:
    from provisioner.report import coverage as report
    from provisioner.report import json

    if output is CoverageOutput.MARKDOWN:
        return report.as_markdown(found)
    if output is not CoverageOutput.TEXT:
        return f"{json.dumps(_value(found, output, owner, runbooks))}\n"
    plain = Console(highlight=False, width=200, color_system=None)
    with plain.capture() as captured:
        plain.print(report.table(found))
        for line in report.lines(found):
            plain.print(line, soft_wrap=True)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"


def _write(file: pathlib.Path, text: str) -> None:
    from provisioner.errors import ProvisionerError

    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ProvisionerError(f"{file} can't be written: {error.strerror}", "name another file") from None
