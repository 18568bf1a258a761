"""YAML text into plain values, with the place of every key and value.

Follows YAML 1.2's core schema, so that `on`, `no`, `0755`, `12:30` and `2026-05-11` stay the text that they look like;
YAML 1.1, PyYAML's default, would turn them into booleans, numbers and dates. `.inf` stays text too: JSON has none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

import yaml

from provisioner import yamlplaces, yamlplain
from provisioner.model import Finding, Origin
from provisioner.yamlloader import LOADER
from provisioner.yamlnodes import MAX_DEPTH, Plain, RefusedError, Values, place, too_deep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from provisioner.yamlnodes import Stretch
    from provisioner.yamlplaces import YamlDocument

_T = TypeVar("_T")
_SAFE_DEPTH = 2_000
"""Levels that libyaml composes on any machine: 20,000 went well on one with eight megabytes of stack."""

_BEGINNINGS = re.compile("(?:^|[\n\r\x85\u2028\u2029])([ \t?:-]+)")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read(text: str, file: str) -> tuple[list[YamlDocument], list[Finding]]:
    """All documents of a file; a finding (YAML001) where it is no YAML, has a key twice, or unfolds without end.

    Documents before a syntax error are not given: a file is read whole or not at all. Empty documents are left out.
    """
    placed = yamlplaces.FileText(file, text)
    if (plain := yamlplain.documents(text)) is not None:
        return [
            yamlplaces.document(placed, number, Origin(file, line), value) for number, (line, value) in enumerate(plain)
        ], []
    found, findings = _read(text, file, lambda node: (place(file, node.start_mark), Values().value(node)))
    return [yamlplaces.document(placed, number, *each) for number, each in enumerate(found)], findings


def rendered(text: str, file: str, values: Iterable[Stretch]) -> tuple[list[Any], list[Finding]]:
    """The values of all documents of a text that a template printed, without their places; findings as `read` has them.

    Each of `values` must be a whole value or key, or lie in a block scalar (`|`) or a comment: a finding else.
    """
    reader = Plain()
    return _read(text, file, reader.document, lambda: reader.check(values))


def _read(
    text: str, file: str, document: Callable[[yaml.Node], _T], end: Callable[[], None] = lambda: None
) -> tuple[list[_T], list[Finding]]:
    if unprintable := _UNPRINTABLE.search(text):
        return [], [_unreadable(text, unprintable.start(), file)]
    try:
        if _may_be_deep(text):
            _measure_depth(text)
        found = [document(node) for node in yaml.compose_all(text, Loader=LOADER)]
        end()
    except yaml.MarkedYAMLError as error:
        if "maximum nesting depth" in (error.problem or ""):  # libyaml's own limit, which newer ones have
            deep = too_deep(error.problem_mark)
            return [], [Finding("YAML001", str(deep), place(file, deep.mark), deep.hint)]
        message = " ".join(filter(None, (error.problem, error.context))) or "not valid YAML"
        return [], [
            Finding("YAML001", f"not valid YAML: {message}", _place(error, text, file), _hint(error.problem or ""))
        ]
    except RefusedError as problem:
        return [], [Finding("YAML001", str(problem), place(file, problem.mark), problem.hint)]
    return found, []


def _place(error: yaml.MarkedYAMLError, text: str, file: str) -> Origin:
    """Where a syntax error stands; where it is only seen at the end of the file, what was begun and never ended."""
    end = len(text.rstrip())
    marks = [mark for mark in (error.problem_mark, error.context_mark) if mark]
    mark = next((mark for mark in marks if mark.index < end), None)
    return place(file, mark) if mark else Origin(file, text.count("\n", 0, end) + 1, end - text.rfind("\n", 0, end))


def _unreadable(text: str, position: int, file: str) -> Finding:
    line = text.count("\n", 0, position) + 1
    return Finding(
        "YAML001",
        f"not valid YAML: the character U+{ord(text[position]):04X} is not allowed",
        Origin(file, line, position - text.rfind("\n", 0, position)),
        "remove the character, or write it as an escape in double quotes",
    )


def _may_be_deep(text: str) -> bool:
    """Whether composing this text could cost more stack than a process has. Each bracket may open a level; so may each
    indicator at the beginning of a line (`- - `), and each column of indentation opens two at most."""
    brackets = text.count("[") + text.count("{")
    if brackets + 2 * max(map(len, text.splitlines()), default=0) <= _SAFE_DEPTH:
        return False
    return brackets + 2 * max(map(len, _BEGINNINGS.findall(text)), default=0) > _SAFE_DEPTH


def _measure_depth(text: str) -> None:
    """Raises RefusedError where anything is nested too deeply. Reads events one by one, so depth costs it nothing."""
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise too_deep(event.start_mark)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _hint(problem: str) -> str:
    if "cannot start any token" in problem:
        return "indent with spaces, not tabs, and quote text that begins with @, `, % or a tab"
    if "mapping values are not allowed" in problem:
        return "quote text that holds a colon and a space"
    if "could not find expected ':'" in problem:
        return "put a colon and a space behind the key"
    return "check indentation, brackets and quotes on this line and the one before"
