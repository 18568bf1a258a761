"""A diff of two values as YAML, by structure: only what differs is shown, with the keys that lead to it.

The order of keys counts for nothing. Items of a list are matched by `id` or `name` where all have one, else by what
they hold. Every line that is new bears the place in the repository where its value stands.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from provisioner import yamltext
from provisioner.fingerprint import encoded
from provisioner.model import Diff, Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from provisioner.model import Document, Origin, Path

_NAMES = ("id", "name")
"""Keys whose value tells one item of a list from another."""


def diff(title: str, before: Any, after: Any, document: Document | None = None) -> Diff | None:
    """The lines that differ, under a title; None where the two are equal."""
    found = lines(before, after, document)
    return Diff(title, found) if found else None


def lines(before: Any, after: Any, document: Document | None = None, around: int = 2) -> tuple[Line, ...]:
    """What differs, with up to `around` unchanged neighbours on each side; nothing where the two are equal.

    None stands for what does not exist. Equal means equal as JSON, so 1 differs from true and from 1.0.
    `document` tells the origin of a value by its path in `after`.
    """
    if before is after or encoded(before) == encoded(after):
        return ()
    walk = _Walk(document, around)
    if before is None or after is None:
        return tuple(walk.whole("-", "", before, ()) if after is None else walk.whole("+", "", after, ()))
    return tuple(walk.change("", before, after, ()))


@dataclass(frozen=True, slots=True)
class _Walk:
    """Goes down two values at once. Lines come out without indentation: whoever asked for them puts it in front."""

    document: Document | None
    around: int

    def change(self, label: str, before: Any, after: Any, path: Path, *, item: bool = False) -> list[Line]:
        """How one value, behind its label (`key:`, empty for an item of a list), became another."""
        inner: list[Line]
        if isinstance(before, dict) and isinstance(after, dict) and ((before and after) or not path):
            inner = self._mapping(before, after, path, item=item)
        elif isinstance(before, list) and isinstance(after, list) and before and after:
            if yamltext.short_list(before) and yamltext.short_list(after):
                return [*self.whole("-", label, before, path), *self.whole("+", label, after, path)]
            inner = self._sequence(before, after, path)
        elif isinstance(before, str) and isinstance(after, str) and "\n" in before and "\n" in after:
            return self._text(label, before, after, path)
        else:
            return self._replaced(label, before, after, path)
        return [Line(" ", label), *_indented(inner)] if label else inner

    def whole(self, sign: str, label: str, value: Any, path: Path) -> list[Line]:
        """All lines of a value that exists on one side only."""
        origin = self._at(sign, path)
        inner: list[Line] = []
        if isinstance(value, dict) and value:
            for key, child in value.items():
                inner += self.whole(sign, yamltext.key(key), child, (*path, key))
        elif isinstance(value, list) and value and not yamltext.short_list(value):
            for index, child in enumerate(value):
                inner += _dashed(self.whole(sign, "", child, (*path, index)))
        elif isinstance(value, str) and "\n" in value:
            style, text = yamltext.block(value)
            return [Line(sign, _join(label, style), origin), *_indented(Line(sign, line, origin) for line in text)]
        else:
            return [Line(sign, _join(label, yamltext.value(value)), origin)]
        return [Line(sign, label, origin), *_indented(inner)] if label else inner

    def _at(self, sign: str, path: Path) -> Origin | None:
        return self.document.at(path) if self.document and sign == "+" else None

    def _replaced(self, label: str, before: Any, after: Any, path: Path) -> list[Line]:
        """Both sides whole; of two long texts that are alike only the part that differs."""
        texts = yamltext.pair(before, after)
        if texts is None:
            return [*self.whole("-", label, before, path), *self.whole("+", label, after, path)]
        return [Line("-", _join(label, texts[0])), Line("+", _join(label, texts[1]), self._at("+", path))]

    def _text(self, label: str, before: str, after: str, path: Path) -> list[Line]:
        """Texts of several lines, compared line by line."""
        (old_style, old), (new_style, new) = yamltext.block(before), yamltext.block(after)
        origin = self._at("+", path)
        head = [Line(" ", _join(label, new_style))]
        if old_style != new_style:
            head = [Line("-", _join(label, old_style)), Line("+", _join(label, new_style), origin)]
        found: list[Line] = []
        end = 0
        for group in difflib.SequenceMatcher(None, old, new).get_grouped_opcodes(self.around):
            if group[0][1] > end:
                found.append(Line(" ", "…"))
            for tag, i, i_end, j, j_end in group:
                if tag == "equal":
                    found += [Line(" ", line) for line in old[i:i_end]]
                else:
                    found += [Line("-", line) for line in old[i:i_end]]
                    found += [Line("+", line, origin) for line in new[j:j_end]]
                end = i_end
        if found and end < len(old):
            found.append(Line(" ", "…"))
        return [*head, *_indented(found)]

    def _mapping(self, before: dict[str, Any], after: dict[str, Any], path: Path, *, item: bool) -> list[Line]:
        """Key by key: those of `after` in their order, then those that are gone. An item of a list shows its name."""
        rows: list[_Row] = []
        for key in [*after, *(key for key in before if key not in after)]:
            label = yamltext.key(key)
            if key not in before:
                rows.append(_Row(self.whole("+", label, after[key], (*path, key))))
            elif key not in after:
                rows.append(_Row(self.whole("-", label, before[key], path)))
            elif encoded(before[key]) != encoded(after[key]):
                within = item and len(after) == 1  # {query_level_trigger: {name: …}}: the name stands one level down
                rows.append(_Row(self.change(label, before[key], after[key], (*path, key), item=within)))
            else:
                rows.append(_Row([], label, after[key]))
        return self._shown(rows, _title(after) if item else None)

    def _sequence(self, before: list[Any], after: list[Any], path: Path) -> list[Line]:
        """Item by item, matched by their names where all have one of their own, else by what they hold."""
        old, new = _names(before), _names(after)
        named = old is not None and new is not None
        keys, new_keys = (old, new) if old is not None and new is not None else (_dumped(before), _dumped(after))
        rows: list[_Row] = []
        for tag, i, i_end, j, j_end in difflib.SequenceMatcher(None, keys, new_keys, autojunk=False).get_opcodes():
            if tag == "equal":
                pairs = zip(range(i, i_end), range(j, j_end), strict=True)
                rows += [self._item(before[at], after[to], (*path, to)) for at, to in pairs]
            elif named:
                gone = (before[at] for at in range(i, i_end) if keys[at] not in new_keys)
                rows += [_Row(_dashed(self.whole("-", "", value, path))) for value in gone]
                for to in range(j, j_end):
                    was = keys.index(new_keys[to]) if new_keys[to] in keys else None
                    rows.append(self._come(before, was, after[to], (*path, to)))
            else:
                rows += self._aligned(before[i:i_end], after[j:j_end], j, path)
        return self._shown(rows)

    def _item(self, before: Any, after: Any, path: Path) -> _Row:
        if encoded(before) == encoded(after):
            return _Row([], "-", after)
        return _Row(_dashed(self.change("", before, after, path, item=True)))

    def _come(self, before: list[Any], was: int | None, after: Any, path: Path) -> _Row:
        """An item that is new in its place: it may have stood elsewhere (position `was`)."""
        if was is None:
            return _Row(_dashed(self.whole("+", "", after, path)))
        kind, name = _name(after) or ("", "")
        note = f"{kind} {yamltext.value(name)}  # moved: it was number {was + 1}"
        moved = [Line("+", f"- {note}", self._at("+", path))]
        if encoded(before[was]) != encoded(after):
            moved += _indented(self.change("", before[was], after, path))
        return _Row(moved)

    def _aligned(self, before: list[Any], after: list[Any], start: int, path: Path) -> Iterator[_Row]:
        """A stretch without names: each item goes with the next one that is built alike."""
        done = 0
        for value in before:
            match = next((k for k in range(done, len(after)) if _alike(value, after[k])), None)
            if match is None:
                yield _Row(_dashed(self.whole("-", "", value, path)))
                continue
            for index in range(done, match):
                yield _Row(_dashed(self.whole("+", "", after[index], (*path, start + index))))
            yield self._item(value, after[match], (*path, start + match))
            done = match + 1
        for index in range(done, len(after)):
            yield _Row(_dashed(self.whole("+", "", after[index], (*path, start + index))))

    def _shown(self, rows: Sequence[_Row], title: str | None = None) -> list[Line]:
        """The rows that differ and their unchanged neighbours; what only leads to a difference needs none."""
        near = {at for at, row in enumerate(rows) if row.lines and row.lines[0].sign != " "}
        wanted = {at + step for at in near for step in range(-self.around, self.around + 1)}
        found: list[Line] = []
        for at, row in enumerate(rows):
            if row.lines:
                found += row.lines
            elif at in wanted or row.label == title:
                found.append(Line(" ", _join(row.label, yamltext.brief(row.value))))
        return found


@dataclass(frozen=True, slots=True)
class _Row:
    """A key or an item: its lines where it differs, else its label and value."""

    lines: list[Line]
    label: str = ""
    value: Any = None


def _dumped(items: list[Any]) -> list[Any]:
    return [encoded(item) for item in items]


def _join(label: str, text: str) -> str:
    return f"{label} {text}" if label else text


def _indented(found: Iterable[Line]) -> list[Line]:
    return [replace(line, text=f"  {line.text}") for line in found]


def _dashed(found: list[Line]) -> list[Line]:
    """The lines of an item: a dash before the first one, on each side of the diff."""
    open_ = {"-", "+"}
    done = []
    for line in found:
        sides = {"-", "+"} if line.sign == " " else {line.sign}
        done.append(replace(line, text=f"{'- ' if sides & open_ else '  '}{line.text}"))
        open_ -= sides
    return done


def _name(item: Any) -> tuple[str, str] | None:
    """The key and the value that name an item, maybe below the one key that it has."""
    if not isinstance(item, dict):
        return None
    for key in _NAMES:
        if isinstance(item.get(key), str):
            return f"{key}:", item[key]
    return _name(next(iter(item.values()))) if len(item) == 1 else None


def _names(items: list[Any]) -> list[Any] | None:
    """The name of each item; None unless all have one of their own."""
    found = [_name(item) for item in items]
    return found if None not in found and len(set(found)) == len(found) else None


def _title(item: dict[str, Any]) -> str | None:
    """The label of the line by which a reader knows an item: its name, else its first value."""
    key = next((key for key in _NAMES if isinstance(item.get(key), str)), None)
    first, value = next(iter(item.items()))
    return yamltext.key(key) if key else None if isinstance(value, dict | list) else yamltext.key(first)


def _alike(before: Any, after: Any) -> bool:
    """Whether one may have become the other: lists, mappings with mostly the same keys, two secrets."""
    if isinstance(before, dict) and isinstance(after, dict):
        return 2 * len(before.keys() & after.keys()) >= max(len(before), len(after), 1)
    if isinstance(before, list) and isinstance(after, list):
        return True
    return yamltext.is_secret(before) and yamltext.is_secret(after)
