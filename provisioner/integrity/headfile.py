"""The head in the lock file beside a log: a weak witness of how far the log had come.

Whoever can write the log can mostly put an older lock file back as well. It still tells a tail that was merely cut off.
"""

from __future__ import annotations

import pathlib
from dataclasses import replace
from typing import TYPE_CHECKING

from provisioner.integrity import head, sources
from provisioner.integrity.format import KEY, Mac
from provisioner.integrity.verdict import Kind, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provisioner.integrity.judge import Judge
    from provisioner.integrity.keys import KeyRing
    from provisioner.integrity.verdict import StreamResult


def beside(path: pathlib.Path) -> bytes | None:
    """The head's line, where there is a lock file."""
    base = pathlib.Path(sources.base(path))
    try:
        return base.with_name(f"{base.name}.lock").read_bytes()[: head.SIZE]
    except OSError:
        return None


def check(judged: Judge, keys: KeyRing, lines: Iterable[bytes]) -> None:
    """Add a problem where a genuine head is further than the records."""
    result = judged.result
    for line in lines:
        found = head.read(line)
        name = KEY.fullmatch(found[0].key) if found is not None else None
        if found is None or name is None or name[1] not in keys:
            continue
        mac = Mac(keys.key(name[1], int(name[2]), result.stream).mac_key(), b"head")
        seq = found[0].seq
        if head.checked(line, mac) is None or seq < judged.next:
            continue
        _add(result, judged.next, seq)


def _add(result: StreamResult, missing: int, seq: int) -> None:
    """A checkpoint may have told of the same end; then it is one problem, as far as the further one of both says."""
    for place, told in enumerate(result.problems):
        if told.kind is Kind.TRUNCATED and told.seq == missing:
            if told.last_seq < seq and told.detail.endswith("covers them"):
                words = f"{told.detail.removesuffix('them')}{told.seq} to {told.last_seq}; the head beside the log, all"
                result.problems[place] = replace(told, last_seq=seq, detail=words)
            return
    file, words = result.files[-1], "the head beside the log names them"
    result.problems.append(Problem(Kind.TRUNCATED, result.stream, file.name, file.lines, missing, seq, words))
