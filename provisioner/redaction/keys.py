"""Which keys are sensitive, and the values that follow them in a text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from provisioner.redaction.markers import MARKER, end

if TYPE_CHECKING:
    from provisioner.model import Body

Span = tuple[int, int, str]
"""From, to, detector."""

_NOT_WORD = re.compile("[^A-Za-z0-9]+")
_SIGN = re.compile("[=:](?<=[A-Za-z0-9 \\\\\"'_.-][=:])|--")
_SKIPPED = re.compile("[\x00-\x09\x0b\x0c\x0e-\x20\xa0=:>]*")
_SLASHES = re.compile(r"\\*")
UNQUOTED = re.compile("[^\x00-\x20\xa0,;&\"'`<>)}\\]|\\[\\\\]*")
_LINE = re.compile("[^\n\r\"'\\\\]*")
_SCHEME = re.compile("[A-Za-z][A-Za-z0-9_-]*")
_TOKEN68 = re.compile("[A-Za-z0-9._~+/-]+=*")
_DIGIT, _LETTER = re.compile("[0-9]"), re.compile("[A-Za-z]")
_BRACKET = re.compile(r"[\[\]{}]")
_OPTION = re.compile("[A-Za-z0-9_-]*")
_BEFORE = " \\\"'"
_REMEMBERED, _SHORT = 20_000, 100
_WHITE = frozenset(map(chr, [*range(0x21), 0xA0]))
_SPACES = _WHITE - {"\n", "\r"}
_BEFORE_OPTION = _WHITE | frozenset(",\"'`([{")
_ESCAPED = frozenset("\"'nrt")
_BREAKS = frozenset("\n\r")
_ONE_WORD, _HEADER, _AUTHORIZATION = range(3)
_SCHEMES = frozenset({"bearer", "basic", "token", "digest", "negotiate"})
_EMPTY = frozenset({"null", "none", "true", "false"})
WORD = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
_KEY_CHARACTERS = WORD | frozenset("_-.")


def squeezed(key: str) -> str:
    """A key in lower case, letters and digits only, the last 64 of them at most."""
    return _NOT_WORD.sub("", key)[-64:].lower()


class Keys:
    """The catalogue's keys. `detector` remembers what it was asked, as events have the same keys all the time."""

    def __init__(self, params: Body) -> None:
        self.names: dict[str, str] = params["names"]
        self.endings: dict[str, str] = params["endings"]
        self.lengths: list[int] = params["lengths"]
        self.headers: dict[str, str] = params["headers"]
        tails = "|".join(map(re.escape, sorted(params["tails"])))
        before = "[ \\\\\"'_.-]"
        near = f"(?<={before}[=:])|(?<=[_.-].[=:])|(?<=[_.-]..[=:])"
        last = "".join(sorted({re.escape(c) for tail in params["tails"] for c in (tail[-1], tail[-1].upper())}))
        gate = f"(?<=[{last}{before[1:-1]}][=:])(?:(?<=(?i:{tails})[=:])|{near})"
        self._known: dict[str, str | None] = {}
        self._gates = [re.compile(sign + gate, re.ASCII | re.DOTALL).search for sign in "=:"] if tails else []

    def gate(self, text: str) -> bool:
        """Whether a sensitive key may end before a sign: three letters that one ends with, or what stands between."""
        for gate in self._gates:
            if gate(text):
                return True
        return "--" in text

    def detector(self, key: str) -> str | None:
        """The detector of a key, or None: user.apiKey and X-API-KEY are keys as well."""
        try:
            return self._known[key]
        except KeyError:
            found = self._detector(key)
        if len(key) <= _SHORT:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[key] = found
        return found

    def _detector(self, key: str) -> str | None:
        known = self._named(key)
        if known is not None:
            return self.names[known]
        name = squeezed(key)
        for length in self.lengths:
            if length > len(name):
                return None
            found = self.endings.get(name[-length:])
            if found is not None:
                return found
        return None

    def _named(self, key: str) -> str | None:
        """The one of `names` that a key is, or the last part of a dotted one (app.secret), or None."""
        name = squeezed(key)
        if name in self.names:
            return name
        last = len(key)
        while last > 0 and key[last - 1] not in WORD:
            last -= 1
        dot = key.rfind(".", 0, last)
        name = squeezed(key[dot + 1 : last])
        return name if dot >= 0 and name in self.names else None

    def _kind(self, key: str) -> int:
        """How far the value of a sensitive key goes in a text."""
        name = self._named(key) or ""
        if name in self.headers:
            return _HEADER
        return _AUTHORIZATION if name.endswith("authorization") else _ONE_WORD

    def spans(self, text: str, spans: list[Span]) -> None:
        """key=value, "key": "value", key => value, --key value"""
        search, at = _SIGN.search, 0
        while found := search(text, at):
            sign = found.start()
            at = self._option(text, sign, spans) if text[sign] == "-" else self._assigned(text, sign, spans)

    def _assigned(self, text: str, sign: int, spans: list[Span]) -> int:
        last = sign
        while last > 0 and text[last - 1] in _BEFORE:
            last -= 1
        begin = last
        while begin > 0 and last - begin < 100 and text[begin - 1] in _KEY_CHARACTERS:
            begin -= 1
        key = text[begin:last]
        detector = self.detector(key) if last - begin >= 3 else None
        if detector is None or (key[-4:] in ("PWD", ".PWD") and last == sign and text.startswith("/", sign + 1)):
            return sign + 1
        return self._value(text, sign + 1, detector, spans, self._kind(key))

    def _option(self, text: str, at: int, spans: list[Span]) -> int:
        if at > 0 and text[at - 1] not in _BEFORE_OPTION:
            return at + 2
        last = _OPTION.match(text, at + 2).end()  # type: ignore[union-attr]
        if last + 1 >= len(text) or text[last] != " " or text[last + 1] == "-":
            return at + 2
        detector = self.detector(text[at + 2 : last])
        return at + 2 if detector is None else self._value(text, last + 1, detector, spans, _ONE_WORD)

    def _value(self, text: str, begin: int, detector: str, spans: list[Span], kind: int) -> int:
        """Adds the span of the value that follows a key on its line, and gives the place after it."""
        skipped = _SKIPPED.match(text, begin).end()  # type: ignore[union-attr]
        at = _SLASHES.match(text, skipped).end()  # type: ignore[union-attr]
        slashes = at - skipped
        if at < len(text) and text[at] == "`":
            at += 1
        if at >= len(text) or text[at] in _BREAKS or (slashes > 0 and text[at] in "nr"):
            return at
        first = text[at]
        if first in "\"'":
            return _quoted(text, at, slashes, detector, spans)
        marker = end(text, at)
        if kind == _HEADER:
            last = unquoted_end(_LINE, text, at)
            if marker != last and last > at:
                spans.append((at, last, detector))
            return last
        if marker > 0:
            return marker
        if first in "[{":
            last = _closing(text, at)
            if last - at > 2:
                spans.append((at, last, detector))
            return last
        return _word(text, at, detector, spans, kind)


def _word(text: str, at: int, detector: str, spans: list[Span], kind: int) -> int:
    last = unquoted_end(UNQUOTED, text, at)
    if 5 <= last - at <= 9 and last < len(text) and text[last] in _SPACES and squeezed(text[at:last]) in _SCHEMES:
        at = last + 1
        if end(text, at) > 0:
            return at
        last = unquoted_end(UNQUOTED, text, at)
    elif kind == _AUTHORIZATION:
        last = _schemed(text, at, last)
    if last > at and not (last - at in (4, 5) and text[at:last].lower() in _EMPTY):
        spans.append((at, last, detector))
    return last


def _schemed(text: str, at: int, last: int) -> int:
    """Where the credentials end whose scheme may stand here: one more word, of the characters that RFC 9110 has for it
    (token68), eight at least, with a digit and a letter ("Api-Token 22cb987851bc").
    """
    if text[last : last + 1] != " " or not _SCHEME.fullmatch(text, at, last) or text[at:last].lower() in _EMPTY:
        return last
    end_ = unquoted_end(UNQUOTED, text, last + 1)
    word = text[last + 1 : end_]
    known = len(word) >= 8 and _TOKEN68.fullmatch(word) and _DIGIT.search(word) and _LETTER.search(word)
    return end_ if known else last


def unquoted_end(of: re.Pattern[str], text: str, at: int) -> int:
    """Where a value without quotes ends: before a marker too, and before a quote, line break or tab behind backslashes
    (JSON within JSON).
    """
    while True:
        at = of.match(text, at).end()  # type: ignore[union-attr]
        if at >= len(text):
            return at
        if text[at] == "\\":
            after = _SLASHES.match(text, at).end()  # type: ignore[union-attr]
            if text[after : after + 1] in _ESCAPED:
                return at
            at = after
        elif text[at] == "[" and end(text, at) < 0:
            at += 1
        else:
            return at


def _quoted(text: str, at: int, slashes: int, detector: str, spans: list[Span]) -> int:
    """A value in quotes that open at `at`, behind `slashes` backslashes (as in JSON within JSON)."""
    begin, quote = at + 1, text[at]
    i, before = begin, 0
    while (i := text.find(quote, i)) >= 0:
        before = 0
        while i - before > begin and text[i - before - 1] == "\\":
            before += 1
        if before <= slashes if slashes > 0 else before % 2 == 0:
            break
        i += 1
    if i < 0:
        i = last = len(text)
    else:
        last = i - min(before, slashes)
    if last > begin and end(text, begin) != last:
        spans.append((begin, last, detector))
    return i


def _closing(text: str, at: int) -> int:
    """Where a bracket that opens here closes, or the end of the text."""
    depth = 0
    for found in _BRACKET.finditer(text, at):
        depth += 1 if found[0] in "[{" else -1
        if depth == 0:
            return found.end()
    return len(text)


__all__ = ["MARKER", "Keys", "Span", "squeezed"]
