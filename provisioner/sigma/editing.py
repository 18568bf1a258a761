"""Keys of a document changed in its text: everything else, comments too, stays as it is written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from provisioner import yamlfile
from provisioner.yamlwrite import dump

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provisioner.yamlplaces import YamlDocument

_EVERY = 1 << 30
_LAST = "origin"
"""New keys stand before this one."""


class UneditableError(Exception):
    """The text has a form in which a key can't be changed by itself."""


def document(text: str, file: str, kind: str, id_: str) -> YamlDocument:
    """A document of a text. Raises UneditableError."""
    for each in yamlfile.read(text, file)[0]:
        if isinstance(each.value, dict) and (each.value.get("kind"), each.value.get("id")) == (kind, id_):
            return each
    raise UneditableError("the document is not there")


def edited(text: str, found: YamlDocument, changed: Mapping[str, Any], removed: Sequence[str] = ()) -> str:
    """The text with keys of one of its documents changed, added and removed. Raises UneditableError."""
    lines = text.splitlines(keepends=True)
    places = sorted((origin, str(path[0])) for path, origin in found.key_origins.items() if len(path) == 1)
    starts = [origin.line - 1 for origin, _ in places]
    if any(origin.column != 1 for origin, _ in places) or len(set(starts)) < len(starts):
        raise UneditableError("its keys don't stand on lines of their own")
    after = (n for n in range(starts[-1] + 1, len(lines)) if re.match(r"(---|\.\.\.)(\s|$)", lines[n]))
    ends = [*starts[1:], next(after, len(lines))]
    pieces: list[str] = ["".join(lines[: starts[0]])]
    new = {key: value for key, value in changed.items() if key not in {name for _, name in places}}
    for (_, key), start, following in zip(places, starts, ends, strict=True):
        end = following
        while end > start + 1 and re.match(r"\s*(#|$)", lines[end - 1]) and not _inside(lines, start, end):
            end -= 1
        rest = "".join(lines[end:following])
        if key == _LAST and new:
            pieces += [dump({name: value}) for name, value in new.items()]
            new = {}
        if key in changed or key in removed:
            written = dump({key: changed[key]}) if key in changed else ""
            pieces.append(_commented(written, _comments(lines, start, end)))
        else:
            pieces.append("".join(lines[start:end]))
        pieces.append(rest)
    if new:
        if pieces[-1] == "" and not pieces[-2].endswith("\n"):
            pieces.append("\n")
        pieces += [dump({name: value}) for name, value in new.items()]
    pieces.append("".join(lines[ends[-1] :]))
    return "".join(pieces)


def checked(text: str, file: str, kind: str, id_: str, expected: Mapping[str, Any]) -> str:
    """The text, if the document reads as it should. Raises UneditableError."""
    if document(text, file, kind, id_).value != expected:
        raise UneditableError("its text can't be changed key by key")
    return text


def _inside(lines: Sequence[str], start: int, end: int) -> bool:
    """Whether a line that looks like a comment is one of a text in a block scalar."""
    return re.search(r"[|>][-+0-9]*\s*(#.*)?$", lines[start]) is not None and lines[end - 1][:1] in (" ", "\t")


def _comments(lines: Sequence[str], start: int, end: int) -> list[str]:
    """The comments on lines that will be written anew."""
    chunk = "".join(lines[start:end])
    if "#" not in chunk:
        return []
    covered: dict[int, int] = {}
    for token in yaml.scan(chunk, Loader=yaml.SafeLoader):
        if isinstance(token, yaml.StreamEndToken | yaml.BlockEndToken):
            continue
        for line in range(token.start_mark.line, token.end_mark.line):
            covered[line] = _EVERY
        covered[token.end_mark.line] = max(covered.get(token.end_mark.line, 0), token.end_mark.column)
    rests = (line[covered.get(n, 0) :].strip() for n, line in enumerate(chunk.splitlines()))
    return [rest for rest in rests if rest.startswith("#")]


def _commented(written: str, comments: list[str]) -> str:
    if len(comments) == 1 and written.count("\n") == 1:
        return f"{written.rstrip()}  {comments[0]}\n"
    return "".join(f"{comment}\n" for comment in comments) + written
