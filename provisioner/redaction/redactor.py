"""Redacts events, texts and lines, with the result that the pipeline in the cluster would have."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provisioner.redaction import lines, tables
from provisioner.redaction.markers import Marks
from provisioner.redaction.texts import Texts
from provisioner.redaction.walk import Known, Walk, ordered

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provisioner.redaction.catalogue import Catalogue
    from provisioner.redaction.walk import Counts, Spans

_NESTED = frozenset({dict, list})
_PLAIN = frozenset({int, float, bool, type(None)})
_FAILED = {"message": "[content_REDACTED]", "ingest": {"redacted": {"detectors": ["failure"], "fields": ["*"]}}}
_DEEP = 400
"""Brackets in a line: with fewer nothing is nested too deep for Python."""
_NAME = re.compile("[a-z][A-Za-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """What a detector found in a field, never the value."""

    field: str
    detector: str
    count: int


class Redactor:
    """A catalogue at work. One may be used by many threads.

    `log_type` is that of the events, for the catalogue's switches (None: those of no log type). `pseudonym_key` (at
    least 16 bytes, or such a text) and `key_id` make pseudonyms; without, such a detector masks, as in the cluster.
    Raises ValueError where only one of the two is given, or one is of a wrong form.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        log_type: str | None = None,
        pseudonym_key: bytes | str | None = None,
        key_id: str | None = None,
    ) -> None:
        detectors = catalogue.body["detectors"]
        key = pseudonym_key.encode() if isinstance(pseudonym_key, str) else pseudonym_key
        self.catalogue = catalogue
        self._params = tables.of(catalogue.body)
        self._texts = Texts(self._params, Marks({d["name"]: d["action"] for d in detectors}, key, key_id))
        self._off = frozenset(
            d["name"] for d in detectors if not d.get("log_types", {}).get(log_type, d.get("enabled", True))
        )
        self._known = Known()

    def event(self, event: dict[Any, Any]) -> dict[Any, Any]:
        """The event without secrets, with `ingest.redacted` where anything was replaced; itself where nothing was.

        Nested too deep for Python (about 400 levels), it comes back without any content, as in the cluster what can't
        be checked.
        """
        return self._value(event)[0]  # type: ignore[no-any-return]

    def text(self, text: str) -> str:
        """A text without secrets. Detectors with `fields` don't look: a text is in no field."""
        return self._walk({}).value(text, None)  # type: ignore[no-any-return]

    def line(self, line: bytes) -> bytes:
        """A line, without its end: a JSON object is treated as an event, other JSON value by value, all else as text.

        A line without anything to hide comes back as it is, byte by byte. See `lines` for what is no ordinary JSON.
        """
        if self._is_clean(line):
            return line
        return lines.redacted(line, self._value, self.text)

    def _is_clean(self, line: bytes) -> bool:
        """Whether a glance says so: not where escapes may hide something, nor of what may be nested too deep."""
        glance = self._texts.glance
        if glance is None or b"\\" in line or glance(line):
            return False
        return line.count(b"{") + line.count(b"[") < _DEEP

    def found(self, event: dict[Any, Any]) -> list[Found]:
        """What `event` would replace, sorted by field. Markers of an earlier pass don't count."""
        count, seen = self._look(event)
        counts = self._redacted(event, seen)[1] if count < 0 else {}
        return sorted(Found(field, detector, count) for (field, detector), count in counts.items())

    def _look(self, node: Any) -> tuple[int, Spans]:
        """How many keys a value has, -1 where something may have to be replaced; and what is in its texts, of those
        that are not known to be clean.
        """
        clean, plain = self._known.clean, self._known.plain
        fresh: list[str] = []
        stack: list[Iterable[Any]] = [node if node.__class__ in _NESTED else [node]]
        count, suspect = 0, False
        while stack:
            values = stack.pop()
            if isinstance(values, dict):
                count += len(values)
                if not plain.issuperset(values) and [key for key in values if not self._is_plain(key)]:
                    suspect = True
                values = values.values()
            for value in values:
                kind = value.__class__
                if kind is str:
                    if value not in clean:
                        fresh.append(value)
                elif kind in _NESTED:
                    stack.append(value)
                elif kind not in _PLAIN:
                    return -1, {}
        seen = self._texts.each(fresh) if fresh else {}
        self._known.remember(clean, [text for text in fresh if not seen.get(text)])
        if suspect and not seen:
            seen = {text: [] for text in fresh}
        return -1 if suspect or any(seen.values()) else count, seen

    def _is_plain(self, key: Any) -> bool:
        """Whether a key is neither sensitive nor has anything in it, nor is the name of an earlier report."""
        if key in self._known.plain or not isinstance(key, str):
            return True
        if key not in self._known.clean:
            if self._texts.spans(key):
                return False
            self._known.remember(self._known.clean, [key])
        if key == "redacted" or self._texts.keys.detector(key) is not None:
            return False
        self._known.remember(self._known.plain, [key])
        return True

    def _walk(self, seen: Spans) -> Walk:
        return Walk(self._texts, self._params, self._off, self._known, seen)

    def _redacted(self, event: dict[Any, Any], seen: Spans) -> tuple[dict[Any, Any], Counts]:
        """The event redacted, and how often what was replaced in which field."""
        walk = self._walk(seen)
        ingest = event.get("ingest")
        earlier = ingest.get("redacted") if isinstance(ingest, dict) else None
        if isinstance(ingest, dict) and "redacted" in ingest:
            event = event | {"ingest": {key: value for key, value in ingest.items() if key != "redacted"}}
        try:
            made = walk.mapping(event, None)
        except RecursionError:
            return copy.deepcopy(_FAILED), {("*", "failure"): 1}
        names, fields = (set(), set()) if earlier is None else _kept(earlier, walk)
        for field, detector in walk.counts:
            names.add(detector)
            fields.add(field)
        if names:
            if not isinstance(made.get("ingest"), dict):
                made["ingest"] = {}
            made["ingest"]["redacted"] = {"detectors": ordered(names), "fields": ordered(fields)}
        return made, walk.counts

    def _value(self, node: Any) -> tuple[Any, int]:
        """Any JSON value redacted, a mapping as an event; and how many keys are in one with nothing to hide, else -1.

        Raises RecursionError where it is too deep.
        """
        count, seen = self._look(node)
        if count >= 0:
            return node, count
        if isinstance(node, dict):
            return self._redacted(node, seen)[0], -1
        return self._walk(seen).value(node, None), -1


def _kept(earlier: Any, walk: Walk) -> tuple[set[str], set[str]]:
    """What an earlier pass reported stays reported; a sender may have written it."""
    report = earlier if isinstance(earlier, dict) else {}
    detectors, told = report.get("detectors"), report.get("fields")
    names = detectors if isinstance(detectors, list) else []
    fields = told if isinstance(told, list) else []
    return (
        {name for name in names if isinstance(name, str) and _NAME.fullmatch(name)},
        {walk.told(field) for field in fields if isinstance(field, str)},
    )
