"""What the command line imports: as little as the command needs."""

import importlib
import inspect
import pathlib
import subprocess
import sys

import pytest

from provisioner import cli

SHOW = """
import sys
from provisioner import cli
sys.argv = ["provisioner", *sys.argv[1:]]
try:
    cli.main()
except SystemExit as end:
    print(end.code, *sorted(sys.modules), sep="\\n", file=sys.stderr)
"""
GROUPS = ("dev", "hold", "import", "proof")
HEAVY = {"opensearchpy", "jinja2", "jsonschema", "yaml", "urllib3", "botocore", "orjson", "httpx", "starlette"}


def imported(*arguments):
    command = [sys.executable, "-c", SHOW, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    code, *modules = done.stderr.splitlines()
    assert code in ("0", "None")
    return set(modules), done.stdout


def test_help_imports_no_command_and_nothing_heavy():
    modules, out = imported("--help")
    assert all(name in out for name in cli.COMMANDS)
    assert modules & HEAVY == set()
    assert {m for m in modules if m.startswith("provisioner")} == {
        "provisioner",
        "provisioner.cli",
        "provisioner.errors",
    }


def test_the_version_does_without_rich():
    modules, _ = imported("--version")
    assert {m for m in modules if m.partition(".")[0] == "rich"} == set()


def test_a_command_imports_no_other_and_its_help_needs_nothing_heavy():
    modules, out = imported("plan", "--help")
    assert "provisioner plan" in out
    assert "provisioner.cli.plan" in modules
    assert "provisioner.cli.demo" not in modules
    assert modules & HEAVY == set()


def test_no_module_of_a_command_imports_anything_heavy_by_itself():
    code = "import sys\nfrom provisioner import cli\n[cli.load(name) for name in cli.COMMANDS]\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "provisioner.cli.demo" in done.stdout.split()
    assert {*done.stdout.split()} & HEAVY == set()


def test_every_command_has_its_module_and_every_module_its_command():
    modules = {file.stem for file in pathlib.Path(cli.__file__).parent.glob("*.py")}
    assert {name.rstrip("_") for name in modules if not name.startswith("_")} == set(cli.COMMANDS)  # import_


@pytest.mark.parametrize("name", [name for name in cli.COMMANDS if name not in GROUPS])
def test_the_list_of_commands_says_what_their_help_says(name):
    run = importlib.import_module(f"provisioner.cli.{name}").run
    assert cli.COMMANDS[name] == " ".join((inspect.getdoc(run) or "").partition("\n\n")[0].split())


@pytest.mark.parametrize("name", GROUPS)
def test_the_list_says_what_the_help_of_groups_says(name):
    assert cli.COMMANDS[name] == cli.load(name).help
