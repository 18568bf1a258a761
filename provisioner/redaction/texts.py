"""One text: what is in it, and what becomes of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from provisioner.redaction import finders
from provisioner.redaction.keys import Keys
from provisioner.redaction.markers import MARKER, Marks
from provisioner.redaction.numbers import Cards
from provisioner.redaction.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable

    from provisioner.model import Body
    from provisioner.redaction.keys import Span

    Covers = Callable[[str], bool]

_TURNS = 3
"""A marker may bare what stood beside the value, so the text is looked at again; so often at most."""
_CARD = bytes.maketrans(bytes(range(256)), bytes(0x30 if 0x30 <= c <= 0x39 else 0x20 for c in range(256)))
_BETWEEN = b" -.\xc2\xa0"
_SSN = re.compile("-[0-9][0-9]-[0-9]")
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
        self._cards = Cards(params["issuers"])
        self._words = Words(params)
        self._word = self._words.begin.search if self._words.begin else lambda _: None
        self._sign = self.keys.signs.search

    def clean(self, text: str) -> bool:
        """Whether no gate is open: nothing can be found in this text or a part of it. May be False without cause."""
        if len(text) < 5:
            return True
        return not (
            self._sign(text)
            or ("@" in text and ("://" in text or "email" in self._finders))
            or "sig=" in text
            or self._word(text)
            or "eyJ" in text
            or "-----BEGIN " in text
            or self._numbers(text)
            or _credential(text)
        )

    def spans(self, text: str) -> list[Span]:
        """All spans of a text, in the order of the finders; the empty list where there are none."""
        found: list[Span] = []
        if len(text) < 5:
            return found
        known = self._finders
        if self._sign(text):
            self.keys.spans(text, found)
        if "://" in text and "@" in text and "url_password" in known:
            finders.url_passwords(text, found, known["url_password"])
        if "sig=" in text and "azure_signature" in known:
            finders.azure_signatures(text, found, known["azure_signature"])
        if "@" in text and "email" in known:
            finders.emails(text, found, known["email"])
        self._find_numbers(text, found)
        if self._word(text):
            self._words.spans(text, found)
        if "eyJ" in text and "jwt" in known:
            finders.jwts(text, found, known["jwt"])
        if _credential(text):
            finders.credentials(text, found, known.get("bearer"), known.get("basic"))
        if "-----BEGIN " in text and "private_key" in known:
            finders.pems(text, found, known["private_key"])
        return found

    def _numbers(self, text: str) -> bool:
        digits = text.encode("utf-8", "surrogatepass").translate(_CARD, _BETWEEN)
        if b"0000000" not in digits:
            return False
        return (
            b"0000000000000" in digits
            or _SSN.search(text) is not None
            or ("phone" in self._finders and _PHONE.search(text) is not None)
        )

    def _find_numbers(self, text: str, found: list[Span]) -> None:
        known = self._finders
        digits = text.encode("utf-8", "surrogatepass").translate(_CARD, _BETWEEN)
        if b"0000000" not in digits:
            return
        if b"0000000000000" in digits and "payment_card" in known:
            self._cards.spans(text, found, known["payment_card"])
        if "us_ssn" in known and _SSN.search(text):
            finders.ssns(text, found, known["us_ssn"])
        if "phone" in known and _PHONE.search(text):
            finders.phones(text, found, known["phone"])

    def redacted(self, text: str, covers: Covers, told: Callable[[str], None]) -> str:
        """The text with a marker for every span that `covers(detector)`; `told(detector)` for each marker put."""
        now = text
        for _ in range(_TURNS):
            spans = self.spans(now)
            then = self._replaced(now, spans, covers, told) if spans else now
            if then == now:
                break
            now = then
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


def _credential(text: str) -> bool:
    lower = text.lower()
    return "bearer" in lower or "basic" in lower
