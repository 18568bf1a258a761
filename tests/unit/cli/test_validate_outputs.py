"""`validate -o …` as commands print it."""

import json
import subprocess
import sys
from xml.etree import ElementTree

import pytest

BAD = "kind: rule\nid: a\ntitle: Ä\nquery: 'action:'\n"


def _validate(root, output):
    words = [sys.executable, "-m", "provisioner", "validate", "-C", str(root), "-o", output]
    return subprocess.run(words, capture_output=True, timeout=60, check=False, env={"LC_ALL": "C"})


@pytest.fixture
def bad(make_repository):
    return make_repository({"rules/ä.yml": BAD})


def test_sarif(bad):
    done = _validate(bad, "sarif")
    assert done.returncode == 1
    codes = {result["ruleId"] for result in json.loads(done.stdout)["runs"][0]["results"]}
    assert {"DOC002", "RULE004", "RULE011"} <= codes


def test_junit_in_utf_8_whatever_the_locale(bad):
    done = _validate(bad, "junit")
    assert done.returncode == 1
    root = ElementTree.fromstring(done.stdout)
    assert root.find("testsuite").get("name") == "rules/ä.yml"
    assert int(root.get("failures")) >= 3


def test_github(bad):
    done = _validate(bad, "github")
    assert done.returncode == 1
    lines = done.stdout.decode("utf-8").splitlines()
    assert all(line.startswith(("::error file=rules/ä.yml", "::warning file=rules/ä.yml")) for line in lines)


def test_a_wrong_settings_file_too(make_repository):
    root = make_repository({"provisioner.yml": "owner: 5\n"})
    found = json.loads(_validate(root, "sarif").stdout)["runs"][0]["results"]
    assert {result["ruleId"] for result in found} == {"CFG001"}


def test_nothing_to_say(make_repository):
    root = make_repository({})
    assert _validate(root, "github").stdout == b""
    assert _validate(root, "sarif").returncode == 0
