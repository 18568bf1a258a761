"""What lints look at: a repository's documents, the resources they become, and what several lints ask of them."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from provisioner import durations, querystring

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from provisioner.model import Document, Path, Resource
    from provisioner.querystring import Term
    from provisioner.settings import Settings
    from provisioner.source import Source

_OPEN = frozenset({"flat_object", "object", "nested"})
_NO_QUERIES = frozenset({"tests", "origin"})  # an import notes a fingerprint of each key, `query` among them


@dataclass(frozen=True)
class View:
    """A repository as it was read and compiled for one target. `files` are the paths of other files in it that
    documents may name, as far as they exist; None: nobody looked. `messages` are its message templates, by path."""

    source: Source
    resources: tuple[Resource, ...]
    settings: Settings
    files: frozenset[str] | None = None
    messages: Mapping[str, str] = field(default_factory=dict)
    _terms: dict[str, tuple[Term, ...]] = field(default_factory=dict)

    @cached_property
    def rules(self) -> Sequence[Document]:
        """All rules, those that their schema refuses included."""
        return self.source.of_kind("rule")

    def part(self, rules: Sequence[Document]) -> View:
        """The same view with some of the rules only."""
        part = replace(self, _terms={})
        part.__dict__.update(rules=rules, types=self.types, open=self.open)
        return part

    @cached_property
    def types(self) -> dict[str, str]:
        """The type of each field of the schema, under its own name and under its ECS name; "" where it has none."""
        found: dict[str, str] = {}
        for schema in self.source.of_kind("schema"):
            fields = schema.body.get("fields")
            for name, about in fields.items() if isinstance(fields, dict) else ():
                type_ = about.get("type") if isinstance(about, dict) else None
                aliases = [about.get("ecs")] if isinstance(about, dict) else []
                for each in [str(name), *aliases]:
                    if isinstance(each, str):
                        found[each] = type_ if isinstance(type_, str) else ""
        return found

    @cached_property
    def open(self) -> tuple[str, ...]:
        """The beginnings of names below a field that holds names of its own."""
        return tuple(f"{name}." for name, type_ in self.types.items() if type_ in _OPEN)

    def terms(self, query: str) -> tuple[Term, ...]:
        """A query's terms; each query is taken apart once."""
        if query not in self._terms:
            self._terms[query] = tuple(querystring.terms(query))
        return self._terms[query]


def queries(rule: Document) -> Iterator[tuple[Path, str]]:
    """Every query string of a rule, with its place: under a key `query`, and what a ratio is `of`."""
    if rule.body.get("type") == "raw":
        return
    for key, value in rule.body.items():
        if key == "query" and isinstance(value, str):
            yield (key,), value
        elif isinstance(value, dict | list) and key not in _NO_QUERIES:
            yield from _queries(value, (key,))


def _queries(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict | list):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(child, str | dict | list):
                yield from _queries(child, (*path, key))
    elif isinstance(value, str) and (path[-1] == "query" or path[-2:] == ("ratio", "of")):
        yield path, value


def groups(rule: Document) -> Iterator[tuple[Path, str]]:
    """The fields that a rule groups by, with their places."""
    group_by = rule.body.get("group_by")
    for index, name in enumerate(group_by if isinstance(group_by, list) else ()):
        if isinstance(name, str):
            yield ("group_by", index), name


def measured(rule: Document) -> Iterator[tuple[Path, str, bool]]:
    """The fields whose values a rule counts or sums up, with their places, and whether it sums."""
    for key, value in rule.body.items():
        if key != "ratio" and isinstance(value, dict) and isinstance(value.get("of"), str):
            yield (key, "of"), value["of"], key == "threshold"


def duration(value: Any) -> int | None:
    """Milliseconds; None for what is no duration."""
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            return durations.ms(value)
    return None


def times(rule: Document, names: Collection[str]) -> Iterator[tuple[Path, str, int]]:
    """The durations of the rule's type under these names, with their places: its windows and baselines."""
    for key, value in rule.body.items():
        for name, text in value.items() if isinstance(value, dict) else ():
            if name in names and (length := duration(text)) is not None:
                yield (key, name), text, length
