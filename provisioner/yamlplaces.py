"""Where the values of a file's documents stand.

Most places are never asked for, as nearly all documents are right. So they are not noted while a file is read: at the
first question its text is read once more, this time with the place of every key and value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from provisioner.model import Origin, Path
from provisioner.yamlloader import LOADER
from provisioner.yamlnodes import Walk, place

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True, eq=False)
class FileText:
    """The text of a file that could be read, by its name in the repository, and the marks in it once they were asked
    for: of each document those of its values and those of its keys, by their paths."""

    file: str
    text: str = field(repr=False)
    _marks: list[tuple[Mapping[Path, Any], Mapping[Path, Any]]] = field(default_factory=list, init=False, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return FileText, (self.file, self.text)  # what the dataclass would do takes ten times as long

    def marks(self, number: int) -> tuple[Mapping[Path, Any], Mapping[Path, Any]]:
        """Those of one document, numbered from 0."""
        if not self._marks:
            self._marks = [_Marks().document(node) for node in yaml.compose_all(self.text, Loader=LOADER)]
        return self._marks[number]


@dataclass(frozen=True, slots=True, eq=False)
class Places(Mapping[Path, Origin]):
    """The places of a document's values by their paths, or those of its keys. Where it begins is known at once."""

    text: FileText
    number: int
    begin: Origin
    of_keys: bool = False

    def __reduce__(self) -> tuple[Any, ...]:
        return Places, (self.text, self.number, self.begin, self.of_keys)

    def _marks(self) -> Mapping[Path, Any]:
        return self.text.marks(self.number)[self.of_keys]

    def __getitem__(self, path: Path) -> Origin:
        return self.begin if not path and not self.of_keys else place(self.text.file, self._marks()[path])

    def __contains__(self, path: object) -> bool:
        return (path == () and not self.of_keys) or path in self._marks()

    def __iter__(self) -> Iterator[Path]:
        return iter(self._marks())

    def __len__(self) -> int:
        return len(self._marks())


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """One document of a file: its value, and the origin of every value and key by path."""

    value: Any
    origins: Places
    key_origins: Places


def document(text: FileText, number: int, begin: Origin, value: Any) -> YamlDocument:
    """A file's document, from what reading it gave."""
    return YamlDocument(value, Places(text, number, begin), Places(text, number, begin, of_keys=True))


class _Marks(Walk):
    """The marks of one document's values and keys. What `Values` takes, this takes as well."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[Path, Any] = {}
        self.keys: dict[Path, Any] = {}

    def document(self, node: yaml.Node) -> tuple[Mapping[Path, Any], Mapping[Path, Any]]:
        self.value(node, ())
        return self.values, self.keys

    def value(self, node: yaml.Node, path: Path) -> None:
        self.visit(node, len(path))
        self.values[path] = node.start_mark
        if isinstance(node, yaml.MappingNode):
            pairs = self.pairs(node, len(path))
            for key, (key_node, _) in pairs.items():
                self.keys[*path, key] = key_node.start_mark
            for key, (_, child) in pairs.items():
                self.value(child, (*path, key))
        elif isinstance(node, yaml.SequenceNode):
            for index, child in enumerate(node.value):
                self.value(child, (*path, index))
