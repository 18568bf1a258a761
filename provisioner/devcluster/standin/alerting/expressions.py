"""The expressions of doc-level triggers (`query[name=a] && !query[tag=b]`) and chained alerts (`monitor[id=a]`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Set

TOKEN = re.compile(r"\s*(\(|\)|&&|\|\||!|(?:query|monitor)\[[^\]]*\])")
Operand = Callable[[str], Set[str]]


class ExpressionError(ValueError):
    """The expression can't be read."""


def documents(expression: str, operand: Operand, everything: Set[str]) -> Set[str]:
    """The members of `everything` for which the expression holds.

    `operand` gives, for what stands in the brackets (`name=a`), the members that it names. `!` is the complement,
    binds strongest; `&&` and `||` bind alike, from left to right (both have precedence 2 in the plugin's parsers).

    Raises:
        ExpressionError: the expression is not one.
    """
    reader = _Reader(expression, operand, everything)
    found = reader.row()
    if reader.next is not None:
        raise ExpressionError(f"unexpected {reader.next!r} in {expression!r}")
    return found


def operands(expression: str) -> list[str]:
    """What stands in the brackets of every operand, in order."""
    return [token[token.index("[") + 1 : -1].strip() for token in _tokens(expression) if token.endswith("]")]


def _tokens(expression: str) -> Iterator[str]:
    text, position = expression.rstrip(), 0
    while position < len(text):
        match = TOKEN.match(text, position)
        if match is None:
            raise ExpressionError(f"can't read {text[position:]!r} in {expression!r}")
        yield match[1]
        position = match.end()


class _Reader:
    """Recursive descent over the tokens: a row of ands and ors, not, parentheses."""

    def __init__(self, expression: str, operand: Operand, everything: Set[str]) -> None:
        self._tokens = _tokens(expression)
        self._operand = operand
        self._everything = everything
        self.next: str | None = None
        self._advance()

    def _advance(self) -> str | None:
        taken = self.next
        self.next = next(self._tokens, None)
        return taken

    def row(self) -> Set[str]:
        found = self._one()
        while self.next in ("&&", "||"):
            both = self._advance() == "&&"
            other = self._one()
            found = found & other if both else found | other
        return found

    def _one(self) -> Set[str]:
        word = self._advance()
        if word == "!":
            return self._everything - self._one()
        if word == "(":
            found = self.row()
            if self._advance() != ")":
                raise ExpressionError("a parenthesis is not closed")
            return found
        if word is None or not word.endswith("]"):
            raise ExpressionError(f"an operand is missing before {word!r}")
        return self._operand(word[word.index("[") + 1 : -1].strip()) & self._everything
