"""Each code that a finding can have has a page, and each page a code."""

import ast
import pathlib
import re
from importlib import resources

import pytest

import provisioner
from provisioner import lints, pages
from provisioner.cli import build

PACKAGE = pathlib.Path(provisioner.__file__).parent
CODE = re.compile(r"[A-Z]{3,5}[0-9]{3}")


def _codes():
    """Every text in the package's code that has the form of a code."""
    for file in PACKAGE.rglob("*.py"):
        if "starter" not in file.parts:
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
                    yield node.value


def test_each_code_has_a_page_and_each_page_a_code():
    assert set(_codes()) == set(pages.all_pages())
    assert len(pages.all_pages()) > 25


def test_pages_are_named_after_their_codes():
    files = {file.name for file in resources.files(pages).iterdir() if file.name.endswith(".md")}
    others = set(pages.all_pages()) - {lint.CODE for lint in lints.all_lints()}
    assert files == {f"{code}.md" for code in others}


@pytest.mark.parametrize("page", pages.all_pages().values(), ids=lambda page: page.code)
def test_each_page_says_what_why_and_how(page):
    assert page.title.endswith(".")
    assert "`" not in page.title[:1]
    assert len(page.summary) > 40
    parts = [page.text.index(mark) for mark in ("\nBad:\n", "\nGood:\n", "\nTo mend it, ")]
    assert parts == sorted(parts)
    assert page.text.startswith(f"# {page.code}: ")
    assert all(len(line) <= 130 for line in page.text.splitlines())


def _explain(*arguments):
    from typer.testing import CliRunner

    return CliRunner().invoke(build(), ["explain", *arguments])


def test_explain_prints_one_page_or_lists_all():
    assert _explain("rule001").stdout == pages.page("RULE001").text
    listed = _explain().stdout.splitlines()
    assert [line.split()[0] for line in listed] == list(pages.all_pages())


def test_explain_knows_what_was_meant():
    result = _explain("RUEL002")
    assert result.exit_code != 0
    assert "RULE002" in result.exception.hint
