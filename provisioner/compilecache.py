"""What an earlier command compiled: the same files, settings and program give the same result.

Kept in the user's own cache folder, never in the repository, where a pull request could bring one along. It is JSON,
from which nothing can run.
PROVISIONER_NO_CACHE=1 switches it off.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pathlib
import platform
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import orjson

from provisioner import folders, rulepacks, starter
from provisioner.model import Document, Finding, Origin, Path, Ref, Resource, Severity
from provisioner.yamlplaces import FileText, Places

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provisioner.settings import Settings

SWITCH = "PROVISIONER_NO_CACHE"
MOST = 20
"""Entries that are kept: one for each repository and target, the latest."""
_LIBRARIES = ("jinja2", "jsonschema", "jsonschema_rs", "yaml")
_RUNBOOKS = "docs/runbooks"


@dataclass(frozen=True, slots=True)
class Compiled:
    """What compiling gives: the documents as read, the resources, and findings (warnings: what has errors is not kept).

    `files` are those that documents name by paths of their own, relative to the repository.
    """

    documents: Mapping[Ref, Document]
    resources: tuple[Resource, ...]
    findings: tuple[Finding, ...]
    files: tuple[str, ...] = ()


@dataclass(slots=True)
class Entry:
    """The place of one repository, compiled for one target."""

    root: pathlib.Path
    settings: Settings
    tops: tuple[str, ...]

    def key(self) -> str:
        """A digest of all that compiling depends on; "" where nothing may be kept."""
        if os.environ.get(SWITCH):
            return ""
        try:
            digest = hashlib.blake2b(repr((_program(), self.settings)).encode(), digest_size=32)
            for top in self.tops:
                for file in _files(self.root / top):
                    content = _content(file)
                    digest.update(b"%b\0%d\0" % (os.fsencode(file), len(content)))
                    digest.update(content)
            names = sorted(file.name for file in (self.root / _RUNBOOKS).glob("*.md"))
            digest.update(repr(names).encode())
        except OSError:
            return ""
        return digest.hexdigest()

    def find(self, key: str) -> Compiled | None:
        """What is kept under that key. An entry that can't be read is none."""
        try:
            file = self._file()
            if not key or not _ours(file.parent) or not _ours(file):
                return None
            content = file.read_bytes()
            begin = len(key) + 1
            if content[:begin] != key.encode() + b"\n":
                return None
            kept = orjson.loads(memoryview(content)[begin:])
            if any(_digest(self.root / name) != digest for name, digest in kept["files"].items()):
                return None
            return _decoded(kept)
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def keep(self, key: str, compiled: Compiled) -> None:
        """Keep it, unless something changed meanwhile or the folder can't be written."""
        if not key:
            return
        with contextlib.suppress(OSError, ValueError, TypeError, LookupError):
            value = _encoded(compiled) | {"files": {name: _digest(self.root / name) for name in compiled.files}}
            content = orjson.dumps(value)  # bodies are JSON: they came from YAML, and read back they are the same
            file = self._file()
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.key() != key or not _ours(file.parent):
                return
            with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as written:  # with mode 0600
                written.write(key.encode() + b"\n")
                written.write(content)
            pathlib.Path(written.name).replace(file)
            _tidy(file.parent)

    def _file(self) -> pathlib.Path:
        name = f"{self.root.resolve()}\0{self.settings.owner}\0{self.settings.target.name}"
        return folders.cache() / "compiled" / hashlib.blake2b(os.fsencode(name), digest_size=16).hexdigest()


def _program() -> tuple[object, ...]:
    """This program: its files and those of the libraries that take part, by size and time."""
    package, pack = pathlib.Path(__file__).parent, starter.folder()
    own = [package, *(pack / part for part in starter.PARTS if package not in (pack / part).parents)]
    files = [file for folder in own for file in _files(folder) if not file.endswith(".pyc")]
    files += [spec.origin for name in _LIBRARIES if (spec := find_spec(name)) and spec.origin]
    return (platform.python_version(), *((file, *_stamp(file)) for file in files))


def _stamp(file: str) -> tuple[int, int]:
    found = os.stat(file)  # noqa: PTH116 (paths by the thousand: their objects took longer than the files)
    return found.st_size, found.st_mtime_ns


def _files(top: pathlib.Path) -> Iterator[str]:
    """All files below, in the order of their names. Raises OSError for a linked folder, whose files may be anywhere."""

    def failed(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise error

    for folder, names, files in os.walk(top, onerror=failed):
        names.sort()
        if any(pathlib.Path(folder, name).is_symlink() for name in names):
            raise OSError("a folder is a link")
        yield from (f"{folder}/{file}" for file in sorted(files))


def _content(file: str) -> bytes:
    """Raises OSError. Opening or reading a pipe could last for ever: it is refused."""
    opened = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(opened)
        if not stat.S_ISREG(found.st_mode):
            raise OSError("no ordinary file")
        content = os.read(opened, found.st_size + 1)
        if len(content) == found.st_size:
            return content
        with open(opened, "rb", closefd=False) as rest:  # larger than one read gives, or just changed
            return content + rest.read()
    finally:
        os.close(opened)


def _digest(file: pathlib.Path) -> str:
    return hashlib.blake2b(_content(os.fspath(file)), digest_size=32).hexdigest()


def _ours(path: pathlib.Path) -> bool:
    """Whether nobody else could have written there."""
    found = path.lstat()
    return found.st_uid == os.geteuid() and not found.st_mode & 0o022 and not stat.S_ISLNK(found.st_mode)


def _tidy(folder: pathlib.Path) -> None:
    entries = sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    for file in entries[MOST:]:
        file.unlink(missing_ok=True)


def _encoded(compiled: Compiled) -> dict[str, Any]:
    read = list(compiled.documents.values())
    numbers = {id(document): number for number, document in enumerate(read)}
    rules = {document.id: number for number, document in enumerate(read) if document.kind == "rule"}
    places = {id(document.origins): number for number, document in enumerate(read)}
    made: list[Any] = []
    for resource in compiled.resources:  # documents that were made of others come behind those that were read
        if resource.document is not None and id(resource.document) not in numbers:
            numbers[id(resource.document)] = len(read) + len(made)
            made.append(_made(resource.document, rules, places))

    def number(document: Document | None) -> int | None:
        return numbers.get(id(document))

    texts: dict[str, str] = {}
    return {
        "read": [[each.kind, each.id, each.body, *_places(each.origins, texts)] for each in read],
        "texts": texts,
        "made": made,
        "resources": [
            [each.kind, each.key, each.body, _place(each.origin), number(each.document), *map(list, each.depends_on)]
            for each in compiled.resources
        ],
        "findings": [
            [each.code, each.message, _place(each.origin), each.hint, each.severity.value] for each in compiled.findings
        ],
    }


def _made(document: Document, rules: Mapping[str, int], places: Mapping[int, int]) -> list[Any]:
    """A pack by the numbers of its rules; another document, a delegate, by the number of the one whose places it has.

    Raises LookupError.
    """
    if found := rulepacks.rules(document):
        return [document.id, [rules[rule["id"]] for rule in found]]
    return [document.kind, document.id, document.body, places[id(document.origins)]]


def _place(origin: Origin) -> list[Any]:
    return [origin.file, origin.line, origin.column]


def _places(places: Mapping[Path, Origin], texts: dict[str, str]) -> list[Any]:
    """Where a document stands: file, number in it, line and column. Its places are read from the file's text, which
    joins the others, when they are asked for. Raises TypeError for a document that comes from no file."""
    if not isinstance(places, Places):
        raise TypeError("no document of a file")
    texts[places.text.file] = places.text.text
    return [places.text.file, places.number, places.begin.line, places.begin.column]


def _decoded(kept: Any) -> Compiled:
    texts = {file: FileText(file, text) for file, text in kept["texts"].items()}
    read = [
        Document(kind, id_, body, Places(texts[file], number, begin), Places(texts[file], number, begin, of_keys=True))
        for kind, id_, body, file, number, line, column in kept["read"]
        for begin in [Origin(file, line, column)]
    ]
    documents = [*read, *(_made_again(entry, read) for entry in kept["made"])]
    return Compiled(
        {(document.kind, document.id): document for document in read},
        tuple(
            Resource(
                kind,
                key,
                body,
                Origin(*place),
                frozenset(map(tuple, uses)),
                None if number is None else documents[number],
            )
            for kind, key, body, place, number, *uses in kept["resources"]
        ),
        tuple(
            Finding(code, message, Origin(*place), hint, Severity(severity))
            for code, message, place, hint, severity in kept["findings"]
        ),
    )


def _made_again(entry: list[Any], read: Sequence[Document]) -> Document:
    if len(entry) == 2:
        return rulepacks.pack(entry[0], [read[number] for number in entry[1]])
    kind, id_, body, base = entry
    return Document(kind, id_, body, read[base].origins, read[base].key_origins)
