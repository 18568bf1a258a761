"""Sigma's correlations as threshold, distinct and sequence rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sigma.correlations import (
    CorrelationConditionAND,
    SigmaCorrelationConditionOperator,
    SigmaCorrelationRule,
    SigmaCorrelationType,
    SigmaExtendedCorrelationCondition,
    SigmaRuleReference,
)

from provisioner.sigma.terms import NUMBERS, Field, UnsayableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sigma.rule import SigmaRule

    from provisioner.model import Body
    from provisioner.sigma.converting import Converter, Query
    from provisioner.sigma.fields import Added

    Found = Callable[[str], "SigmaRule | SigmaCorrelationRule | None"]

_MOST_STEPS = 10
_OPERATOR = SigmaCorrelationConditionOperator
_ORDERED = (SigmaCorrelationType.TEMPORAL, SigmaCorrelationType.TEMPORAL_ORDERED)


@dataclass(slots=True)
class Correlated:
    """The keys of a rule that a correlation becomes."""

    keys: Body
    log_type: str
    added: dict[str, Added] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Base:
    """A rule that a correlation refers to: its name there, and how many events of it it takes."""

    name: str
    rule: SigmaRule
    query: Query
    count: int = 1


@dataclass(slots=True)
class Correlator:
    """Turns one correlation into a rule. `found` gives a rule by its id or name."""

    converter: Converter
    found: Found
    queries: Callable[[SigmaRule], Query]

    def rule(self, rule: SigmaCorrelationRule) -> Correlated:
        """What the correlation becomes. Raises UnsayableError."""
        ordered = rule.type in _ORDERED
        references = _references(rule)
        if not references:
            raise UnsayableError("the correlation names no rules")
        result = Correlated({}, "")
        bases = [base for name in references for base in self._bases(name, rule, ordered, result)]
        log_types = sorted({base.query.log_type for base in bases})
        if len(log_types) > 1:
            raise UnsayableError(f"its rules watch several log types: {', '.join(log_types)}")
        result.log_type = log_types[0]
        for base in bases:
            result.added.update(base.query.added)
            result.notes += base.query.notes
        group_by = [self._group(name, rule, bases, result.added) for name in _texts(rule.group_by)]
        group = {"group_by": list(dict.fromkeys(group_by))} if group_by else {}
        within = _duration(rule)
        if ordered:
            keys = self._sequence(rule, bases, within)
        else:
            keys = {"query": _either(bases), **self._counted(rule, bases, within, result)}
        type_ = next(name for name in ("sequence", "distinct", "threshold") if name in keys)
        result.keys = {"type": type_, **{k: v for k, v in keys.items() if k == "query"}, **group, type_: keys[type_]}
        result.notes = list(dict.fromkeys(result.notes))
        return result

    def _bases(self, name: str, rule: SigmaCorrelationRule, ordered: bool, result: Correlated) -> Iterator[_Base]:
        target = self.found(name)
        if target is None:
            raise UnsayableError(f"its rule {name!r} is not among those that were read")
        if not isinstance(target, SigmaCorrelationRule):
            try:
                yield _Base(name, target, self.queries(target))
            except UnsayableError as error:
                raise UnsayableError(f"its rule {name!r} can't be converted: {error}", error.hint) from error
            return
        if not ordered or target.type is not SigmaCorrelationType.EVENT_COUNT or target.group_by != rule.group_by:
            raise UnsayableError(f"it correlates the correlation {name!r}, which is no count by the same group")
        inner = [base for each in _references(target) for base in self._bases(each, target, False, result)]
        if len(inner) != 1:
            raise UnsayableError(f"it correlates the correlation {name!r}, which has several rules")
        result.notes.append(f"the timespan of {name!r} is that of the whole sequence")
        yield _Base(name, inner[0].rule, inner[0].query, _least(target, result))

    def _sequence(self, rule: SigmaCorrelationRule, bases: list[_Base], within: str) -> Body:
        condition = rule.condition
        if isinstance(condition, SigmaExtendedCorrelationCondition):
            _all_of(condition)
        elif condition.op is _OPERATOR.GT and condition.count == len(bases) - 1:
            pass
        elif condition.op not in (_OPERATOR.GTE, _OPERATOR.EQ) or condition.count != len(bases):
            raise UnsayableError("it asks for some of its rules: our sequences take all of them")
        if len(bases) > _MOST_STEPS:
            raise UnsayableError(f"it has {len(bases)} rules: a sequence takes at most {_MOST_STEPS}")
        if len(bases) == 1:
            return {"query": bases[0].query.text, "threshold": {"count": bases[0].count, "within": within}}
        steps = [{"query": b.query.text, **({"count": b.count} if b.count > 1 else {})} for b in bases]
        ordered = rule.type is SigmaCorrelationType.TEMPORAL_ORDERED
        return {"sequence": {"within": within, "ordered": ordered, "steps": steps}}

    def _counted(self, rule: SigmaCorrelationRule, bases: list[_Base], within: str, result: Correlated) -> Body:
        if rule.type is SigmaCorrelationType.EVENT_COUNT:
            return {"threshold": {"count": _least(rule, result), "within": within}}
        fieldref = getattr(rule.condition, "fieldref", None)
        if not isinstance(fieldref, str):
            raise UnsayableError("it counts the values of several fields, or of none")
        if rule.type is SigmaCorrelationType.VALUE_COUNT:
            of = self._one(fieldref, rule, bases, result.added)
            if of.type in ("text", "flat_object"):
                raise UnsayableError(f"the values of {of.name} can't be counted")
            count = _least(rule, result)
            if count < 2:
                return {"threshold": {"count": 1, "within": within}}
            return {"distinct": {"of": of.name, "count": count, "within": within}}
        if rule.type is SigmaCorrelationType.VALUE_SUM:
            of = self._one(fieldref, rule, bases, result.added)
            if of.type not in NUMBERS:
                raise UnsayableError(f"{of.name} holds no numbers", "give it a numeric type in the pipeline's `fields`")
            return {"threshold": {"sum": _least(rule, result), "of": of.name, "within": within}}
        raise UnsayableError(f"we have no rule type for {rule.type.name.lower()}")

    def _group(self, name: str, rule: SigmaCorrelationRule, bases: list[_Base], added: dict[str, Added]) -> str:
        field_ = self._one(name, rule, bases, added)
        if field_.type in ("text", "flat_object"):
            raise UnsayableError(f"events can't be grouped by {field_.name}, which holds words or names of its own")
        return field_.name

    def _one(self, name: str, rule: SigmaCorrelationRule, bases: list[_Base], added: dict[str, Added]) -> Field:
        """The one field that a name means in all rules. Raises UnsayableError."""
        alias = rule.aliases.aliases.get(name)
        names = {reference.reference: field_ for reference, field_ in alias.mapping.items()} if alias else {}
        found = {self.converter.field_of(base.rule, names.get(base.name, name), added) for base in bases}
        if len(found) > 1:
            shown = ", ".join(sorted(each.name for each in found))
            raise UnsayableError(
                f"{name!r} is another field in each of its rules: {shown}", "map them to one field in the pipeline"
            )
        return found.pop()


def references(rule: SigmaCorrelationRule) -> list[str]:
    """The ids and names of the rules that a correlation refers to."""
    return _references(rule)


def _references(rule: SigmaCorrelationRule) -> list[str]:
    if rule.rules is not None:
        return [str(each.reference) for each in rule.rules]
    condition = rule.condition
    return condition.get_referenced_rules() if isinstance(condition, SigmaExtendedCorrelationCondition) else []


def _all_of(condition: SigmaExtendedCorrelationCondition) -> None:
    """Raises UnsayableError where it is more than rules joined by `and`."""
    open_: list[Any] = [condition.parsed]
    while open_:
        node = open_.pop()
        if isinstance(node, CorrelationConditionAND):
            open_ += node.args
        elif not isinstance(node, SigmaRuleReference):
            raise UnsayableError("its condition has `or` or `not`: our sequences take all of their steps")


def _least(rule: SigmaCorrelationRule, result: Correlated) -> int:
    """The number from which on it fires. Raises UnsayableError."""
    condition = rule.condition
    if isinstance(condition, SigmaExtendedCorrelationCondition):
        raise UnsayableError("it has no number")
    if condition.op not in (_OPERATOR.GTE, _OPERATOR.GT, _OPERATOR.EQ):
        raise UnsayableError(f"it asks for few events ({condition.op.name.lower()}): our rules fire from a number on")
    if condition.op is _OPERATOR.EQ:
        result.notes.append(f"exactly {condition.count} became at least {condition.count}")
    least = condition.count + (condition.op is _OPERATOR.GT)
    if not 1 <= least < 2**31:
        raise UnsayableError(f"{least} is no number of events to wait for")
    return least


def _duration(rule: SigmaCorrelationRule) -> str:
    count, unit = rule.timespan.count, rule.timespan.unit
    if unit in ("w", "M", "y"):
        return f"{count * {'w': 7, 'M': 30, 'y': 365}[unit]}d"
    return f"{count}{unit}"


def _either(bases: list[_Base]) -> str:
    texts = list(dict.fromkeys(base.query.text for base in bases))
    return texts[0] if len(texts) == 1 else " OR ".join(f"({text})" for text in texts)


def _texts(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)] if value else []
