"""Counts what the Python helper does with a text, whatever processor it runs on.

A step is a line of `provisioner.redaction` that runs, and each character that a call into C looks at: `find`, `in`,
`lower`, slices and so on of a text, and what a regular expression goes over. What a regular expression looks at twice
is not seen: that none does more than a fixed number of steps for a character is shown by `provisioner.regexes`.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

from provisioner.redaction import (
    Catalogue,
    Redactor,
    anchored,
    finders,
    glance,
    keys,
    markers,
    numbers,
    redactor,
    texts,
    walk,
    words,
)

MODULES = (anchored, finders, keys, markers, numbers, redactor, texts, walk, words)
FOLDER = str(Path(texts.__file__).parent)


class Steps:
    """The sum, and how each regular expression was used."""

    def __init__(self) -> None:
        self.count = 0
        self.used: dict[str, set[str]] = defaultdict(set)

    def trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        """For sys.settrace: lines of the package only."""
        code: CodeType = frame.f_code
        if event == "call":
            return self.trace if code.co_filename.startswith(FOLDER) else None
        if event == "line":
            self.count += 1
        return self.trace

    def counted(self, redactor_: Redactor, text: str) -> int:
        """Steps for a text."""
        before, traced = self.count, sys.gettrace()
        sys.settrace(self.trace)
        try:
            redactor_.text(text)
        finally:
            sys.settrace(traced)
        return self.count - before


class Pattern:
    """A regular expression that counts the characters it goes over."""

    def __init__(self, pattern: re.Pattern[str], steps: Steps) -> None:
        self._pattern, self._steps = pattern, steps

    def _over(self, how: str, text: str, at: int, end: int, found: re.Match[str] | None) -> re.Match[str] | None:
        self._steps.used[how].add(self._pattern.pattern)
        self._steps.count += (found.end() if found else min(end, len(text))) - at + 1
        return found

    def search(self, text: str, at: int = 0, end: int = sys.maxsize) -> Any:
        return self._over("search", text, at, end, self._pattern.search(text, at, end))

    def match(self, text: str, at: int = 0, end: int = sys.maxsize) -> Any:
        found = self._pattern.match(text, at, end)
        self._over("match", text, at, at if found is None else end, found)
        return found

    def fullmatch(self, text: str, at: int = 0, end: int = sys.maxsize) -> Any:
        return self._over("match", text, at, end, self._pattern.fullmatch(text, at, end))

    def finditer(self, text: str, at: int = 0) -> Any:
        last = at
        for found in self._pattern.finditer(text, at):
            yield self._over("search", text, last, found.end(), found)
            last = found.end()
        self._over("search", text, last, len(text), None)

    def findall(self, text: str) -> Any:
        self._over("search", text, 0, len(text), None)
        return self._pattern.findall(text)

    def sub(self, by: str, text: str) -> str:
        self._over("search", text, 0, len(text), None)
        return self._pattern.sub(by, text)


class _Re:
    """The module `re`, for those who compile with it."""

    ASCII, DOTALL, IGNORECASE = re.ASCII, re.DOTALL, re.IGNORECASE
    escape, Pattern = staticmethod(re.escape), re.Pattern

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    def compile(self, pattern: str, flags: int = 0) -> Pattern:
        return Pattern(re.compile(pattern, flags), self._steps)


def text_of(steps: Steps) -> type[str]:
    """A kind of text that counts the characters that its methods go over; slices of one are of it too."""

    class Text(str):
        __slots__ = ()

        def _look(self, what: str, at: int, end: int, found: int) -> int:
            steps.count += (found + len(what) if found >= 0 else min(end, len(self))) - at + 1
            return found

        def find(self, what: str, at: int = 0, end: int = sys.maxsize) -> int:  # type: ignore[override]
            return self._look(what, at, end, str.find(self, what, at, end))

        def rfind(self, what: str, at: int = 0, end: int = sys.maxsize) -> int:  # type: ignore[override]
            found = str.rfind(self, what, at, end)
            steps.count += min(end, len(self)) - max(found, at) + 1
            return found

        def __contains__(self, what: str) -> bool:  # type: ignore[override]
            return self.find(what) >= 0

        def __getitem__(self, at: Any) -> str:
            part = str.__getitem__(self, at)
            steps.count += len(part)
            return Text(part) if isinstance(at, slice) else part

        def lower(self) -> str:
            steps.count += len(self)
            return Text(str.lower(self))

        def encode(self, *how: str) -> bytes:
            steps.count += 2 * len(self)  # and what becomes of the bytes
            return str.encode(self, *how)

        def rstrip(self, what: str | None = None) -> str:
            steps.count += len(self)
            return Text(str.rstrip(self, what))

        def split(self, *how: Any) -> list[str]:  # type: ignore[override]
            steps.count += len(self)
            return str.split(self, *how)

    return Text


def counting(patch: pytest.MonkeyPatch, catalogue: Catalogue) -> tuple[Steps, Redactor]:
    """A redactor all of whose work is counted, as long as `patch` holds."""
    steps = Steps()
    patch.setattr(glance, "of", lambda _: None)  # all that it spares is counted; RE2 itself is linear
    for module in MODULES:
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                patch.setattr(module, name, Pattern(value, steps))
        if hasattr(module, "re"):
            patch.setattr(module, "re", _Re(steps))
    made = Redactor(catalogue)
    text, plain = text_of(steps), texts.Texts.spans

    def spans(self: texts.Texts, each: str) -> Any:
        return plain(self, text(each))

    patch.setattr(texts.Texts, "spans", spans)
    return steps, made
