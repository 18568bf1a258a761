"""A verification as one HTML page, fit for an evidence file: what was looked at, by which keys, what holds, what does
not.

The page is built as a tree of elements, so nothing of a log can become markup. It loads nothing, has no script, follows
the reader's choice of dark or light, and can be printed.
"""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.etree import ElementTree as Tree

from provisioner import __version__
from provisioner.integrity.verdict import MEANING
from provisioner.quantities import count, size
from provisioner.report import integrity as report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provisioner.integrity.verdict import Problem, Result, StreamResult

MOST = 2_000
"""Problems shown of a stream; `-o json` has all."""
_STYLE = """
:root { color-scheme: light dark; --ink: #1a1f24; --dim: #57606a; --paper: #ffffff; --line: #d0d7de;
  --good: #1a7f37; --bad: #cf222e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --dim: #9da7b1; --paper: #0d1117; --line: #30363d; --good: #3fb950; --bad: #ff7b72; }
}
@media print { :root { color-scheme: light; } body { max-width: none; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem; }
h2 { margin: 2.5rem 0 0; } p { margin: .25rem 0 1rem; } .dim { color: var(--dim); }
.verdict { border-left: .4rem solid; padding: .5rem 1rem; font-weight: 600; }
.good { border-color: var(--good); } .bad { border-color: var(--bad); } .kind { white-space: nowrap; font-weight: 600; }
code { font: 13px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; } caption { text-align: left; font-weight: 600; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
.whole { white-space: nowrap; } .place { min-width: 12rem; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
"""
_PROVES = (
    "Intact means: every record is as it was when it was signed, each follows the one before, and none is missing "
    "between the first and the last. That no record is missing at the end, and that nobody who had the key signed the "
    "log anew, is proven only as far as checkpoints reach.",
    "A record of an earlier epoch can't have been signed anew by whoever got hold of a later key. Whoever has the root "
    "key can sign any record: it belongs to the verifier alone.",
)


def page(result: Result) -> str:
    """The whole page."""
    html = Tree.Element("html", lang="en")
    head = _add(html, "head")
    _add(head, "meta", charset="utf-8")
    _add(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    _add(head, "title", "Verification of signed logs")
    _add(head, "style", _STYLE)
    body = _add(_add(html, "body"), "main")
    _add(body, "h1", "Verification of signed logs")
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    where = f"{now}, provisioner {__version__} on {platform.node()}; {report.volume(result)}."
    _add(body, "p", where, **{"class": "dim"})
    words = "Intact." if result.intact else f"Not intact: {count(len(result.problems), 'problem')}."
    if not result.proven:
        words = report.NOTHING if result.records else "There is no genuine record."
    _add(body, "p", words, **{"class": _class(result.intact)})
    for stream in result.streams:
        _stream(body, stream)
    _add(body, "h2", "What this proves")
    for sentence in _PROVES:
        _add(body, "p", sentence)
    return "<!DOCTYPE html>\n" + Tree.tostring(html, encoding="unicode", method="html") + "\n"


def _class(good: bool) -> str:
    return "verdict good" if good else "verdict bad"


def _stream(body: Tree.Element, stream: StreamResult) -> None:
    section = _add(body, "section")
    _add(section, "h2", f"Stream {stream.stream}")
    _add(section, "p", report.sentence(stream), **{"class": _class(not stream.problems)})
    _facts(section, stream)
    _problems(section, stream.problems)
    rows = [[each.name, count(each.lines), count(each.good), size(each.bytes), each.sha256] for each in stream.files]
    _table(
        section,
        "Files, in the order of the log",
        ["File", "Lines", "Records", "Size", "SHA-256"],
        rows,
        dict.fromkeys((1, 2, 3), "number"),
    )
    for note in stream.notes:
        _add(section, "p", f"Note: {note}.", **{"class": "dim"})


def _facts(section: Tree.Element, stream: StreamResult) -> None:
    keys = ", ".join(f"{key} (epochs {low} to {high})" for key, (low, high) in stream.keys.items()) or "none"
    rows = [
        ["Records", f"{stream.first} to {stream.last}" if stream.records else "none"],
        ["Keys that signed them", f"{keys}; not checked" if stream.keyless else keys],
        ["MAC of the last record", stream.head],
        ["Merkle root (RFC 9162)", stream.root or "not worked out"],
        ["Checkpoints", report.proven(stream)],
    ]
    _table(section, "What was found", ["", ""], rows, {0: "whole"})


def _problems(section: Tree.Element, problems: Sequence[Problem]) -> None:
    if not problems:
        return
    rows = [
        [
            each.kind.value,
            f"{each.file}:{each.line}" if each.line else each.file,
            each.records,
            f"{MEANING[each.kind]}: {each.detail}",
        ]
        for each in problems[:MOST]
    ]
    _table(section, "Problems", ["Kind", "Place", "Record", "What is wrong"], rows, {0: "kind", 1: "place", 2: "whole"})
    if len(problems) > MOST:
        _add(section, "p", f"{count(len(problems) - MOST, 'more problem')}: see the report as JSON.")


def _table(
    parent: Tree.Element, caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], classes: Mapping[int, str]
) -> None:
    table = _add(parent, "table")
    _add(table, "caption", caption)
    if any(heads):
        row = _add(_add(table, "thead"), "tr")
        for place, head in enumerate(heads):
            _add(row, "th", head, scope="col", **({"class": classes[place]} if place in classes else {}))
    body = _add(table, "tbody")
    for cells in rows:
        row = _add(body, "tr")
        for place, cell in enumerate(cells):
            made = _add(row, "td", "", **({"class": classes[place]} if place in classes else {}))
            if _is_hash(cell):
                _add(made, "code", cell)
            else:
                made.text = _printable(cell)


def _is_hash(text: str) -> bool:
    return len(text) == 64 and all(c in "0123456789abcdef" for c in text)


def _add(parent: Tree.Element, tag: str, text: str = "", **attributes: str) -> Tree.Element:
    made = Tree.SubElement(parent, tag, attributes)
    made.text = _printable(text) or None
    return made


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)
