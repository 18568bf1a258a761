"""Bars of long runs."""

import io
import subprocess
import sys
import time

import pytest
from rich.console import Console

from provisioner.report import progress


def _terminal():
    return Console(file=io.StringIO(), force_terminal=True, width=100)


@pytest.mark.parametrize("counts", [progress.COUNT, progress.SIZE, progress.TIME])
def test_a_bar_comes_only_where_it_takes_longer_and_goes_away(monkeypatch, counts):
    monkeypatch.setattr(progress, "PATIENCE", 0.1)
    for longer in (False, True):
        console = _terminal()
        with progress.shown(console, "working", 10, counts) as bar:
            bar.update(advance=4)
            end = time.monotonic() + 30
            while longer and "working" not in console.file.getvalue() and time.monotonic() < end:
                time.sleep(0.01)
        said = console.file.getvalue()
        assert ("working" in said) == longer
        assert not longer or said.endswith("\x1b[2K")
        assert said.count("\x1b[?25l") == said.count("\x1b[?25h")  # the cursor is back


def test_no_bar_without_a_terminal_and_none_is_loaded():
    code = """
import sys
from rich.console import Console
from provisioner.report import progress
with progress.shown(Console(force_terminal=False), "working", 10, progress.COUNT) as bar:
    bar.update(advance=10, says="x")
    assert not bar.full
assert "rich.progress" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == ""


def test_how_far_each_kind_of_run_has_come(monkeypatch):
    seen = []
    monkeypatch.setattr(progress.Bar, "update", lambda _, **changes: seen.append(changes))
    console = _terminal()
    with progress.bytes_read(console, [100, 50]) as come:
        for to in (60, 100, 10, 50):
            come(to)
    assert [change["completed"] for change in seen] == [60, 100, 110, 150]
    seen.clear()
    with progress.backtest(console, 2) as got:
        got("a", 0.5)
        got("", 1)
        got("b", 0.25)
    assert [(change["completed"], change["says"]) for change in seen] == [(0.5, "a"), (1, ""), (1.25, "b")]
    seen.clear()
    with progress.documents(console) as (begin, advance), progress.verified(console, 9) as count:
        begin(7)
        advance(3)
        count(2)
    assert seen == [{"says": "looking", "total": 7}, {"advance": 3}, {"advance": 2}]
