"""Files into documents: the repository as it stands on the disk, with the findings of reading it."""

from __future__ import annotations

import errno
import os
import pathlib
import re
import stat
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

from provisioner import schema, shares, yamlfile
from provisioner.model import Document, Finding, Origin, Path
from provisioner.shares import alone

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from provisioner.shares import Doer
    from provisioner.yamlplaces import YamlDocument

FOLDERS = ("rules", "templates", "ilm")
_VARIABLE = re.compile(r"(\\*)\{\{\s*([A-Za-z_]\w*)\s*\}\}")
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")


@dataclass(frozen=True, slots=True)
class Source:
    """All documents of a repository by kind and id, in the order of files and lines, and what reading them found."""

    documents: Mapping[tuple[str, str], Document]
    findings: tuple[Finding, ...]
    _kinds: dict[str, tuple[Document, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def of_kind(self, kind: str) -> tuple[Document, ...]:
        """The documents of one kind; looked for once, as each rule's template asks again."""
        if kind not in self._kinds:
            self._kinds[kind] = tuple(document for document in self.documents.values() if document.kind == kind)
        return self._kinds[kind]


def load(root: pathlib.Path, variables: Mapping[str, Any], share: Doer = alone) -> Source:
    """Read every `*.yml` and `*.yaml` below rules/, templates/ and ilm/, in the order of their names.

    `share` says who reads, where they are many. A document with a finding of its own form (no kind, no id) is left out;
    the rest is there, so that one mistake does not hide the others.
    """
    documents: dict[tuple[str, str], Document] = {}
    findings: list[Finding] = []
    files = shares.cut(list(_files(root, findings)))
    for parsed, problems in chain.from_iterable(
        share(lambda number: [_parsed(file, name, variables) for file, name in files[number]], len(files))
    ):
        findings += problems
        for document in parsed:
            first = documents.setdefault((document.kind, document.id), document)
            if first is not document:
                findings.append(
                    Finding(
                        "DOC003",
                        f"{document.kind} {document.id!r} exists already at {first.origin}",
                        document.origin,
                        "give one of the two another id",
                    )
                )
    return Source(documents, tuple(findings))


def _parsed(file: str, name: str, variables: Mapping[str, Any]) -> tuple[list[Document], list[Finding]]:
    """The documents of a file; a finding (YAML001) where it can't be read."""
    try:
        return parse(_text(file), name, variables)
    except UnicodeDecodeError as error:
        return [], [_not_utf8(pathlib.Path(file).read_bytes(), error, name)]
    except OSError as error:
        return [], [_unreadable(name, error)]


def parse(text: str, file: str, variables: Mapping[str, Any]) -> tuple[list[Document], list[Finding]]:
    """The documents of one file's text.

    `{{ name }}` as a whole string becomes the variable's value; anything else in braces (`{{ctx.monitor.name}}`, or a
    name beside other text) is text. A backslash before the braces makes a whole `{{ name }}` text too.
    """
    entries, findings = yamlfile.read(text, file)
    documents = []
    for entry in entries:
        document, problems = _document(entry, variables)
        findings += problems
        if document is not None:
            documents.append(document)
    return documents, findings


def literal(text: str) -> str:
    """The text as a document must write it: with a backslash more where it would be taken for a variable."""
    return f"\\{text}" if _VARIABLE.fullmatch(text) else text


def _files(root: pathlib.Path, findings: list[Finding]) -> Iterator[tuple[str, str]]:
    """All files that may hold documents, each with its name. What can't be listed is a finding: a rule must never be
    missing in silence."""

    def failed(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            findings.append(_unreadable(_name(error.filename, begin), error))

    for top in FOLDERS:
        begin = len(str(root / top)) - len(top)
        for folder, folders, names in os.walk(root / top, onerror=failed):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in folders:
                if os.path.islink(link := f"{folder}/{name}"):  # noqa: PTH114 (paths by the thousand)
                    message, origin = "a link to a folder is not followed", Origin(_name(link, begin))
                    findings.append(Finding("YAML001", message, origin, "link single files instead"))
            for name in sorted(names):
                if name.endswith((".yml", ".yaml")) and not name.startswith("."):
                    file = f"{folder}/{name}"
                    yield file, _name(file, begin)


def _name(file: str, begin: int) -> str:
    """The file's name for findings, which is the rest of its path: a name that is no UTF-8 could not be printed."""
    name = file[begin:]
    return name if name.isascii() else os.fsencode(name).decode("utf-8", "replace")


def _text(file: str) -> str:
    """The file's text. Raises UnicodeDecodeError, OSError. A pipe or a device could be read for ever: it is refused."""
    if not stat.S_ISREG(os.stat(file).st_mode):  # noqa: PTH116 (as above)
        raise OSError(errno.EINVAL, "it is no ordinary file")
    with open(file, "rb", buffering=0) as opened:  # noqa: PTH123
        text = opened.read().decode("utf-8-sig")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _not_utf8(content: bytes, error: UnicodeDecodeError, name: str) -> Finding:
    line_start = content.rfind(b"\n", 0, error.start) + 1
    column = len(content[line_start : error.start].decode("utf-8", "replace")) + 1
    origin = Origin(name, content.count(b"\n", 0, error.start) + 1, column)
    return Finding("YAML001", f"not UTF-8: {error.reason}", origin, "save the file as UTF-8")


def _unreadable(name: str, error: OSError) -> Finding:
    hint = "check its permissions, and where it points if it is a link"
    return Finding("YAML001", f"can't be read: {error.strerror}", Origin(name), hint)


def _document(entry: YamlDocument, variables: Mapping[str, Any]) -> tuple[Document | None, list[Finding]]:
    """A document, or the reason why it is none (DOC001)."""
    origin = entry.origins[()]
    if entry.value is None:
        return None, []
    if not isinstance(entry.value, dict):
        return None, [Finding("DOC001", "a document must be a mapping", origin, "begin it with `kind:` and `id:`")]
    kind, id_ = entry.value.get("kind"), entry.value.get("id")
    if kind not in schema.kinds():
        place = entry.origins.get(("kind",), origin)
        if kind is None:
            return None, [
                Finding("DOC001", "the document has no kind", place, f"add `kind:`, one of {', '.join(schema.kinds())}")
            ]
        return None, [
            Finding(
                "DOC001", f"unknown kind {schema.show(kind)}", place, schema.suggest(str(kind), schema.kinds(), "kinds")
            )
        ]
    if not isinstance(id_, str) or not _ID.fullmatch(id_):
        place = entry.origins.get(("id",), origin)
        about = f"{schema.show(id_)} can't be an id" if "id" in entry.value else "the document has no id"
        return None, [
            Finding("DOC001", about, place, "an id is lower-case letters, digits, hyphens and underscores, at most 100")
        ]
    findings: list[Finding] = []
    body = _fill(entry.value, (), variables, entry.origins, findings) if _may_name_one(entry.value) else entry.value
    del body["kind"], body["id"]
    return Document(kind, id_, body, entry.origins, entry.key_origins), findings


def _may_name_one(value: Any) -> bool:
    """Whether a variable may stand in it: looking for that is less than half of `_fill`."""
    if isinstance(value, str):
        return "{{" in value
    if isinstance(value, dict | list):
        return any(map(_may_name_one, value.values() if isinstance(value, dict) else value))
    return False


def _fill(
    value: Any, path: Path, variables: Mapping[str, Any], origins: Mapping[Path, Origin], findings: list[Finding]
) -> Any:
    """The value with variables in their places; a finding (VAR001) for each one that the target has not."""
    if isinstance(value, dict):
        return {key: _fill(child, (*path, key), variables, origins, findings) for key, child in value.items()}
    if isinstance(value, list):
        return [_fill(child, (*path, index), variables, origins, findings) for index, child in enumerate(value)]
    match = _VARIABLE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return value
    escape, name = match[1], match[2]
    if escape:
        return value[1:]
    if name not in variables:
        hint = (
            schema.suggest(name, variables, "its variables")
            if variables
            else "add it to the target's `vars` in provisioner.yml"
        )
        hint += f"; where it is no variable, write \\{value}"
        findings.append(Finding("VAR001", f"the target has no variable {name!r}", origins[path], hint))
        return value
    return variables[name]
