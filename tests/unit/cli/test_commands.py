"""The command line's words and exit codes; nothing here needs a cluster.

Most run in this process, by the same `main` that the installed command calls; what depends on the process itself
(encodings, pipes) runs in one of its own.
"""

import json
import os
import pathlib
import subprocess
import sys
from dataclasses import dataclass

import pytest

from provisioner import cli

ROOT = pathlib.Path(__file__).parents[3]
SCHEMA = "kind: schema\nid: event\ntitle: t\nfields:\n  action: {type: keyword, description: d}\n"


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(monkeypatch, capfd):
    def run(*arguments, **environment):
        monkeypatch.setattr(sys, "argv", ["provisioner", *map(str, arguments)])
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
        return Done(code, *capfd.readouterr())

    return run


def process(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "provisioner", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_the_starter_pack_is_without_findings(run):
    done = run("validate", "-C", ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    assert "all good" in done.stdout


def test_an_empty_repository_is_fine(run, make_repository):
    done = run("validate", "-C", make_repository())
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 documents and 0 resources: all good." in done.stdout


def test_no_repository_at_all(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run("validate")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "error: there is no provisioner.yml in .\n       run `provisioner init` here, or name the repository with -C\n"
    )


@pytest.mark.parametrize("arguments", [["nothing"], ["plan", "--nothing"], ["render", "--output", "xml"]])
def test_wrong_usage(run, arguments):
    done = run(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_findings_as_json(run, make_repository):
    root = make_repository({"rules/a.yml": "kind: event\nid: A"})
    done = run("validate", "-C", root, "-o", "json")
    assert done.returncode == 1
    (found,) = json.loads(done.stdout)["findings"]
    assert (found["file"], found["line"], found["column"], found["code"]) == ("rules/a.yml", 2, 5, "DOC001")


def test_nothing_to_render(run, make_repository):
    done = run("render", "-C", make_repository())
    assert done.returncode == 2
    assert "nothing has this kind and name" in done.stderr


def test_rendering_keeps_references(run, make_repository):
    channel = (
        "kind: channel\nid: ops\ntitle: Ops\ntype: webhook\nurl: ${env:HOOK}\nheaders: {X-Key: '${env:HOOK_KEY}'}\n"
    )
    root = make_repository({"rules/a.yml": channel})
    for output in ("text", "json"):
        done = run("render", "ops", "-C", root, "-o", output, HOOK="https://hunter2.example", HOOK_KEY="hunter3")
        assert (done.returncode, done.stderr) == (0, "")
        assert "${env:HOOK}" in done.stdout
        assert "hunter" not in done.stdout


def test_no_cluster(run, make_repository):
    root = make_repository({"rules/a.yml": SCHEMA})
    for command in ("plan", "apply"):
        done = run(command, "-C", root)
        assert done.returncode == 2
        assert "http://127.0.0.1:19799 can't be reached" in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("environment", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}])
def test_a_locale_without_our_characters(make_repository, environment):
    root = make_repository({"rules/a.yml": "kind: ünï → ✗\nid: a"})
    done = process("validate", "-C", root, **environment)
    assert done.returncode == 1
    assert "rules/a.yml:1:7: DOC001 unknown kind" in done.stdout
    assert done.stderr == ""


def test_a_reader_that_goes_away(make_repository):
    root = make_repository({"rules/a.yml": "---\n".join(f"kind: x{n}\nid: a\n" for n in range(3000))})
    command = f"{sys.executable} -m provisioner validate -C {root} | head -1"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.startswith("rules/a.yml:1:7: DOC001")
    assert "Traceback" not in done.stderr


def test_the_version(run):
    assert run("--version").stdout.startswith("provisioner 0.")


def test_a_wrong_provisioner_yml_is_told_by_every_command(run, make_repository):
    root = make_repository({"provisioner.yml": "owner: acme\ntarget: {}\n"})
    for command in ("validate", "render", "plan", "apply", "doctor", "bootstrap"):
        done = run(command, "-C", root)
        assert done.returncode == 1
        assert "provisioner.yml:2:1: CFG001 unknown key 'target'" in done.stdout + done.stderr
        assert "did you mean 'targets'?" in done.stdout + done.stderr


def test_doctor_and_bootstrap_without_a_cluster(run, make_repository):
    root = make_repository()
    for command in ("doctor", "bootstrap"):
        done = run(command, "-C", root)
        assert done.returncode == 1
        assert "✗  server  http://127.0.0.1:19799 can't be" in done.stdout


def test_a_new_repository(run, tmp_path):
    folder = tmp_path / "new" / "repository"
    done = run("init", folder, "--owner", "e2e-x")
    assert (done.returncode, done.stderr) == (0, "")
    assert run("validate", "-C", folder).returncode == 0
    assert "owner: e2e-x" in (folder / "provisioner.yml").read_text()
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    again = run("init", folder)
    assert again.returncode == 2
    assert "nothing was written" in again.stderr
    assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize("owner", ["Acme", "", "a" * 33, "a_b", "1a", "a\n"])
def test_an_owner_that_cannot_be_one(run, tmp_path, owner):
    done = run("init", tmp_path / "new", "--owner", owner)
    assert done.returncode == 2
    assert "can't be an owner" in done.stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("words", "module"), [(("dev", "up"), "provisioner.devcluster.cluster"), (("demo",), "provisioner.demo.story")]
)
def test_without_the_dev_extra_its_commands_say_how_to_get_it(run, monkeypatch, words, module):
    monkeypatch.setitem(sys.modules, module, None)  # Python's own way to make an import fail
    done = run(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is missing\n       install the dev extra: pip install 'provisioner[dev]'\n" in done.stderr
