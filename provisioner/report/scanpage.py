"""A scan as one HTML page: what leaks where. No value stands in it, nothing is loaded, and there is no script."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as Tree

from provisioner.quantities import count
from provisioner.report import html
from provisioner.report import scan as report
from provisioner.scan.tally import by_detector, leaks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provisioner.scan.tally import Tally

_STYLE = """
.share { display: inline-block; width: 8rem; height: .6rem; background: var(--line); vertical-align: middle; }
.share i { display: block; height: 100%; background: var(--bar); }
.good { color: #1a7f37; } .bad { color: #cf222e; font-weight: 600; }
@media (prefers-color-scheme: dark) { .good { color: #3fb950; } .bad { color: #ff7b72; } }
"""


def page(tallies: Sequence[Tally], target: str, *, whole: bool) -> str:
    """The whole page."""
    title = f"Secrets and personal data stored on {target}"
    document, body = html.document(title, _STYLE)
    leaking = sum(tally.leaking for tally in tallies)
    words = f"{count(leaking, 'document')} hold something that should not be stored." if leaking else "Nothing found."
    html.add(body, "p", words, **{"class": "bad" if leaking else "good"})
    html.add(body, "p", f"{report.seen(tallies).capitalize()}. No value is shown here.", **{"class": "dim"})
    if not whole:
        html.add(body, "p", "Interrupted: not all was looked at that was asked for.", **{"class": "bad"})
    _streams(body, tallies)
    found = leaks(tallies)
    if found:
        totals = [[name, count(times)] for name, times in by_detector(tallies).most_common()]
        html.table(body, "What it is", ["Detector", "Values"], totals, first_number=1)
        heads = ["Data stream", "Field", "Detector", "Values", "Documents"]
        rows = [[leak.stream, leak.field, leak.detector, count(leak.values), count(leak.documents)] for leak in found]
        html.table(body, "Where it is", heads, rows, first_number=3)
        _examples(body, tallies)
    return html.text(document)


def _streams(body: Tree.Element, tallies: Sequence[Tally]) -> None:
    heads = ["Data stream", "Documents", "Looked at", "With something", "Share"]
    rows = [[one.stream, count(one.documents), count(one.seen), count(one.leaking), ""] for one in tallies]
    table = html.table(body, "What was looked at", heads, rows, first_number=1)
    for one, row in zip(tallies, table.findall("tbody/tr"), strict=True):
        part = one.leaking / one.seen if one.seen else 0.0
        cell = row.findall("td")[-1]
        bar = html.add(cell, "span", **{"class": "share", "role": "img", "aria-label": f"{part:.1%}"})
        html.add(bar, "i", style=f"width: {part:.1%}")
        bar.tail = f" {part:.1%}"


def _examples(body: Tree.Element, tallies: Sequence[Tally]) -> None:
    details = html.add(body, "details")
    html.add(details, "summary", "Documents to look at")
    rows = [[leak.stream, leak.field, leak.detector, place] for leak in leaks(tallies) for place in leak.examples]
    html.table(details, "A few of each", ["Data stream", "Field", "Detector", "Index/id"], rows, first_number=9)
