"""Plain values into YAML that a person likes to read, and that yamlfile reads back as they were."""

from __future__ import annotations

import math
import re
from typing import Any

import yaml

from provisioner import yamlloader

_BREAKS = "\x85\u2028\u2029"
"""YAML 1.1 takes these for ends of lines."""

_BLOCK = re.compile(r"\S[^\n]*\n.*\S\n?", re.DOTALL)
_UNPRINTABLE = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


class _Dumper(yaml.SafeDumper):
    """Quotes what YAML 1.1 or 1.2 would take for something else than text: `on`, `1e3`, `0123`, `12:30`, `=`."""

    def ignore_aliases(self, data: Any) -> bool:
        """No anchors: a value that stands twice is written twice."""
        return True

    def analyze_scalar(self, scalar: str) -> Any:
        """Block scalars for scripts with tabs and spaces at the ends of lines too, where YAML can hold them."""
        analysis: Any = super().analyze_scalar(scalar)
        if _BLOCK.fullmatch(scalar) and not _UNPRINTABLE.search(scalar):
            analysis.allow_block = True
        return analysis

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Lists stand a step to the right of their key."""
        super().increase_indent(flow, indentless=False)


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = '"' if any(char in text for char in _BREAKS) else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
for _tag, _pattern, _first in yamlloader.IMPLICIT:
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _pattern, _first)


def dump(value: Any) -> str:
    """The value as block style YAML, keys in their order, a text of several lines as a block scalar where that can be.

    A text that begins or ends with spaces, or holds what does not print, can't be one: it stands in double quotes.
    """
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=math.inf, indent=2)
    return text
