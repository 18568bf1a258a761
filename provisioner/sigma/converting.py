"""A Sigma rule as the query of ours: what is asked, of which log type, over which fields."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sigma.exceptions import SigmaError
from sigma.rule import SigmaRule

from provisioner.schema import load as load_schema
from provisioner.sigma import terms
from provisioner.sigma.backend import LONGEST, QueryStrings, grouped
from provisioner.sigma.fields import MESSAGE, Added, Fields, snake
from provisioner.sigma.reading import words
from provisioner.sigma.terms import Field, UnsayableError

if TYPE_CHECKING:
    from provisioner.sigma.settings import Pipeline

_PROBE = "provisioner_probe"


@dataclass(slots=True)
class Query:
    """A rule's query, its log type, the fields that the schema lacks for it, and what is not quite the same."""

    text: str
    log_type: str
    added: dict[str, Added]
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Converter:
    """Turns detections into queries by the pipeline."""

    pipeline: Pipeline
    fields: Fields

    def query(self, rule: SigmaRule) -> Query:
        """A rule's query; the rule is left as it is. Raises UnsayableError."""
        applied, names = self._applied(rule)
        log_type = _log_type(applied)
        added: dict[str, Added] = {}
        backend = QueryStrings(lambda name: self._field(name, applied, names, log_type, added))
        try:
            found = [backend.query(each.parsed) for each in applied.detection.parsed_condition]
        except UnsayableError:
            raise
        except Exception as error:  # (pySigma takes the form of many values for granted)
            raise UnsayableError(f"pySigma can't convert it: {words(error)}") from error
        text = found[0] if len(found) == 1 else " OR ".join(map(grouped, found))
        origin = self._origin(applied, log_type, added)
        if origin:
            text = " AND ".join([*origin, grouped(text)])
        if len(text) > LONGEST:
            raise UnsayableError(f"the query has {len(text):,} characters: a query takes at most {LONGEST:,}")
        return Query(text, log_type, added, list(backend.notes))

    def field_of(self, rule: SigmaRule, name: str, added: dict[str, Added]) -> Field:
        """What a field of a rule's events is called here. Raises UnsayableError."""
        asked = copy.copy(rule)
        body = {"title": _PROBE, "logsource": rule.logsource.to_dict()}
        try:
            asked = SigmaRule.from_dict({**body, "detection": {_PROBE: {name: "*"}, "condition": _PROBE}})
        except (SigmaError, AttributeError, TypeError) as error:
            raise UnsayableError(f"{name!r} can't be a field: {words(error)}") from error
        applied, names = self._applied(asked)
        items = applied.detection.detections[_PROBE].detection_items
        mapped = [item for item in items if getattr(item, "field", None) is not None]
        if len(mapped) != 1:
            raise UnsayableError(f"{name!r} is not one field here, but several")
        return self._field(str(getattr(mapped[0], "field", "")), applied, names, _log_type(applied), added)

    def _applied(self, rule: SigmaRule) -> tuple[SigmaRule, dict[str, str]]:
        """A copy of the rule behind the pipeline, and by the names of its fields now those before it.

        A field that was not mapped has a name in front of which our prefix belongs: its own. Raises UnsayableError.
        """
        try:
            changed = copy.deepcopy(rule)
            raw = _names(changed.detection.detections)
            changed.custom_attributes.clear()  # those of the rule's author are not the pipeline's
            self.pipeline.processing.apply(changed)
        except Exception as error:  # (pySigma's transformations take the form of many values for granted)
            raise UnsayableError(f"the pipeline refuses it: {words(error)}") from error
        mapped = self.pipeline.processing.field_mappings.target_fields
        names = {str(name): ", ".join(sorted(map(str, sources))) for name, sources in mapped.items()}
        return changed, {**{name: "" for name in raw if name not in mapped}, **names}

    def _field(
        self, name: str | None, rule: SigmaRule, names: dict[str, str], log_type: str, added: dict[str, Added]
    ) -> Field:
        if not name:  # a keyword; Sigma also knows one as a field without a name (`'|all':`)
            return MESSAGE
        before = names.get(name, name)
        return self.fields.find(name if before else _below(name, rule), log_type, before or name, added)

    def _origin(self, rule: SigmaRule, log_type: str, added: dict[str, Added]) -> list[str]:
        """Conditions that say which log source is meant."""
        found = []
        for part in str(rule.custom_attributes.get("logsource", "")).split():
            value = getattr(rule.logsource, part, None)
            if part in ("category", "product", "service") and value:
                name = f"logsource.{part}"
                where = self.fields.find(name, log_type, f"logsource {part}", added)
                found.append(terms.text(where, [str(value)]))
        return found


def _log_type(rule: SigmaRule) -> str:
    """The log type that the pipeline gives. Raises UnsayableError."""
    log_type = rule.custom_attributes.get("log_type")
    allowed = load_schema("rule")["properties"]["log_type"]["enum"]
    if log_type not in allowed:
        hint = "set the attribute `log_type` in the sigma_pipeline document, by `set_custom_attribute`"
        raise UnsayableError(f"the pipeline gives it no log type ({', '.join(allowed)})", hint)
    return str(log_type)


def _below(name: str, rule: SigmaRule) -> str:
    """A field that no transformation mapped: below the prefix of its log source."""
    source = rule.logsource
    prefix = rule.custom_attributes.get("prefix")
    if not prefix:
        prefix = ".".join(snake(each).replace(".", "_") for each in (source.product, source.service) if each)
        prefix = prefix or snake(source.category or "") or "sigma"
    return f"{prefix}.{snake(name)}"


def _names(node: Any) -> list[str]:
    """Every field that detections name."""
    if isinstance(node, dict):
        return [name for each in node.values() for name in _names(each)]
    if hasattr(node, "detection_items"):
        return [name for each in node.detection_items for name in _names(each)]
    return [node.field] if getattr(node, "field", None) else []
