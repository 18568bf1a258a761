"""How commands say what went wrong: words on standard error, one JSON value where that was asked for, an exit code."""

import json
import os
import subprocess
import sys

import pytest

from provisioner import cli
from provisioner.cli import _deploying, _targets
from provisioner.errors import ConflictError, LimitError, LockedError, MovedError, ProvisionerError

TWO = """\
owner: acme
default_target: a
targets:
  a: {hosts: ["http://127.0.0.1:19799"], timeout: 1, username: u, password: "${env:L_MISSING_A}"}
  b: {hosts: ["http://127.0.0.1:19799"], timeout: 1, username: u, password: "${env:L_MISSING_B}"}
"""
WRONG = {"rules/a.yml": "kind: event\nid: A"}


@pytest.fixture
def run(monkeypatch, capfd):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["provisioner", *map(str, arguments)])
        try:
            cli.main()
        except SystemExit as end:
            return end.code or 0, *capfd.readouterr()
        return 0, *capfd.readouterr()

    return run


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", 0), ("0s", 0), ("10s", 10), ("1m30s", 90), ("500ms", 0.5), ("24h", 86_400), ("0m5s", 5)],
)
def test_durations(text, expected):
    assert _deploying.seconds(text) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "'' is no duration"),
        ("x", "is no duration"),
        ("-5s", "is no duration"),
        ("1.5m", "is no duration"),
        ("5 s", "is no duration"),
        ("5S", "is no duration"),
        ("٣s", "is no duration"),
        ("90", "has no unit"),
        ("25h", "is too long"),
        ("9" * 400 + "s", "is no duration"),
        ("999999999h" * 40, "is too long"),
    ],
)
def test_no_durations(text, said):
    with pytest.raises(ProvisionerError, match="--wait: ") as caught:
        _deploying.seconds(text)
    assert said in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("command", [("apply",), ("rollback", "1")])
def test_a_wrong_duration_is_told_before_anything_is_asked(run, make_repository, command):
    code, out, err = run(*command, "-C", make_repository(), "--wait", "soon")
    assert (code, out) == (2, "")
    assert err.startswith("error: --wait: 'soon' is no duration\n")


@pytest.mark.parametrize(
    "command",
    [["plan"], ["apply"], ["drift"], ["history"], ["rollback", "1"], ["pull"], ["doctor"]],
    ids=lambda command: command[0],
)
def test_one_target_without_its_secret_as_json(run, make_repository, command):
    code, out, err = run(*command, "-C", make_repository({"provisioner.yml": TWO}), "-o", "json")
    error = json.loads(out)["error"]
    assert (code, error["exit_code"]) == (2, 2)
    assert error["message"] == "the environment variable L_MISSING_A is not set"
    assert err == f"error: {error['message']}\n       {error['hint']}\n"


@pytest.mark.parametrize("command", ["plan", "drift"])
def test_all_targets_are_looked_at(run, make_repository, command):
    root = make_repository({"provisioner.yml": TWO})
    code, out, err = run(command, "-C", root, "-o", "json", "--all-targets")
    assert code == 2
    for name, said in json.loads(out)["targets"].items():
        assert said["error"]["message"] == f"the environment variable L_MISSING_{name.upper()} is not set"
        assert f"error: {name}: {said['error']['message']}\n" in err
    code, out, err = run(command, "-C", root, "--all-targets")
    assert code == 2
    assert [line.split()[0] for line in out.splitlines()] == ["a", "b"]
    assert err.count("error: ") == 2


def test_those_behind_one_that_fails_are_left_alone(run, make_repository):
    root = make_repository({"provisioner.yml": TWO})
    code, out, err = run("apply", "-C", root, "-o", "json", "-t", "b", "-t", "a")
    targets = json.loads(out)["targets"]
    assert (code, list(targets), targets["a"]) == (2, ["b", "a"], {"skipped": True})
    assert targets["b"]["error"]["exit_code"] == 2
    assert err.endswith("Left alone: a.\n")


def test_a_comment_for_each_target(run, make_repository):
    root = make_repository({"provisioner.yml": TWO})
    code, out, _ = run("plan", "-C", root, "-o", "markdown", "--all-targets")
    assert code == 2
    for name in ("a", "b"):
        assert f"<!-- provisioner plan: {name} -->\n### Plan for `{name}`: failed\n" in out


def test_a_comment_with_findings(run, make_repository):
    code, out, err = run("plan", "-C", make_repository(WRONG), "-o", "markdown")
    assert code == 1
    assert "mend the repository first\n" in out
    assert "| `DOC001` | " in out
    assert "| `rules/a.yml:2:5` |" in out
    assert "DOC001" not in err
    code, out, _ = run("plan", "-C", make_repository({"provisioner.yml": "x: 1"}), "-o", "markdown", "-t", "b")
    assert code == 1
    assert out.startswith("<!-- provisioner plan: b -->\n")
    assert "| `CFG001` | " in out


@pytest.mark.parametrize("command", ["plan", "apply", "drift", "doctor", "validate", "render", "history", "pull"])
def test_a_wrong_provisioner_yml_as_json(run, make_repository, command):
    code, out, _ = run(command, "-C", make_repository({"provisioner.yml": "x: 1"}), "-o", "json")
    assert code == 1
    assert {finding["code"] for finding in json.loads(out)["findings"]} == {"CFG001"}


def test_the_highest_exit_code_counts():
    def code(*ended, otherwise=False):
        try:
            _targets.end(ended, otherwise=otherwise)
        except _targets.typer.Exit as end:
            return end.exit_code
        return 0

    assert code("fine", None) == 0
    assert code("fine", otherwise=True) == 1
    assert code(LimitError("l"), "fine") == 1
    assert code(ProvisionerError("p"), LimitError("l"), otherwise=True) == 2


@pytest.mark.parametrize("error", [ConflictError, LimitError, LockedError, MovedError])
def test_what_stops_an_apply_ends_with_1(error):
    """As README and guide say."""
    assert error("x").exit_code == 1


def test_a_mistake_of_ours_is_not_taken_for_findings(run, make_repository, monkeypatch):
    monkeypatch.setattr("provisioner.repository.load_for", lambda *_, **__: 1 / 0)
    code, out, err = run("validate", "-C", make_repository())
    assert (code, out) == (2, "")
    assert "ZeroDivisionError" in err
    assert "error: this is a mistake in provisioner" in err


def test_a_plans_file_of_another_owner_or_version(run, make_repository, tmp_path):
    from provisioner import planfile
    from provisioner.model import Options, Origin, Plan, Resource

    root = make_repository()
    file = tmp_path / "plan.json"
    resource = Resource("dashboard", "acme-x", {}, Origin("rules/a.yml"))
    for owner, said in (("other", "the plan is other's"), ("acme", "this provisioner knows no 'dashboard'")):
        planned = Plan((), (), owner, "uuid", 0, "d" * 64)
        file.write_text(planfile.dump(planned, [resource], Options(), "dev", None))
        code, _, err = run("apply", file, "-C", root)
        assert said in err
        assert code == (1 if owner == "other" else 2)


def test_a_plans_file_that_can_not_be_read(run, make_repository, tmp_path):
    (tmp_path / "latin").write_bytes(b"\xe9")
    for name, said in (("none", "No such file or directory"), ("latin", "is not in UTF-8"), (".", "Is a directory")):
        code, out, err = run("apply", tmp_path / name, "-C", make_repository())
        assert (code, out) == (2, "")
        assert said in err
        assert err.count(str(tmp_path)) == 1


def test_each_targets_variables_are_checked(run, make_repository):
    settings = "owner: acme\ndefault_target: a\ntargets:\n  a: {hosts: ['http://x:1'], vars: {replicas: 0}}\n"
    settings += "  b: {hosts: ['http://x:1']}\n"
    template = (
        "kind: component_template\nid: t\ntitle: T\ntemplate: {settings: {number_of_replicas: '{{ replicas }}'}}\n"
    )
    root = make_repository({"provisioner.yml": settings, "templates/t.yml": template})
    assert run("validate", "-C", root) == (0, "1 document and 1 resource: all good.\n", "")
    code, out, _ = run("validate", "-C", root, "--all-targets", "-o", "json")
    (finding,) = json.loads(out)["findings"]
    assert (code, finding["code"]) == (1, "VAR001")
    assert run("validate", "-C", root, "-t", "a", "-t", "a")[1] == "1 document and 1 resource: all good.\n"


def test_what_is_not_rendered_is_told_with_what_is(run, make_repository):
    template = "kind: component_template\nid: parts\ntitle: T\ntemplate: {settings: {}}\n"
    root = make_repository({"templates/t.yml": template})
    for words, hint in ((["part"], "did you mean 'parts'?"), (["zzz"], "names: parts"), (["--kind", "x"], "kinds: ")):
        code, out, err = run("render", *words, "-C", root)
        assert (code, out) == (2, "")
        assert hint in err


def test_json_is_utf_8_whatever_the_locale(make_repository):
    root = make_repository({"rules/a.yml": "kind: ünï 🚨\nid: a"})
    done = subprocess.run(
        [sys.executable, "-m", "provisioner", "validate", "-C", str(root), "-o", "json"],
        capture_output=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    (finding,) = json.loads(done.stdout.decode("utf-8"))["findings"]
    assert "ünï 🚨" in finding["message"]
