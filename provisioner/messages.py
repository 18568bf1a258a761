"""Messages from their texts: what body templates ask for, by the same few texts for rules by the thousand. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PLACE = re.compile("%([a-z_]+)%")


def fill(text: str, values: Mapping[str, str], **more: str) -> str:
    """The text with each `%name%` replaced by its value, all at once: what a value says is not looked through again."""
    values = {**values, **more}
    pieces = list(_pieces(text))
    for at in range(1, len(pieces), 2):
        pieces[at] = values.get(pieces[at], f"%{pieces[at]}%")
    return "".join(pieces)


@lru_cache(maxsize=256)
def _pieces(text: str) -> Sequence[str]:
    """What stands between the places of a text, and between those the places' names: a few texts for all rules."""
    return tuple(_PLACE.split(text))


def sections(text: str, name: str, lists: Sequence[str], parts: Mapping[str, str]) -> str:
    """The text with each section `{{#%name%}}…{{/%name%}}` once for each of these lists (`{{#list}}…{{/list}}`), and
    then each of the parts replaced by what it maps to, one after the other."""
    return _sections(text, name, tuple(lists), tuple(parts.items()))


@lru_cache(maxsize=256)
def _sections(text: str, name: str, lists: Sequence[str], parts: Sequence[tuple[str, str]]) -> str:
    whole, *others = text.split(f"{{{{#%{name}%}}}}")
    for other in others:
        section, *behind = other.split(f"{{{{/%{name}%}}}}")
        if behind:
            whole += "".join(f"{{{{#{each}}}}}{section}{{{{/{each}}}}}" for each in lists)
        whole += behind[-1] if behind else section
    for part, by in parts:
        whole = whole.replace(part, by)
    return whole
