"""pySigma's conditions as query strings over the schema's fields."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from sigma.conditions import ConditionAND, ConditionFieldEqualsValueExpression, ConditionNOT, ConditionOR
from sigma.conversion.base import TextQueryBackend
from sigma.conversion.state import ConversionState
from sigma.types import CompareOperators, Placeholder, SigmaRegularExpressionFlag, SpecialChars

from provisioner.sigma import regexes, terms
from provisioner.sigma.terms import Field, Part, UnsayableError, Wild

if TYPE_CHECKING:
    from collections.abc import Callable

_WILD = {SpecialChars.WILDCARD_MULTI: Wild.ANY, SpecialChars.WILDCARD_SINGLE: Wild.ONE}
MOST_TERMS = 1000
"""`indices.query.bool.max_clause_count` is 1,024."""
LONGEST = 30_000
"""`search.query.max_query_string_length` is 32,000, and Alerting makes the names of fields longer."""
_ONE = re.compile(r"[\w@.]+:(?:\((?:\\.|[^()\\])*\)|(?:\\.|[^\s()\\])+)")
_OPERATORS = {
    CompareOperators.LT: "<",
    CompareOperators.LTE: "<=",
    CompareOperators.GT: ">",
    CompareOperators.GTE: ">=",
}


class QueryStrings(TextQueryBackend):
    """Conditions to text. `field` finds a field by its name in the rule; `notes` takes what is not quite the same."""

    name: ClassVar[str] = "provisioner"
    parenthesize: bool = True
    precedence: ClassVar[Any] = (ConditionNOT, ConditionAND, ConditionOR)
    group_expression: ClassVar[str | None] = "({expr})"
    token_separator: str = " "  # noqa: S105 (tokens of a language)
    or_token: ClassVar[str] = "OR"  # noqa: S105
    and_token: ClassVar[str] = "AND"  # noqa: S105
    not_token: ClassVar[str] = "NOT"  # noqa: S105
    eq_token: ClassVar[str] = ":"  # noqa: S105

    def __init__(self, field: Callable[[str | None], Field]) -> None:
        super().__init__()
        self.field = field
        self.terms = 0
        self.notes: dict[str, None] = {}

    def query(self, condition: Any) -> str:
        """The query string of a parsed condition. Raises UnsayableError, SigmaError."""
        converted = self.convert_condition(condition, ConversionState())
        if not isinstance(converted, str):
            raise UnsayableError("the condition is empty")
        if self.terms > MOST_TERMS:
            raise UnsayableError(f"it has {self.terms:,} terms: a query takes at most {MOST_TERMS:,}")
        return converted

    def convert_condition_or(self, cond: Any, state: Any) -> Any:
        """Values of one field share its name."""
        return self._shared(cond, state, " OR ") or super().convert_condition_or(cond, state)

    def convert_condition_and(self, cond: Any, state: Any) -> Any:
        """As above."""
        return self._shared(cond, state, " AND ") or super().convert_condition_and(cond, state)

    def convert_condition_not(self, cond: Any, state: Any) -> Any:
        """Not missing is there."""
        converted = super().convert_condition_not(cond, state)
        twice = "NOT (NOT _exists_:"
        if isinstance(converted, str) and converted.startswith(twice) and " " not in converted[len(twice) :]:
            return f"_exists_:{converted[len(twice) : -1]}"
        return converted

    def convert_condition_field_eq_val(self, cond: Any, state: Any) -> Any:
        """Counted: the server takes so many."""
        self.terms += 1
        return super().convert_condition_field_eq_val(cond, state)

    def convert_condition_field_eq_expansion(self, cond: Any, state: Any) -> Any:
        """In brackets: what is around takes it for a single term."""
        return grouped(str(super().convert_condition_field_eq_expansion(cond, state)))

    def convert_condition_field_eq_val_str(self, cond: Any, state: Any) -> Any:
        """Text, without regard to case."""
        return terms.text(self.field(cond.field), _parts(cond.value))

    def convert_condition_field_eq_val_str_case_sensitive(self, cond: Any, state: Any) -> Any:
        """Text as it is written."""
        field = self.field(cond.field)
        self._cased(field)
        return terms.text(field, _parts(cond.value), cased=True)

    def convert_condition_field_eq_val_num(self, cond: Any, state: Any) -> Any:
        """A number."""
        return terms.text(self.field(cond.field), [str(cond.value)])

    def convert_condition_field_eq_val_timestamp_part(self, cond: Any, state: Any) -> Any:
        """Refused."""
        raise UnsayableError("a query string can't ask for a part of a time")

    def convert_condition_field_eq_val_bool(self, cond: Any, state: Any) -> Any:
        """True or false."""
        return terms.text(self.field(cond.field), ["true" if cond.value else "false"])

    def convert_condition_field_eq_val_re(self, cond: Any, state: Any) -> Any:
        """A regular expression; it regards case, but fields that don't can't."""
        field = self.field(cond.field)
        fold = SigmaRegularExpressionFlag.IGNORECASE in cond.value.flags
        if not fold:
            self._cased(field)
        pattern = cond.value.to_plain()
        found, wider = regexes.lucene(pattern, lower=field.ignore_case, ignore_case=fold)
        if wider:
            self.notes[f"a number of repeats in the regular expression for {field.name} has no upper bound"] = None
        return terms.regex(field, found)

    def convert_condition_field_eq_val_cidr(self, cond: Any, state: Any) -> Any:
        """Addresses of a network."""
        return terms.network(self.field(cond.field), str(cond.value.network), cond.value.expand())

    def convert_condition_field_compare_op_val(self, cond: Any, state: Any) -> Any:
        """A number beyond another."""
        if cond.value.op not in _OPERATORS:
            raise UnsayableError(f"a query string can't compare by {cond.value.op.name.lower()}")
        return terms.compared(self.field(cond.field), _OPERATORS[cond.value.op], str(cond.value.number))

    def convert_condition_field_eq_field(self, cond: Any, state: Any) -> Any:
        """Refused."""
        raise UnsayableError("a query string can't compare two fields (fieldref)")

    def convert_condition_field_eq_val_null(self, cond: Any, state: Any) -> Any:
        """Nothing there."""
        return terms.missing(self.field(cond.field))

    def convert_condition_field_exists(self, cond: Any, state: Any) -> Any:
        """Something there."""
        return terms.exists(self.field(cond.field))

    def convert_condition_field_not_exists(self, cond: Any, state: Any) -> Any:
        """Nothing there."""
        return terms.missing(self.field(cond.field))

    def convert_condition_field_eq_query_expr(self, cond: Any, state: Any) -> Any:
        """Refused: it would be another language's text."""
        raise UnsayableError("the pipeline puts a query of another language in")

    def convert_condition_val_str(self, cond: Any, state: Any) -> Any:
        """A keyword: words of the message."""
        return terms.words(self.field(None), _parts(cond.value))

    def convert_condition_val_num(self, cond: Any, state: Any) -> Any:
        """As above."""
        return terms.words(self.field(None), [str(cond.value)])

    def convert_condition_val_re(self, cond: Any, state: Any) -> Any:
        """Refused: an expression is compared with single words."""
        raise UnsayableError("no regular expression can be looked for in the message's words")

    def convert_condition_query_expr(self, cond: Any, state: Any) -> Any:
        """Refused."""
        raise UnsayableError("the pipeline puts a query of another language in")

    def convert_condition_group(self, cond: Any, state: Any) -> Any:
        """In brackets, unless it is one term."""
        converted = self.convert_condition(cond, state)
        return grouped(converted) if isinstance(converted, str) else converted

    def _cased(self, field: Field) -> None:
        if field.ignore_case:
            self.notes[f"{field.name} is searched without regard to case"] = None

    def _shared(self, cond: ConditionOR | ConditionAND, state: Any, joint: str) -> str | None:
        """`field:(a OR b)`, where all are plain values of one field."""
        names = {arg.field if isinstance(arg, ConditionFieldEqualsValueExpression) else None for arg in cond.args}
        name = names.pop()
        if names or name is None or len(cond.args) < 2:
            return None
        found = [str(self.convert_condition(arg, state)) for arg in cond.args]
        begin = f"{self.field(name).name}:"
        if not all(each.startswith(begin) and each[len(begin)] not in "<>" for each in found):
            return None
        return f"{begin}({joint.join(dict.fromkeys(each[len(begin) :] for each in found))})"


def grouped(query: str) -> str:
    """A query as a part of a larger one: in brackets, unless it is one term."""
    return query if _ONE.fullmatch(query) else f"({query})"


def _parts(value: Any) -> list[Part]:
    """A Sigma string's texts and wildcards."""
    found: list[Part] = []
    for part in value.s:
        if isinstance(part, Placeholder):
            reason = f"the placeholder %{part.name}% has no value"
            raise UnsayableError(reason, "give it one: `value_placeholders` in the pipeline, and its `vars`")
        if isinstance(part, SpecialChars):
            wild = _WILD[part]
            if not (found and found[-1] is wild is Wild.ANY):
                found.append(wild)
        elif part:
            found.append(part)
    return found
