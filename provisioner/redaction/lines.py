"""One line of a log, as bytes.

What is no ordinary JSON:

- Bytes that are no UTF-8, and any text that is no JSON, are treated as text; the bytes that are no UTF-8 stay.
- `NaN`, `Infinity`, integers beyond 64 bits and lone surrogates (`"\\ud800"`) are read and written as they are.
- Of a key that stands twice in a mapping only the last value is kept, as most readers of JSON do, unless the line comes
  back as it is: then nothing is in the others either.
- What is nested too deep for Python (about 400 levels) comes back as an event without content.
- Numbers may come back in another form where something else was replaced: 1.0e2 as 100.0, as in the cluster.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable

_ODD = re.compile(rb"[:,\[] ?-?(?:[0-9]{17}|[0-9.]+[eE])")
"""Numbers that orjson might not write again as they are."""
_FAILED = b'{"message":"[content_REDACTED]","ingest":{"redacted":{"detectors":["failure"],"fields":["*"]}}}'


def redacted(line: bytes, value: Callable[[Any], tuple[Any, int]], text: Callable[[str], str]) -> bytes:
    """The line redacted; one that needs nothing comes back as it is.

    `value` gives a JSON value redacted, and how many keys are in one that needs nothing (-1: something was replaced);
    `text` gives a text redacted.
    """
    try:
        node = orjson.loads(line)
    except orjson.JSONDecodeError:
        return _odd(line, value, text)
    then, count = value(node)
    if count >= 0 and (line.count(b'":') == count or not _hides(line, value)):
        return line
    if _ODD.search(line):
        return _odd(line, value, text)
    try:
        return orjson.dumps(then)
    except (orjson.JSONEncodeError, RecursionError):
        return _dumped(then)


def _odd(line: bytes, value: Callable[[Any], tuple[Any, int]], text: Callable[[str], str]) -> bytes:
    """What orjson can't read, or would write in another way."""
    decoded = line.decode("utf-8", "surrogateescape")
    try:
        then, count = value(json.loads(decoded))
        return line if count >= 0 and not _hides(line, value) else _dumped(then)
    except RecursionError:
        return _FAILED
    except ValueError:
        return text(decoded).encode("utf-8", "surrogateescape")


def _dumped(node: Any) -> bytes:
    try:
        return json.dumps(node, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(node, separators=(",", ":")).encode()
    except RecursionError:
        return _FAILED


def _hides(line: bytes, value: Callable[[Any], tuple[Any, int]]) -> bool:
    """Whether a key stands twice in one mapping, and something has to be replaced in a value that is not its last."""
    hidden: list[Any] = []

    def kept(items: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(items)
        if len(made) < len(items):
            hidden.extend(each for _, each in items)
        return made

    try:
        json.loads(line.decode("utf-8", "surrogateescape"), object_pairs_hook=kept)
        return bool(hidden) and value(hidden)[1] < 0
    except (ValueError, RecursionError):
        return True
