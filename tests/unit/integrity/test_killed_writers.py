"""SIGKILL of writers at random moments: the chain verifies, and nothing acknowledged is lost."""

import json
import pathlib
import subprocess
import sys

import pytest

PROGRAM = pathlib.Path(__file__).with_name("killing.py")


def killed(folder, kills, seed):
    done = subprocess.run(
        [sys.executable, PROGRAM, folder, str(kills), str(seed)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["intact"], told
    assert told["lost"] == [], told
    assert told["acknowledged"] > kills
    assert told["epochs"] > 1
    return told


def test_ten_kills(tmp_path):
    killed(tmp_path, 10, 1)


@pytest.mark.long
def test_two_hundred_kills(tmp_path):
    print(killed(tmp_path, 200, 2))
