"""Every lint on its own examples: `tests/cases/<code>/good.yml` must pass, `bad.yml` must not.

A line of bad.yml that ends in `# column, words` expects a finding there; there must be no others of that code.
"""

import pathlib
import re

import pytest

from provisioner import lints, settings, source
from provisioner.compile import Compiler

CASES = pathlib.Path(__file__).parents[2] / "cases"
_EXPECTED = re.compile(r"# (\d+), (.+)$")
RUNBOOKS = frozenset({"docs/runbooks/brute-force-login.md", "docs/runbooks/account-lockout.md"})


def _run(code, name, make_repository):
    root = make_repository({f"rules/{name}": (CASES / code / name).read_text(encoding="utf-8")})
    read = source.load(root, {})
    assert read.findings == ()
    chosen = settings.load(root, None)
    resources = Compiler(root, chosen, read).run().resources
    return [each for each in lints.run(lints.View(read, resources, chosen, RUNBOOKS)) if each.code == code]


def _codes():
    return sorted(lint.CODE for lint in lints.all_lints())


def test_every_lint_has_cases_and_every_case_a_lint():
    assert _codes() == sorted(folder.name for folder in CASES.iterdir() if folder.is_dir())
    assert len(set(_codes())) == len(_codes())


@pytest.mark.parametrize("code", _codes())
def test_good(code, make_repository):
    assert _run(code, "good.yml", make_repository) == []


@pytest.mark.parametrize("code", _codes())
def test_bad(code, make_repository):
    lines = (CASES / code / "bad.yml").read_text(encoding="utf-8").splitlines()
    expected = [
        (number, int(match[1]), words)
        for number, line in enumerate(lines, 1)
        if (match := _EXPECTED.search(line))
        for words in match[2].split("; ")
    ]
    found = _run(code, "bad.yml", make_repository)
    assert expected
    assert len(found) == len(expected), [f"{f.origin} {f.message}" for f in found]
    for line, column, words in expected:
        places = [(f.origin.line, f.origin.column) for f in found if words in f.message]
        assert (line, column) in places, (words, places, [f.message for f in found])
    assert all(f.hint for f in found)
