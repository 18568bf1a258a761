"""Patterns that RED003 calls harmless, in the real server's `gsub` with long texts; its `grok` names and ours."""

from __future__ import annotations

import json
import pathlib
import time

import pytest
from clusters import Cluster

from provisioner.lints.regex_danger import _said
from provisioner.regexes import ambiguity, grok
from provisioner.regexes.automaton import TooLargeError
from provisioner.regexes.parse import Dialect, parse

CASES = json.loads(
    (pathlib.Path(__file__).parents[1] / "unit" / "regexes" / "patterns.json").read_text(encoding="utf-8")
)
PIECES = ("a", "ab", "a\U0001f600", "1.", ", ", "a=", "password=", "\r\n\n", "a@", '"')


@pytest.mark.parametrize("pattern", CASES["linear"])
def test_harmless_patterns_in_gsub(cluster: Cluster, pattern: str) -> None:
    assert _said("gsub", pattern, ()) == ()
    docs = [{"_source": {"message": piece * 20_000}} for piece in PIECES]
    gsub = {"gsub": {"field": "message", "pattern": pattern, "replacement": ""}}
    begin = time.monotonic()
    answer = cluster.client().request(
        "POST", "/_ingest/pipeline/_simulate", {"pipeline": {"processors": [gsub]}, "docs": docs}, safe=True
    )
    assert all("doc" in one for one in answer["docs"])
    assert time.monotonic() - begin < 20  # loose: a pattern that grows with the square takes minutes


def test_common_names_are_the_servers(cluster: Cluster) -> None:
    """Where both forms can be told, what is said of the server's own is said of ours; it knows each name."""
    bank = cluster.client().request("GET", "/_ingest/processor/grok")["patterns"]
    assert [name for name in grok.COMMON if name not in bank] == []
    differ = []
    for name in grok.COMMON:
        said = [_verdict(f"\\A%{{{name}:x}} x", known) for known in (grok.COMMON, bank)]
        if "too large" not in said and said[0] != said[1]:
            differ.append((name, *said))
    # the server's own quoted strings are in atomic groups, which are not looked at
    assert [each for each in differ if each[0] not in ("QS", "QUOTEDSTRING")] == []


def _verdict(pattern: str, known: dict[str, str]) -> str:
    try:
        found = ambiguity.attack(parse(grok.expanded(pattern, {}, known), Dialect.ONIGURUMA), everywhere=False)
    except TooLargeError:
        return "too large"
    return "linear" if found is None else "exponential" if found.exponential else "super-linear"
