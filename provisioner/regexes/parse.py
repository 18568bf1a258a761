"""The text of a regular expression as a tree."""

from __future__ import annotations

import re
from dataclasses import dataclass

from provisioner.regexes import charsets as sets
from provisioner.regexes.escapes import Dialect, bracket, character, named, shorthand
from provisioner.regexes.reader import Reader, UnreadableError
from provisioner.regexes.tree import EMPTY, At, Back, Chars, Choice, Group, Look, Mode, Node, Place, Repeat, Sequence

__all__ = ["Dialect", "UnreadableError", "parse"]

DEEPEST = 100
"""Brackets within brackets; the server's own parser calls itself as well."""
_COUNT = re.compile(r"\{([0-9]{1,9})?(,)?([0-9]{1,9})?\}")
_LOOKS = {"?=": (True, False), "?!": (True, True), "?<=": (False, False), "?<!": (False, True)}
_FLAGS = re.compile(r"\?([a-zA-Z]*)(?:-([a-zA-Z]*))?([:)])")
_LINE = Choice((Sequence((Chars(sets.of("\r")), Chars(sets.NEWLINE))), Chars(sets.of("\n\x0b\f\r\x85\u2028\u2029"))))
_CLUSTER = Sequence((Chars(sets.ANY), Repeat(Chars(sets.exactly(sets.BEYOND)), 0, None, Mode.GREEDY)))


@dataclass(slots=True)
class _Flags:
    case: bool = False
    lines: bool = False  # ^ and $ at each line
    dot: bool = False  # a dot for a line's end as well
    free: bool = False  # spaces and comments


def parse(text: str, dialect: Dialect) -> Node:
    """The tree. Raises UnreadableError for what is no regular expression, and for rare forms (calls, conditions)."""
    return _Parser(text, dialect).whole()


class _Parser:
    def __init__(self, text: str, dialect: Dialect) -> None:
        self.reader = Reader(text, dialect)
        self.java = dialect is Dialect.JAVA
        self.flags = _Flags(lines=not self.java)
        self.depth = 0

    def whole(self) -> Node:
        found = self.choice()
        if self.reader.peek():
            raise self.reader.unreadable("a closing bracket")
        return found

    def choice(self) -> Node:
        """Options up to a closing bracket; flags set in one hold to its end."""
        kept = _Flags(self.flags.case, self.flags.lines, self.flags.dot, self.flags.free)
        options = [self.sequence()]
        while self.reader.take("|"):
            options.append(self.sequence())
        self.flags = kept
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def sequence(self) -> Node:
        items: list[Node] = []
        while self.reader.peek() not in ("", "|", ")"):
            if self.flags.free and self._blank():
                continue
            self.reader.ignore_case = self.flags.case
            item = self.atom()
            if item is not None:
                items.append(self.repeated(item))
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def _blank(self) -> bool:
        if self.reader.take("#"):
            while self.reader.peek() not in ("", "\n"):
                self.reader.next()
            return True
        if self.reader.peek().isspace():
            self.reader.next()
            return True
        return False

    def repeated(self, item: Node) -> Node:
        """The item with all that is said about how often it comes."""
        while True:
            while self.flags.free and self._blank():
                pass
            counts = self._counts()
            if counts is None:
                return item
            least, most, braces = counts
            mode = Mode.LAZY if self.reader.take("?") else Mode.GREEDY
            # In Ruby's syntax `{1,2}+` is a repetition of a repetition.
            if mode is Mode.GREEDY and not (braces and not self.java) and self.reader.take("+"):
                mode = Mode.POSSESSIVE
            item = Repeat(item, least, most, mode)

    def _counts(self) -> tuple[int, int | None, bool] | None:
        for sign, least, most in (("*", 0, None), ("+", 1, None), ("?", 0, 1)):
            if self.reader.take(sign):
                return least, most, False
        found = _COUNT.match(self.reader.text, self.reader.at)
        if not found or (found[1] is None and (self.java or found[3] is None)):
            return None
        self.reader.at = found.end()
        first = int(found[1] or 0)
        return first, int(found[3]) if found[3] else None if found[2] else first, True

    def atom(self) -> Node | None:
        """One part; None for what matches nothing by itself, such as flags."""
        char = self.reader.next()
        if char == "(":
            self.depth += 1
            if self.depth > DEEPEST:
                raise self.reader.unreadable("brackets too deep")
            found = self.group()
            self.depth -= 1
            return found
        if char == "[":
            return Chars(bracket(self.reader))
        if char == "\\":
            return self.escape()
        if char == ".":
            return Chars(sets.ANY if self.flags.dot else ~self._ends())
        if char == "^":
            return Place(At.LINE_BEGIN if self.flags.lines else At.BEGIN)
        if char == "$":
            return Place(At.LINE_END if self.flags.lines else At.LAST_END)
        if char in "*+?":
            raise self.reader.unreadable("a repetition of nothing")
        return self._one(char)

    def _ends(self) -> sets.Charset:
        return sets.of("\n\r") if self.java else sets.NEWLINE

    def _one(self, char: str) -> Chars:
        found = sets.of(char)
        return Chars(found.folded() if self.flags.case else found)

    def group(self) -> Node | None:
        reader = self.reader
        for sign, (ahead, negative) in _LOOKS.items():
            if reader.take(sign):
                return Look(self._inner(), ahead, negative)
        if reader.take("?#"):
            reader.until(")")
            return None
        if reader.take("?>"):
            return Group(self._inner(), atomic=True)
        if reader.take("?<") or reader.take("?P<"):
            reader.until(">")
        elif reader.take("?'"):
            reader.until("'")
        elif flags := _FLAGS.match(reader.text, reader.at):
            reader.at = flags.end()
            return self._flagged(flags[1], flags[2] or "", inside=flags[3] == ":")
        elif reader.peek() == "?":
            raise reader.unreadable("a group of a rare form")
        return Group(self._inner())

    def _flagged(self, on: str, off: str, *, inside: bool) -> Node | None:
        kept = _Flags(self.flags.case, self.flags.lines, self.flags.dot, self.flags.free)
        for letters, value in ((on, True), (off, False)):
            self.flags.case = value if "i" in letters else self.flags.case
            self.flags.free = value if "x" in letters else self.flags.free
            if self.java:
                self.flags.lines = value if "m" in letters else self.flags.lines
                self.flags.dot = value if "s" in letters else self.flags.dot
            else:
                self.flags.dot = value if "m" in letters else self.flags.dot
        if not inside:
            return None
        found = Group(self._inner())
        self.flags = kept
        return found

    def _inner(self) -> Node:
        found = self.choice()
        if not self.reader.take(")"):
            raise self.reader.unreadable("a bracket that is not closed")
        return found

    def escape(self) -> Node:
        letter = self.reader.next()
        places = {"A": At.BEGIN, "z": At.END, "Z": At.LAST_END, "b": At.WORD, "B": At.NO_WORD}
        if letter in places:
            return Place(places[letter])
        if letter == "G":
            return EMPTY  # at the begin of a search, and then where the last match ended
        if letter == "K" and not self.java:
            return EMPTY
        if letter in "123456789" or (letter == "k" and self.reader.peek() in "<'"):
            if letter == "k":
                self.reader.until(">" if self.reader.next() == "<" else "'")
            else:
                self.reader.digits(2, "0123456789")
            return Back()
        if letter in "RX":
            return Group(_LINE if letter == "R" else _CLUSTER, atomic=True, unit=True)
        if letter in "pP":
            return Chars(named(self.reader, letter == "P"))
        if letter == "Q" and self.java:
            text = self.reader.text[self.reader.at :].partition("\\E")[0]
            self.reader.at = min(self.reader.at + len(text) + 2, len(self.reader.text))
            return Sequence(tuple(self._one(char) for char in text))
        if (found := shorthand(letter, self.reader.dialect)) is not None:
            return Chars(found)
        return self._one(character(self.reader, letter))
