"""Sigma's files into rules, correlations and filters, with what is wrong with the others."""

from __future__ import annotations

import glob
import pathlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationRule
from sigma.exceptions import SigmaError
from sigma.filters import SigmaFilter
from sigma.rule import SigmaRule

from provisioner import yamlfile
from provisioner.errors import ProvisionerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LARGEST = 1_000_000
"""Bytes of a file: rules are short, and whatever is longer is none."""
_MOST_BRACKETS = 12
_LONGEST_CONDITION = 5_000
"""pySigma's parser takes time that grows beyond all bounds with brackets in brackets."""


@dataclass(frozen=True, slots=True)
class Refused:
    """What can't be taken: a file or a rule in it, and why."""

    file: str
    title: str
    reason: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A rule or a correlation, and its file."""

    file: str
    rule: SigmaRule | SigmaCorrelationRule


@dataclass(slots=True)
class Read:
    """All that was read."""

    entries: list[Entry] = field(default_factory=list)
    filters: list[SigmaFilter] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


def read(paths: Sequence[str]) -> Read:
    """All rules of these files, folders and patterns. Raises ProvisionerError where a path leads to no file."""
    found = Read()
    for path in files(paths):
        try:
            if path.stat().st_size > LARGEST:
                found.refused.append(Refused(str(path), path.name, f"the file is larger than {LARGEST:,} bytes"))
                continue
            text = path.read_bytes().decode("utf-8-sig")
        except OSError as error:
            found.refused.append(Refused(str(path), path.name, f"can't be read: {error.strerror}"))
        except UnicodeDecodeError as error:
            found.refused.append(Refused(str(path), path.name, f"not UTF-8: {error.reason}"))
        else:
            parse(text, str(path), found)
    for one in found.filters:
        for entry in found.entries:
            _filter(one, entry, found)
    return found


def files(paths: Sequence[str]) -> list[pathlib.Path]:
    """Every *.yml and *.yaml, each once, in the order of the paths. Raises ProvisionerError."""
    found: dict[pathlib.Path, None] = {}
    for path in paths:
        exists = pathlib.Path(path).exists()
        names = [path] if exists else sorted(glob.glob(path, recursive=True))  # noqa: PTH207 (it may be absolute)
        matched = [file for name in names for file in _below(pathlib.Path(name))]
        if not matched:
            raise ProvisionerError(f"{path} leads to no rule", "name files (*.yml), folders or patterns")
        found.update(dict.fromkeys(matched))
    return list(found)


def _below(path: pathlib.Path) -> Iterator[pathlib.Path]:
    if path.is_dir():
        yield from sorted(file for end in ("*.yml", "*.yaml") for file in path.rglob(end) if file.is_file())
    elif path.is_file():
        yield path


def parse(text: str, file: str, found: Read) -> None:
    """The rules of one file's text."""
    documents, findings = yamlfile.read(text, file)
    for finding in findings:
        place = f"line {finding.origin.line}: {finding.message}"
        found.refused.append(Refused(file, pathlib.PurePath(file).name, place, finding.hint))
    bodies: list[dict[str, Any]] = []
    for document in documents:
        if isinstance(document.value, dict):
            bodies.append(document.value)
        elif document.value is not None:
            found.refused.append(Refused(file, pathlib.PurePath(file).name, "a rule must be a mapping"))
    # Documents with an `action` change those behind them; any others stand for themselves.
    together = any("action" in body for body in bodies)
    for group in [bodies] if together else [[body] for body in bodies]:
        title = str(group[0].get("title") or pathlib.PurePath(file).name)[:200] if group else file
        reason = next(filter(None, map(_too_hard, group)), "")
        if reason:
            found.refused.append(Refused(file, title, reason))
            continue
        _take(group, file, title, found)


def _take(group: list[dict[str, Any]], file: str, title: str, found: Read) -> None:
    try:
        collection = SigmaCollection.from_dicts(
            list(group), collect_errors=True, collect_filters=True, resolve_references=False
        )
    except Exception as error:  # noqa: BLE001 (pySigma takes the form of many values for granted)
        found.refused.append(Refused(file, title, f"no Sigma rule: {words(error)}"))
        return
    rules: list[Any] = [*collection.rules, *collection.filters]
    for problem in collection.errors if not rules else []:
        found.refused.append(Refused(file, title, f"no Sigma rule: {words(problem)}"))
    for rule in rules:
        if rule.errors:
            found.refused.append(Refused(file, str(rule.title) or title, f"no Sigma rule: {words(rule.errors[0])}"))
        elif isinstance(rule, SigmaFilter):
            found.filters.append(rule)
        else:
            found.entries.append(Entry(file, rule))


def _filter(one: SigmaFilter, entry: Entry, found: Read) -> None:
    """A filter becomes a part of the rules that it is for."""
    if isinstance(entry.rule, SigmaRule):
        try:
            one.apply_on_rule(entry.rule)
        except (SigmaError, AttributeError, TypeError, IndexError) as error:
            reason = f"the filter {str(one.title)!r} can't be applied: {words(error)}"
            found.refused.append(Refused(entry.file, str(entry.rule.title), reason))


def _too_hard(body: dict[str, Any]) -> str:
    """Why a rule's condition would never be parsed."""
    detection = body.get("detection") or body.get("filter")
    condition = detection.get("condition") if isinstance(detection, dict) else None
    for text in condition if isinstance(condition, list) else [condition]:
        if not isinstance(text, str):
            continue
        depth = deepest = 0
        for char in text:
            depth += (char == "(") - (char == ")")
            deepest = max(deepest, depth)
        if deepest > _MOST_BRACKETS or len(text) > _LONGEST_CONDITION or text.count("not ") > 40:
            return "the condition is too long, or has too many brackets in brackets"
    return ""


def words(error: BaseException) -> str:
    """An error of pySigma on one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else f"{text[:299]}…"
