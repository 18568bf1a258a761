"""Replay recordings of the real plugins against the stand-in, and compare every answer.

A recording is one JSON object a line: `t` (seconds), `note`, `method`, `path`, `query`, `body`, `status`, `response`.

    replay = Replay(client, substitutions={"127.0.0.1:9250": "127.0.0.1:19310"}, advance=clock.advance)
    outcomes = replay.run(merged("core.jsonl", "alerting.jsonl"))
    counts = judge(outcomes, unsupported("core.jsonl", "alerting.jsonl"))   # raises AssertionError
    count("alerting.jsonl", *counts["alerting.jsonl"])                      # the fixture: a line of the summary

Ids, sequence numbers and times differ from run to run. Server-made ids (20 or 22 characters of base64url) and sequence
numbers are learnt wherever the recorded and the new answer hold one at the same place, and put into later requests.
Times are compared by type. Everything else (status, keys, types, error types and reasons, every value that the client
sent) must be equal. Where an answer may differ in more than this, a caller says so: `Replay(…, compare=function)`.

`advance(seconds)` is called before each request with the recorded time that passed since the one before it: a plugin
that has a clock of its own is set forward (and runs what is due on the way) instead of being waited for.
`unrecorded(recording)` is called before and `cleaned(recording)` after each: some requests of the recorder itself (a
policy deleted again after a test, an index removed) are not among the recordings, but later answers depend on them.

What is not claimed stands in `unsupported.yml`, by file and line, with a reason. A listed recording is replayed as well
(later ones may build on it) and must differ: else the list is not honest. `skip: true` leaves the request out, for
those that would do harm to the rest of a replay; such an entry needs its reason to say so.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

HERE = Path(__file__).parent
RECORDINGS = HERE / "recordings"

# 20 or 22 characters of base64url, with a capital: names that people choose rarely are so.
_ID = re.compile(r"(?<![A-Za-z0-9_-])(?=[a-z0-9_-]*[A-Z])[A-Za-z0-9_-]{20}(?:[A-Za-z0-9_-]{2})?(?![A-Za-z0-9_-])")
# Times, durations and counters of the server: compared by type.
_VOLATILE = re.compile(r"(^|_)(time|took|t|date|ms|last_updated|size_in_bytes)$|_time_ms$|^(_?seq_no|policy_seq_no)$")
_SEQUENCE = ("_seq_no", "seq_no", "policy_seq_no", "if_seq_no")
_MASKS = (
    (re.compile(r"seqNo \[\d+\]"), "seqNo [#]"),
    # The order of this set is that of the JVM's hash codes.
    (re.compile(r"allowed: \[([A-Z, ]+)\]"), lambda m: "allowed: " + str(sorted(m[1].split(", ")))),
    (re.compile(r"\d{4}[.-]\d\d[.-]\d\d[T-][\d:.]+Z?"), "<time>"),
)


@dataclass(frozen=True)
class Recording:
    """One recorded request and the real plugins' answer to it."""

    file: str
    line: int
    t: float
    note: str | None
    method: str
    path: str
    query: dict[str, Any]
    body: Any
    status: int
    response: Any

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.method} {self.path}" + (f" ({self.note})" if self.note else "")


@dataclass(frozen=True)
class Outcome:
    """A replayed recording, the answer that it got, and in what it differs (empty: in nothing)."""

    recording: Recording
    status: int
    response: Any
    differences: list[str] = field(default_factory=list)


def load(name: str) -> list[Recording]:
    """The recordings of one file in tests/contract/recordings, plain or gzipped."""
    path = RECORDINGS / name
    packed = path.with_name(name + ".gz")
    text = gzip.decompress(packed.read_bytes()).decode() if packed.exists() else path.read_text()
    return [_recording(name, number, json.loads(line)) for number, line in enumerate(text.splitlines(), 1)]


def merged(*names: str) -> list[Recording]:
    """The recordings of several files in the order of their time: they were made on one node."""
    return sorted((r for name in names for r in load(name)), key=lambda r: r.t)


def _recording(name: str, number: int, raw: Mapping[str, Any]) -> Recording:
    return Recording(
        file=name,
        line=number,
        t=raw["t"],
        note=raw.get("note"),
        method=raw["method"],
        path=raw["path"],
        query=raw.get("query") or {},
        body=raw.get("body"),
        status=raw["status"],
        response=raw.get("response"),
    )


@dataclass(frozen=True)
class Unsupported:
    """One entry of unsupported.yml."""

    file: str
    line: int
    reason: str
    skip: bool = False


def unsupported(*names: str) -> list[Unsupported]:
    """The entries for these files; all when none is named. Lines may be listed as a number or as `first-last`."""
    entries = yaml.safe_load((HERE / "unsupported.yml").read_text()) or []
    return [made for entry in entries if not names or entry["file"] in names for made in _expand(entry)]


def _expand(entry: Mapping[str, Any]) -> Iterator[Unsupported]:
    for part in str(entry["lines"]).split(","):
        first, _, last = part.strip().partition("-")
        for line in range(int(first), int(last or first) + 1):
            yield Unsupported(entry["file"], line, " ".join(entry["reason"].split()), bool(entry.get("skip")))


Compare = Callable[[Recording, Any, Any], list[str] | None]


class Replay:
    """Sends recordings in order through `client` and keeps what it learns about ids and sequence numbers.

    `substitutions` replace text in requests and expected answers (receivers' ports). `compare(recording, expected,
    actual)` may judge an answer itself: a list of differences, or None to leave it to the usual comparison.
    `advance`, `unrecorded`, `cleaned`: see above. `headers` go with every request.
    """

    def __init__(
        self,
        client: httpx.Client,
        *,
        substitutions: Mapping[str, str] | None = None,
        advance: Callable[[float], None] | None = None,
        unrecorded: Callable[[Recording], None] | None = None,
        cleaned: Callable[[Recording], None] | None = None,
        compare: Compare | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._client = client
        self._substitutions = dict(substitutions or {})
        self._advance = advance
        self._unrecorded = unrecorded
        self._cleaned = cleaned
        self._compare = compare
        self._headers = dict(headers or {})
        self.ids: dict[str, str] = {}
        self.sequence: dict[int, int] = {}

    def run(self, recordings: Iterable[Recording], skipped: Iterable[Unsupported] = ()) -> list[Outcome]:
        """Replay all but those that are listed with `skip`."""
        skip = {(entry.file, entry.line) for entry in skipped if entry.skip}
        outcomes = []
        before: float | None = None
        for recording in recordings:
            if self._advance and before is not None:
                self._advance(recording.t - before)
            before = recording.t
            if (recording.file, recording.line) in skip:
                continue
            if self._unrecorded:
                self._unrecorded(recording)
            outcomes.append(self.one(recording))
            if self._cleaned:
                self._cleaned(recording)
        return outcomes

    def one(self, recording: Recording) -> Outcome:
        """Replay one recording and compare."""
        response = self._send(recording)
        actual = _json(response)
        expected = self._now(recording.response)
        differences = []
        if response.status_code != recording.status:
            differences.append(f"status: recorded {recording.status}, got {response.status_code}")
        own = self._compare(recording, expected, actual) if self._compare else None
        differences += own if own is not None else self._differences(expected, actual, "")
        return Outcome(recording, response.status_code, actual, differences)

    def _send(self, recording: Recording) -> httpx.Response:
        body, headers = self._now(recording.body), dict(self._headers)
        content: str | None = None
        if body is not None:
            content = body if isinstance(body, str) else json.dumps(body)
            bulk = isinstance(body, str) and "_bulk" in recording.path
            headers["content-type"] = "application/x-ndjson" if bulk else "application/json"
        query = {name: self._parameter(name, value) for name, value in recording.query.items()}
        return self._client.request(
            recording.method, self._text(recording.path), params=query or None, content=content, headers=headers
        )

    def _parameter(self, name: str, value: Any) -> str:
        if name in _SEQUENCE:
            return str(self.sequence.get(int(value), value))
        return self._text(str(value))

    def _now(self, value: Any) -> Any:
        """A recorded value as it must read in this run."""
        match value:
            case str():
                return self._text(value)
            case dict():
                return json.loads(self._text(json.dumps(value)))
            case list():
                return json.loads(self._text(json.dumps(value)))
        return value

    def _text(self, text: str) -> str:
        for old, new in self._substitutions.items():
            text = text.replace(old, new)
        return _ID.sub(lambda found: self.ids.get(found[0], found[0]), text)

    def _differences(self, expected: Any, actual: Any, at: str) -> list[str]:
        if isinstance(expected, dict) and isinstance(actual, dict):
            return self._of_objects(expected, actual, at)
        if isinstance(expected, list) and isinstance(actual, list):
            if len(expected) != len(actual):
                return [f"{at}: recorded {len(expected)} elements, got {len(actual)}"]
            pairs = enumerate(zip(expected, actual, strict=True))
            return [d for i, (e, a) in pairs for d in self._differences(e, a, f"{at}[{i}]")]
        if _kind(expected) != _kind(actual):
            return [f"{at}: recorded {_short(expected)}, got {_short(actual)}"]
        key = at.rpartition(".")[2]
        if "._shards." in at:  # depends on the number of nodes
            return []
        if key in _SEQUENCE and isinstance(expected, int):
            self.sequence[expected] = actual
        if expected == actual or _VOLATILE.search(key):
            return []
        if isinstance(expected, str) and self._same_text(expected, actual):
            return []
        return [f"{at}: recorded {_short(expected)}, got {_short(actual)}"]

    def _of_objects(self, expected: dict[str, Any], actual: dict[str, Any], at: str) -> list[str]:
        # A key may itself be an id of the server.
        for missing, new in zip(
            sorted(expected.keys() - actual.keys()), sorted(actual.keys() - expected.keys()), strict=False
        ):
            if _ID.fullmatch(missing) and _ID.fullmatch(new):
                self.ids[missing] = new
                expected = {new if k == missing else k: v for k, v in expected.items()}
        lost, added = expected.keys() - actual.keys(), actual.keys() - expected.keys()
        differences = [f"{at}.{key}: recorded, but missing" for key in sorted(lost)]
        differences += [f"{at}.{key}: not recorded" for key in sorted(added)]
        for key in expected.keys() & actual.keys():
            differences += self._differences(expected[key], actual[key], f"{at}.{key}")
        return differences

    def _same_text(self, expected: str, actual: str) -> bool:
        """Whether two texts differ in the server's ids and times only. Learns the ids."""
        for pattern, mask in _MASKS:
            expected, actual = pattern.sub(mask, expected), pattern.sub(mask, actual)
        old, new = _ID.findall(expected), _ID.findall(actual)
        if len(old) != len(new) or _ID.sub("<id>", expected) != _ID.sub("<id>", actual):
            return False
        for recorded, made in zip(old, new, strict=True):
            if self.ids.setdefault(recorded, made) != made and recorded != made:
                return False
        return True


def judge(outcomes: Iterable[Outcome], listed: Iterable[Unsupported]) -> dict[str, tuple[int, int]]:
    """By file: how many were replayed and equal, and how many are listed as unsupported.

    Raises AssertionError that names all that are on the wrong side: different and not listed, or listed and equal.
    """
    reasons = {(entry.file, entry.line) for entry in listed}
    outcomes = list(outcomes)
    wrong = []
    for outcome in outcomes:
        known = (outcome.recording.file, outcome.recording.line) in reasons
        if known and not outcome.differences:
            wrong.append(f"{outcome.recording}\n    is listed as unsupported, but passes: take it off the list")
        if outcome.differences and not known:
            wrong.append(f"{outcome.recording}\n    " + "\n    ".join(outcome.differences[:8]))
    assert not wrong, f"{len(wrong)} recordings on the wrong side:\n" + "\n".join(wrong)
    files = {outcome.recording.file for outcome in outcomes}
    return {
        file: (
            sum(o.recording.file == file and not o.differences for o in outcomes),
            sum(listed_file == file for listed_file, _ in reasons),
        )
        for file in sorted(files)
    }


def _json(response: httpx.Response) -> Any:
    if not response.content:
        return None
    try:
        return response.json()
    except ValueError:
        return response.text


def _kind(value: Any) -> str:
    """The JSON type, with integers and floats as one."""
    if isinstance(value, bool) or value is None:
        return type(value).__name__
    return "number" if isinstance(value, int | float) else type(value).__name__


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 300 else text[:300] + "…"
