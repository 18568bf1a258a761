"""What every finding's code means: one page each.

A lint's page is its module's docstring; that of any other code is `<CODE>.md` in this folder. Both begin with
`CODE: title.`, say why it matters, and show it `Bad:` and `Good:`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from inspect import cleandoc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Page:
    """The page of one code: its title, the first paragraph below that, and the whole text, in Markdown."""

    code: str
    title: str
    summary: str
    text: str


@cache
def all_pages() -> Mapping[str, Page]:
    """Every page by its code, in the order of the codes."""
    from provisioner import lints

    texts = [lint.__doc__ or "" for lint in lints.all_lints()]
    for file in resources.files(__name__).iterdir():
        if file.name.endswith(".md"):
            texts.append(file.read_text(encoding="utf-8"))
    pages = [_page(text) for text in texts]
    return {page.code: page for page in sorted(pages, key=lambda page: page.code)}


def page(code: str) -> Page:
    """The page of one code; one without a page has its code for all texts."""
    return all_pages().get(code, Page(code, code, code, code))


def _page(text: str) -> Page:
    first, _, rest = cleandoc(text).partition("\n")
    code, _, title = first.partition(": ")
    summary = " ".join(rest.strip().split("\n\n", 1)[0].split())
    return Page(code, title.strip(), summary, f"# {code}: {title.strip()}\n\n{rest.strip()}\n")
