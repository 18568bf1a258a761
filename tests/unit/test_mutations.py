"""The starter pack with one thing wrong in it, in many ways: findings with a place and advice, never an exception."""

from __future__ import annotations

import copy
import pathlib
import random
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from provisioner import repository

ROOT = pathlib.Path(__file__).parents[2]
FOLDERS = ("rules", "templates", "ilm")
DOCUMENTS = sorted(f for folder in FOLDERS for f in (ROOT / folder).rglob("*.yml"))
VALUES: list[Any] = [None, [], {}, "", "x", "é'\"\\", "a\nb: c", 0, -1, 2**63, 1e308, True, "yes", "x" * 2000]
VALUES += [["a"], [[]], [None], [{}], {"a": "b"}, {"a": {"b": [1]}}, {"file": "x"}, {"file": "../../../etc/passwd"}]
VALUES += [
    "{{ replicas }}",
    "{{ nothing }}",
    "{{{ctx}}}",
    "${env:NOT_SET}",
    "${file:/nowhere}",
    "{% if %}",
    "# x",
    "*a",
]
VALUES += ["high", "event", "normalize", "authentication", "1m", "5m", "99999999999y", "\x00", "\u2028", "🎉"]


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from _paths(child, (*path, key))


def _structure(text: str, dice: random.Random) -> str:
    """One value replaced, removed or moved to another key."""
    documents = list(yaml.safe_load_all(text))
    document = dice.choice(documents)
    path = dice.choice([path for path in _paths(document) if path])
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    kind = dice.randrange(3)
    if kind == 0 and isinstance(inner, dict):
        del inner[path[-1]]
    elif kind == 1 and isinstance(inner, dict):
        inner[dice.choice(["x", "kind", "id", "type", "keys", "fields", "é"])] = inner.pop(path[-1])
    else:
        inner[path[-1]] = copy.deepcopy(dice.choice(VALUES))
    return yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True)


def _text(text: str, dice: random.Random) -> str:
    """A stretch removed, doubled, or something put in between."""
    start = dice.randrange(len(text))
    end = min(len(text), start + dice.choice([1, 1, 2, 5, 40]))
    between = [
        "",
        text[start:end] * 2,
        "\t",
        ": ",
        "\n",
        '"',
        "[",
        "}",
        "&a ",
        "<<: *a\n",
        "---\n",
        "\x00",
        "\ufeff",
        "!!x ",
    ]
    return text[:start] + dice.choice(between) + text[end:]


def _check(root: pathlib.Path, changed: str) -> bool:
    """Load it; whether there was anything to say."""
    loaded = repository.load(root)
    for finding in loaded.findings:
        assert finding.hint, (finding, changed)
        assert finding.message
        file = root / finding.origin.file
        assert file.is_file(), (finding, changed)
        assert 1 <= finding.origin.line <= len(file.read_text(encoding="utf-8").splitlines()) + 1, (finding, changed)
        assert finding.origin.column >= 1
    return bool(loaded.findings)


@pytest.mark.parametrize("number", [12, pytest.param(1500, marks=pytest.mark.long)])
def test_a_mistake_anywhere_is_a_finding_or_fine_but_never_an_exception(make_repository, number: int) -> None:
    files = {
        f.relative_to(ROOT).as_posix(): f.read_bytes()
        for folder in FOLDERS
        for f in (ROOT / folder).rglob("*")
        if f.is_file()
    }
    root = make_repository(files)
    dice = random.Random(number)
    told = 0
    for _ in range(number):
        file = dice.choice(DOCUMENTS)
        name = file.relative_to(ROOT).as_posix()
        good = file.read_text(encoding="utf-8")
        changed = dice.choice([_structure, _structure, _text])(good, dice)
        (root / name).write_text(changed, encoding="utf-8")
        told += _check(root, changed)
        (root / name).write_text(good, encoding="utf-8")
    assert told > number / 4
