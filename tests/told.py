"""What tests have to tell beside passing: sections at the end of pytest's summary, whichever process ran the tests.

With `-n 2` the tests run in workers, and only the process that they report to prints: a worker hands its sections over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

SECTIONS: dict[str, Callable[[], list[str]]] = {}
"""Title to what gives the lines, which is asked when the tests are over; no lines, no section."""

_GOT = pytest.StashKey[dict[str, list[str]]]()


def _own() -> dict[str, list[str]]:
    return {title: lines for title, give in SECTIONS.items() if (lines := give())}


class Telling:
    """The plugin that hands them over and prints them."""

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """In a worker: what it has to tell."""
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["sections"] = _own()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker has come to its end."""
        got = node.config.stash.setdefault(_GOT, {})
        for title, lines in getattr(node, "workeroutput", {}).get("sections", {}).items():
            got.setdefault(title, []).extend(lines)

    def pytest_terminal_summary(self, terminalreporter: Any, config: pytest.Config) -> None:
        """Print them all."""
        for title, lines in {**config.stash.get(_GOT, {}), **_own()}.items():
            terminalreporter.section(title)
            for line in lines:
                terminalreporter.write_line(line)
