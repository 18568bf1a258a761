"""PyYAML's loader, by libyaml, for YAML 1.2's core schema: what plain text is taken for."""

from __future__ import annotations

import operator
import re

import yaml

try:
    from yaml import CSafeLoader as _BaseLoader
except ImportError:  # a PyYAML built without libyaml: slower, same answers
    from yaml import SafeLoader as _BaseLoader  # type: ignore[assignment]


class _CoreLoader(_BaseLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (PyYAML's own attribute)

    # Called at every node, for tags by paths, of which there are none here: these do nothing, and that fast.
    descend_resolver = staticmethod(operator.is_)  # type: ignore[assignment]
    ascend_resolver = staticmethod(tuple)  # type: ignore[assignment]


IMPLICIT: tuple[tuple[str, re.Pattern[str], list[str]], ...] = tuple(
    (tag, re.compile(pattern), list(first))
    for tag, pattern, first in (
        ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
        ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
        ("int", r"^[-+]?[0-9]+$|^0o[0-7]+$|^0x[0-9a-fA-F]+$", "-+0123456789"),
        (
            "float",
            r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$",
            "-+0123456789.",
        ),
        ("merge", r"^<<$", "<"),
    )
)
"""What plain text is taken for: tag, form, and the characters that it can begin with."""

for _tag, _pattern, _first in IMPLICIT:
    _CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _pattern, _first)

LOADER: type[yaml.SafeLoader] = _CoreLoader  # type: ignore[assignment]
"""PyYAML's loader for the core schema."""
