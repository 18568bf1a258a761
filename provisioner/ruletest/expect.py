"""Whether the alerts that a rule raised are those that its test expects. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provisioner.ruletest.runs import Alert


def difference(expected: Sequence[Mapping[str, Any]], alerts: Sequence[Alert]) -> str:
    """Empty where each expectation has an alert of its own and no alert is left; else both lists in words.

    An expectation names some fields; the others may have any value.
    """
    if len(expected) == len(alerts) and _matched(expected, alerts):
        return ""
    wanted = "\n".join(f"  {words(each)}" for each in expected) or "  silence"
    names = sorted({name for each in expected for name in each})
    actual = "\n".join(f"  {words(shown(each, names))}" for each in alerts) or "  silence"
    return f"expected:\n{wanted}\nbut the rule raised:\n{actual}"


def shown(alert: Alert, names: Sequence[str]) -> dict[str, Any]:
    """An alert's fields as far as they are of interest: those that are expected, or all where none is."""
    fields = {name: value for name, value in alert.fields.items() if name in names or not names}
    count = {} if alert.count is None else {"count": _short(alert.count)}
    return fields | count


def words(fields: Mapping[str, Any]) -> str:
    """`source.ip: 203.0.113.9, count: 5`."""
    return ", ".join(f"{name}: {value}" for name, value in fields.items()) or "an alert"


def _matched(expected: Sequence[Mapping[str, Any]], alerts: Sequence[Alert]) -> bool:
    """Whether they can be paired: augmenting paths, since one expectation may fit several alerts."""
    fits = [[n for n, alert in enumerate(alerts) if _fits(each, alert)] for each in expected]
    taken: dict[int, int] = {}

    def place(each: int, tried: set[int]) -> bool:
        for alert in fits[each]:
            if alert in tried:
                continue
            tried.add(alert)
            if alert not in taken or place(taken[alert], tried):
                taken[alert] = each
                return True
        return False

    return all(place(each, set()) for each in range(len(expected)))


def _fits(expected: Mapping[str, Any], alert: Alert) -> bool:
    return all(
        _same(value, alert.count if name == "count" else alert.fields.get(name)) for name, value in expected.items()
    )


def _same(expected: Any, found: Any) -> bool:
    if isinstance(found, list) and not isinstance(expected, list):
        return any(_same(expected, each) for each in found)
    if isinstance(expected, float | int) and isinstance(found, float | int):
        return abs(expected - found) <= 1e-6 * max(1.0, abs(expected))
    return found is not None and str(expected) == str(found)


def _short(count: float) -> float | int:
    return int(count) if float(count).is_integer() else round(count, 4)
