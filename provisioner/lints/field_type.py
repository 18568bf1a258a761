"""RULE003: what is asked of a field does not fit its type.

OpenSearch compares texts letter by letter in a range over a `keyword` (`"9"` comes after `"10"`), and reads an address
range as a plain text there. A wildcard on a number, a date or an address, or a value that is none, finds nothing,
without a word: the rule stays silent. Groups by a `text` field and sums of what is no number fail at every run.

Bad:

    query: 'source.ip:10.* AND actor.id:[1 TO 5]'
    group_by: [message]

Good:

    query: 'source.ip:"10.0.0.0/8" AND details.records_count:[1 TO 5]'
    group_by: [source.ip]

To mend it, use an operator that fits, another field, or give the field another type in the schema.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from provisioner.lints._view import groups, measured, queries
from provisioner.model import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.lints import View
    from provisioner.querystring import Term

CODE = "RULE003"
EACH = True
_WHOLE = frozenset({"long", "integer", "short", "byte", "unsigned_long"})
_NUMBERS = _WHOLE | {"double", "float", "half_float", "scaled_float"}
_TEXTS = frozenset({"text", "match_only_text"})
_WORDS = frozenset({"keyword", "constant_keyword", "wildcard"})
_AS_TEXT = _WORDS | _TEXTS
_RANGES = frozenset("[{<>")
_EXACT = _NUMBERS | {"ip", "date", "date_nanos", "boolean"}
_NAMES = {"ip": "an address", "date": "a date", "date_nanos": "a date", "boolean": "true or false"}
_CIDR = re.compile(r"[0-9a-fA-F:.]*[:.][0-9a-fA-F:.]*\\?/[0-9]{1,3}")
_MATHS = re.compile(r"now(?:[+\-][0-9]+[yMwdhHms]|\\?/[yMwdhHms])*")
_NUMBER = re.compile(r"\\?-?[0-9]+(?:\.[0-9]+)?(?:[eE][+\-]?[0-9]+)?")
_WILD = re.compile(r"(?<!\\)[*?]")
_EDGES = re.compile(r"[\[{]\s*(.*?)\s+TO\s+(.*?)\s*[\]}]")


def check(view: View) -> Iterator[Finding]:
    """A finding for each term, group and sum that does not fit the type of its field."""
    seen: dict[Term, tuple[str, str, Severity] | None] = {}
    types = view.types
    for rule in view.rules:
        for path, query in queries(rule):
            for term in view.terms(query):
                of = types.get(term.field or "", "")
                if not of or (of in _AS_TEXT and _is_text(term.text)):  # nearly all
                    continue
                if term not in seen:
                    seen[term] = _term(term, of)
                if (found := seen[term]) is not None:
                    yield Finding(CODE, found[0], rule.at(path), found[1], found[2])
        for path, name in groups(rule):
            if (type_ := view.types.get(name)) in _TEXTS or type_ == "flat_object":
                hint = "group by a keyword, an address or a number"
                yield Finding(CODE, f"OpenSearch can't group by {name!r}: it is {_a(type_)}", rule.at(path), hint)
        for path, name, sums in measured(rule):
            type_ = view.types.get(name, "")
            if sums and type_ and type_ not in _NUMBERS:
                message = f"OpenSearch can't sum up {name!r}: it is {_a(type_)}, no number"
                yield Finding(CODE, message, rule.at(path), "sum up a number, or count events with `count`")
            elif type_ in _TEXTS or type_ == "flat_object":
                message = f"OpenSearch can't count the values of {name!r}: it is {_a(type_)}"
                yield Finding(CODE, message, rule.at(path), "count the values of a keyword, an address or a number")


def _is_text(text: str) -> bool:
    """Whether it can be no range, network or time."""
    return text[:1] not in _RANGES and "/" not in text and not text.startswith("now")


def _a(type_: str) -> str:
    return f"{'an' if type_[:1] in 'aeiou' else 'a'} {type_} field"


def _term(term: Term, type_: str) -> tuple[str, str, Severity] | None:
    """Message, hint and severity: an error is what finds nothing, a warning what is compared as text."""
    text = term.text
    about = f"{term.field!r} is {_a(type_)}"
    if not type_ or not text:
        return None
    if text[0] in _RANGES:
        return _range(text, type_, about)
    value = text[1:-1].replace('\\"', '"') if text[0] == '"' and text[-1] == '"' and len(text) > 1 else text
    quoted = value is not text
    if type_ in _EXACT and not quoted:
        if text[0] == "/":
            return f"{about}: a regular expression finds nothing there", "name values, or a range", Severity.ERROR
        if _WILD.search(text):
            if text == "*":
                return None
            hint = 'write a network: `"10.0.0.0/8"`' if type_ == "ip" else "write a range: `[1 TO 5]`"
            return f"{about}: a wildcard finds nothing there", hint, Severity.ERROR
    if type_ in _EXACT and not _fits(value, type_):
        wanted = _NAMES.get(type_, "a number")
        return f"{about}, and {value!r} is not {wanted}", f"look for {wanted}", Severity.ERROR
    if type_ in _AS_TEXT and "/" in value and _CIDR.fullmatch(value):
        hint = "use a field of the type ip, or list the addresses with wildcards"
        return f"{about}: the network {value} is only compared as text", hint, Severity.WARNING
    if type_ in _WORDS and not quoted and value != "now" and _MATHS.fullmatch(value):
        return f"{about}: {value!r} is no time there, but a text", "use a date, such as `@timestamp`", Severity.WARNING
    return None


def _range(text: str, type_: str, about: str) -> tuple[str, str, Severity] | None:
    edges = _EDGES.fullmatch(text)
    ends = [end.strip('"') for end in (edges.groups() if edges else (text.lstrip("<>="),)) if end not in ("*", "")]
    if type_ in _AS_TEXT and any(_NUMBER.fullmatch(end) or _MATHS.fullmatch(end) for end in ends):
        hint = "use a field that is a number or a date, or give this one such a type in the schema"
        return f"{about}: the range {text} compares letter by letter", hint, Severity.WARNING
    if type_ in _AS_TEXT and any(_CIDR.fullmatch(end) for end in ends):
        return f"{about}: the range {text} compares letter by letter", "use a field of the type ip", Severity.WARNING
    wrong = [end for end in ends if type_ in _EXACT and not _fits(end, type_)]
    if wrong:
        wanted = _NAMES.get(type_, "a number")
        return f"{about}, and {wrong[0]!r} is not {wanted}", f"give {wanted} on both ends, or `*`", Severity.ERROR
    return None


def _fits(value: str, type_: str) -> bool:
    """Whether a value can be read as one of the type. Dates come in many forms: only what has no digit is none."""
    value = re.sub(r"[~^][0-9.]*$", "", value)
    if type_ in _NUMBERS:
        return _NUMBER.fullmatch(value) is not None
    if type_ == "boolean":
        return value in ("true", "false", "")
    if type_ == "ip":
        try:
            ipaddress.ip_network(value.replace("\\", ""), strict=False)
        except ValueError:
            return False
        return True
    return value.startswith("now") or any(sign.isdigit() for sign in value)
