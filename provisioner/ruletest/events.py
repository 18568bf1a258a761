"""The events of a rule's tests. Pure: times are offsets from the begin of a test, in milliseconds.

An event begins as an example of what the rule looks for: fields and values that its query names, the details that the
catalogue asks of such an event, the rule's group keys. `set` then says what is different.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provisioner import durations, querystring, schema
from provisioner.errors import ProvisionerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from provisioner.model import Body, Document
    from provisioner.source import Source

_KEYWORDS = {
    "actor.username": "alice",
    "actor.email": "alice@example.org",
    "target.username": "bob",
    "source.country": "DE",
    "host.name": "host-1",
    "outcome.status": "success",
    "network.protocol": "ssh",
}
_VALUES: dict[str, Any] = {
    "ip": "192.0.2.1",
    "date": "2026-01-01T00:00:00Z",
    "boolean": True,
    "integer": 1,
    "long": 1,
    "double": 1.0,
    "float": 1.0,
}
_NUMBERS = ("integer", "long", "double", "float", "short", "byte")


@dataclass(frozen=True, slots=True)
class TestEvent:
    """One event: when it occurred and when it was stored (milliseconds since the test's begin), and its fields.

    Their names are dotted. Or it is a raw `line` that a pipeline parses. `log_type` says to which stream it goes.
    """

    at: int
    stored: int
    fields: Mapping[str, Any]
    line: str = ""
    pipeline: str = ""
    log_type: str = ""


def expand(rule: Document, test: Mapping[str, Any], source: Source) -> list[TestEvent]:
    """All events of one test, in the order in which they are written. Raises ProvisionerError."""
    found: list[TestEvent] = []
    at = 0
    for given in test["events"]:
        at += durations.ms(given["after"]) if "after" in given else 0
        every = durations.ms(given["every"]) if "every" in given else 1_000
        late = durations.ms(given["late"]) if "late" in given else 0
        meant = _meant(rule, given, source)
        fields = {} if "line" in given else {**example(meant, given, source), **given.get("set", {})}
        fields = {name: value for name, value in fields.items() if value is not None}
        for number in range(given.get("repeat", 1)):
            at += every if number else 0
            numbered = {name: _numbered(value, number) for name, value in fields.items()}
            line = _numbered(given.get("line", ""), number)
            log_type = meant.body["log_type"]
            found.append(TestEvent(at, at + late, numbered, line, given.get("pipeline", ""), log_type))
    return found


def _meant(rule: Document, given: Mapping[str, Any], source: Source) -> Document:
    """The rule whose example an event is: this one, the one that the event names, of a correlation the first one."""
    id_ = given.get("rule") or next(iter(rule.body.get("correlation", {}).get("rules", ())), rule.id)
    meant = rule if id_ == rule.id else source.documents.get(("rule", id_))
    if meant is None:
        ids = [each.id for each in source.of_kind("rule")]
        raise ProvisionerError(
            f"{rule.origin}: an event in the tests of {rule.id!r} is of the rule {id_!r}, which is not there",
            schema.suggest(id_, ids, "rules"),
        )
    return meant


def _numbered(value: Any, number: int) -> Any:
    """`user-%n` is user-1, user-2, ... in events that repeat."""
    return value.replace("%n", str(number + 1)) if isinstance(value, str) else value


def example(rule: Document, given: Mapping[str, Any], source: Source) -> dict[str, Any]:
    """An event that the rule's query finds: `step` chooses one of a sequence's, `event` one of the catalogue."""
    types = field_types(source)
    wanted = {} if "event" in given else _wanted(_query(rule.body, given), types)
    action = given.get("event") or wanted.get("action")
    catalogue = source.documents.get(("event", str(action)))
    body = catalogue.body if catalogue else {}
    named = [*body.get("fields", ()), *_keys(rule.body)]
    details = {name: _value(name, types.get(name, "keyword")) for name in named if name != "@timestamp"}
    about = {
        "category": body.get("category", rule.body["log_type"]),
        "action": action or "something",
        "severity": body.get("severity", "info"),
        "message": body.get("title", "Something happened"),
    }
    return {**details, **about, **wanted}


def field_types(source: Source) -> dict[str, str]:
    """The type of each field of the schemas, by its name and by its alias."""
    found: dict[str, str] = {}
    for document in source.of_kind("schema"):
        for name, about in document.body["fields"].items():
            found[name] = about["type"]
            if "ecs" in about:
                found[about["ecs"]] = about["type"]
    return found


def nested(fields: Mapping[str, Any]) -> Body:
    """Dotted names as objects: what a shipper sends. Raises ValueError where one name needs the place of another."""
    body: Body = {}
    for name, value in fields.items():
        *way, last = name.split(".")
        place = body
        for part in way:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise ValueError(f"{name!r} and {part!r} can't both be fields")  # noqa: TRY004 (a matter of values)
        place[last] = value
    return body


def _query(body: Body, given: Mapping[str, Any]) -> str:
    if "sequence" in body:
        return str(body["sequence"]["steps"][given.get("step", 1) - 1]["query"])
    if given.get("of") and "ratio" in body:
        return str(body["ratio"]["of"])
    return str(body.get("query", ""))


def _wanted(query: str, types: Mapping[str, str]) -> dict[str, Any]:
    """The first value for each field that the query asks for plainly."""
    found: dict[str, Any] = {}
    for term in querystring.terms(query):
        if term.negated or term.field is None or term.field in found or term.field == "_exists_":
            continue
        value = _plain(term.text, types.get(term.field, "keyword"))
        if value is not None:
            found[term.field] = value
    return found


def _plain(text: str, type_: str) -> Any:
    """A value that a term finds; None where that is not plain to see."""
    if text[:1] in "[{</>" or text == "*":
        return None
    if text[:1] == '"' and text[-1:] == '"':
        text = text[1:-1]
    text = text.replace("*", "x").replace("?", "x").replace("\\", "")
    if type_ in _NUMBERS:
        return float(text) if "." in text else int(text) if text.lstrip("-").isdigit() else None
    if type_ == "ip" and "/" in text:
        return text.partition("/")[0]
    return {"true": True, "false": False}.get(text) if type_ == "boolean" else text


def _keys(body: Body) -> Iterable[str]:
    """The fields that the rule's type reads beside its query."""
    return [*body.get("group_by", ()), *_named(body)]


def _named(body: Body) -> Iterator[str]:
    type_ = body.get(str(body.get("type")))
    of = type_.get("of") if isinstance(type_, dict) and body.get("type") != "ratio" else None
    if isinstance(of, str):
        yield of


def _value(name: str, type_: str) -> Any:
    return _VALUES.get(type_, _KEYWORDS.get(name, f"some-{name.rpartition('.')[2]}"))
