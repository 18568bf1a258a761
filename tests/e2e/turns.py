"""The redaction's script, made to count: every turn of every loop, and every character that a search goes over.

Painless has no counter to read. So each function gets one more parameter, an array of one number; every loop's body
adds one to it, and `indexOf` and `substring` become functions that add the characters they go over and call the real
ones. The event then says how many these were, as `turns`. All else of the script stays as it is.
"""

from __future__ import annotations

import copy
import re
from typing import Any

_FUNCTION = re.compile(r"^(?:boolean|int|char|void|def|String|List|Map|Set) (\w+)\(", re.MULTILINE)
_COMMENT = re.compile(r"(?:^|(?<=\s))//.*", re.MULTILINE)
_LOOP = re.compile(r"\b(?:for|while) \(")
_C_LEVEL = re.compile(r"\b(\w+)\.(indexOf|substring)\(")
_HELPERS = """
int indexOf_(String text, String what, int from, long[] z) {
  int found = text.indexOf(what, from);
  z[0] += (found < 0 ? text.length() : found) - from + 1;
  return found;
}

String substring_(String text, int from, int to, long[] z) {
  z[0] += to - from;
  return text.substring(from, to);
}
"""


def _closing(source: str, at: int) -> int:
    """Where the bracket closes that opens at `at`; texts and characters in quotes don't count."""
    depth, quote = 0, ""
    while True:
        c = source[at]
        if quote:
            at += c == "\\"
            quote = "" if c == quote and source[at] == c else quote
        elif c in "'\"":
            quote = c
        elif c in "()":
            depth += 1 if c == "(" else -1
            if depth == 0:
                return at
        at += 1


def _searches(source: str) -> str:
    """text.indexOf(x) as indexOf_(text, x, 0)"""
    while found := _C_LEVEL.search(source):
        end = _closing(source, found.end() - 1)
        inside = source[found.end() : end]
        commas = [i for i, c in enumerate(inside) if c == "," and _is_outside(inside, i)]
        if not commas:
            inside += ", 0" if found[2] == "indexOf" else f", {found[1]}.length()"
        source = f"{source[: found.start()]}{found[2]}_({found[1]}, {inside}){source[end + 1 :]}"
    return source


def _is_outside(text: str, at: int) -> bool:
    """Whether a comma stands outside of quotes and brackets."""
    plain = re.sub(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"", lambda found: "_" * len(found[0]), text)
    return plain[at] == "," and plain[:at].count("(") == plain[:at].count(")")


def counting(source: str) -> str:
    """The script that counts."""
    source = _COMMENT.sub("", source)
    names = {found[1] for found in _FUNCTION.finditer(source)} | {"indexOf_", "substring_"}
    source = _searches(source)
    call = re.compile(rf"(?<![.\w])(?:{'|'.join(sorted(names))})\(")
    at = 0
    while found := call.search(source, at):
        end = _closing(source, found.end() - 1)
        head = _FUNCTION.match(source, source.rfind("\n", 0, found.start()) + 1)
        own = "long[] z" if head and head.start(1) == found.start() else "z"
        source = f"{source[:end]}, {own}{source[end:]}"
        at = found.end()
    at = 0
    while found := _LOOP.search(source, at):
        body = source.index("{", _closing(source, found.end() - 1)) + 1
        source = f"{source[:body]} z[0] += 1;{source[body:]}"
        at = found.end()
    begin = source.index("if (ctx._index.startsWith")
    main = source[begin:].replace("{ return; }", "{ ctx.turns = z[0]; return; }")
    return f"{_HELPERS}{source[:begin]}long[] z = new long[1];\n{main}\nctx.turns = z[0];"


def pipeline(body: dict[str, Any]) -> dict[str, Any]:
    """A redaction's pipeline that counts."""
    made = copy.deepcopy(body)
    script = made["processors"][-1]["script"]
    script["source"] = counting(script["source"])
    return made
