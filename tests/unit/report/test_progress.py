"""Bars of long runs."""

import io
from types import SimpleNamespace

from rich.console import Console

from provisioner.report import progress


def test_a_verification_shows_a_bar_only_where_it_takes_more_than_a_second(monkeypatch):
    for seconds, shown in ((0.9, False), (1.1, True)):
        clock = iter([0.0, seconds])
        monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda clock=clock: next(clock, 9.0)))
        console = Console(file=io.StringIO(), force_terminal=True, width=100)
        with progress.verified(console, 100) as advance:
            advance(40)
        assert ("verifying" in console.file.getvalue()) == shown
