"""The attacks as data: each gives, for a place, the logs that an attacker could leave behind.

An attacker may choose: where there are several logs, the attack counts as detected only if each of them is.
"""

from __future__ import annotations

import functools
import pathlib
import tempfile
from collections.abc import Callable, Iterator

import lab
import orjson
from lab import Log, changed

from provisioner.integrity.verdict import Kind

FAKE = {"category": "audit", "action": "data_export", "severity": "high", "message": "forged", "event_id": "evt_f"}
WHERE = ("first", "middle", "last", "across files")


@functools.cache
def other() -> Log:
    """Another genuine stream, of the same root key."""
    return lab.build(pathlib.Path(tempfile.mkdtemp()), "db7", 12, rotate=10**9, checkpoint=False)


@functools.cache
def own() -> Log:
    """A log of the same name that an outsider signed with a key of its own."""
    return lab.build(pathlib.Path(tempfile.mkdtemp()), "web1", 47, root=b"e" * 32, checkpoint=False)


def _signed(log: Log, records: list[dict], at: int, attacker: str) -> Iterator[Log]:
    """What thief and owner make of a changed list of records: signed anew from the first change on."""
    keys = lab.macs(log.stream)
    if attacker == "owner":
        yield log.with_lines(lab.resign(records, at, log.stream, keys))
    if attacker == "thief":
        current = log.records[-1]["integrity"]["key"]
        yield log.with_lines(lab.resign(records, at, log.stream, {current: keys[current]}, current))


def edited(log: Log, at: int, attacker: str) -> Iterator[Log]:
    """Another message; the integrity object as it was."""
    records = log.records
    records[at] = changed(records[at])
    yield log.with_lines([orjson.dumps(each, option=orjson.OPT_SORT_KEYS) for each in records])
    yield from _signed(log, records, at, attacker)


def deleted(log: Log, at: int, attacker: str) -> Iterator[Log]:
    """The record is gone; across files the last of one and the first of the next."""
    lines, records = log.lines, log.records
    yield log.with_lines(lines[:at] + lines[at + 1 :])
    del records[at]
    yield from _signed(log, records, at, attacker)


def inserted(log: Log, at: int, attacker: str) -> Iterator[Log]:
    """A record more, before the place."""
    lines, records = log.lines, log.records
    said = {**records[at]["integrity"], "mac": "0" * 64}
    fake = orjson.dumps({**FAKE, "integrity": said}, option=orjson.OPT_SORT_KEYS)
    yield log.with_lines([*lines[:at], fake, *lines[at:]])
    yield log.with_lines([*lines[:at], orjson.dumps(FAKE), *lines[at:]])
    records.insert(at, {**FAKE, "integrity": {"key": records[at]["integrity"]["key"], "mac": ""}})
    yield from _signed(log, records, at, attacker)


def appended(log: Log, at: int, attacker: str) -> Iterator[Log]:
    """A record more at the end, behind all checkpoints; at the first place in an empty log."""
    key = log.records[-1]["integrity"]["key"]
    said = {**log.records[-1]["integrity"], "seq": len(log.lines), "prev": log.records[-1]["integrity"]["mac"]}
    yield log.with_lines([*log.lines, orjson.dumps({**FAKE, "integrity": said}, option=orjson.OPT_SORT_KEYS)])
    records = [*log.records, {**FAKE, "integrity": {"key": key, "mac": ""}}]
    yield from _signed(log, records, len(records) - 1, attacker)


def reordered(log: Log, at: int, attacker: str) -> Iterator[Log]:
    """Two records change places."""
    to = at + 1 if at + 1 < len(log.lines) else at - 1
    lines, records = log.lines, log.records
    lines[at], lines[to] = lines[to], lines[at]
    yield log.with_lines(lines)
    keys = [each["integrity"]["key"] for each in records]
    records[at], records[to] = records[to], records[at]
    for each in (at, to):
        records[each] = {**records[each], "integrity": {**records[each]["integrity"], "key": keys[each]}}
    yield from _signed(log, records, min(at, to), attacker)


def duplicated(log: Log, at: int, attacker: str) -> Iterator[Log]:
    """A record twice."""
    lines, records = log.lines, log.records
    yield log.with_lines([*lines[: at + 1], lines[at], *lines[at + 1 :]])
    records.insert(at + 1, records[at])
    yield from _signed(log, records, at + 1, attacker)


def truncated(log: Log, at: int, attacker: str) -> Iterator[Log]:
    """All from the place on is gone, the file beside the log that names the head among it."""
    yield log.with_lines(log.lines[:at])
    if attacker != "outsider":
        records = [*log.records[:at], {**FAKE, "integrity": {"key": log.records[max(at - 1, 0)]["integrity"]["key"]}}]
        yield from _signed(log, records, at, attacker)


def replaced(log: Log, at: int, attacker: str) -> Iterator[Log]:
    """The file that holds the place is another one: of another key, of another stream, a copy of its neighbour."""
    file = _file(log, at)
    if attacker == "owner":
        records = [changed(each) if _file(log, place) == file else each for place, each in enumerate(log.records)]
        start = next(place for place in range(len(records)) if _file(log, place) == file)
        yield from _signed(log, records, start, attacker)
        return
    mine = own().files[min(file, len(own().files) - 1)][1]
    yield log.with_file(file, mine)
    yield log.with_file(file, other().files[0][1])
    yield log.with_file(file, log.files[file - 1 if file else 1][1])


def spliced(log: Log, at: int, attacker: str) -> Iterator[Log]:
    """Records of another stream stand before the place; owner and thief sign them as this one's."""
    lines, records = log.lines, log.records
    foreign = other()
    yield log.with_lines([*lines[:at], *foreign.lines[2:4], *lines[at:]])
    key = records[at]["integrity"]["key"]
    more = [{**each, "integrity": {"key": key, "mac": ""}} for each in foreign.records[2:4]]
    yield from _signed(log, [*records[:at], *more, *records[at:]], at, attacker)


def wrong_key(log: Log, at: int, attacker: str) -> Iterator[Log]:
    """The records from the place on are signed with the attacker's own key, under the same or another id."""
    lines, mine = log.lines, own().lines
    for old, new in ((b"", b""), (b'"key":"k1.', b'"key":"k9.')):
        yield log.with_lines(
            [*lines[:at], *[line.replace(old, new) if old else line for line in mine[at : len(lines)]]]
        )
    yield from _signed(log, [*log.records[:at], *map(changed, log.records[at:])], at, attacker)


def _file(log: Log, at: int) -> int:
    for number, (_, lines) in enumerate(log.files):
        if at < len(lines):
            return number
        at -= len(lines)
    return len(log.files) - 1


ATTACKS: dict[str, Callable[[Log, int, str], Iterator[Log]]] = {
    "edited": edited,
    "deleted": deleted,
    "inserted": inserted,
    "reordered": reordered,
    "duplicated": duplicated,
    "truncated": truncated,
    "replaced": replaced,
    "spliced": spliced,
    "appended": appended,
    "wrong-key": wrong_key,
}
KINDS = {
    "edited": {Kind.EDITED},
    "deleted": {Kind.DELETED},
    "inserted": {Kind.INSERTED},
    "reordered": {Kind.REORDERED},
    "duplicated": {Kind.DUPLICATED},
    "truncated": {Kind.TRUNCATED},
    "replaced": {Kind.REPLACED},
    "spliced": {Kind.SPLICED},
    "appended": {Kind.EDITED, Kind.INSERTED},
    "wrong-key": {Kind.WRONG_KEY, Kind.EDITED, Kind.INSERTED},
}
"""What the verifier calls an outsider's attack, where it is noticed without checkpoints."""
