"""Every benchmark keeps the contract: `--check` needs no cluster, and the last line is one JSON object."""

import json
import pathlib
import subprocess
import sys

import pytest

FILES = sorted((pathlib.Path(__file__).parents[2] / "benchmarks").glob("*.py"))


def test_there_are_benchmarks():
    assert "apply.py" in {file.name for file in FILES}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_last_line_tells_ratios_aims_and_whether_they_are_met(file):
    done = subprocess.run([sys.executable, file, "--check"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert set(told) == {"name", "ratios", "aims", "met"}
    assert told["name"] == file.stem
    assert told["ratios"]
    assert all(isinstance(value, int | float) for value in [*told["ratios"].values(), *told["aims"].values()])
    assert set(told["aims"]) <= set(told["ratios"])
    assert told["met"] is all(told["ratios"][name] <= aim for name, aim in told["aims"].items())
