"""What a verification found, for people and machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from provisioner.integrity.verdict import MEANING, Kind
from provisioner.quantities import count, size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.integrity.article import ArticleResult
    from provisioner.integrity.verdict import Problem, Result, StreamResult


NOTHING = "Nothing is proven: no key was given, and of some stream no checkpoint agrees with any record."


def text(result: Result) -> Iterator[Text]:
    """Problems as `file:line: kind: records: meaning`, then a sentence for each stream."""
    for problem in result.problems:
        yield Text(line(problem), style="yellow" if problem.kind is Kind.REDACTED else "red")
    for stream in result.streams:
        yield from _notes(stream)
        yield Text(sentence(stream), style="bold" if stream.problems else "bold green")
    if not result.proven:
        yield Text(NOTHING if result.records else "There is no genuine record.", style="bold red")


def line(problem: Problem) -> str:
    """One problem."""
    where = ":".join(str(each) for each in (problem.file, problem.line) if each)
    parts = [each for each in (where, problem.kind.value, problem.records) if each]
    return f"{': '.join(parts)}: {MEANING[problem.kind]} ({problem.detail})"


def _notes(stream: StreamResult) -> Iterator[Text]:
    for note in stream.notes:
        yield Text(note, style="dim")


def sentence(stream: StreamResult) -> str:
    """How far one stream is proven."""
    records = count(stream.records, "record")
    span = f" ({stream.first} to {stream.last})" if stream.records else ""
    files = f"{count(len(stream.files), 'file')}"
    if stream.problems:
        problems = count(len(stream.problems), "problem")
        return f"{stream.stream}: not intact: {problems} in {files}; {records} verified{span}"
    return f"{stream.stream}: intact: {records}{span} in {files}; {proven(stream)}"


def proven(stream: StreamResult) -> str:
    """What checkpoints add."""
    if not stream.covered:
        return "no checkpoint proves its end"
    behind = stream.last + 1 - stream.covered
    words = f"the first {count(stream.covered)} agree with {count(stream.checkpoints, 'checkpoint')}"
    later = ", and without a key nothing is proven of them" if stream.keyless else ""
    return f"{words}, {count(behind)} came later{later}" if behind else words


def json(result: Result) -> dict[str, Any]:
    """`{"intact", "records", "bytes", "seconds", "streams": [...]}`; each stream has its files, keys and problems."""
    return {
        "intact": result.intact,
        "records": result.records,
        "bytes": result.bytes,
        "seconds": round(result.seconds, 3),
        "streams": [_stream(each) for each in result.streams],
    }


def _stream(stream: StreamResult) -> dict[str, Any]:
    return {
        "stream": stream.stream,
        "intact": not stream.problems,
        "records": stream.records,
        "first": stream.first,
        "last": stream.last,
        "head": stream.head,
        "root": stream.root,
        "keys": {key: {"first_epoch": low, "last_epoch": high} for key, (low, high) in stream.keys.items()},
        "checkpoints": stream.checkpoints,
        "covered": stream.covered,
        "keyless": stream.keyless,
        "torn": stream.torn,
        "notes": stream.notes,
        "files": [
            {"name": each.name, "lines": each.lines, "bytes": each.bytes, "records": each.good, "sha256": each.sha256}
            for each in stream.files
        ],
        "problems": [
            {
                "kind": each.kind.value,
                "file": each.file,
                "line": each.line,
                "seq": each.seq,
                "last_seq": each.last_seq,
                "meaning": MEANING[each.kind],
                "detail": each.detail,
            }
            for each in stream.problems
        ],
    }


def volume(result: Result) -> str:
    """How much was read, and how fast."""
    return f"{count(result.records, 'record')}, {size(result.bytes)} in {result.seconds:.1f} s"


def article_text(result: ArticleResult) -> Iterator[Text]:
    """A log in the article's format."""
    for number, kind, words in result.problems:
        yield Text(f"{result.file}:{number}: {kind}: {words}", style="red")
    intact = "not intact" if result.problems else "intact as far as this format can tell"
    yield Text(f"{result.file}: {intact}: {count(result.records, 'record')}; {result.proves}", style="bold")


def article_json(result: ArticleResult) -> dict[str, Any]:
    """The same for machines."""
    problems = [{"line": number, "kind": kind, "detail": words} for number, kind, words in result.problems]
    return {
        "file": result.file,
        "intact": not problems,
        "records": result.records,
        "proves": result.proves,
        "problems": problems,
    }
