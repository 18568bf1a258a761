"""Every lint on its own examples: `tests/cases/<code>/good.yml` must pass, `bad.yml` must not.

A line of bad.yml that ends in `# column, words` expects a finding there; there must be no others.
"""

import pathlib
import re

import pytest

from provisioner import lints, source

CASES = pathlib.Path(__file__).parents[2] / "cases"
_EXPECTED = re.compile(r"# (\d+), (.+)$")


def _run(code, name, make_repository):
    root = make_repository({f"rules/{name}": (CASES / code / name).read_text(encoding="utf-8")})
    read = source.load(root, {})
    assert read.findings == ()
    return lints.run(read)


def _codes():
    return sorted(lint.CODE for lint in lints.all_lints())


def test_every_lint_has_cases_and_every_case_a_lint():
    assert _codes() == sorted(folder.name for folder in CASES.iterdir() if folder.is_dir())
    assert len(set(_codes())) == len(_codes())


@pytest.mark.parametrize("lint", lints.all_lints(), ids=_codes())
def test_every_lint_explains_itself(lint):
    assert lint.__doc__.startswith(f"{lint.CODE}: ")
    assert len(lint.__doc__.splitlines()) > 3


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
    assert len(found) == len(expected)
    for line, column, words in expected:
        assert any((f.origin.line, f.origin.column) == (line, column) and words in f.message for f in found), words
    assert all(f.code == code and f.hint for f in found)
