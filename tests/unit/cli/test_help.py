"""What `--help` looks like on a narrow terminal."""

import subprocess
import sys
import textwrap

import pytest

from provisioner import cli

WIDTH = 80
NAMES = [(name,) for name in cli.COMMANDS] + [("dev", name) for name in ("up", "down", "status", "logs")]
NAMES += [("hold", name) for name in ("add", "list", "release")]
NAMES += [("import", "sigma")]
SHOW = """
import sys
from provisioner import cli
for words in sys.argv[1:]:
    sys.argv = ["provisioner", *words.split(), "--help"]
    print("\\0", end="")
    try:
        cli.main()
    except SystemExit:
        pass
"""


@pytest.fixture(scope="module")
def pages():
    """The help of every command, in one process."""
    words = [" ".join(name) for name in NAMES]
    done = subprocess.run(
        [sys.executable, "-c", SHOW, *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={"COLUMNS": str(WIDTH), "LC_ALL": "C.UTF-8"},
    )
    return dict(zip(NAMES, done.stdout.split("\0")[1:], strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_paragraphs_are_filled(pages, name):
    """Lines end where the terminal does, not where a docstring's do."""
    page = pages[name]
    prose = page[page.index("Usage:") :].partition("\n")[2].partition("╭")[0]
    paragraphs = [[line.strip() for line in each.splitlines()] for each in textwrap.dedent(prose).split("\n\n")]
    shown = [each for each in ([line for line in lines if line] for lines in paragraphs) if each]
    assert shown
    for lines in shown:
        assert lines == textwrap.wrap(" ".join(lines), WIDTH - 2, break_on_hyphens=False, break_long_words=False)


@pytest.mark.parametrize("name", NAMES)
def test_flags_take_no_value_and_nothing_is_cut(pages, name):
    assert "<bool>" not in pages[name]
    assert "…" not in pages[name]
    assert all(len(line) <= WIDTH for line in pages[name].splitlines())
