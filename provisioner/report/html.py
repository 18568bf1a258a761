"""What pages have in common: a tree of elements, so that nothing of a log can become markup, and one style."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as Tree

if TYPE_CHECKING:
    from collections.abc import Sequence

STYLE = """
:root { color-scheme: light dark; --ink: #1a1f24; --dim: #57606a; --paper: #ffffff; --line: #d0d7de; --bar: #1f6feb; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --dim: #9da7b1; --paper: #0d1117; --line: #30363d; --bar: #58a6ff; }
}
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem; }
h2 { margin: 2.5rem 0 0; } p { margin: .25rem 0 1rem; } .dim { color: var(--dim); }
svg { width: 100%; height: auto; display: block; } svg text { fill: var(--dim); font: 12px system-ui, sans-serif; }
.bar { fill: var(--bar); } .rule { stroke: var(--line); }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; } caption { text-align: left; font-weight: 600; }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
"""


def document(title: str, style: str = "") -> tuple[Tree.Element, Tree.Element]:
    """A page and its body, with the title as heading; it loads nothing, and follows the choice of dark or light."""
    page = Tree.Element("html", lang="en")
    head = add(page, "head")
    add(head, "meta", charset="utf-8")
    add(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    add(head, "title", title)
    add(head, "style", STYLE + style)
    body = add(add(page, "body"), "main")
    add(body, "h1", title)
    return page, body


def text(page: Tree.Element) -> str:
    """The page's text."""
    return "<!DOCTYPE html>\n" + Tree.tostring(page, encoding="unicode", method="html") + "\n"


def table(
    parent: Tree.Element, caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], first_number: int
) -> Tree.Element:
    """A table; columns from `first_number` on hold numbers."""
    made = add(parent, "table")
    add(made, "caption", caption)
    row = add(add(made, "thead"), "tr")
    kind = [{"class": "number"} if place >= first_number else {} for place in range(len(heads))]
    for head, style in zip(heads, kind, strict=True):
        add(row, "th", head, scope="col", **style)
    body = add(made, "tbody")
    for cells in rows:
        row = add(body, "tr")
        for cell, style in zip(cells, kind, strict=True):
            add(row, "td", cell, **style)
    return made


def add(parent: Tree.Element, tag: str, text: str = "", **attributes: str) -> Tree.Element:
    """An element with a text, in which nothing is markup or can't be printed."""
    made = Tree.SubElement(parent, tag, attributes)
    made.text = "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text) or None
    return made
