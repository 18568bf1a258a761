"""`provisioner demo`: the whole story in a terminal."""

from __future__ import annotations

import pathlib
import signal
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from provisioner.cli._common import dev_extra

if TYPE_CHECKING:
    from types import FrameType

_WIDTH = 120  # columns where there is no terminal, as in CI


def run(
    *,
    log: Annotated[
        pathlib.Path | None,
        typer.Option(
            help="Your own log, such as /var/log/auth.log, plain or gzipped; classic syslog times are taken as UTC."
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(min=1024, max=65000, help="The cluster's port; the next free one if taken.")
    ] = 9270,
    http_port: Annotated[
        int, typer.Option(min=1024, max=65000, help="Port of the web server for notifications.")
    ] = 9281,
    smtp_port: Annotated[
        int, typer.Option(min=1024, max=65000, help="Port of the mail server for notifications.")
    ] = 9282,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the cluster running and the repository in place.")
    ] = False,
    name: Annotated[str, typer.Option(help="Name of the demo's cluster; it is emptied at each start.")] = "demo",
) -> None:
    """Start a real OpenSearch, push the starter pack, ship a log, and see an attack alerted and notified.

    Nothing leaves this machine. Exit code 0: all was as it must be; 1: it was not; 2: the machine, a file or an option.
    """
    from rich.console import Console

    with dev_extra():
        from provisioner.demo import story
    signal.signal(signal.SIGTERM, _ended)
    options = story.Options(log, name, port, http_port, smtp_port, keep)
    story.tell(options, Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH))


def _ended(_signal: int, _frame: FrameType | None) -> None:
    """Asked to end: unwind, so that the cluster is stopped."""
    raise SystemExit(143)
