"""Plain YAML has the values that the whole reader gives, at the same places; what is not plain gets no answer."""

from __future__ import annotations

import json
import pathlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner import yamlfile, yamlplain
from provisioner.yamlnodes import Values

ROOT = pathlib.Path(__file__).parents[2]
IMPORTED = """\
# yaml-language-server: $schema=../../provisioner/schemas/rule.json
# Author: Somebody: else
kind: rule
id: suspicious-2136
title: Suspicious, (number) 2136 & more
description: |-
  Detects how

    a # b: 'c'
  ends.

severity: medium
query: a.b:x AND (c:(*\\\\sipefa.exe OR *\\\\litu.exe) OR (NOT d:"e f"))
schedule: 1m
enabled: true
count: 17
ratio: 0.5
attack:
  - T1547.008
tags: [attack.persistence, b-c, 1m, 12, true]
references:
- https://blog.example.org/2136/zosi-0/
- 'it''s: quoted'
- "also: quoted # no comment"
steps:
  - name: one
    query: a:b

  # a comment
  - name: two
    empty:
    last: []
text: |
  one

runbook: docs/runbooks/sigma.md
origin:
  imported:
    title: 933a5868e263
"""
SIGNS = [*list("\n\n\n  -:#'\"|>[]{},&*!%@`~<=.0e+\\?/\t\r\x85\xa0\ufeff"), "\n---\n", "\n...\n", "null", "- ", ": "]
LINES = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "", "", "  ", "  ", "    ", " ", "   ", "      "]),
    st.sampled_from(["", "", "", "- ", "- ", "-", "- - ", "-  ", "# "]),
    st.sampled_from(["a: ", "b: ", "c: ", "d.e: ", "a:", "b:", "c:", "a:  ", "a", ":", "? ", "'a': ", "<<: ", ""]),
    st.sampled_from(
        [
            "",
            "",
            "",
            "x",
            "y z",
            "x:y",
            "x: y",
            "x #y",
            "x#y",
            "x:",
            "'x'",
            "''",
            "'''",
            "'a''b'",
            '"x"',
            '"\\x"',
            "[]",
            "[a, b]",
            "[a,b]",
            "[a, b:c]",
            "{}",
            "{a: b}",
            "|",
            "|-",
            "|+",
            ">-",
            "| # c",
            "true",
            "~",
            "null",
            "nULL",
            "12",
            "012",
            "-12",
            "1.5",
            "1e3",
            ".5",
            "0x1f",
            "1_0",
            "2026-05-11",
            "&a x",
            "*a",
            "!!str x",
            "<<",
            "%x",
            "@x",
            "=",
            "x ",
            " x",
            "x\ty",
            "\t",
            "-",
            "- x",
            "---",
            "...",
            "99999999999999999999",
            "é",
            "x\u2028y",
            "x]",
            "#",
        ]
    ),
)


def whole(text: str) -> list[tuple[int, int, object]] | None:
    """The documents as the whole reader takes them, each with its line and column; None where it refuses the text."""
    found, findings = yamlfile._read(text, "a.yml", lambda node: (node.start_mark, Values().value(node)))
    return None if findings else [(mark.line + 1, mark.column + 1, value) for mark, value in found]


def alike(text: str) -> bool:
    """Whether it was plain; what it gave then is what the whole reader gives, types and order included."""
    plain = yamlplain.documents(text)
    if plain is None:
        return False
    assert repr([(line, 1, value) for line, value in plain]) == repr(whole(text)), text
    return True


def shipped() -> list[pathlib.Path]:
    folders = ("rules", "templates", "ilm", "tests/cases")
    return [file for folder in folders for file in sorted((ROOT / folder).rglob("*.yml"))]


def test_every_file_that_we_have_is_read_alike() -> None:
    taken = [alike(file.read_text(encoding="utf-8")) for file in shipped()]
    assert len(taken) > 100
    assert sum(taken) > 5


def test_a_rule_as_it_is_imported_is_plain() -> None:
    assert alike(IMPORTED)
    assert alike(f"---\n{IMPORTED}# the end\n---\n\n{IMPORTED}")
    documents, findings = yamlfile.read(f"\n---\n# a\n\n{IMPORTED}---\n{IMPORTED}", "a.yml")
    assert findings == []
    assert [str(each.origins[()]) for each in documents] == ["a.yml:7:1", f"a.yml:{8 + IMPORTED.count(chr(10))}:1"]
    first, second = (each.origins["tags", 1] for each in documents)
    assert (second.line - first.line, second.column) == (1 + IMPORTED.count("\n"), first.column)
    assert json.dumps(documents[0].value) == json.dumps(documents[1].value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "# a\n",
        "a\n",
        "- a\n",
        "a: b",
        "---\n---\n",
        "a: b\n---\n",
        "a: b\n...\n",
        "%YAML 1.2\n---\na: b\n",
        "a: b\n  c\n",
        "a:\n  b\n",
        "a: 1\na: 2\n",
        "a: b: c\n",
        "a: b # c\n",
        "a: b:\n",
        "a:\n    b: 1\n  c: 2\n",
        " a: b\n",
        "a: &b c\n",
        "a: *b\n",
        "a: !b c\n",
        "<<: {a: b}\n",
        "a: {b: c}\n",
        "a: [b, [c]]\n",
        "a: |+\n  b\n",
        "a: >\n  b\n",
        "a: |\n\n  b\n",
        "a: |\n    b\n  c\n",
        "a: |\nb: c\n",
        'a: "\\x41"\n',
        "a: 'b\n  c'\n",
        "a:\tb\n",
        "a: b\tc\n",
        "a: b\r\n",
        "a: -\n",
        "a: - b\n",
        "- - a\n",
        "a: @b\n",
        "a: `b\n",
        "a: 0x1f\n",
        "a: 1e3\n",
        "? a\n: b\n",
        "a : b\n",
        "'a': b\n",
        f"{'a' * 300}: b\n",
        f"a: {'b' * 300000}\n",
        "a: \ufeff\n",
        "a: \x07\n",
        "a:\n- b\n  c: d\n",
        "a:\n  - b\n   - c\n",
        "a: b\n--- c\n",
        "a: |\n  b\n \n  c\n",
        "".join(f"{'  ' * n}a:\n" for n in range(60)),
    ],
)
def test_what_is_not_surely_plain_gets_no_answer(text: str) -> None:
    assert yamlplain.documents(text) is None


@given(st.lists(LINES, min_size=1, max_size=9))
@settings(max_examples=800, deadline=None)
def test_lines_put_together_are_read_alike(lines: list[str]) -> None:
    alike("\n".join(lines) + "\n")


@given(st.integers(0, 2**32), st.lists(st.sampled_from(SIGNS), min_size=1, max_size=3))
@settings(max_examples=600, deadline=None)
def test_a_rule_with_some_signs_changed_is_read_alike(seed: int, signs: list[str]) -> None:
    chance, text = random.Random(seed), IMPORTED
    for sign in signs:
        at = chance.randrange(len(text))
        text = text[:at] + sign + text[at + chance.randrange(3) :]
    alike(text)
