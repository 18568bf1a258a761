"""`provisioner import sigma`: what it prints, writes and ends with."""

import builtins
import json
import sys

import pytest
from sigma_repository import make
from test_importing_again import FILE, RULE

from provisioner import cli


@pytest.fixture
def run(monkeypatch, capfd, tmp_path):
    root = make(tmp_path / "repository")
    (tmp_path / "good.yml").write_text(RULE)
    (tmp_path / "bad.yml").write_text(
        RULE.replace("{Image|endswith: '\\a.exe'}", "{Image|fieldref: User}").replace("0001", "0002")
    )

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["provisioner", "import", "sigma", *map(str, arguments), "-C", str(root)])
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
        out, err = capfd.readouterr()
        return code, out, err

    run.root, run.folder = root, tmp_path
    return run


def test_it_writes_and_tells(run):
    code, out, err = run(run.folder / "good.yml", run.folder / "bad.yml")
    assert (code, err) == (0, "")
    assert f"created {FILE}\n" in out
    assert "windows     1          2   50.0 %" in out
    assert "can't compare two fields (fieldref)" in out
    assert "2 rules: 1 created, 1 refused. Wrote 3 files.\n" in out
    assert (run.root / FILE).is_file()


def test_a_dry_run_writes_nothing_and_strict_ends_with_1(run):
    code, out, _ = run(run.folder / "*.yml", "--dry-run", "--strict")
    assert code == 1
    assert "Would write 3 files; nothing was written." in out
    assert not (run.root / FILE).exists()
    assert run(run.folder / "good.yml", "--strict")[0] == 0


def test_json(run):
    code, out, _ = run(run.folder / "*.yml", "-o", "json", "--select", "level=high")
    told = json.loads(out)
    assert code == 0
    assert told["written"] is True
    assert told["files"] == ["docs/runbooks/sigma.md", FILE, "templates/schema/sigma-system.yml"]
    assert [(each["action"], each["id"], each["log_source"]) for each in told["rules"]] == [
        ("refused", "", "windows/process_creation"),
        ("created", "odd-thing", "windows/process_creation"),
    ]


@pytest.mark.parametrize("select", ["level", "colour=red", "level="])
def test_a_selection_that_is_none(run, select):
    code, out, err = run(run.folder / "good.yml", "--select", select)
    assert (code, out) == (2, "")
    assert "selects nothing" in err


def test_without_the_extra(run, monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name.partition(".")[0] == "sigma":
            raise ImportError("gone", name="sigma")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    code, out, err = run(run.folder / "good.yml")
    assert (code, out) == (2, "")
    assert "pip install 'provisioner[sigma]'" in err
