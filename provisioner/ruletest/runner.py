"""Running the cases: store all events, ask all searches, compare. One result for each case."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provisioner.errors import ProvisionerError
from provisioner.ruletest import chains, expect, runs, searches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from provisioner.ruletest.bench import Bench
    from provisioner.ruletest.cases import Case
    from provisioner.ruletest.runs import Alert
    from provisioner.ruletest.searches import Search

_BATCH = 100
"""Cases that are searched before they are reported."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a case ended: `failure` says what was expected and what came, `error` why it could not be run, both empty: it
    passed. `query` is the search of its last run, as JSON."""

    case: Case
    failure: str = ""
    error: str = ""
    query: str = ""
    alerts: tuple[Alert, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the rule did what the test says."""
        return not self.failure and not self.error


def run(bench: Bench, cases: Sequence[Case], report: Callable[[Result], None] = lambda _: None) -> Iterator[Result]:
    """Run the cases on a bench; results come in their order. Raises ProvisionerError."""
    bench.prepare({log_type for case in cases for log_type in case.log_types})
    refused = bench.store(cases)
    for start in range(0, len(cases), _BATCH):
        part = cases[start : start + _BATCH]
        wanted = [
            search for case in part if case.number not in refused for search in searches.searches(case, bench.begin)
        ]
        answers: dict[int, list[tuple[Search, Mapping[str, Any]]]] = defaultdict(list)
        for search, answer in zip(wanted, bench.search(wanted), strict=True):
            answers[search.case.number].append((search, answer))
        for case in part:
            result = _result(bench, case, answers[case.number], refused.get(case.number))
            report(result)
            yield result


def _result(
    bench: Bench, case: Case, answers: Sequence[tuple[Search, Mapping[str, Any]]], refused: str | None
) -> Result:
    if refused:
        return Result(case, error=f"the cluster refused an event of it: {refused}")
    query = json.dumps(answers[-1][0].body) if answers else ""
    failed = next((answer["error"] for _, answer in answers if "error" in answer), None)
    if failed:
        return Result(case, error=f"the search failed: {words(failed)}", query=query)
    try:
        alerts = _alerts(bench, case, answers)
    except ProvisionerError as error:
        return Result(case, error=error.message, query=query)
    failure = expect.difference(case.expect, alerts)
    if failure and case.delegates:
        failure = f"{failure}\n{_by_rule(case, _raised(bench, case, answers))}"
    return Result(case, failure, "", query, tuple(alerts))


def _alerts(bench: Bench, case: Case, answers: Sequence[tuple[Search, Mapping[str, Any]]]) -> list[Alert]:
    if case.delegates:
        return runs.episodes(_chained(bench, case, answers), ())
    if case.monitor["monitor_type"] == "doc_level_monitor":
        hits = {hit["_id"]: hit["_source"] for _, answer in answers for hit in answer["hits"]["hits"]}
        return [
            runs.Alert(flat(source)) for _, source in sorted(hits.items(), key=lambda hit: int(hit[0].split("-")[1]))
        ]
    found: list[dict[runs.Key, float]] = [{} for _ in case.runs]
    for search, answer in answers:
        if search.condition is None:
            found[search.run] |= searches.fired(search, answer)
        elif bench.triggered(search.condition, answer):
            found[search.run][()] = float(answer["hits"]["total"]["value"])
    return runs.episodes(found, case.group_by)


def _chained(
    bench: Bench, case: Case, answers: Sequence[tuple[Search, Mapping[str, Any]]]
) -> Iterator[dict[runs.Key, float]]:
    """Whether a workflow's trigger holds in each run, and how many of its monitors raise alerts then."""
    (trigger,) = case.monitor["triggers"]
    condition = trigger["chained_alert_trigger"]["condition"]["script"]["source"]
    for names in _raised(bench, case, answers):
        try:
            yield {(): float(len(names))} if chains.holds(condition, names) else {}
        except ValueError as error:
            raise ProvisionerError(str(error)) from error


def _raised(bench: Bench, case: Case, answers: Sequence[tuple[Search, Mapping[str, Any]]]) -> list[set[str]]:
    """The monitors of a workflow that raise alerts, run by run, as its trigger's condition names them."""
    raised: list[set[str]] = [set() for _ in case.runs]
    for search, answer in answers:
        condition = search.condition
        if bench.triggered(condition, answer) if condition is not None else searches.fired(search, answer):
            raised[search.run].add(f"@{search.part.name}")
    return raised


def _by_rule(case: Case, raised: Sequence[set[str]]) -> str:
    """`of 4 runs its rules fired: one in 3, two in none`."""
    times = [sum(f"@{part.name}" in names for names in raised) for part in case.delegates]
    ids = [part.rule.id.removeprefix(f"{case.rule.id}-") for part in case.delegates]
    fired = ", ".join(f"{id_} in {many or 'none'}" for id_, many in zip(ids, times, strict=True))
    return f"of {len(raised)} runs its rules fired: {fired}"


def flat(source: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """An event's fields by their dotted names."""
    found: dict[str, Any] = {}
    for name, value in source.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def words(error: Mapping[str, Any]) -> str:
    """Why a search failed, with what a script says."""
    causes = error.get("root_cause") or [error]
    inner = (error.get("caused_by") or causes[0]).get("reason")
    script = (error.get("caused_by") or {}).get("caused_by", {}).get("reason")
    return f"{inner}{f' ({script})' if script else ''}"
