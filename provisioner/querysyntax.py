"""Whether Lucene's parser takes a query string, as `query_string` hands it on: its grammar, token by token.

Lucene's grammar is `org.apache.lucene.queryparser.classic.QueryParser.jj`; tests compare the verdicts with a server's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

_START = r"""[^ \t\n\r\u3000+\-!():^\[\]"{}~*?\\/]|\\."""
_CHAR = rf"{_START}|[+\-]"
_REST = r"""[^ \t\n\r\u3000!():^\[\]"{}~\\/]++|\\."""  # of a word: what _CHAR takes and wildcards, in runs
_TOKEN = re.compile(
    rf"""
    (?P<space>[ \t\n\r\u3000]+)
  | (?P<bare>[+\-!][ \t\n\r\u3000]+)
  | (?P<word>(?:{_START}|[*?])(?:{_REST})*+)
  | (?P<quoted>"(?:[^"\\]++|\\.)*+")
  | (?P<regex>/(?:[^/\\]++|\\.)*+/)
  | (?P<fuzzy>~(?:{_CHAR})*)
  | (?P<boost>\^)
  | (?P<sign>[-+!():])
  | (?P<range>[\[{{])
    """,
    re.VERBOSE | re.DOTALL,
)
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_DISTANCE = re.compile(r"~(?:[0-9]+(?:\.[0-9]*)?|(?i:auto))?")
_EDGE = re.compile(r'[ \t\n\r\u3000]*("(?:[^"\\]|\\.)*"|[^ \t\n\r\u3000\]}]+)', re.DOTALL)
_END = re.compile(r"[ \t\n\r\u3000]*[\]}]")
_UNICODE = re.compile(r"(?<!\\)(?:\\\\)*\\u(?![0-9a-fA-F]{4})")
_OPERATORS = {"AND": "and", "&&": "and", "OR": "or", "||": "or", "NOT": "not"}
_DEEPEST = 200


_GAP = r"[ \t\n\r\u3000]"
_OPERATOR = r"(?:AND|OR|NOT|&&|\|\|)"
_NAME = rf"(?:(?!{_OPERATOR}(?!{_REST}))[\w@.][\w@.\-]*+:)?+"
_PLAIN = rf"""(?!{_OPERATOR}(?!{_REST}))(?:{_START}|[*?])(?:{_REST})*+|"(?:[^"\\]++|\\.)*+\""""
_JOINED = rf"(?:{_GAP}++(?:(?:AND|OR|&&|\|\|){_GAP}++(?!\)|\Z))?+|(?=\)|\Z))"


def _clauses(levels: int) -> str:
    """Clauses of words and quoted texts, with parentheses within each other as deep as that: nearly all queries."""
    group = rf"|\({_GAP}*+{_clauses(levels - 1)}\)" if levels else ""
    return rf"(?:(?:NOT{_GAP}++)?+{_NAME}(?:{_PLAIN}{group}){_JOINED})++"


_USUAL = re.compile(_GAP + "*+" + _clauses(4), re.DOTALL)


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong, at which character (from 1), and how to mend it."""

    message: str
    position: int
    hint: str


class _WrongError(Exception):
    def __init__(self, message: str, position: int, hint: str) -> None:
        super().__init__(message)
        self.wrong = Wrong(message, position + 1, hint)


class _Token(NamedTuple):  # made by the hundred thousand: a frozen dataclass takes thrice as long
    kind: str
    text: str
    position: int


_ESCAPE = "put the value in quotes, or a backslash before the sign"


def wrong(query: str) -> Wrong | None:
    """Why the parser refuses the query, or None where it takes it. A blank query is taken: it finds nothing."""
    return None if _usual(query) else _grammar(query)


def _usual(query: str) -> bool:
    return "\\u" not in query and _USUAL.fullmatch(query) is not None


def _grammar(query: str) -> Wrong | None:
    try:
        tokens = _tokens(query)
        if len(tokens) > 1:
            _Parser(tokens).whole()
    except _WrongError as error:
        return error.wrong
    return None


def _tokens(query: str) -> list[_Token]:
    found: list[_Token] = []
    position = 0
    while position < len(query):
        match = _TOKEN.match(query, position)
        if match is None:
            raise _WrongError(*_unreadable(query, position))
        kind, text, start = str(match.lastgroup), match[0], position
        position = match.end()
        if kind == "range":
            position = _range(query, start)
        elif kind == "boost":
            number = _NUMBER.match(query, position)
            if number is None:
                raise _WrongError("`^` needs a number behind it", start, _ESCAPE)
            position = number.end()
        elif kind == "fuzzy" and found and found[-1].kind == "term" and not _DISTANCE.fullmatch(text):
            raise _WrongError(f"`{text}` has no number of letters that may differ", start, "write `~1` or `~2`")
        elif kind == "word":
            kind = _OPERATORS.get(text) or ("star" if text == "*" else "wild" if _wild(text) else "term")
            if "\\u" in text and (escape := _UNICODE.search(text)):
                raise _WrongError("`\\u` needs four hexadecimal digits behind it", start + escape.start(), _ESCAPE)
        elif kind == "regex" and (about := _regex(text[1:-1])):
            raise _WrongError(f"the regular expression {text} {about}", start, "close it, or put a backslash before it")
        elif kind == "sign":
            kind = "not" if text == "!" else text
        if kind != "space":
            found.append(_Token(kind, text, start))
    return [*found, _Token("end", "the end", len(query))]


def _unreadable(query: str, position: int) -> tuple[str, int, str]:
    sign = query[position]
    if sign == '"':
        return "a quote is opened and not closed", position, 'close it, or write \\" for the sign itself'
    if sign == "/":
        return "a `/` begins a regular expression, and none ends it", position, _ESCAPE
    if sign == "\\":
        return "a backslash ends the query", position, "write two for the sign itself"
    return f"`{sign}` closes nothing", position, _ESCAPE


def _range(query: str, start: int) -> int:
    """The position behind a range: two edges with TO between them."""
    position = start + 1
    parts: list[str] = []
    while edge := _EDGE.match(query, position):
        position = edge.end()
        parts.append(edge[1])
    closed = _END.match(query, position)
    if closed is None:
        raise _WrongError(f"a range is opened by `{query[start]}` and not closed", start, "write `[1 TO 5]`")
    if len(parts) != 3 or parts[1] != "TO":
        raise _WrongError("a range has not the form `[1 TO 5]`", start, "give both ends, `*` where there is none")
    return closed.end()


def _wild(text: str) -> bool:
    return ("*" in text or "?" in text) and re.search(r"(?<!\\)(?:\\\\)*[*?]", text) is not None


def _regex(pattern: str) -> str:
    """What is open at the pattern's end: brackets in a class, in quotes or behind a backslash don't count.

    OpenSearch takes such a query for valid, and then finds nothing.
    """
    plain = re.sub(r'\\.|"[^"]*"', "x", pattern, flags=re.DOTALL)
    plain = re.sub(r"\[\^?.[^\]]*\]", "", plain, flags=re.DOTALL)
    if "[" in plain:
        return "has a `[` that is not closed"
    depth = 0
    for sign in plain:
        depth = depth + 1 if sign == "(" else max(depth - 1, 0) if sign == ")" else depth
    return "has a `(` that is not closed" if depth else ""


class _Parser:
    """The grammar's productions, one method each."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.next = 0
        self.depth = 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.next]

    def whole(self) -> None:
        self.query()
        if self.token.kind != "end":
            self.refuse()

    def query(self) -> None:
        """Clauses, with or without an operator between them; each may have one sign before it."""
        self.clause(first=True)
        while self.token.kind not in (")", "end"):
            if self.token.kind in ("and", "or"):
                self.next += 1
            self.clause()

    def clause(self, *, first: bool = False) -> None:
        before = self.tokens[self.next - 1] if self.next else None
        if self.token.kind in ("+", "-", "not"):
            before = self.token
            self.next += 1
        token = self.token
        if token.kind in ("term", "star") and self.tokens[self.next + 1].kind == ":":
            before = self.tokens[self.next + 1]
            self.next += 2
            token = self.token
        if token.kind == "(":
            self.group()
        elif token.kind in ("term", "star", "wild", "regex", "bare", "quoted", "range"):
            self.next += 1
            self.tail(token)
        else:
            self.refuse(before, first=first)

    def group(self) -> None:
        opened = self.token
        self.next += 1
        self.depth += 1
        if self.depth > _DEEPEST:  # nobody writes that by hand, and Python's stack is short
            raise _WrongError("parentheses stand too deep in each other", opened.position, "write it with fewer")
        self.query()
        if self.token.kind != ")":
            raise _WrongError("a parenthesis is opened and not closed", opened.position, "close it, or " + _ESCAPE)
        self.depth -= 1
        self.next += 1
        if self.token.kind == "boost":
            self.next += 1

    def tail(self, token: _Token) -> None:
        """A boost and a distance, in any order, each once; a range has a boost only."""
        seen = {"boost"} if token.kind == "range" else {"boost", "fuzzy"}
        while self.token.kind in seen:
            seen.discard(self.token.kind)
            self.next += 1

    def refuse(self, before: _Token | None = None, *, first: bool = False) -> None:
        token = self.token
        words = {"and": "an operator needs something on both sides", "or": "an operator needs something on both sides"}
        if token.kind == ":":
            message, hint = "a colon stands where no field is before it", f"in a value: {_ESCAPE}"
        elif before is not None and before.kind in ("and", "or", "not", "+", "-"):
            message, hint = f"{before.text!r} has nothing behind it", "take it out, or put it in quotes as a word"
        elif before is not None and before.kind == ":" and token.kind in ("-", "+", "not"):
            message, hint = f"{token.text!r} can't begin a value", 'put the value in quotes: `field:"-1"`'
        elif before is not None and before.kind == ":":
            message, hint = (
                "a field has no value",
                'write `field:"…"`; that a field is there at all is `_exists_:field`',
            )
        elif token.kind in words and first:
            message, hint = f"{token.text!r} has nothing before it", "take it out, or put it in quotes as a word"
        elif token.kind == ")":
            message, hint = "a parenthesis is empty, or closes nothing", _ESCAPE
        else:
            message, hint = f"{token.text!r} can't stand here", _ESCAPE
        raise _WrongError(message, token.position, hint)
