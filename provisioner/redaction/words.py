"""What is known by how a word begins: vendors' keys, and IBANs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from provisioner.redaction.keys import WORD
from provisioner.redaction.numbers import iban

if TYPE_CHECKING:
    from collections.abc import Callable

    from provisioner.model import Body
    from provisioner.redaction.keys import Span

CLASSES = {
    "alphanumeric": "A-Za-z0-9", "upper": "A-Z0-9", "hex": "a-f0-9", "word": "A-Za-z0-9_-", "token": "A-Za-z0-9_.-",
    "path": "A-Za-z0-9_/-", "base64": "A-Za-z0-9_+/=-",
}  # fmt: skip
_FORMS = bytes(
    0x30 if 0x30 <= c <= 0x39 else 0x41 if 0x41 <= c <= 0x5A else 0x61 if 0x61 <= c <= 0x7A else 0x20
    for c in range(256)
)
"""A for a capital letter, a for a small one, 0 for a digit, a space for all else: words begin behind a space."""
# A search for such a row of few different characters takes half as long as `in`.
_CAPITAL_FORM, _SMALL_FORM, _NUMBERS = (re.compile(form).search for form in (b" AA00", b" aa00", b"0000(?:0{6}| 0000)"))
_CAPITALS, _CAPITAL_BEGIN = re.compile(b" AAAA").search, re.compile("[A-Z]{2}[0-9]{2}")
_SMALL_IBAN = re.compile("[a-z]{2}(?<![A-Za-z0-9]..)[0-9]{2} ?[a-z]{0,4} ?[0-9]{2}", re.DOTALL)


def _mark(sign: str, endings: list[str]) -> Callable[[str], list[str]]:
    """Finds where prefixes that end with a sign may end: the sign, behind two characters that stand there in some."""
    first, second = ("".join(map(re.escape, sorted({ending[i] for ending in endings}))) for i in (0, 1))
    sign = re.escape(sign)
    return re.compile(f"{sign}(?<=([{first}][{second}]{sign}))").findall


class Words:
    """The catalogue's prefixes and IBANs."""

    def __init__(self, params: Body) -> None:
        self._detector: str | None = params["finders"].get("iban")
        self._lengths: dict[str, int] = params["ibans"]
        self._groups = {
            group: [
                (p["text"], re.compile(f"[{CLASSES[p['chars']]}]*"), p["min"], p["max"], p["detector"])
                for p in prefixes
            ]
            for group, prefixes in params["prefixes"].items()
        }
        known = [prefix for prefixes in params["prefixes"].values() for prefix in prefixes]
        texts = [prefix["text"] for prefix in known]
        self._shortest = min([15, *(len(prefix["text"]) + prefix["min"] for prefix in known)])
        begins = [re.escape(text) for text in texts] + (["(?:[A-Z]{2}|[a-z]{2})[0-9]{2}"] if self._detector else [])
        self._begin = re.compile(f"(?<![A-Za-z0-9])(?:{'|'.join(begins)})") if begins else None
        self._marked: dict[str, list[str]] = {}
        others = []
        for text in texts:
            sign = max(map(text.rfind, "_-."))
            if sign >= 2:
                self._marked.setdefault(text[sign - 2 : sign + 1], []).append(text)
            elif self._detector is None or not _CAPITAL_BEGIN.match(text):
                others.append(text)
        self._marks = [
            _mark(sign, [m for m in self._marked if m[-1] == sign]) for sign in {m[-1] for m in self._marked}
        ]
        uppers = [text for text in others if text[:4].isalpha() and text[:4].isupper()]
        self._upper = re.compile("|".join(map(re.escape, uppers))).search if uppers else None
        self._others = tuple(text for text in others if text not in uppers)

    def gate(self, text: str) -> bool:
        """Whether something may begin here. Most prefixes have a sign that is rare, and are looked for by it and what
        stands before; IBANs in small letters by their digits, ten together or by four.
        """
        if len(text) < self._shortest:
            return False
        if self._detector is not None:
            forms = b" " + text.encode("utf-8", "surrogatepass").translate(_FORMS)
            if _CAPITAL_FORM(forms) or (_SMALL_FORM(forms) and _NUMBERS(forms) and _SMALL_IBAN.search(text)):
                return True
            uppers = _CAPITALS(forms) is not None
        else:
            uppers = True
        for mark in self._marks:
            for ending in set(mark(text)):  # each once: the text is gone through for it
                if any(prefix in text for prefix in self._marked.get(ending, ())):
                    return True
        if uppers and self._upper and self._upper(text):
            return True
        for other in self._others:  # noqa: SIM110 (a generator would take most of the time)
            if other in text:
                return True
        return False

    def spans(self, text: str, spans: list[Span], _: str) -> None:
        """Adds each word's."""
        if self._begin is None:
            return
        at = 0
        while found := self._begin.search(text, at):
            begin = found.start()
            last = self._prefixed(text, begin, spans)
            if last < 0 and self._detector is not None:
                last = iban(text, begin, self._lengths)
                if last > 0:
                    spans.append((begin, last, self._detector))
            at = last if last > 0 else begin + 1

    def _prefixed(self, text: str, at: int, spans: list[Span]) -> int:
        for prefix, body, least, most, detector in self._groups.get(text[at : at + 2], ()):
            if not text.startswith(prefix, at):
                continue
            begin = at + len(prefix)
            last = body.match(text, begin, begin + most + 1).end()  # type: ignore[union-attr]
            while last > begin and text[last - 1] == ".":
                last -= 1
            if least <= last - begin <= most and (last == len(text) or text[last] not in WORD):
                spans.append((at, last, detector))
                return last
        return -1
