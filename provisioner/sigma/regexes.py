"""Regular expressions as Sigma has them (Perl's) in the words of Lucene, whose expressions fit whole values alone.

Python's own parser takes them apart. Lucene has no looking around, no references to groups, no borders of words, and
anchors only at the ends: those are refused. Control characters, which no query may hold, become any character.
"""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Any

from provisioner.sigma.terms import UnsayableError, in_regex

if TYPE_CHECKING:
    from collections.abc import Sequence

_parser: Any = importlib.import_module("re._parser")
_DIGITS, _WORD, _SPACE = "0-9", "a-zA-Z0-9_", r"\ "
_CATEGORIES = {"DIGIT": _DIGITS, "WORD": _WORD, "SPACE": _SPACE}
_BEGIN, _END = ("BEGINNING", "BEGINNING_STRING"), ("END", "END_STRING")
_MOST_AT_LEAST = 250
_MOST_REPEATS = 20
"""The server refuses expressions whose automaton takes more than 10,000 steps to make: `.*a.{1,64}b` is one already."""


def lucene(pattern: str, *, lower: bool = False, ignore_case: bool = False) -> tuple[str, bool]:
    """The expression for Lucene, and whether it is wider: `.{1,64}` becomes `.+`. Raises UnsayableError.

    `lower`: what it is looked for in is stored in lower case.
    """
    try:
        tree = _parser.parse(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise UnsayableError(f"the regular expression is none: {error}") from error
    fold = ignore_case or bool(tree.state.flags & re.IGNORECASE)
    try:
        writer = _Writer(lower, fold)
        return writer.sequence(list(tree), begin=True, end=True), writer.wider[0]
    except RecursionError as error:
        raise UnsayableError("the regular expression is nested too deeply") from error


class _Writer:
    def __init__(self, lower: bool, fold: bool, wider: list[bool] | None = None) -> None:
        self.wider = [False] if wider is None else wider
        self.lower = lower
        self.fold = fold and not lower

    def sequence(self, items: list[Any], *, begin: bool = False, end: bool = False) -> str:
        """Items in a row. `begin`, `end`: it stands at the value's beginning or end, unless it says so by an anchor."""
        left, right = ".*" if begin else "", ".*" if end else ""
        while begin and items and _anchor(items[0]) in _BEGIN:
            items, left = items[1:], ""
        while end and items and _anchor(items[-1]) in _END:
            items, right = items[:-1], ""
        # A group that holds an anchor says itself what comes before or behind it.
        first = bool(left) and bool(items) and _grouped(items[0]) and _anchored(items[0], _BEGIN)
        last = bool(right) and bool(items) and _grouped(items[-1]) and _anchored(items[-1], _END)
        parts = [
            self.item(item, begin=first and n == 0, end=last and n == len(items) - 1) for n, item in enumerate(items)
        ]
        return f"{'' if first else left}{''.join(parts)}{'' if last else right}"

    def item(self, item: Any, *, begin: bool, end: bool) -> str:
        name, value = str(item[0]), item[1]
        if name == "LITERAL":
            return self.literal(value)
        if name == "NOT_LITERAL":
            return f"[^{self.members([item], inside=True)}]"
        if name == "ANY":
            return "."
        if name == "IN":
            return self.members(value)
        if name == "BRANCH":
            branches = "|".join(self.sequence(list(each), begin=begin, end=end) or "()" for each in value[1])
            return f"({branches})"
        if name == "SUBPATTERN":
            if value[1] & re.IGNORECASE or value[2]:
                inner = _Writer(self.lower, bool(value[1] & re.IGNORECASE) or self.fold, self.wider)
                return f"({inner.sequence(list(value[3]), begin=begin, end=end)})"
            return f"({self.sequence(list(value[3]), begin=begin, end=end)})"
        if name in ("MAX_REPEAT", "MIN_REPEAT"):
            return self.repeated(*value)
        reasons = {"AT": "an anchor or a word's border inside", "GROUPREF": "a reference to a group"}
        raise UnsayableError(f"the regular expression has {reasons.get(name, 'a look around or a condition')}")

    def repeated(self, least: int, most: Any, what: Any) -> str:
        items = list(what)
        inner = self.sequence(items)
        if len(items) != 1 or str(items[0][0]) not in ("LITERAL", "NOT_LITERAL", "ANY", "IN", "SUBPATTERN"):
            inner = f"({inner})"
        endless = str(most) == "MAXREPEAT"
        if least > _MOST_AT_LEAST:
            raise UnsayableError(
                f"the regular expression repeats {least} times: more than {_MOST_AT_LEAST} are too many"
            )
        if not endless and most > _MOST_REPEATS:
            endless, self.wider[0] = True, True
        for bounds, sign in (((0, None), "*"), ((1, None), "+"), ((0, 1), "?")):
            if (least, None if endless else most) == bounds:
                return inner + sign
        return f"{inner}{{{least},{'' if endless else most}}}" if endless or most != least else f"{inner}{{{least}}}"

    def literal(self, code: int) -> str:
        char = chr(code)
        if self.lower and len(char.lower()) == 1:
            return in_regex(char.lower())
        if self.fold and char.lower() != char.upper() and len(char.lower()) == len(char.upper()) == 1:
            return f"[{char.lower()}{char.upper()}]"
        return in_regex(char)

    def members(self, items: Sequence[Any], *, inside: bool = False) -> str:
        """A class of characters."""
        parts: list[str] = []
        negated = False
        for item in items:
            name, value = str(item[0]), item[1]
            if name == "NEGATE":
                negated = True
            elif name in ("LITERAL", "NOT_LITERAL"):
                parts += [in_regex(each) for each in self.cases(chr(value))]
            elif name == "RANGE":
                parts += self.range(*value)
            else:
                category = str(value).removeprefix("CATEGORY_")
                if category in _CATEGORIES:
                    parts.append(_CATEGORIES[category])
                elif len(items) == 1:
                    return f"[^{_CATEGORIES[category.removeprefix('NOT_')]}]"
                elif {str(each[1]).removeprefix("CATEGORY_") for each in items} >= {
                    category.removeprefix("NOT_"),
                    category,
                }:
                    return "."  # [\s\S]: anything
                else:
                    raise UnsayableError("the regular expression has a class that holds the reverse of another")
        content = "".join(dict.fromkeys(parts))
        return content if inside else f"[{'^' if negated else ''}{content}]"

    def cases(self, char: str) -> list[str]:
        if self.lower:
            return [char.lower() if len(char.lower()) == 1 else char]
        return sorted({char.lower(), char.upper()}) if self.fold and len(char.upper()) == 1 else [char]

    def range(self, low: int, high: int) -> list[str]:
        """A range, in lower case or in both where that is asked for."""
        found = [(low, high)]
        if self.lower or self.fold:
            for first, last, shift in ((65, 90, 32), (97, 122, -32)):
                start, stop = max(low, first), min(high, last)
                if start <= stop:
                    found.append((start + shift, stop + shift))
        return [f"{in_regex(chr(a))}-{in_regex(chr(b))}" for a, b in found]


def _anchor(item: Any) -> str:
    return str(item[1]).removeprefix("AT_") if str(item[0]) == "AT" else ""


def _grouped(item: Any) -> bool:
    return str(item[0]) in ("SUBPATTERN", "BRANCH")


def _anchored(item: Any, which: Sequence[str]) -> bool:
    """Whether a group holds an anchor of these."""
    if _anchor(item) in which:
        return True
    if not _grouped(item):
        return False
    inner = [item[1][3]] if str(item[0]) == "SUBPATTERN" else item[1][1]
    return any(_anchored(each, which) for sequence in inner for each in sequence)
