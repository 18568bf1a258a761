"""Plain block YAML, as nearly all documents are written, into values: five times as fast as through libyaml's nodes.

What this takes is what the whole reader takes, with the same values (tests compare them, on every file that we have and
on texts made up). Whatever is not surely plain gets no answer here, an odd sign as well as a mistake: it is for the
whole reader, which also says what is wrong. Taken are mappings and lists in block style, one value on a line; texts in
quotes without escapes; texts as blocks (`|`, `|-`); lists of words in brackets; comments on lines of their own.
"""

from __future__ import annotations

import re
from typing import Any

_LONGEST = 200_000
"""Characters: fewer values than the whole reader takes."""
_DEEPEST = 40
"""Columns of indentation: less nesting than the whole reader takes."""

_LINE = re.compile(
    r"(?:\ *\#.*\n|\n)*+"  # comments and empty lines before it
    r"(?:(\ *+)(-\ )?+(?:([A-Za-z_][A-Za-z0-9_.-]{0,200}+):(?:\ ++|(?=\n)))?+"  # indentation, an item's hyphen, a key
    r"(?:(\|-?)\n((\ +)(?=[^\ \n]).*\n(?:\6.*\n|\n)*+)|(.*)\n)"  # a block with its own indentation, or what else
    r"|\Z)"
)
_NEW_DOCUMENT = re.compile(r"^---\n", re.MULTILINE)
_SKIPPED = re.compile(r"(?:\ *\#.*\n|\n)*+")
_INDICATORS = frozenset(" -?:,[]{}#&*!|>'\"%@`")
"""What no plain text can begin with, or hardly."""
_OTHER_TYPES = frozenset("tTfFnN~+.<0123456789")
"""What anything but a text begins with: see yamlloader.IMPLICIT."""
_BOOLEAN = frozenset({"true", "True", "TRUE", "false", "False", "FALSE"})
_NULL = frozenset({"~", "null", "Null", "NULL"})
_INTEGER = re.compile(r"[0-9]{1,17}")
_FRACTION = re.compile(r"[0-9]{1,9}\.[0-9]{1,9}")
_ANOTHER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+|<<")
_WORDS = re.compile(r"\[(?:[A-Za-z0-9_][A-Za-z0-9_./-]*(?:, [A-Za-z0-9_][A-Za-z0-9_./-]*)*+)?\]")

_Line = tuple[str, str, str, str, str, str, str]


class _UnsureError(Exception):
    """This text is not plain enough."""


def documents(text: str) -> list[tuple[int, Any]] | None:
    """All documents, each with the line (from 1) where its first key stands, in the first column; None: no answer."""
    # What is printable has no other ends of lines than \n, no tab, and nothing that YAML refuses.
    if len(text) > _LONGEST or text[-1:] != "\n" or not text.replace("\n", "").isprintable():
        return None
    parts = _NEW_DOCUMENT.split(text) if "---" in text else [text]
    found, line = [], 1
    if len(parts) > 1 and not _SKIPPED.sub("", parts[0], count=1):
        line += parts.pop(0).count("\n") + 1
    try:
        for part in parts:
            skipped = _SKIPPED.match(part)
            begin = line + part.count("\n", 0, skipped.end() if skipped else 0)
            found.append((begin, _Reader(part).document()))
            line += part.count("\n") + 1
    except _UnsureError:
        return None
    return found


class _Reader:
    """One document: its lines, and which comes next. The last one, all empty, is its end."""

    __slots__ = ("at", "lines")

    def __init__(self, text: str) -> None:
        self.lines: list[_Line] = _LINE.findall(text)
        self.at = 0

    def document(self) -> dict[str, Any]:
        found = self.mapping(0)
        if not found or any(self.lines[self.at]):
            raise _UnsureError
        return found

    def mapping(self, column: int) -> dict[str, Any]:
        """Keys that begin in this column, and their values. What stands behind them is for the caller to refuse."""
        if column > _DEEPEST:
            raise _UnsureError
        found: dict[str, Any] = {}
        lines, at = self.lines, self.at
        while True:
            indentation, hyphen, key, _, _, _, rest = line = lines[at]
            if not key or hyphen or len(indentation) != column:
                self.at = at
                return found
            if key in found:
                raise _UnsureError
            at += 1
            if rest:
                found[key] = _scalar(rest)
            elif line[3]:
                found[key] = _block(line, column)
            else:
                self.at = at
                found[key] = self.below(column)
                at = self.at

    def below(self, column: int) -> Any:
        """The value of a key in this column that has nothing behind it."""
        indentation, hyphen, key, *_ = self.lines[self.at]
        if hyphen and len(indentation) >= column:
            return self.items(len(indentation))
        if len(indentation) <= column:
            return None
        if not key:
            raise _UnsureError
        return self.mapping(len(indentation))

    def items(self, column: int) -> list[Any]:
        """The items whose hyphens stand in this column."""
        found: list[Any] = []
        while True:
            indentation, hyphen, key, _, _, _, rest = line = self.lines[self.at]
            if not hyphen or len(indentation) != column:
                return found
            if key:
                self.lines[self.at] = (f"{indentation}  ", "", *line[2:])
                found.append(self.mapping(column + 2))
                continue
            self.at += 1
            found.append(_scalar(rest) if rest else _block(line, column))


def _block(line: _Line, column: int) -> str:
    """A block's text: its lines without their indentation, which is deeper than the column of its key or item."""
    header, block, indentation = line[3:6]
    if len(indentation) <= column:
        raise _UnsureError
    text = block.replace(f"\n{indentation}", "\n")[len(indentation) :].rstrip("\n")
    return text if header == "|-" else f"{text}\n"


def _scalar(text: str) -> Any:
    """The value that stands on a line."""
    first = text[0]
    if first in _INDICATORS:
        return _in_signs(text)
    if ": " in text or " #" in text or text[-1] in ": ":
        raise _UnsureError
    return _typed(text) if first in _OTHER_TYPES else text


def _typed(text: str) -> Any:
    if text in _BOOLEAN:
        return text in ("true", "True", "TRUE")
    if text in _NULL:
        return None
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FRACTION.fullmatch(text):
        return float(text)
    if _ANOTHER.fullmatch(text):
        raise _UnsureError
    return text


def _in_signs(text: str) -> Any:
    """A text in quotes, or words in brackets."""
    if text[0] == "'" and text[-1] == "'" and len(text) > 1 and "'" not in (inner := text[1:-1].replace("''", "")):
        return inner if len(inner) == len(text) - 2 else text[1:-1].replace("''", "'")
    if text[0] == '"' and text.find('"', 1) == len(text) - 1 and "\\" not in text:
        return text[1:-1]
    if _WORDS.fullmatch(text):
        return [_typed(word) for word in text[1:-1].split(", ")] if len(text) > 2 else []
    raise _UnsureError
