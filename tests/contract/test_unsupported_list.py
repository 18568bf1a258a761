"""The list of unsupported recordings: readable, about recordings that exist, and the same in the docs."""

from __future__ import annotations

from replay import RECORDINGS, load, unsupported
from unsupported_table import PAGE, current


def test_every_entry_names_a_recording_and_a_reason() -> None:
    lines = {path.name.removesuffix(".gz") for path in RECORDINGS.iterdir()}
    entries = unsupported()
    assert len({(entry.file, entry.line) for entry in entries}) == len(entries)
    for entry in entries:
        assert entry.file in lines, entry
        assert 1 <= entry.line <= len(load(entry.file)), entry
        assert len(entry.reason) > 20, entry


def test_the_table_in_the_docs_is_current() -> None:
    page = PAGE.read_text()
    assert current(page) == page, "run python tests/contract/unsupported_table.py --write"
