r"""RED003: a regular expression that a hostile text can turn against the node.

Whoever can write into a log chooses the texts that a pipeline matches. In `gsub`, `split` and `kv` Java matches a
repeated choice by calling itself once for each turn: `(?:a|b)*c` on a few thousand characters overflows the stack, and
that ends the whole node, not only the one event (error). In those and in `grok` a match that fails may be tried in so
many ways that time grows with the square of the text's length, or doubles with each piece: `(a+)+b` (error), `\s+$`,
`.*?;.*?;x` (warning). A `grok` is stopped after a second by default and the event refused, a `gsub` never. The message
shows the piece of text to repeat.

Bad:

    - gsub: {field: message, pattern: "(\\w|-)+@", replacement: ""}
    - grok: {field: message, patterns: ["%{NOTSPACE:user} %{DATA:what} took %{NUMBER:time}"]}

Good:

    - gsub: {field: message, pattern: "\\b[\\w-]+@", replacement: ""}
    - grok: {field: message, patterns: ["\\A%{NOTSPACE:user} (?<what>[^=]*)=%{NUMBER:time}"]}

To mend it, write a set of characters for a choice between them, `[ab]*`; make a repetition possessive, `(?:a|bc)*+`
(Java); begin with `^` (in a `grok`, where that is the begin of any line, with `\A`) or `\b`, so that not every place is
tried; and let two repetitions in a row share no character. A `dissect` or a `script` needs no regular expression. Not
looked at: back-references, and the names in a `grok` that are rare (each counts as a short word).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from provisioner.model import Finding, Severity
from provisioner.regexes import ambiguity, grok, stack
from provisioner.regexes.automaton import TooLargeError
from provisioner.regexes.parse import Dialect, UnreadableError, parse
from provisioner.values import mapping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.lints import View
    from provisioner.model import Path

CODE = "RED003"
ALL = True
_JAVA = {"gsub": ("pattern",), "split": ("separator",), "kv": ("field_split", "value_split")}
_NESTED = 20
_KILLS = "a long text ends the node: {}, and Java matches that by calling itself"
_TIMES = {True: "doubles with every piece", False: "grows with the square of the length, or faster"}


def check(view: View) -> Iterator[Finding]:
    """A finding for each dangerous pattern of a pipeline, as a document or raw."""
    for document in (*view.source.of_kind("ingest_pipeline"), *view.source.of_kind("raw")):
        path: Path = ()
        if document.kind == "raw":
            if document.body.get("resource") != "ingest_pipeline":
                continue
            path = ("body",)
        body = mapping(document.body.get("body")) if path else document.body
        for place, processor, pattern, names in _patterns(body, path):
            for message, hint, severity in _said(processor, pattern, tuple(sorted(names.items()))):
                yield Finding(CODE, f"{processor}: {message}", document.at(place), hint, severity)


def _patterns(body: dict[str, Any], path: Path) -> Iterator[tuple[Path, str, str, dict[str, str]]]:
    for key in ("processors", "on_failure"):
        yield from _in_list(body.get(key), (*path, key), 0)


def _in_list(processors: Any, path: Path, depth: int) -> Iterator[tuple[Path, str, str, dict[str, str]]]:
    for index, wrapped in enumerate(processors if isinstance(processors, list) else ()):
        yield from _in_one(wrapped, (*path, index), depth)


def _in_one(wrapped: Any, path: Path, depth: int) -> Iterator[tuple[Path, str, str, dict[str, str]]]:
    """Place, processor, pattern, and the definitions that a grok brings along; those within others as well."""
    if depth > _NESTED:
        return
    for name, options in mapping(wrapped).items():
        given = mapping(options)
        for key in _JAVA.get(name, ()):
            if isinstance(pattern := given.get(key), str):
                yield (*path, name, key), name, pattern, {}
        if name == "grok":
            definitions = {
                str(k): v for k, v in mapping(given.get("pattern_definitions")).items() if isinstance(v, str)
            }
            patterns = given.get("patterns")
            for index, pattern in enumerate(patterns if isinstance(patterns, list) else ()):
                if isinstance(pattern, str):
                    yield (*path, name, "patterns", index), name, pattern, definitions
        if name == "foreach":
            yield from _in_one(given.get("processor"), (*path, name, "processor"), depth + 1)
        yield from _in_list(given.get("on_failure"), (*path, name, "on_failure"), depth + 1)


@lru_cache(maxsize=4_096)
def _said(
    processor: str, pattern: str, definitions: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str, Severity], ...]:
    """Message, hint and severity of what is wrong with one pattern. What can't be read the server refuses itself."""
    java = processor != "grok"
    try:
        text = pattern if java else grok.expanded(pattern, dict(definitions))
        tree = parse(text, Dialect.JAVA if java else Dialect.ONIGURUMA)
        if java and (why := stack.overflow(tree)):
            hint = "write [ab]* for (?:a|b)*, or make it possessive: (?:a|bc)*+"
            return ((_KILLS.format(why), hint, Severity.ERROR),)
        found = ambiguity.attack(tree, everywhere=java)
    except (UnreadableError, TooLargeError):
        return ()
    if found is None:
        return ()
    about = f"the time to match {_TIMES[found.exponential]}, as with {found.piece[:40]!r} over and over"
    ends = "" if java else "; the server stops it after a second and refuses the event"
    hint = f"begin with {'^' if java else chr(92) + 'A'} or \\b, and let no two repetitions in a row share a character"
    return ((about + ends, hint, Severity.ERROR if found.exponential else Severity.WARNING),)
