"""Plain values into YAML that a person likes to read, and that yamlfile reads back as they were."""

from __future__ import annotations

import math
from typing import Any

import yaml

from provisioner import yamlfile

_BREAKS = "\x85\u2028\u2029"
"""YAML 1.1 takes these for ends of lines."""


class _Dumper(yaml.SafeDumper):
    """Quotes what YAML 1.1 or 1.2 would take for something else than text: `on`, `1e3`, `0123`, `12:30`, `=`."""

    def ignore_aliases(self, data: Any) -> bool:
        """No anchors: a value that stands twice is written twice."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Lists stand a step to the right of their key."""
        super().increase_indent(flow, indentless=False)


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = '"' if any(char in text for char in _BREAKS) else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
for _tag, _pattern, _first in yamlfile.IMPLICIT:
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _pattern, _first)


def dump(value: Any) -> str:
    """The value as block style YAML, keys in their order, a text of several lines as a block scalar where that can be.

    A block scalar can't hold trailing spaces, tabs or characters that don't print: such a text stands in double quotes.
    """
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=math.inf, indent=2)
    return text
