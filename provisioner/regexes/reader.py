"""The text of a regular expression, read from left to right."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provisioner.regexes.escapes import Dialect


class UnreadableError(ValueError):
    """Not what this reader knows: a mistake, which the server tells when it takes the pipeline, or a rare form."""


class Reader:
    """A place in a text; `ignore_case` is whether a flag says so there."""

    def __init__(self, text: str, dialect: Dialect) -> None:
        self.text = text
        self.dialect = dialect
        self.at = 0
        self.ignore_case = False

    def peek(self, ahead: int = 0) -> str:
        """The next character, or one behind it; "" at the end."""
        place = self.at + ahead
        return self.text[place] if place < len(self.text) else ""

    def next(self) -> str:
        """Take the next character. Raises UnreadableError at the end."""
        if self.at >= len(self.text):
            raise self.unreadable("the end")
        self.at += 1
        return self.text[self.at - 1]

    def take(self, expected: str) -> bool:
        """Take this text, where it stands here."""
        if self.text.startswith(expected, self.at):
            self.at += len(expected)
            return True
        return False

    def until(self, end: str) -> str:
        """Take all up to this text, and that as well. Raises UnreadableError where it does not come."""
        place = self.text.find(end, self.at)
        if place < 0:
            raise self.unreadable(f"no {end!r}")
        found, self.at = self.text[self.at : place], place + len(end)
        return found

    def digits(self, most: int, allowed: str) -> str:
        """Take up to so many of these."""
        begin = self.at
        while self.at - begin < most and self.peek() and self.peek() in allowed:
            self.at += 1
        return self.text[begin : self.at]

    def unreadable(self, what: str) -> UnreadableError:
        """An error that says where."""
        return UnreadableError(f"{what} at {self.at} of a regular expression")
