"""Logs of the article's `SecureLogger`: lines with `_prev_hash`, `_timestamp` and `_signature`.

The signature is HMAC-SHA256 over Python's `json.dumps(event, sort_keys=True)` of the event with the first two and
without the third. Its class never ran as printed, so the first `_prev_hash` may be null, "" or anything else that a
mended one wrote: it is taken as it is. The format has no sequence numbers, no stream and no end: PROVES says what
follows from that.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from provisioner.integrity import sources

if TYPE_CHECKING:
    import pathlib

PROVES = (
    "each line was signed with this key and follows the one before; that nothing is missing at the begin or the end, "
    "that there was one writer, and that nobody who had the key signed it anew is not proven"
)


@dataclass(slots=True)
class ArticleResult:
    """What was found: problems are (line, kind, words)."""

    file: str
    records: int = 0
    proves: str = PROVES
    problems: list[tuple[int, str, str]] = field(default_factory=list)


def verify(path: pathlib.Path, secret: bytes) -> ArticleResult:
    """Verify one log, whatever its first `_prev_hash` is. Raises ProvisionerError where it can't be read."""
    result, seen = ArticleResult(str(path)), dict[str, int]()
    previous: Any = None
    number = 0
    for piece in sources.pieces(path):
        for block in sources.blocks(piece):
            for line in block.split(b"\n")[: block.count(b"\n") + (not block.endswith(b"\n"))]:
                number += 1
                previous = _line(line, number, previous, secret, result, seen)
    return result


def _line(line: bytes, number: int, previous: Any, secret: bytes, result: ArticleResult, seen: dict[str, int]) -> Any:
    """Judge one line; the signature that the next one must name."""
    try:
        event = json.loads(line)
        signature = event.pop("_signature")
        before = event["_prev_hash"]
    except (ValueError, KeyError, TypeError, AttributeError):
        result.problems.append((number, "edited", "the line is no signed event"))
        return previous
    expected = hmac.new(secret, json.dumps(event, sort_keys=True).encode(), hashlib.sha256).hexdigest()
    if not (
        isinstance(signature, str) and hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))
    ):
        result.problems.append((number, "edited", "what it says does not agree with its signature"))
        return signature
    result.records += 1
    if signature in seen:
        result.problems.append((number, "duplicated", f"the line {seen[signature]} stands here once more"))
        return previous
    seen[signature] = number
    if number > 1 and before != previous:
        told = (
            f"it was written behind line {seen[before]}" if before in seen else "the line that was before it is missing"
        )
        result.problems.append((number, "reordered" if before in seen else "deleted", told))
    return signature
