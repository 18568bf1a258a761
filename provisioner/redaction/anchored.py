"""Forms that are known by what stands in their middle, and curl's passwords: finders as in `finders`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from provisioner.redaction.finders import is_bound
from provisioner.redaction.keys import UNQUOTED, unquoted_end
from provisioner.redaction.markers import end as marker_end

if TYPE_CHECKING:
    from provisioner.redaction.keys import Span

_WORD = "A-Za-z0-9"
_TELEGRAM = re.compile(f"(?<![0-9])(?:(?<![{_WORD}_])|(?<=bot))[0-9]{{8,10}}:AA[{_WORD}_-]{{33}}(?![{_WORD}_-])")
_TERRAFORM = re.compile(f"(?<![{_WORD}_])[{_WORD}]{{14}}\\.atlasv1\\.[{_WORD}_-]{{60,70}}(?![{_WORD}_-])")
_AZURE_TAIL = re.compile(f"[{_WORD}_~.-]*")
_AZURE_HEAD = re.compile(f"[{_WORD}_~.-]{{3}}[0-9]")
_BREAK = re.compile("[\n\r]")
_OPTION = re.compile(" -(?:[uU]|-(?:proxy-)?user)")
_GAP = re.compile("[ =]*")
_USER = {
    "": re.compile("[^\x00-\x20\xa0,;&\"'`<>)}\\]|:]{1,100}:(?!//)"),
    '"': re.compile('[^":]{1,100}:(?!//)'),
    "'": re.compile("[^':]{1,100}:(?!//)"),
}


def telegram_tokens(text: str, spans: list[Span], detector: str) -> None:
    """Telegram's bots: 8 to 10 digits, :AA, 33 characters; behind `bot` in addresses"""
    spans += [(*found.span(), detector) for found in _TELEGRAM.finditer(text)]


def terraform_tokens(text: str, spans: list[Span], detector: str) -> None:
    """HCP Terraform's: 14 letters and digits, .atlasv1., 60 to 70 characters"""
    spans += [(*found.span(), detector) for found in _TERRAFORM.finditer(text)]


def azure_secrets(text: str, spans: list[Span], detector: str) -> None:
    """Secrets of Azure's (Entra's) applications: three characters, a digit, Q~, 31 to 34 characters"""
    at = text.find("Q~", 4)
    while at >= 0:
        begin, most = at - 4, at + 2 + 35
        last = _AZURE_TAIL.match(text, at + 2, most).end()  # type: ignore[union-attr]
        while last > at + 2 and text[last - 1] == ".":
            last -= 1
        bound = begin == 0 or is_bound(text, begin - 1)
        if bound and 31 <= last - at - 2 <= 34 and _AZURE_HEAD.match(text, begin):
            spans.append((begin, last, detector))
        at = text.find("Q~", at + 2)


def curl_passwords(text: str, spans: list[Span], detector: str) -> None:
    """curl -u user:password, --user, -U, --proxy-user; the command goes to the end of its line"""
    at = text.find("curl ")
    while at >= 0:
        last = at + 5
        if at == 0 or is_bound(text, at - 1):
            found = _BREAK.search(text, last)
            last = found.start() if found else len(text)
            while option := _OPTION.search(text, at, last):
                end = _curl_password(text, option.end(), last, spans, detector)
                at = end if end > 0 else option.start() + 2
        at = text.find("curl ", last)


def _curl_password(text: str, at: int, last: int, spans: list[Span], detector: str) -> int:
    """The password behind an option that ends here: user:password, perhaps in quotes. Gives its end, or -1."""
    at = _GAP.match(text, at, last).end()  # type: ignore[union-attr]
    quote = text[at] if at < last and text[at] in "\"'" else ""
    user = _USER[quote].match(text, at + len(quote), last)
    if user is None:
        return -1
    begin = user.end()
    end = text.find(quote, begin, last) if quote else unquoted_end(UNQUOTED, text, begin)
    if end < 0 or end > last:
        end = last
    if end == begin or marker_end(text, begin) == end:
        return -1
    spans.append((begin, end, detector))
    return end
