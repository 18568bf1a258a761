"""Makes the table of unsupported recordings in docs/stand-in.md from unsupported.yml.

python tests/contract/unsupported_table.py          prints whether the page is current (exit 1 if not)
python tests/contract/unsupported_table.py --write  brings it up to date
"""

from __future__ import annotations

import re
import sys
from itertools import groupby
from pathlib import Path

from replay import Recording, Unsupported, load, unsupported

PAGE = Path(__file__).parents[2] / "docs" / "stand-in.md"
BEGIN, END = "<!-- unsupported: made by tests/contract/unsupported_table.py -->", "<!-- end of unsupported -->"


def table() -> str:
    """A Markdown table: file and lines, what was asked, why the answer differs."""
    recordings: dict[str, dict[int, Recording]] = {}
    rows = ["| Recording | Request | Why the stand-in differs |", "| --- | --- | --- |"]
    for (file, reason), group in groupby(unsupported(), key=lambda entry: (entry.file, entry.reason)):
        entries = list(group)
        known = recordings.setdefault(file, {r.line: r for r in load(file)})
        rows.append(f"| {file} {_lines(entries)} | {_requests(entries, known)} | {_cell(reason)} |")
    return "\n".join(rows)


def current(page: str) -> str:
    """The page with the table as it should be. Raises ValueError when its place is not marked."""
    if BEGIN not in page or END not in page:
        raise ValueError(f"{PAGE} lacks the lines {BEGIN} and {END}")
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{rest.partition(END)[2]}"


def _lines(entries: list[Unsupported]) -> str:
    """Line numbers, runs of them as `first-last`."""
    numbers = sorted(entry.line for entry in entries)
    runs = [[n for _, n in run] for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])]
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _requests(entries: list[Unsupported], known: dict[int, Recording]) -> str:
    asked = dict.fromkeys(_request(known[entry.line]) for entry in entries)
    shown = list(asked)[:4]
    more = [f"and {len(asked) - 4} more"] if len(asked) > 4 else []
    return "<br>".join([*shown, *more])


def _request(recording: Recording) -> str:
    path = re.sub(r"[A-Za-z0-9_-]{20,}", "…", recording.path)
    note = f" ({recording.note})" if recording.note else ""
    return _cell(f"`{recording.method} {path}`{note}")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def main() -> int:
    """Check or write."""
    page = PAGE.read_text()
    made = current(page)
    if "--write" in sys.argv[1:]:
        PAGE.write_text(made)
    elif made != page:
        print(f"{PAGE} is not current: run python {sys.argv[0]} --write")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
