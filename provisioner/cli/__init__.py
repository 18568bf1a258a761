"""The command line: one module per command."""

from __future__ import annotations

import gc
import importlib
import io
import keyword
import signal
import sys
import traceback
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from provisioner.errors import ProvisionerError

_COLLECT = 100_000
"""New objects after which Python looks for garbage: a command holds nearly all that it makes until it ends, and by
default (700) a fifth of a plan's time went into looking."""

COMMANDS = {
    "init": "Write the starter pack (rules, templates, retention) and a provisioner.yml; nothing is overwritten.",
    "validate": "Check every file: YAML, schema, references, fields, templates. No cluster is asked.",
    "test": "Run rules' tests: their events through the rendered templates and pipelines, and the rendered monitors "
    "on them.",
    "explain": "Explain a finding's code: what is wrong, why it matters, an example, how to mend it; "
    "without one, list all.",
    "backtest": "Show how often rules would have fired on the target's data, by their rendered monitors; "
    "nothing is written there.",
    "coverage": "Show what the enabled rules cover: techniques of ATT&CK by tactic, and events, log types and rules "
    "with gaps.",
    "render": "Print the rendered bodies, secrets as references; with `--kind shipper` the configuration of a shipper.",
    "plan": "Compare the repository with the cluster and show every change. Nothing is written.",
    "apply": "Plan, ask on a terminal, and make the changes in the order of their dependencies.",
    "pull": "Write monitors, channels, policies, templates and more that were made elsewhere as raw documents.",
    "drift": "Compare what the cluster shows with what it showed after the last apply. "
    "The repository's files don't count.",
    "history": "List the releases, the last one first: when, who, which revision, how it ended. Reads the state alone.",
    "rollback": "Plan back to what a release left in the cluster, ask on a terminal, and apply it: a new release.",
    "bootstrap": "Preflight, plan, apply, and a canary event for each data stream that proves the setup "
    "and is removed again.",
    "ack": "Acknowledge active alerts: who does looks after them, and they notify no more until they are over.",
    "hold": "Hold data: no retention and no apply deletes it, and nobody changes it, until the hold is released.",
    "doctor": "Ask the target's cluster whether it has what provisioner needs. "
    "Nothing is written; exit code 1 where not.",
    "redact": "Take secrets and personal data out of logs: standard input to standard output, or files.",
    "scan": "Find secrets and personal data in what is stored already; nothing is written, and no value is shown.",
    "import": "Write rules of other projects as rules of this repository.",
    "sign": "Sign the events on standard input, one JSON object a line, and append them to a log.",
    "verify": "Verify signed logs: intact, or every record that is not as it was written, and what was done to it.",
    "proof": "Checkpoints of a signed log, and proofs that need no key of the log.",
    "schema": "Print a JSON Schema (draft 2020-12); without a kind, the names of all kinds and rule types.",
    "demo": "Start a real OpenSearch, push the starter pack, ship a log, and see an attack alerted and notified.",
    "dev": "A development cluster: the real OpenSearch server on this machine.",
}
"""Every command with the first sentences of its help, so that the list of them imports none; a test compares them."""


class Command(TyperCommand):
    """A command whose help fits any width, and which prints its error as JSON where JSON was asked for."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # A docstring's line ends are the editor's; typer joins only those of the first paragraph.
        self.help = "\n\n".join(" ".join(each.split()) for each in (self.help or "").split("\n\n"))

    def get_params(self, ctx: Any) -> Any:
        """The parameters; a flag is shown without a type, as it takes no value."""
        return _untyped(super().get_params(ctx))

    def invoke(self, ctx: Any) -> Any:
        """Run it. What goes wrong is one JSON value on standard output too: whoever reads that gets one always."""
        try:
            return super().invoke(ctx)
        except ProvisionerError as error:
            if ctx.params.get("output") == "json":
                from provisioner.cli._common import print_json
                from provisioner.report import json

                print_json(json.error(error))
            raise


class Group(TyperGroup):
    """Several commands, whose flags are shown without a type as well."""

    def get_params(self, ctx: Any) -> Any:
        """The parameters."""
        return _untyped(super().get_params(ctx))


class Commands(Group):
    """The commands by name alone; the module of one is imported when that one is called."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "commands": {name: Command(name, help=COMMANDS[name]) for name in COMMANDS}})

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The real command, where there is one of this name."""
        if args and args[0] in COMMANDS:
            self.commands[args[0]] = load(args[0])
        return super().resolve_command(ctx, args)


def _untyped(params: Any) -> Any:
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = ""
    return params


def load(name: str) -> Any:
    """A command from its module: a function `run`, or several commands in an `app`."""
    # `import` is a word of Python: its module is `import_`.
    module = importlib.import_module(f"{__name__}.{name}_" if keyword.iskeyword(name) else f"{__name__}.{name}")
    one = typer.Typer(add_completion=False)
    one.callback()(_options)  # with a callback it is a group, whatever is in it
    if hasattr(module, "app"):
        one.add_typer(module.app, name=name)
    else:
        one.command(name, cls=Command)(module.run)
    group = typer.main.get_command(one)
    return group.commands[name]  # type: ignore[attr-defined]


def build() -> typer.Typer:
    """The whole command line."""
    app = typer.Typer(
        name="provisioner",
        cls=Commands,
        help="GitOps for security logging on OpenSearch.",
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
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
    """Run a command; what goes wrong becomes a sentence on standard error and an exit code, never a traceback.

    But for mistakes of our own: those end with 2 as well, so that none is taken for findings, drift or changes.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A locale that lacks a character must not end the command; a log of both streams must keep their order.
            stream.reconfigure(errors="backslashreplace", line_buffering=True)
    gc.set_threshold(_COLLECT, 20, 20)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: apply records what it has done
    try:
        build()()
    except SystemExit:
        gc.freeze()  # Python would look through all that was read and made once more, only to throw it away
        raise
    except ProvisionerError as error:
        from provisioner.cli._common import print_error

        print_error(error)
        sys.exit(error.exit_code)
    except Exception:  # noqa: BLE001 (Python itself would end with 1)
        traceback.print_exc()
        print("error: this is a mistake in provisioner; please report it with the lines above", file=sys.stderr)
        sys.exit(2)
