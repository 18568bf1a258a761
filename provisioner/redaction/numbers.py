"""Payment cards (Luhn, ISO/IEC 7812) and IBANs (modulo 97, ISO 13616)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from provisioner.redaction.finders import is_bound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provisioner.redaction.keys import Span

_RUN = re.compile("[0-9]{1,20}")
_FIRST = re.compile("(?<![0-9])[0-9]")
_SEPARATORS = " -.\xa0"
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_WORD = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
_BEGIN = re.compile("(?:[A-Z]{2}|[a-z]{2})(?!00|01|99)[0-9]{2}")
_BODY = re.compile("[A-Z0-9]*")
_SMALL = re.compile("[a-z]{2}[0-9]{2}[a-z]{0,4}[0-9]*")


class Cards:
    """Numbers of issuers with the right check digit, in one piece or in groups as they are printed on cards."""

    def __init__(self, issuers: Sequence[Mapping[str, Any]]) -> None:
        self._issuers = [(str(i["from"]), str(i["to"]), frozenset(i["lengths"])) for i in issuers]

    def spans(self, text: str, spans: list[Span], detector: str) -> None:
        """Adds each card's."""
        at, done = 0, -1  # done: a digit before a full stop is no fraction's where a card ended there
        while found := _FIRST.search(text, at):
            begin = found.start()
            before = text[begin - 1] if begin else " "
            fraction = before == "." and begin > 1 and begin - 1 != done and text[begin - 2] in "0123456789"
            last = -1 if before in _WORD or fraction else self._card(text, begin)
            if last > 0:
                spans.append((begin, last, detector))
                done = last
            at = last if last > 0 else begin + 1

    def _card(self, text: str, begin: int) -> int:
        """Where a card's number ends that begins here, or -1: in one piece, by four, 4-6-5, 4-6-4."""
        at, digits, found = begin, "", -1
        sizes: list[int] = []
        while run := _RUN.match(text, at):
            last = run.end()
            digits += run[0]
            sizes.append(last - at)
            if len(digits) > 19:
                return found
            if len(digits) >= 13 and _printed(sizes) and is_bound(text, last) and self.issued(digits):
                found = last
            if sizes != [4] * len(sizes) and sizes != [4, 6]:
                return found
            if last >= len(text) or text[last] not in _SEPARATORS or text[last] != text[begin + sizes[0]]:
                return found
            at = last + 1
        return found

    def issued(self, digits: str) -> bool:
        """Whether an issuer has such numbers, and the check digit is right."""
        numbers = [ord(c) - 48 for c in reversed(digits)]
        if (sum(numbers[::2]) + sum(_DOUBLED[n] for n in numbers[1::2])) % 10:
            return False
        return any(low <= digits[: len(low)] <= high and len(digits) in lengths for low, high, lengths in self._issuers)


def _printed(sizes: Sequence[int]) -> bool:
    if len(sizes) == 1:
        return True
    if len(sizes) == 3 and sizes[0] == 4 and sizes[1] == 6 and sizes[2] in (4, 5):
        return True
    return sizes[-1] <= 4 and all(size == 4 for size in sizes[:-1])


def iban(text: str, begin: int, lengths: Mapping[str, int]) -> int:
    """Where an IBAN ends that begins here, or -1: as many characters as the country has, together or by fours.

    In small letters only a bank's four letters and digits: more would take what are ids.
    """
    if begin + 15 > len(text) or not _BEGIN.match(text, begin):
        return -1
    length = lengths.get(text[begin : begin + 2].upper())
    if length is None:
        return -1
    if text[begin + 4] == " ":
        groups = (length + 3) // 4
        last = begin + length + groups - 1
        parts = text[begin:last].split(" ")
        if [len(part) for part in parts] != [4] * (groups - 1) + [length - 4 * (groups - 1)]:
            return -1
        value = "".join(parts)
    else:
        last = begin + length
        value = text[begin:last]
    body = (_SMALL if "a" <= value[0] <= "z" else _BODY).match(value)
    if len(value) != length or body is None or body.end() != length or not is_bound(text, last):
        return -1
    return last if int("".join(str(int(c, 36)) for c in value[4:] + value[:4])) % 97 == 1 else -1
