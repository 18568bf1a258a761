"""Values as people write them in YAML, on one line each, and never a secret: what diffs are made of.

Whatever can't be printed (control characters, marks that turn the direction of writing) comes out as an escape.
"""

from __future__ import annotations

import json
import re
from typing import Any

_LONGEST_FLOW = 60
_LONGEST_BRIEF = 100
_LONGEST = 400
"""A single line; longer ones are cut in the middle."""
_WINDOW = 100
"""Texts longer than this that are alike show only where they differ, with `_MARGIN` characters on each side."""
_MARGIN = 30
_SECRET = re.compile(r"secret:[0-9a-f]{32}|\(secret\)")
# YAML 1.2's core schema, as yamlfile reads it: `on`, `no` and `y` are text.
_OTHER_TYPES = re.compile(
    r"(?i)true|false|null|~|<<|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)(e[-+]?[0-9]+)?|0[ox][0-9a-f]+|[-+]?\.(inf|nan)"
)
_UNSAFE = re.compile(r"^[\s\-?:,\[\]{}#&*!|>'\"%@`]|: | #|[:\s]$")
_UNSAFE_IN_FLOW = re.compile(r"[,\[\]{}]|:$")


def is_secret(value: Any) -> bool:
    """Whether it stands for a secret: its keyed fingerprint, or the word for it."""
    return isinstance(value, str) and _SECRET.fullmatch(value) is not None


def key(name: Any) -> str:
    """A key with its colon."""
    return f"{value(str(name))}:"


def value(of: Any, *, flow: bool = False) -> str:
    """Anything on one line; mappings and lists in flow style."""
    if isinstance(of, bool) or of is None:
        return {None: "null", True: "true", False: "false"}[of]
    if isinstance(of, int | float):
        return str(of)
    if isinstance(of, dict):
        return "{" + ", ".join(f"{value(str(k), flow=True)}: {value(v, flow=True)}" for k, v in of.items()) + "}"
    if isinstance(of, list):
        return "[" + ", ".join(value(v, flow=True) for v in of) + "]"
    if is_secret(of):
        return "(secret)"
    return _quoted(_cut(str(of), _LONGEST), flow=flow)


def pair(before: Any, after: Any) -> tuple[str, str] | None:
    """Two scalars that say more when seen together: secrets, and long texts that are alike. None for any others."""
    if is_secret(before) and is_secret(after):
        return "(secret)", "(secret, another one)"
    if not (isinstance(before, str) and isinstance(after, str)) or "\n" in before + after:
        return None
    if max(len(before), len(after)) <= _WINDOW:
        return None
    start = _common(before, after)
    tail = _common(before[start:][::-1], after[start:][::-1])
    if start + tail < 2 * _MARGIN:
        return None
    return _window(before, start, tail), _window(after, start, tail)


def brief(of: Any) -> str:
    """A value that is there only to say where one is: nothing long, nothing nested but below a key that is alone."""
    if isinstance(of, dict) and len(of) == 1:
        ((name, inner),) = of.items()
        text = brief(inner) if isinstance(inner, dict) else _inner(inner)
        return f"{{{value(str(name), flow=True)}: {text if len(text) <= _LONGEST_BRIEF else '{…}'}}}"
    if isinstance(of, dict) and of:
        return _flow("{}", [f"{value(str(k), flow=True)}: {_inner(v)}" for k, v in of.items()])
    if isinstance(of, list) and any(not isinstance(v, dict | list) for v in of):
        return _flow("[]", [_inner(v) for v in of])
    return _inner(of, flow=False)


def short_list(of: list[Any]) -> bool:
    """Whether it is a list of plain values that fits well on one line."""
    if any(isinstance(child, dict | list) or is_secret(child) for child in of):
        return False
    return sum(len(str(child)) + 2 for child in of) <= _LONGEST_FLOW and len(value(of)) <= _LONGEST_FLOW


def block(text: str) -> tuple[str, list[str]]:
    """A text of several lines as a block scalar: its indicator and its lines."""
    parts = [visible(line) for line in text.split("\n")]
    if parts[-1]:
        return "|-", parts
    parts.pop()
    return ("|" if parts and parts[-1] else "|+"), parts


def _inner(of: Any, *, flow: bool = True) -> str:
    if isinstance(of, dict | list) and of:
        return "{…}" if isinstance(of, dict) else "[…]"
    return value(_cut(of, _LONGEST_FLOW) if isinstance(of, str) and not is_secret(of) else of, flow=flow)


def _flow(brackets: str, parts: list[str]) -> str:
    taken: list[str] = []
    for part in parts:
        if taken and sum(map(len, taken)) + len(part) > _LONGEST_FLOW:
            taken.append("…")
            break
        taken.append(part)
    return f"{brackets[0]}{', '.join(taken)}{brackets[1]}"


def _common(before: str, after: str) -> int:
    """How many characters both begin with."""
    shorter = min(len(before), len(after))
    return next((at for at in range(shorter) if before[at] != after[at]), shorter)


def _window(text: str, start: int, tail: int) -> str:
    """The part of a text between `start` and its last `tail` characters, which are the same in another one."""
    first, last = max(start - _MARGIN, 0), min(len(text) - tail + _MARGIN, len(text))
    left, right = "…" if first else "", "…" if last < len(text) else ""
    return _quoted(f"{left}{_cut(text[first:last], _LONGEST)}{right}")


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest // 2]}…{text[-longest // 4 :]}"


def _quoted(text: str, *, flow: bool = False) -> str:
    """The text as a YAML scalar: plain where nothing else could be read from it."""
    if not text.isprintable():
        return visible(json.dumps(text, ensure_ascii=False))
    plain = text and not _UNSAFE.search(text) and not _OTHER_TYPES.fullmatch(text)
    if plain and not (flow and _UNSAFE_IN_FLOW.search(text)):
        return text
    if ('"' in text or "\\" in text) and "'" not in text:
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=False)


def visible(text: str) -> str:
    """The text with what can't be printed as escapes, as in YAML's double quotes."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    code = ord(char)
    if char in "\t\r":
        return {"\t": "\\t", "\r": "\\r"}[char]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
