"""What a redactor found of labelled events: each planted value gone, gone with more, partly there, or there still."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from harness.labelled import Labelled, Path, Planted, leaves

MARKER = re.compile(r"\[([a-z][a-z0-9_]{0,39})_REDACTED\]")
Redact = Callable[[dict[str, Any]], dict[str, Any]]
Span = tuple[int, int, str]
WHOLE = 10**9


@dataclass
class Score:
    """`found[group, form]` counts planted, exact, wide, part and missed; `markers[detector]` right and wrong ones, the
    `names[group, form]` under which detectors its values went; `wrong` and `left` are examples for whoever mends it."""

    found: dict[tuple[str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    markers: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    names: dict[tuple[str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    alike: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    wrong: list[tuple[str, str, str]] = field(default_factory=list)
    left: list[tuple[str, str, str]] = field(default_factory=list)

    def recall(self, group: str) -> tuple[int, int]:
        """Values of a group that are gone, and all of them."""
        counts = [count for (name, _), count in self.found.items() if name == group]
        return sum(each["exact"] + each["wide"] for each in counts), sum(each["planted"] for each in counts)

    def detectors(self, group: str) -> list[str]:
        """Under which detectors a group's values went, the most frequent first."""
        names: Counter[str] = Counter()
        for (name, _), count in self.names.items():
            if name == group:
                names.update(count)
        return [name for name, _ in names.most_common()]

    def missed(self) -> float:
        """Share of all planted values that are not wholly gone."""
        gone, planted = (sum(each) for each in zip(*(self.recall(g) for g in {g for g, _ in self.found}), strict=True))
        return 1 - gone / planted

    def mistaken(self) -> float:
        """Share of markers that stand where nothing was planted."""
        wrong = sum(each["wrong"] for each in self.markers.values())
        return wrong / max(1, wrong + sum(each["right"] for each in self.markers.values()))


def spans(before: str, after: str) -> list[Span]:
    """Which places of a text became markers. What stands between markers is looked up from left to right."""
    if MARKER.search(before):  # one that stood there before is none of ours
        return [] if before == after else [(0, len(before), "?")]
    parts = MARKER.split(after)
    literals, names = parts[::2], parts[1::2]
    found: list[Span] = []
    at = len(literals[0])
    for index, name in enumerate(names):
        behind = literals[index + 1]
        last = index == len(names) - 1
        end = len(before) - len(behind) if last else before.find(behind, at + 1) if behind else at + 1
        if end < at:
            return [(0, len(before), name)]
        found.append((at, end, name))
        at = end + len(behind)
    return found


def _changes(event: dict[str, Any], redacted: dict[str, Any]) -> dict[Path, list[Span]]:
    """The places that became markers, by the path of their text; (0, WHOLE) for a value that is one now."""
    found: dict[Path, list[Span]] = {}
    for path, value in leaves(event, ()):
        other: Any = redacted
        for step in path:
            if isinstance(other, str):
                break
            try:
                other = other[step]
            except (KeyError, IndexError, TypeError):
                other = "[gone_REDACTED]"
        if other == value and type(other) is type(value):
            continue
        whole = MARKER.fullmatch(other) if isinstance(other, str) else None
        if whole or not isinstance(value, str) or not isinstance(other, str):
            found[path] = [(0, WHOLE, whole[1] if whole else "?")]
        else:
            found[path] = spans(value, other)
    return found


def text_at(event: dict[str, Any], path: Path) -> str:
    """The text at a path."""
    node: Any = event
    for step in path:
        node = node[step]
    return str(node)


def _outcome(planted: Planted, text: str, found: Iterable[Span]) -> tuple[str, set[str]]:
    """exact, wide, part or missed; and by which detectors."""
    end = planted.end or len(text)
    touching = [s for s in found if s[0] < end and s[1] > planted.start]
    if not touching:
        return "missed", set()
    low, high = min(s[0] for s in touching), min(len(text), max(s[1] for s in touching))
    names = {s[2] for s in touching}
    if low > planted.start or high < end or any(a[1] < b[0] for a, b in itertools.pairwise(touching)):
        return "part", names
    first, last = planted.widest if planted.end else (0, len(text))
    return ("exact" if low >= first and high <= last else "wide"), names


def score(events: Iterable[Labelled], redact: Redact) -> Score:
    """Redact them all and count."""
    total = Score()
    for each in events:
        changes = _changes(each.event, redact(each.event))
        used: set[tuple[Path, Span]] = set()
        for planted in each.planted:
            text = text_at(each.event, planted.path)
            here = changes.get(planted.path, [])
            outcome, names = _outcome(planted, text, here)
            end = planted.end or len(text)
            used |= {(planted.path, s) for s in here if s[0] < end and s[1] > planted.start}
            total.found[planted.group, planted.form].update(("planted", outcome))
            total.names[planted.group, planted.form].update(names)
            if outcome != "exact":
                total.left.append((planted.form, outcome, _shown(text, planted.start, end)))
        _wrong(each, changes, used, total)
    return total


def _wrong(each: Labelled, changes: dict[Path, list[Span]], used: set[tuple[Path, Span]], total: Score) -> None:
    """The markers, right and wrong, and the look-alikes that were changed."""
    mistakes = 0
    for path, found in changes.items():
        for span in found:
            right = (path, span) in used
            total.markers[span[2]]["right" if right else "wrong"] += 1
            if not right:
                mistakes += 1
                total.wrong.append((span[2], each.kind or "beside", _shown(text_at(each.event, path), *span[:2])))
    if each.kind:
        total.alike[each.kind].update(("events", "changed") if mistakes else ("events",))


def _shown(text: str, start: int, end: int) -> str:
    """The place with a little around it; all is made up, so it may be shown."""
    end = min(end, len(text))
    return f"{text[max(0, start - 25) : start]}⟦{text[start:end][:80]}⟧{text[end : end + 15]}"
