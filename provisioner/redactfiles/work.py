"""A chunk of lines redacted, with what was found counted; nothing passes that could not be looked at."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from provisioner.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.redaction import Catalogue
    from provisioner.redaction.walk import Counts as Replaced
    from provisioner.redaction.walk import Spans

WITHHELD_EVENT = b'{"message":"[content_REDACTED]","ingest":{"redacted":{"detectors":["failure"],"fields":["*"]}}}'
WITHHELD_TEXT = b"[content_REDACTED]"
_MARKER = re.compile(rb"\[([a-z][a-z0-9_]{0,39})_REDACTED")
_BEGIN, _END, _KEY_LINES = b"-----BEGIN ", b"-----END ", 300
_MEANT_AS_JSON = (b"{", b"[")


@dataclass(slots=True)
class Counts:
    """`lines` in all; `changed` of them; `broken`: begin as JSON and are none, redacted as text; `withheld`: not passed
    on at all. `detectors`: how many values each replaced."""

    lines: int = 0
    changed: int = 0
    broken: int = 0
    withheld: int = 0
    detectors: Counter[str] = field(default_factory=Counter)

    def add(self, other: Counts) -> None:
        """Count these as well."""
        self.lines += other.lines
        self.changed += other.changed
        self.broken += other.broken
        self.withheld += other.withheld
        self.detectors.update(other.detectors)


class _Counting(Redactor):
    """Remembers what it replaced in events."""

    counts: Counter[str] | None = None

    def _redacted(self, event: dict[Any, Any], seen: Spans) -> tuple[dict[Any, Any], Replaced]:
        made, found = super()._redacted(event, seen)
        self.counts = Counter()
        for (_, detector), times in found.items():
            self.counts[detector] += times
        return made, found


class Worker:
    """A catalogue at work on chunks. `as_text`: lines are plain text, whatever they look like."""

    def __init__(
        self, catalogue: Catalogue, log_type: str | None, key: bytes | None, key_id: str | None, as_text: bool
    ) -> None:
        self.redactor = _Counting(catalogue, log_type, key, key_id)
        self.as_text = as_text
        self.withheld = WITHHELD_TEXT if as_text else WITHHELD_EVENT

    def chunk(self, data: bytes) -> tuple[bytes, Counts]:
        """The lines redacted, their ends as they were."""
        counts = Counts()
        lines = data.split(b"\n")
        counts.lines = len(lines) - (not lines[-1])  # behind the last line's end: nothing, or a line without one
        if _BEGIN in data:
            lines = list(_keys_joined(lines))
        last = lines.pop()
        done = [self._line(line, counts) for line in lines]
        done.append(self._line(last, counts) if last else b"")
        return b"\n".join(done), counts

    def _line(self, line: bytes, counts: Counts) -> bytes:
        body, end = (line[:-1], b"\r") if line.endswith(b"\r") else (line, b"")
        self.redactor.counts = None
        try:
            then = self._text(body) if self.as_text else self.redactor.line(body)
        except Exception:  # noqa: BLE001 (whatever goes wrong with a line, it is not passed on and the next one is read)
            counts.withheld += 1
            return self.withheld + end
        if then != body:
            counts.changed += 1
            self._count(body, then, counts)
        if not self.as_text and body.lstrip()[:1] in _MEANT_AS_JSON and _is_broken(body):
            counts.broken += 1
        return then + end

    def _text(self, body: bytes) -> bytes:
        return self.redactor.text(body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")

    def _count(self, body: bytes, then: bytes, counts: Counts) -> None:
        found = self.redactor.counts
        if found is None:
            found = Counter(name.decode() for name in _MARKER.findall(then))
            found.subtract(name.decode() for name in _MARKER.findall(body))
        counts.detectors.update({name: times for name, times in found.items() if times > 0})


def _keys_joined(lines: list[bytes]) -> Iterator[bytes]:
    """The lines, those of a private key as one: each of its lines alone looks harmless."""
    at = 0
    while at < len(lines):
        end = at + 1
        if _BEGIN in lines[at] and b"PRIVATE KEY" in lines[at] and _END not in lines[at]:
            while end < min(len(lines), at + _KEY_LINES) and _END not in lines[end]:
                end += 1
            end = end + 1 if end < len(lines) else end
        yield b"\n".join(lines[at:end])
        at = end


def _is_broken(body: bytes) -> bool:
    import orjson

    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            json.loads(body.decode("utf-8", "surrogateescape"))
        except (ValueError, RecursionError):
            return True
    return False
