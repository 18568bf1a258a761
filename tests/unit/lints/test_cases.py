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


class _Untouched(tuple):
    def __iter__(self):
        raise AssertionError("a lint that is done before there are resources looks at them")


@pytest.mark.parametrize("code", _codes())
def test_what_is_said_without_resources_needs_none(code, make_repository):
    """`EACH` and `ALL` are true, and rules looked at in two parts say what they say together."""
    root = make_repository({"rules/bad.yml": (CASES / code / "bad.yml").read_text(encoding="utf-8")})
    view = lints.View(source.load(root, {}), _Untouched(), settings.load(root, None), RUNBOOKS)
    work = lints.of_documents(view)
    early = {name for number in range(work.count) for name in work.do(number)}
    marked = {
        each.__name__ for each in lints.all_lints() if getattr(each, "EACH", False) or getattr(each, "ALL", False)
    }
    assert early == marked
    for each in lints.all_lints():
        if getattr(each, "EACH", False):
            halves = [view.part(view.rules[: len(view.rules) // 2]), view.part(view.rules[len(view.rules) // 2 :])]
            assert [f for half in halves for f in each.check(half)] == list(each.check(view))
