"""Rules broken by hand, one thing at a time: a number, a window, a key, a field or a value of the query."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from provisioner import durations, querystring
from provisioner.model import Document

_TOP = re.compile(r'"(?:[^"\\]|\\.)*"|[()\[\]{}]|\s+AND\s+|[^"()\[\]{}\s]+|\s+')
_NUMBERS = ("count", "sum", "minimum", "factor", "at_least")
_WINDOWS = ("within", "baseline", "for", "seen_within")
_STEP = {"at_least": 0.01, "factor": 0.1}


@dataclass(frozen=True)
class Mutant:
    """A rule with one thing broken, what that is in words, and what kind of thing."""

    rule: Document
    what: str
    kind: str


def mutants(rule: Document) -> Iterator[Mutant]:
    """Every way to break a rule that its tests should notice."""
    for body, what in _bodies(rule.body):
        yield Mutant(replace(rule, body=body), f"{rule.id}: {what}", _kind(what))


def _kind(what: str) -> str:
    """threshold, window, key, field, steps or query."""
    words = what.split()
    if what.startswith("without the key"):
        return "key"
    if "the field" in what or what.endswith("→ event_id"):
        return "field"
    if words[0].rpartition(".")[2] in _NUMBERS or " count →" in what:
        return "threshold"
    if words[0].rpartition(".")[2] in _WINDOWS:
        return "window"
    return "steps" if words[0].endswith((".ordered", ".condition", ".without")) and "`" not in what else "query"


def _bodies(body: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    type_ = body["type"]
    if isinstance(about := body.get(type_), dict):
        for changed, what in _type(about):
            yield {**body, type_: changed}, f"{type_}.{what}"
    for number, key in enumerate(body.get("group_by", ())):
        left = [*body["group_by"][:number], *body["group_by"][number + 1 :]]
        rest = {name: value for name, value in body.items() if name != "group_by"}
        yield {**rest, "group_by": left} if left else rest, f"without the key {key}"
    if "query" in body:
        for query, what in queries(body["query"]):
            yield {**body, "query": query}, f"query {what}"


def _type(about: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    for name, value in about.items():
        if name in _NUMBERS:
            step = _STEP.get(name, 1)
            for changed in (round(value + step, 4), round(value - step, 4)):
                if changed > (1 if name in ("factor",) else 0) and not (name == "at_least" and changed > 1):
                    yield {**about, name: changed}, f"{name} {value} → {changed}"
        elif name in _WINDOWS:
            seconds = durations.ms(value) // 1000
            for changed in (seconds + 1, seconds - 1):
                yield {**about, name: f"{changed}s"}, f"{name} {value} → {changed}s"
        elif name == "of" and ":" in value:
            for query, what in queries(value):
                yield {**about, "of": query}, f"of {what}"
        elif name == "of":
            yield {**about, "of": "event_id"}, f"of {value} → event_id"
        elif name in ("ordered", "steps"):
            yield from _steps(about, name, value)
        elif name == "rules":
            yield from _correlated(about)


def _correlated(about: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    rules, condition = about["rules"], about.get("condition", "all")
    other = {"all": "any", "any": "all"}[condition]
    yield {**about, "condition": other}, f"condition {condition} → {other}"
    if len(rules) > 2:
        for number, rule in enumerate(rules):
            yield {**about, "rules": [*rules[:number], *rules[number + 1 :]]}, f"without the rule {rule}"


def _steps(about: dict[str, Any], name: str, value: Any) -> Iterator[tuple[dict[str, Any], str]]:
    if name == "ordered":
        yield {**about, name: not value}, f"ordered {value} → {not value}"
        return
    if "ordered" not in about:
        yield {**about, "ordered": False}, "ordered → False"
    if len(value) > 2:
        for number in range(len(value)):
            yield {**about, name: [*value[:number], *value[number + 1 :]]}, f"without step {number + 1}"
    for number, step in enumerate(value):
        for count in {step.get("count", 1) + 1, max(step.get("count", 1) - 1, 1)} - {step.get("count", 1)}:
            yield _with(about, number, {**step, "count": count}), f"step {number + 1} count → {count}"
        for query, what in queries(step["query"]):
            yield _with(about, number, {**step, "query": query}), f"step {number + 1} {what}"


def _with(about: dict[str, Any], number: int, step: dict[str, Any]) -> dict[str, Any]:
    changed = copy.deepcopy(about)
    changed["steps"][number] = step
    return changed


def queries(query: str) -> Iterator[tuple[str, str]]:
    """The query without one of its conditions, with one negated, with one value or one field that is another."""
    clauses = split(query)
    if len(clauses) > 1:
        for number, clause in enumerate(clauses):
            yield " AND ".join([*clauses[:number], *clauses[number + 1 :]]), f"without `{clause}`"
    for number, clause in enumerate(clauses):
        bare = clause.removeprefix("NOT ")
        other = bare if bare != clause else f"NOT {clause}"
        rest = [*clauses[:number], other, *clauses[number + 1 :]]
        yield " AND ".join(rest if len(rest) > 1 or other == bare else ["*:*", *rest]), f"with `{other}`"
    for term in querystring.terms(query):
        if term.field and re.fullmatch(r"[\w.-]+", term.text) and query.count(term.text) == 1:
            value = f"{term.text}0" if term.text.isdigit() else f"{term.text}x"
            yield query.replace(term.text, value), f"{term.field}: {term.text} → {value}"
    for field in {term.field: None for term in querystring.terms(query) if term.field and term.field != "_exists_"}:
        yield re.sub(rf"(?<![\w.]){re.escape(field)}(?=\s*:)", f"{field}x", query), f"the field {field} → {field}x"


def split(query: str) -> list[str]:
    """The conditions that stand at the top of a query, between AND."""
    depth, found = 0, [""]
    for part in (match[0] for match in _TOP.finditer(query)):
        depth += (part in "([{") - (part in ")]}") if len(part) == 1 else 0
        if depth == 0 and part.strip() == "AND":
            found.append("")
        else:
            found[-1] += part
    return [each.strip() for each in found]
