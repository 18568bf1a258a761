"""Results of rule tests for people and as JSON."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from rich.text import Text

from provisioner.quantities import count
from provisioner.report.junit import Outcome
from provisioner.ruletest.expect import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provisioner.ruletest.runner import Result

_LONGEST = 2_000
"""Characters of a query that are shown."""


def failure(result: Result) -> Iterator[Text]:
    """What was expected, what came, and the search of the last run."""
    case = result.case
    yield Text(f"FAILED {case.title}", style="bold red").append(f"  {case.origin}", style="not bold dim")
    for line in (result.failure or result.error).splitlines():
        yield Text(f"  {line}")
    if result.query:
        yield Text(f"  query: {result.query[:_LONGEST]}{'…' if len(result.query) > _LONGEST else ''}", style="dim")


def summary(results: Sequence[Result], wanted: int, seconds: float) -> Iterator[Text]:
    """One line for each rule, then how many passed."""
    by_rule: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        by_rule[result.case.rule.id].append(result)
    width = max((len(rule) for rule in by_rule), default=0)
    for rule, found in by_rule.items():
        yield Text(f"{rule:<{width}}  ").append("".join("." if r.passed else "F" for r in found), style=_style(found))
    failed = sum(not result.passed for result in results)
    words = f"{count(len(results) - failed, 'test')} passed" + (f", {failed} failed" if failed else "")
    left = f", {wanted - len(results)} not run" if wanted > len(results) else ""
    yield Text(f"{words}{left}, of {count(len(by_rule), 'rule')}, in {seconds:.1f} s", style=f"bold {_style(results)}")


def _style(results: Sequence[Result]) -> str:
    return "green" if all(result.passed for result in results) else "red"


def json(results: Sequence[Result], seconds: float) -> dict[str, Any]:
    """Every test with its outcome, the alerts that were raised, and what went wrong."""
    return {
        "seconds": round(seconds, 3),
        "passed": sum(result.passed for result in results),
        "failed": sum(not result.passed for result in results),
        "tests": [_one(result) for result in results],
    }


def outcomes(results: Sequence[Result]) -> list[Outcome]:
    """The results as JUnit's and GitHub's reports take them."""
    return [
        Outcome(
            result.case.name,
            result.case.rule.id,
            failure=result.failure,
            error=result.error,
            file=result.case.origin.file,
            line=result.case.origin.line,
        )
        for result in results
    ]


def _one(result: Result) -> dict[str, Any]:
    case = result.case
    names = sorted({name for each in case.expect for name in each} | set(case.group_by))
    return {
        "rule": case.rule.id,
        "test": case.name,
        "place": str(case.origin),
        "outcome": "passed" if result.passed else "error" if result.error else "failed",
        "expected": list(case.expect),
        "alerts": [shown(alert, names) for alert in result.alerts],
        "message": result.failure or result.error,
    }
