"""What is known by how a word begins: vendors' keys, and IBANs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from provisioner.redaction.numbers import iban

if TYPE_CHECKING:
    from provisioner.model import Body
    from provisioner.redaction.keys import Span

_CLASSES = {
    "alphanumeric": "A-Za-z0-9", "upper": "A-Z0-9", "hex": "a-f0-9", "word": "A-Za-z0-9_-", "token": "A-Za-z0-9_.-",
    "path": "A-Za-z0-9_/-",
}  # fmt: skip
_WORD = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")


def _classes(endings: set[str]) -> tuple[str, str]:
    """The inner parts of two classes: the first and the second characters of all."""
    return "".join(map(re.escape, {e[0] for e in endings})), "".join(map(re.escape, {e[1] for e in endings}))


class Words:
    """The catalogue's prefixes and IBANs."""

    def __init__(self, params: Body) -> None:
        self._detector: str | None = params["finders"].get("iban")
        self._lengths: dict[str, int] = params["ibans"]
        self._groups = {
            group: [
                (p["text"], re.compile(f"[{_CLASSES[p['chars']]}]*"), p["min"], p["max"], p["detector"])
                for p in prefixes
            ]
            for group, prefixes in params["prefixes"].items()
        }
        texts = [p["text"] for prefixes in params["prefixes"].values() for p in prefixes]
        begins = [re.escape(text) for text in texts] + (["[A-Z]{2}[0-9]{2}"] if self._detector else [])
        self._begin = re.compile(f"(?<![A-Za-z0-9])(?:{'|'.join(begins)})") if begins else None
        marked = {text[-3:] for text in texts if text[-1] in "_-."}
        self._marked = marked
        self._mark = re.compile("[_.-](?<=([{}][{}][_.-]))".format(*_classes(marked))) if marked else None
        others = [re.escape(text) for text in texts if text[-1] not in "_-."]
        others += ["[A-Z][A-Z][0-9][0-9]"] if self._detector else []
        self._other = re.compile("|".join(others)) if others else None

    def gate(self, text: str) -> bool:
        """Whether something may begin here. Most prefixes end with a sign that is rare, and are looked for by it."""
        if self._mark is not None and not self._marked.isdisjoint(self._mark.findall(text)):
            return True
        return self._other is not None and self._other.search(text) is not None

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
            if least <= last - begin <= most and (last == len(text) or text[last] not in _WORD):
                spans.append((at, last, detector))
                return last
        return -1
