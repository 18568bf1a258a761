"""Forms that are known and validated: each finder adds the spans [from, to, detector] of one text.

The very rules of templates/pipelines/redaction.painless; regular expressions only say where something may begin and how
far a class of characters goes, and take time in proportion to the text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from provisioner.redaction.keys import WORD
from provisioner.redaction.markers import end as marker_end

if TYPE_CHECKING:
    from collections.abc import Callable

    from provisioner.redaction.keys import Span

    Finder = Callable[[str, list[Span], str], None]

_WORD = "A-Za-z0-9"
_TOKEN = re.compile(f"[{_WORD}_-]*")
_DOTTED = re.compile(f"[{_WORD}_.-]*")
_ADDRESS_END = re.compile("[\x00-\x20\xa0/\"'<>?#]")
_ADDRESS_PARTS = re.compile(r"[:@\[]")
_SSN = re.compile(rf"(?<![{_WORD}_-])(?!000|666|9)[0-9]{{3}}-(?!00)[0-9]{{2}}-(?!0000)[0-9]{{4}}(?![{_WORD}_-])")
_CREDENTIAL = re.compile(f"(?<![{_WORD}])(?:bearer|basic)", re.ASCII | re.IGNORECASE)
_AFTER_BEARER = re.compile("[\x00-\x20\xa0:=]*")
_BEARER = re.compile(f"[{_WORD}._~+/=-]*")
_DIGIT = re.compile("[0-9]")
_BASE64 = re.compile(f" +([{_WORD}+/]*(=*))")
_AZURE = re.compile(
    rf"(?<![{_WORD}_])sig=((?:[{_WORD}+/]|%2[BbFf]){{43}}(?:%3[Dd]|=))(?![{_WORD}_])",
)
_EMAIL = re.compile("@")
_LOCAL = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._%+-")
_DOMAIN = re.compile(f"[{_WORD}.-]{{0,254}}")
_PHONE = re.compile(rf"(?<![{_WORD}_.+\-])[+(0-9]")
_PHONE_SIGNS = frozenset("+(")
_BITS = {c: i for i, c in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")}
_DIGITS = frozenset("0123456789")


def is_bound(text: str, at: int) -> bool:
    """Whether no word goes on here: the text ends, or neither letter, digit nor _ follows."""
    return at >= len(text) or (text[at] not in WORD and text[at] != "_")


def url_passwords(text: str, spans: list[Span], detector: str) -> None:
    """scheme://user:secret@host"""
    at = text.find("://")
    while at >= 0:
        begin = at + 3
        found = _ADDRESS_END.search(text, begin)
        last = found.start() if found else len(text)
        colon = sign = -1
        i = begin
        while part := _ADDRESS_PARTS.search(text, i, last):
            i, letter = part.end(), part[0]
            if letter == "[":
                i = max(i, marker_end(text, part.start()))
            elif letter == "@":
                sign = part.start()
            elif colon < 0:
                colon = part.start()
        if colon > 0 and sign > colon + 1 and marker_end(text, colon + 1) != sign:
            spans.append((colon + 1, sign, detector))
        at = text.find("://", begin)


def ssns(text: str, spans: list[Span], detector: str) -> None:
    """ddd-dd-dddd with an area, a group and a serial that exist (Social Security Administration)"""
    spans += [(*found.span(), detector) for found in _SSN.finditer(text)]


def jwts(text: str, spans: list[Span], detector: str) -> None:
    """JSON Web Tokens (RFC 7519): base64url of `{"`, a dot, at least one more part"""
    at = text.find("eyJ")
    while at >= 0:
        after = at + 3
        if at == 0 or (is_bound(text, at - 1) and text[at - 1] != "-"):
            dot = _TOKEN.match(text, at).end()  # type: ignore[union-attr]
            if dot - at >= 10 and dot < len(text) and text[dot] == ".":
                last = _DOTTED.match(text, dot + 1).end()  # type: ignore[union-attr]
                last = dot + 1 + len(text[dot + 1 : last].rstrip("."))
                if last - dot > 10:
                    spans.append((at, last, detector))
                after = max(last, dot)
        at = text.find("eyJ", after)


def credentials(bearer: str | None, basic: str | None, text: str, spans: list[Span], _: str) -> None:
    """ "Bearer <token>" and "Basic <base64 of user:password>", in any case"""
    at = 0
    while found := _CREDENTIAL.search(text, at):
        at = found.end()
        is_bearer = at - found.start() == 6
        at = _bearer(text, at, spans, bearer) if is_bearer else _basic(text, at, spans, basic)


def _bearer(text: str, at: int, spans: list[Span], detector: str | None) -> int:
    """A token has a digit and eight characters, or sixteen characters; "bearer of news" has none."""
    begin = _AFTER_BEARER.match(text, at).end()  # type: ignore[union-attr]
    if begin == at or detector is None:
        return begin
    last = _BEARER.match(text, begin).end()  # type: ignore[union-attr]
    if last - begin < 8 or (last - begin < 16 and not _DIGIT.search(text, begin, last)):
        return begin
    spans.append((begin, last, detector))
    return last


def _basic(text: str, at: int, spans: list[Span], detector: str | None) -> int:
    found = _BASE64.match(text, at)
    if found is None:
        return at
    begin, last = found.span(1)
    if detector is None:
        return begin
    if (last - begin) % 4 == 0 and last - begin >= 8 and len(found[2]) <= 2 and _is_user_and_password(found[1]):
        spans.append((begin, last, detector))
    return last


def _is_user_and_password(text: str) -> bool:
    """Whether base64 says user:password, in printable characters (RFC 7617)."""
    buffer = held = 0
    colon = False
    for c in text.rstrip("="):
        buffer = (buffer * 64 + _BITS[c]) & 0xFFFF
        held += 6
        if held >= 8:
            held -= 8
            octet = (buffer >> held) & 0xFF
            if octet < 32 or octet == 127:
                return False
            colon = colon or octet == 58
    return colon


def pems(text: str, spans: list[Span], detector: str) -> None:
    """PEM blocks with a private key (RFC 7468; RFC 9580: OpenPGP); one without an end takes the rest of the text."""
    at = text.find("-----BEGIN ")
    while at >= 0:
        label = text.find("-----", at + 11)
        if label < 0:
            return
        after = label
        block = label - at >= 28 and text.startswith("PRIVATE KEY BLOCK", label - 17)
        if block or (label - at >= 22 and text.startswith("PRIVATE KEY", label - 11)):
            last = text.find("-----END ", label)
            close = -1 if last < 0 else text.find("-----", last + 9)
            after = len(text) if close < 0 else close + 5
            spans.append((at, after, detector))
        at = text.find("-----BEGIN ", after)


def azure_signatures(text: str, spans: list[Span], detector: str) -> None:
    """The signature in an address of Azure's storage (SAS): base64 of 32 bytes, its signs perhaps as %2B"""
    spans += [(*found.span(1), detector) for found in _AZURE.finditer(text)]


def emails(text: str, spans: list[Span], detector: str) -> None:
    """local@domain.tld"""
    for found in _EMAIL.finditer(text):
        at = begin = found.start()
        while begin > 0 and at - begin < 64 and text[begin - 1] in _LOCAL:
            begin -= 1
        last = _DOMAIN.match(text, at + 1).end()  # type: ignore[union-attr]
        while last > at + 1 and not (text[last - 1].isascii() and text[last - 1].isalpha()):
            last -= 1
        dot = text.rfind(".", at + 1, last)
        if begin < at and dot > at + 1 and last - dot > 2:
            spans.append((begin, last, detector))


def phones(text: str, spans: list[Span], detector: str) -> None:
    """+, a country code and 8 to 15 digits in all (E.164), or North America's ddd-ddd-dddd

    Where one ends the next may begin: its marker would let it begin there in the next turn.
    """
    at, done = 0, -1
    while True:
        begin = at if at == done and text[at : at + 1] in _PHONE_SIGNS else -1
        if begin < 0:
            found = _PHONE.search(text, at)
            if found is None:
                return
            begin = found.start()
        last = _phone(text, begin)
        if last > 0:
            spans.append((begin, last, detector))
            done = last
        at = last if last > 0 else begin + 1


def _phone(text: str, begin: int) -> int:
    country = text[begin] == "+"
    digits, last, gap, sizes = 0, -1, 0, []
    for at in range(begin + 1 if country else begin, min(len(text), begin + 32)):
        c = text[at]
        if c in _DIGITS:
            if (digits == 0 and c == "0") if country else (digits in (0, 3) and c < "2"):
                return -1
            digits, last, gap = digits + 1, at + 1, 0
        elif c in " -.()" and gap < 2:
            if not country and gap == 0 and digits not in (0, 3, 6):
                break
            if digits > 0 and gap == 0:
                sizes.append(digits)
            gap += 1
        else:
            break
    if last < 0 or not is_bound(text, last):
        return -1
    if country:
        return last if 8 <= digits <= 15 else -1
    return last if digits == 10 and sizes[:2] == [3, 6] else -1
