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
_CLASSES = {
    "hex": {"hex"},
    "upper": {"upper"},
    "alphanumeric": {"hex", "upper", "alphanumeric"},
    "word": {"hex", "upper", "alphanumeric", "word"},
    "token": {"hex", "upper", "alphanumeric", "word", "token"},
    "path": {"hex", "upper", "alphanumeric", "word", "path"},
    "base64": {"hex", "upper", "alphanumeric", "word", "base64"},
}
"""Which characters follow a prefix; each class with those that it holds."""


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
    items = [*_keys(before, after), *_prefixes(before, after), *_options(before, after)]
    yield from (words for words, detector in items if detector not in gone)
    yield from _issuers(before, after)
    lengths = mapping(after.get("ibans"))
    yield from (f"IBANs of {c}" for c, n in mapping(before.get("ibans")).items() if c not in lengths or lengths[c] != n)


def _detectors(params: Body) -> set[str]:
    found = {str(name) for table in _TABLES for name in params[table].values()}
    return found | {str(prefix.get("detector")) for prefix in _all_prefixes(params)}


def _keys(before: Body, after: Body) -> Iterator[tuple[str, str]]:
    """Keys and forms that are found no longer, with their detectors. An ending finds the whole key as well."""
    endings = tuple(after["endings"])
    for key, detector in before["names"].items():
        if key not in after["names"] and not key.endswith(endings):
            yield f"the key {key} ({detector})", str(detector)
        elif key in mapping(before.get("headers")) and key not in mapping(after.get("headers")):
            yield f"the rest of the line after {key} ({detector})", str(detector)
    for key, detector in before["endings"].items():
        if not key.endswith(endings):
            yield f"keys that end with {key} ({detector})", str(detector)
    for finder, detector in before["finders"].items():
        if finder not in after["finders"]:
            yield f"the form {finder} ({detector})", str(detector)


def _all_prefixes(params: Body) -> list[Body]:
    """They stand in groups by their first two letters."""
    groups = mapping(params.get("prefixes"))
    return [prefix for group in groups.values() for prefix in each(group)]


def _prefixes(before: Body, after: Body) -> Iterator[tuple[str, str]]:
    kept = _all_prefixes(after)
    for prefix in _all_prefixes(before):
        if not any(_finds(other, prefix) for other in kept):
            yield f"the prefix {prefix.get('text')} ({prefix.get('detector')})", str(prefix.get("detector"))


def _finds(prefix: Body, other: Body) -> bool:
    """Whether one prefix finds all that another one finds."""
    return (
        prefix.get("text") == other.get("text")
        and _number(prefix.get("min")) <= _number(other.get("min"))
        and _number(prefix.get("max")) >= _number(other.get("max"))
        and str(other.get("chars")) in _CLASSES.get(str(prefix.get("chars")), {str(prefix.get("chars"))})
    )


def _options(before: Body, after: Body) -> Iterator[tuple[str, str]]:
    """Where a detector looks no longer, and what it lets stand now."""
    for name in sorted(_detectors(before) & _detectors(after)):
        only, was = _listed(after, "fields", name), _listed(before, "fields", name)
        if only and not (was and was <= only):
            yield f"{name} is looked for in {', '.join(sorted(only))} only", name
        if added := _listed(after, "except", name) - _listed(before, "except", name):
            yield f"{name} is not looked for in {', '.join(sorted(added))}", name
        if added := _listed(after, "allow", name) - _listed(before, "allow", name):
            yield f"{len(added)} more values of {name} stay", name
        actions = mapping(before.get("actions")).get(name), mapping(after.get("actions")).get(name)
        if actions[1] == "partial" and actions[0] != "partial":
            yield f"of {name} the last four characters stay", name
        yield from ((f"{name} is {words}", name) for words in _switched_off(before, after, name))


def _switched_off(before: Body, after: Body, name: str) -> Iterator[str]:
    was, now = _is_on(before, name), _is_on(after, name)
    types, wanted = (mapping(mapping(params.get("log_types")).get(name)) for params in (before, after))
    if was and not now:
        yield "switched off"
    for type_ in sorted({*types, *wanted}):
        told = was and not now and type_ not in wanted  # by the words above
        if types.get(type_, was) and not wanted.get(type_, now) and not told:
            yield f"switched off for {type_}"


def _is_on(params: Body, name: str) -> bool:
    disabled = params.get("disabled")
    return not (isinstance(disabled, list) and name in disabled)


def _listed(params: Body, table: str, name: str) -> set[str]:
    """A detector's part of a table that has a list, or a mapping of values, for some."""
    found = mapping(params.get(table)).get(name)
    return set(map(str, found)) if isinstance(found, (list, dict)) else set()


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
