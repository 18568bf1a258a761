"""Several targets in one run: each one's outcome or error, as one JSON value or one after the other; the exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import typer
from rich.text import Text

from provisioner.cli._common import out, print_error, print_json
from provisioner.errors import ProvisionerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

T = TypeVar("T")


def tried(work: Callable[[], T]) -> T | ProvisionerError:
    """What came of it, or what went wrong: the next target gets its turn."""
    try:
        return work()
    except ProvisionerError as error:
        return error


def rule(name: str, targets: int) -> None:
    """A line with the target's name, where there are several."""
    if targets > 1:
        out.rule(Text(name), align="left")


def print_outcomes(ended: Mapping[str, T | ProvisionerError], said: Callable[[T], Any]) -> None:
    """One JSON value: of one target what it says, of several `{"targets": {...}}`. Errors on standard error too."""
    from provisioner.report import json

    values = {
        name: json.error(each) if isinstance(each, ProvisionerError) else said(each) for name, each in ended.items()
    }
    print_json(next(iter(values.values())) if len(values) == 1 else {"targets": values})
    print_errors(ended)


def print_errors(ended: Mapping[str, Any]) -> None:
    """What went wrong, on standard error; of several targets with their names."""
    for name, each in ended.items():
        if isinstance(each, ProvisionerError):
            print_error(each, f"{name}: " if len(ended) > 1 else "")


def end(ended: Iterable[Any], *, otherwise: bool) -> None:
    """End the command with the highest exit code of the errors; without any with 1 where something else is to tell."""
    code = max((each.exit_code for each in ended if isinstance(each, ProvisionerError)), default=0)
    if code or otherwise:
        raise typer.Exit(max(code, int(otherwise)))
