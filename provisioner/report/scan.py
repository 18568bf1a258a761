"""Scans for people and as JSON: counts, fields and ids of documents, never a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from provisioner.quantities import count
from provisioner.scan.tally import leaks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provisioner.scan.tally import Tally


def table(tallies: Sequence[Tally]) -> Table:
    """One row for each leak."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("data stream", "field", "detector"):
        made.add_column(head)
    for head in ("values", "documents"):
        made.add_column(head, justify="right")
    made.add_column("such as")
    for leak in leaks(tallies):
        cells = [leak.stream, shown(leak.field), leak.detector, count(leak.values), count(leak.documents)]
        made.add_row(*map(Text, [*cells, shown(leak.examples[0])]))
    return made


def lines(tallies: Sequence[Tally], *, whole: bool) -> Iterator[Text]:
    """What was looked at, and what came of it."""
    leaking = sum(tally.leaking for tally in tallies)
    said = f"{count(leaking, 'document')} with secrets or personal data" if leaking else "Nothing found"
    yield Text(f"{said}: {seen(tallies)}.", style="bold")
    if not whole:
        yield Text("Interrupted: not all was looked at that was asked for.", style="yellow")


def seen(tallies: Sequence[Tally]) -> str:
    """`looked at 1,000 of 5,213 documents in 2 data streams`."""
    looked, there = (sum(getattr(tally, name) for tally in tallies) for name in ("seen", "documents"))
    return f"looked at {count(looked)} of {count(there, 'document')} in {count(len(tallies), 'data stream')}"


def json(tallies: Sequence[Tally], *, whole: bool) -> dict[str, Any]:
    """`{"complete", "streams": [{"stream", "documents", "seen", "leaking"}], "leaks": [{"stream", "field", …}]}`."""
    return {
        "complete": whole,
        "streams": [
            {"stream": one.stream, "documents": one.documents, "seen": one.seen, "leaking": one.leaking}
            for one in tallies
        ],
        "leaks": [
            {
                "stream": leak.stream,
                "field": leak.field,
                "detector": leak.detector,
                "values": leak.values,
                "documents": leak.documents,
                "examples": leak.examples,
            }
            for leak in leaks(tallies)
        ],
    }


def shown(text: str) -> str:
    """A field's name or an id, as senders wrote it: nothing in it moves a terminal's cursor."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)
