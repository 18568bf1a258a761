"""The command line: one module per command."""

from __future__ import annotations

import importlib
import io
import signal
import sys

import typer

COMMANDS = (
    "init",
    "validate",
    "render",
    "plan",
    "apply",
    "pull",
    "drift",
    "history",
    "rollback",
    "bootstrap",
    "doctor",
    "schema",
    "demo",
)


def build() -> typer.Typer:
    """The whole command line. Modules of commands import what is heavy only when they run."""
    app = typer.Typer(
        name="provisioner",
        help="GitOps for security logging on OpenSearch.",
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for name in COMMANDS:
        app.command(name)(importlib.import_module(f"{__name__}.{name}").run)
    app.add_typer(importlib.import_module(f"{__name__}.dev").app, name="dev")
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        from provisioner import __version__

        print(f"provisioner {__version__}")
        raise typer.Exit


def _options(
    version: bool = typer.Option(
        False, "--version", help="Print the version and end.", is_eager=True, callback=_print_version
    ),
) -> None:
    """What stands before a command."""


def main() -> None:
    """Run a command; what goes wrong becomes a sentence on standard error and an exit code, never a traceback."""
    from provisioner.cli._common import Output, err, print_findings
    from provisioner.errors import FindingsError, ProvisionerError

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a locale that lacks a character must not end the command
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: apply records what it has done
    try:
        build()()
    except FindingsError as error:
        print_findings(error.findings, Output.TEXT, err)
        sys.exit(error.exit_code)
    except ProvisionerError as error:
        err.print(f"error: {error.message}", style="bold red", markup=False)
        if error.hint:
            err.print(f"       {error.hint}", markup=False)
        sys.exit(error.exit_code)
