"""`provisioner coverage` from the command line, on the starter pack."""

import json
import pathlib
import sys

import pytest

from provisioner import cli

ROOT = pathlib.Path(__file__).parents[3]


@pytest.fixture
def run(monkeypatch, capfd):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["provisioner", "coverage", "-C", str(ROOT), *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capfd.readouterr()
        return ended.value.code or 0, said.out, said.err

    return run


def test_each_format_on_standard_output_and_in_a_file_is_the_same(run, tmp_path):
    for output in ("text", "json", "markdown", "navigator"):
        code, out, _ = run("-o", output)
        assert code == 0
        file = tmp_path / output
        code, nothing, told = run("-o", output, "--out", file)
        assert (code, nothing) == (0, "")
        assert f"Written to {file}" in told.replace("\n", "")
        assert [line.split() for line in file.read_text().splitlines()] == [line.split() for line in out.splitlines()]
    assert json.loads((tmp_path / "json").read_text())["tactics"][0]["tactic"] == "reconnaissance"
    assert json.loads((tmp_path / "navigator").read_text())["versions"]["layer"] == "4.5"
    assert (tmp_path / "markdown").read_text().startswith("### Coverage of ATT&CK")
    assert "Credential access" in (tmp_path / "text").read_text()


def test_a_file_that_cannot_be_written_is_told(run, tmp_path):
    code, out, told = run("--out", tmp_path / "no" / "such" / "folder")
    assert (code, out) == (2, "")
    assert "can't be written" in told
