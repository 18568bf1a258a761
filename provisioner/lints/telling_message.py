"""RED002: a message that would send what must not even be stored.

A stored event has been through the redaction, so that a message with its password shows the marker, and helps nobody.
But not every event has: those that were stored before there was a redaction, that came past it (an index without the
final pipeline), of a log type for which a detector is switched off, or in a field that it leaves out (`except`). Then
the value itself goes out, to a chat or a mailbox that nobody can take it back from. A message with whole events
(`{{#toJson}}ctx.results{{/toJson}}`, `{{_source}}`) sends all that is in them, whoever adds a field later.

Bad:

    source: "{{#ctx.results.0.hits.hits}}{{_source.actor.password}} {{/ctx.results.0.hits.hits}}"

Good:

    source: "{{#ctx.results.0.hits.hits}}{{_source.actor.username}} {{/ctx.results.0.hits.hits}}"

To mend it, name the few fields that whoever reads the message needs. Sensitive is a key that the catalogue names
(`names`, `endings`, `headers`), that of a detector which is switched off too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from provisioner.model import Finding, Origin, Severity
from provisioner.redaction.keys import squeezed
from provisioner.values import each, mapping, names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.lints import View
    from provisioner.model import Path

CODE = "RED002"
_TAG = re.compile(r"\{\{(?:\{\s*([^{}]*?)\s*\}|\s*([#^&/]?)\s*([^{}!>=][^{}]*?)\s*)\}\}")
_TAGS = re.compile(_TAG.pattern.replace("([", "(?:["))  # the same without its groups
_ALL_OF_IT = re.compile(
    r"(?:ctx|(?:ctx\.)?results(?:\.\d+)?(?:\.hits){0,2}(?:\.\d+)?|_source|hits(?:\.hits)?(?:\.\d+)?|sample_documents)"
    r"(?:\.\d+)?(?:\._source)?"
)
_ALERTS = re.compile(r"ctx\.(?:new|deduped|completed)Alerts|ctx\.alerts")
_OTHER = frozenset({"monitor", "trigger", "periodStart", "periodEnd", "error"})
_TEMPLATES = ("message_template", "subject_template")
_HINT = "name the few fields that whoever reads the message needs"


@dataclass(frozen=True, slots=True)
class _Keys:
    """The catalogue's keys, squeezed, each with its detector; and the tags of texts in which nothing was found."""

    exact: dict[str, str]
    endings: dict[str, str]
    harmless: set[tuple[tuple[str, ...], bool]] = field(default_factory=set)

    def detector(self, key: str) -> str | None:
        name = squeezed(key)
        if name in self.exact:
            return self.exact[name]
        return next((found for ending, found in self.endings.items() if ending and name.endswith(ending)), None)


def check(view: View) -> Iterator[Finding]:
    """A finding for each tag of a message template, raw monitor or rendered rule that would send such a thing."""
    keys = _keys(view)
    if not keys.exact and not keys.endings:
        return
    for file, text in view.messages.items():
        for at, message in _said(text, keys):
            before = text[:at]
            place = Origin(file, before.count("\n") + 1, at - before.rfind("\n"))
            yield Finding(CODE, message, place, _HINT, Severity.WARNING)
    known = "\n".join(view.messages.values())
    for resource in view.resources:
        if resource.kind not in ("monitor", "workflow"):
            continue
        raw = resource.document is not None and resource.document.body.get("body") == resource.body
        texts: list[tuple[Path, str]] = []
        _sources(resource.body, (), texts)
        for path, text in texts:
            for at, message in _said(text, keys):
                tag = _TAG.match(text, at)
                if not raw and tag is not None and tag[0] in known:
                    continue  # told at the message template's own place
                place = resource.document.at(("body", *path)) if raw and resource.document else resource.origin
                yield Finding(CODE, message, place, _HINT, Severity.WARNING)


def _keys(view: View) -> _Keys:
    exact: dict[str, str] = {}
    endings: dict[str, str] = {}
    for redaction in view.source.of_kind("redaction"):
        for detector in each(redaction.body.get("detectors")):
            for name, known in (("names", exact), ("headers", exact), ("endings", endings)):
                for key in names(detector.get(name)):
                    known.setdefault(squeezed(key), str(detector.get("name")))
    return _Keys(exact, endings)


def _sources(value: Any, path: Path, found: list[tuple[Path, str]]) -> None:
    """Note the texts of all message and subject templates, with their places."""
    for key, child in value.items() if isinstance(value, dict) else enumerate(value):
        if key in _TEMPLATES:
            if isinstance(source := mapping(child).get("source"), str):
                found.append(((*path, key, "source"), source))
        elif isinstance(child, dict | list) and len(path) < 20:
            _sources(child, (*path, key), found)


def _said(text: str, keys: _Keys) -> list[tuple[int, str]]:
    """Where in a template which tag would send what must not be sent.

    Rules by the thousand have the tags of a few message templates. What is found hangs on the tags alone, but for what
    stands within `toJson`.
    """
    tags = (tuple(_TAGS.findall(text)), "sample_documents" in text)
    if tags in keys.harmless:
        return []
    found = list(_found(text, keys))
    if not found and "toJson" not in text:
        keys.harmless.add(tags)
    return found


def _found(text: str, keys: _Keys) -> Iterator[tuple[int, str]]:
    as_json = 0
    for tag in _TAG.finditer(text):
        sign, name = tag[2] or "", tag[1] if tag[1] is not None else tag[3]
        if name == "toJson":
            as_json = tag.end() if sign == "#" else 0
            if sign == "#":
                inner = text[tag.end() :].partition("{{/")[0].strip()
                if _is_whole(inner, text):
                    yield tag.start(), f"the message would send whole events, {inner} with all that is in them"
            continue
        if sign in "#^/" and sign:
            continue
        parts = name.split(".")
        if parts[0] == "ctx" and len(parts) > 1 and parts[1] in _OTHER:
            continue
        if not as_json and _is_whole(name, text):
            yield tag.start(), f"the message would send whole events, {name} with all that is in them"
        for part in parts:
            if (detector := keys.detector(part)) is not None:
                yield tag.start(), f"the message would send {name!r}, which the catalogue calls sensitive ({detector})"
                break


def _is_whole(name: str, text: str) -> bool:
    """Whether it stands for events as a whole; alerts bear some where the template asks for `sample_documents`."""
    if _ALL_OF_IT.fullmatch(name):
        return True
    return _ALERTS.fullmatch(name) is not None and "sample_documents" in text
