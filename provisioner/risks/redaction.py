"""What would be stored that was taken out before: by the tables of a redaction's script, and by final pipelines.

A script can be anything, so only the tables of ours (templates/pipelines/redaction.yml.j2) are compared: what they
listed and list no longer. A new source of the script says nothing about that either way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provisioner.values import each, mapping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.model import Body

_TABLES = ("names", "endings", "finders")
_CLASSES = ("upper", "alphanumeric", "token")
"""Which characters follow a prefix; each class holds those before it."""


def pipeline(was: Body, wanted: Body | None) -> Iterator[str]:
    """What a redaction pipeline finds no longer. Nothing for any other pipeline."""
    before, after = _script(was), _script(wanted or {})
    if before is None:
        return
    if after is None:
        yield "the pipeline is deleted" if wanted is None else "the script that redacts goes"
        return
    if after.get("ignore_failure") is True and before.get("ignore_failure") is not True:
        yield "where the script fails, events are stored as they are"
    if after.get("if") is not None and after.get("if") != before.get("if"):
        yield "the script runs only on a condition, which is another"
    yield from _lost(before["params"], after["params"])


def final_pipeline(was: Body, wanted: Body | None) -> Iterator[str]:
    """A final pipeline that new indices no longer have.

    Deleting a template says nothing: the server refuses that as long as a data stream uses it.
    """
    before, after = _final(was), _final(wanted or {})
    if wanted is not None and before and before != after:
        yield (
            f"new indices have the final pipeline {after}, not {before}"
            if after
            else f"new indices no longer have the final pipeline {before}"
        )


def _final(template: Body) -> str:
    """Its name, "" for none; settings stand nested or with dots."""
    settings = mapping(mapping(template.get("template")).get("settings"))
    index = mapping(settings.get("index"))
    found = index.get("final_pipeline", settings.get("index.final_pipeline"))
    return found if isinstance(found, str) and found != "_none" else ""


def _script(pipeline: Body) -> Body | None:
    for processor in each(pipeline.get("processors")):
        script = mapping(processor.get("script"))
        params = mapping(script.get("params"))
        if all(isinstance(params.get(table), dict) for table in _TABLES):
            return script
    return None


def _lost(before: Body, after: Body) -> Iterator[str]:
    gone = sorted(_detectors(before) - _detectors(after))
    yield from (f"nothing is found as {name} any more" for name in gone)
    items = [*_keys(before, after), *_prefixes(before, after)]
    yield from (words for words, detector in items if detector not in gone)
    yield from _issuers(before, after)


def _detectors(params: Body) -> set[str]:
    found = {str(name) for table in _TABLES for name in params[table].values()}
    return found | {str(prefix.get("detector")) for prefix in each(params.get("prefixes"))}


def _keys(before: Body, after: Body) -> Iterator[tuple[str, str]]:
    """Keys and forms that are found no longer, with their detectors. An ending finds the whole key as well."""
    endings = tuple(after["endings"])
    for key, detector in before["names"].items():
        if key not in after["names"] and not key.endswith(endings):
            yield f"the key {key} ({detector})", str(detector)
    for key, detector in before["endings"].items():
        if not key.endswith(endings):
            yield f"keys that end with {key} ({detector})", str(detector)
    for finder, detector in before["finders"].items():
        if finder not in after["finders"]:
            yield f"the form {finder} ({detector})", str(detector)


def _prefixes(before: Body, after: Body) -> Iterator[tuple[str, str]]:
    kept = each(after.get("prefixes"))
    for prefix in each(before.get("prefixes")):
        if not any(_finds(other, prefix) for other in kept):
            yield f"the prefix {prefix.get('text')} ({prefix.get('detector')})", str(prefix.get("detector"))


def _finds(prefix: Body, other: Body) -> bool:
    """Whether one prefix finds all that another one finds."""
    return (
        prefix.get("text") == other.get("text")
        and _number(prefix.get("length")) <= _number(other.get("length"))
        and _class(prefix) >= _class(other)
    )


def _class(prefix: Body) -> int:
    chars = prefix.get("chars")
    return _CLASSES.index(chars) if chars in _CLASSES else 1


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _issuers(before: Body, after: Body) -> Iterator[str]:
    kept = each(after.get("issuers"))
    for issuer in each(before.get("issuers")):
        lengths = _lengths(issuer)
        for other in kept:
            if _spans(other, issuer):
                lengths -= _lengths(other)
        if lengths:
            digits = ", ".join(map(str, sorted(lengths)))
            yield f"cards of {issuer.get('name')} from {issuer.get('from')} with {digits} digits"


def _lengths(issuer: Body) -> set[int]:
    lengths = issuer.get("lengths")
    return {length for length in lengths if isinstance(length, int)} if isinstance(lengths, list) else set()


def _spans(issuer: Body, other: Body) -> bool:
    """Whether the first digits of one lie within those of another, both with as many digits."""
    low, high = str(issuer.get("from")), str(issuer.get("to"))
    return len(low) == len(str(other.get("from"))) and low <= str(other.get("from")) and str(other.get("to")) <= high
