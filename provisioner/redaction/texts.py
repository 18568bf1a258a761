"""One text: what is in it, and what becomes of it."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from provisioner.redaction import anchored, finders, glance
from provisioner.redaction.keys import Keys
from provisioner.redaction.markers import MARKER, Marks
from provisioner.redaction.numbers import Cards
from provisioner.redaction.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable

    from provisioner.model import Body
    from provisioner.redaction.finders import Finder
    from provisioner.redaction.keys import Span

    Covers = Callable[[str], bool]

_TURNS = 6
"""A marker may bare what stood beside the value, so the text is looked at again. What so many turns don't settle
(dozens of keys right behind each other) goes as a whole: no text may take a turn for each of its values.
"""
_SIGNS, _AT, _SIGNATURE, _CARDS, _SSNS, _PHONES, _WORDS, _JWT, _CREDENTIALS, _PEM, _MIDDLE, _CURL = (
    1 << i for i in range(12)
)
_NUMBERS = _CARDS | _SSNS | _PHONES
_COSTLY = _NUMBERS | _WORDS
_ZEROS = bytes.maketrans(bytes(range(256)), bytes(0x30 if 0x30 <= c <= 0x39 else 0x20 for c in range(256)))
_BETWEEN = b" -.\xc2\xa0"
_SSN = re.compile("-[0-9][0-9]-[0-9][0-9][0-9][0-9]")
_PHONE = re.compile("[0-9](?:[ .\\-\xa0]?[0-9]){6}")


class Texts:
    """Finds and replaces in texts by the script's params (`tables.of`); `marks` makes the markers.

    Every finder stands behind a gate that is far cheaper than itself and never closed where it would find anything.
    """

    def __init__(self, params: Body, marks: Marks) -> None:
        self.marks = marks
        self.keys = Keys(params)
        self._finders: dict[str, str] = params["finders"]
        self._allow: dict[str, dict[str, bool]] = params["allow"]
        self._words = Words(params)
        self.glance = glance.of(params)
        self._table = self._finding(params)

    def _finding(self, params: Body) -> list[tuple[int, str, Finder]]:
        """The finders in their order: behind which gate, for which detector; those without one tell it themselves."""
        known = self._finders
        credentials = partial(finders.credentials, known.get("bearer"), known.get("basic"))
        finding: list[tuple[int, str, Finder]] = [
            (_AT, "url_password", finders.url_passwords),
            (_SIGNATURE, "azure_signature", finders.azure_signatures),
            (_AT, "email", finders.emails),
            (_CARDS, "payment_card", Cards(params["issuers"]).spans),
            (_SSNS, "us_ssn", finders.ssns),
            (_PHONES, "phone", finders.phones),
            (_WORDS, "", self._words.spans),
            (_JWT, "jwt", finders.jwts),
            (_CREDENTIALS, "", credentials),
            (_PEM, "private_key", finders.pems),
            (_MIDDLE, "telegram_token", anchored.telegram_tokens),
            (_MIDDLE, "terraform_token", anchored.terraform_tokens),
            (_MIDDLE, "azure_secret", anchored.azure_secrets),
            (_CURL, "curl_password", anchored.curl_passwords),
        ]
        return [(gate, known.get(name, ""), finder) for gate, name, finder in finding if not name or name in known]

    def gates(self, text: str) -> int:
        """Which finders may have anything to find in this text or a part of it, as bits; they may as well not. One rare
        character is looked for first: that is several times faster than a word.
        """
        if len(text) < 5:
            return 0
        lower = text.lower()
        return (
            (_SIGNS if self.keys.gate(text) else 0)
            | (_AT if "@" in text else 0)
            | (_SIGNATURE if "=" in text and "sig=" in text else 0)
            | self._numbers(text)
            | self._word(text)
            | (_JWT if "J" in text and "eyJ" in text else 0)
            | (_CREDENTIALS if "bearer" in lower or "basic" in lower else 0)
            | (_PEM if "--" in text and "-----BEGIN " in text else 0)
            | (_MIDDLE if ":AA" in text or ".atlasv1." in text or ("~" in text and "Q~" in text) else 0)
            | (_CURL if "curl " in text else 0)
        )

    def _word(self, text: str) -> int:
        return _WORDS if self._words.gate(text) else 0

    def _numbers(self, text: str) -> int:
        if len(text) < 7:
            return 0
        digits = text.encode("utf-8", "surrogatepass").translate(_ZEROS, _BETWEEN)
        if b"0000000" not in digits:
            return 0
        cards = _CARDS if b"0000000000000" in digits else 0
        ssns = _SSNS if _SSN.search(text) else 0
        return cards | ssns | (_PHONES if "phone" in self._finders and _PHONE.search(text) else 0)

    def _may(self, text: str) -> bool:
        """Whether a glance does not say that nothing is there."""
        return self.glance is None or bool(self.glance(text.encode("utf-8", "surrogatepass")))

    def each(self, texts: list[str]) -> dict[str, list[Span]]:
        """The spans of each text, nothing where none has any.

        What only looks like a number or a word that is looked for is seen in all of them at once, as lines of one:
        whatever is in one of them is found there too (a test says so).
        """
        lines = "\n".join(texts)
        if self.glance is not None:  # one for each is cheaper than the gates of all
            return {text: self.spans(text) for text in texts} if self._may(lines) else {}
        gates = self.gates(lines)
        if not gates or (not gates & ~_COSTLY and not self._found(lines, gates)):
            return {}
        return {text: self._part(text, gates) for text in texts}

    def spans(self, text: str) -> list[Span]:
        """All spans of a text, in the order of the finders."""
        gates = self.gates(text) if self._may(text) else 0
        return self._found(text, gates) if gates else []

    def _part(self, text: str, gates: int) -> list[Span]:
        """Those of one of several texts, by the gates of all: this one alone may be without."""
        if gates & _COSTLY:
            numbers = self._numbers(text) if gates & _NUMBERS else 0
            gates &= ~_COSTLY | numbers | (self._word(text) if gates & _WORDS else 0)
        return self._found(text, gates) if gates and len(text) >= 5 else []

    def _found(self, text: str, gates: int) -> list[Span]:
        found: list[Span] = []
        if gates & _SIGNS:
            self.keys.spans(text, found)
        for gate, name, finder in self._table:
            if gates & gate:
                finder(text, found, name)
        return found

    def redacted(self, text: str, covers: Covers, told: Callable[[str], None], found: list[Span] | None = None) -> str:
        """The text with a marker for every span that `covers(detector)`; `told(detector)` for each marker put. `found`
        are its spans where they are known.
        """
        now, spans = text, self.spans(text) if found is None else found
        for turn in range(_TURNS + 1):
            then = self._replaced(now, spans, covers, told) if spans else now
            if then == now:
                break
            if turn == _TURNS:
                return self.marks.of("", self._settled(now, spans, covers)[0][2])
            now, spans = then, self.spans(then)
        return now

    def allowed(self, value: str, detector: str) -> bool:
        """Whether the catalogue lets this very value stand."""
        return value in self._allow.get(detector, ())

    def _settled(self, text: str, spans: list[Span], covers: Covers) -> list[Span]:
        """The spans that count, in order: not those of values that may stay, nor such as begin in a marker."""
        spans.sort(key=lambda span: (span[0], -span[1]))
        kept = [s for s in spans if not (self._allow and self.allowed(text[s[0] : s[1]], s[2])) and covers(s[2])]
        if "_REDACTED" in text and kept:
            markers = [found.span() for found in MARKER.finditer(text)]
            inside, m = [], 0
            for span in kept:
                while m < len(markers) and markers[m][1] <= span[0]:
                    m += 1
                if m == len(markers) or markers[m][0] > span[0]:
                    inside.append(span)
            kept = inside
        return kept

    def _replaced(self, text: str, spans: list[Span], covers: Covers, told: Callable[[str], None]) -> str:
        """Spans that overlap become one, named after the first."""
        kept = self._settled(text, spans, covers)
        parts, done, i = [], 0, 0
        while i < len(kept):
            begin, last, detector = kept[i]
            i += 1
            while i < len(kept) and kept[i][0] < last:
                last = max(last, kept[i][1])
                i += 1
            parts += [text[done:begin], self.marks.of(text[begin:last], detector)]
            told(detector)
            done = last
        return "".join([*parts, text[done:]]) if parts else text
