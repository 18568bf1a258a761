"""A whole event: every text and key at any depth, by the rules of the pipeline's script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provisioner.redaction.markers import MARKER
from provisioner.redaction.tables import DEEPEST, LONGEST

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provisioner.model import Body
    from provisioner.redaction.keys import Span
    from provisioner.redaction.texts import Texts

    Spans = dict[str, list[Span]]
    Counts = dict[tuple[str, str], int]

_SCALARS = frozenset({int, float, bool, type(None)})
_REMEMBERED, _SHORT = 20_000, 100


def units(text: str) -> bytes:
    """What Java sorts by: UTF-16 units."""
    return text.encode("utf-16-be", "surrogatepass")


def ordered(texts: Iterable[str]) -> list[str]:
    """Sorted as Java does."""
    return sorted(texts, key=units)


def place(path: list[str]) -> str:
    """A field's name: its keys joined by dots, * for a key that is too long and for all below the twentieth."""
    keys = ["*" if len(key) > LONGEST // 2 and len(units(key)) > 2 * LONGEST else key for key in path[:DEEPEST]]
    return ".".join([*keys, "*"] if len(path) > DEEPEST else keys)


class Known:
    """What is remembered of earlier events: `clean` texts, in which no finder finds anything; `plain` keys, which are
    not sensitive and clean as well. Only short ones, and only so many.
    """

    def __init__(self) -> None:
        self.clean: set[str] = set()
        self.plain: set[Any] = set()

    def remember(self, known: set[Any], texts: list[str]) -> None:
        """Add texts to one of the two."""
        if len(known) >= _REMEMBERED:
            known.clear()
        known.update([text for text in texts if len(text) <= _SHORT])


class Walk:
    """One event's walk. Gathers `counts`: how many values each detector replaced in each field.

    `off` are detectors that don't look, `known` what is remembered of earlier events, `seen` what was found in texts of
    this one already.
    """

    def __init__(self, texts: Texts, params: Body, off: frozenset[str], known: Known, seen: Spans) -> None:
        self._texts = texts
        self._actions: dict[str, str] = params["actions"]
        self._only: dict[str, list[str]] = params["fields"]
        self._not: dict[str, list[str]] = params["except"]
        self._off = off
        self._known = known
        self._seen = seen
        self._path: list[str] = []
        self._below: list[str] = []
        self.counts: Counts = {}  # a Counter takes longer to make than most events' counts

    def covers(self, detector: str) -> bool:
        """Whether a detector looks here: it is on for the log type, and for the field."""
        if detector in self._off:
            return False
        only, never = self._only.get(detector), self._not.get(detector)
        if only is None and never is None:
            return True
        field = place(self._path)
        return (only is None or _within(field, only)) and (never is None or not _within(field, never))

    def text(self, text: str, *, key: bool = False) -> str:
        """A text in the field where we are, or the last key of that field's name."""
        if text in self._known.clean:
            return text
        found: list[str] = []
        then = self._texts.redacted(text, self.covers, found.append, self._seen.get(text))
        if found:
            self._tell(found, [*self._path[:-1], then] if key else self._path)
        return then

    def _tell(self, found: list[str], path: list[str]) -> None:
        field = self.told(place(path))
        for detector in found:
            self.counts[field, detector] = self.counts.get((field, detector), 0) + 1

    def told(self, field: str) -> str:
        """A field's name as the report has it.

        It is looked through as a text is, so that what was told once stays as it is when a second pass reads it.
        """
        if field in self._known.clean:
            return field
        found = self._texts.spans(field)
        if not found:
            self._known.remember(self._known.clean, [field])
            return field
        path, self._path = self._path, []
        then = self._texts.redacted(field, self.covers, lambda _: None, found)
        self._path = path
        return then

    def value(self, node: Any, detector: str | None) -> Any:
        """What becomes of a value; `detector` is that of a sensitive key above it, or None."""
        if isinstance(node, dict):
            return self.mapping(node, detector)
        if isinstance(node, (list, tuple)):
            return [self.value(item, detector) for item in node]
        if detector is not None:
            return self._forced(node, detector)
        if isinstance(node, bytes):
            return self.text(node.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        return self.text(node) if isinstance(node, str) else node

    def _forced(self, node: Any, detector: str) -> Any:
        """True, false, null, "" and markers stay."""
        if node is None or isinstance(node, bool) or node == "":
            return node
        if isinstance(node, str) and (MARKER.fullmatch(node) or self._texts.allowed(node, detector)):
            return node
        self._below.append(detector)
        told = str(node) if isinstance(node, (str, int)) else ""
        return self._texts.marks.of(told, detector)

    def mapping(self, node: dict[Any, Any], above: str | None) -> dict[Any, Any]:
        """A mapping below the sensitive key of `above`, or below none."""
        if above is None and self._known.plain.issuperset(node):
            return {key: self._below_plain(key, value) for key, value in node.items()}
        made: dict[Any, Any] = {}
        renamed: dict[str, str] = {}
        for key, value in node.items():
            if not isinstance(key, str):
                made[key] = self.value(value, above)
                continue
            self._path.append(key)
            if key in self._known.plain:
                detector, name = above, key
            else:
                detector = above if above is not None else self._sensitive(key)
                name = self._path[-1] = self.text(key, key=True)
            if above is None and detector is not None and self._is_dropped(detector, value):
                self._below.append(detector)
            else:
                made[key] = self.value(value, detector)
                if name != key:
                    renamed[key] = name
            if above is None and self._below:
                self._tell(self._below, self._path)
                self._below.clear()
            self._path.pop()
        return _renamed(made, renamed) if renamed else made

    def _below_plain(self, key: Any, value: Any) -> Any:
        """A value whose key is neither sensitive nor to be changed."""
        kind = value.__class__
        if kind in _SCALARS or (kind is str and value in self._known.clean):
            return value
        self._path.append(key)
        value = self.value(value, None)
        self._path.pop()
        return value

    def _is_dropped(self, detector: str, value: Any) -> bool:
        """Whether a key goes with its value; not with a marker, which an earlier pass may have left."""
        marked = isinstance(value, str) and MARKER.fullmatch(value)
        return self._actions.get(detector) == "drop" and not marked

    def _sensitive(self, key: str) -> str | None:
        detector = self._texts.keys.detector(key)
        return detector if detector is None or self.covers(detector) else None


def _within(field: str, fields: list[str]) -> bool:
    return any(field == other or field.startswith(f"{other}.") for other in fields)


def _renamed(mapping: dict[Any, Any], renamed: dict[str, str]) -> dict[Any, Any]:
    """Keys that held a secret get new names, in the order of the old ones; one that exists gets _2 and so on."""
    last: dict[str, int] = {}
    for key in ordered(renamed):
        free = name = renamed[key]
        number = last.get(name, 1)
        value = mapping.pop(key)
        while free in mapping:
            number += 1
            free = f"{name}_{number}"
        last[name] = number
        mapping[free] = value
    return mapping
