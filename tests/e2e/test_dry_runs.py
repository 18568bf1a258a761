"""What `provisioner test` says of a rule is what Alerting's own dry run says: same events, same runs, same alerts.

`provisioner test` asks all searches in bulk and judges triggers by itself. Here each run of each test is a dry run of
the rule's own monitor, as it was rendered, over what is stored by then. The tests lie so far apart in time that none
sees another's events.
"""

from __future__ import annotations

import itertools
import json
import pathlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from clusters import Cluster
from test_rule_types import repository_of_types

from provisioner import durations
from provisioner.client import Client
from provisioner.model import Body
from provisioner.ruletest import chains, runner, runs
from provisioner.ruletest.bench import Bench, bench
from provisioner.ruletest.cases import Case, Part, cases
from provisioner.settings import Settings, Target

ROOT = pathlib.Path(__file__).parents[2]
EXECUTE = "/_plugins/_alerting/monitors/_execute"
DAY = 86_400_000
LAST = 10
"""Documents of a shard that a dry run of a doc-level monitor looks at."""


@dataclass
class Tried:
    """One test, moved to a time of its own."""

    case: Case
    offset: int
    found: list[dict[runs.Key, float]] = field(default_factory=list)

    def arrived(self, number: int) -> Case | None:
        """The events that its run of this number sees first; None where there is no such run, or nothing new."""
        if number >= len(self.case.runs):
            return None
        known = set(self.case.runs[number - 1].visible) if number else set()
        new = [self.case.events[n] for n in self.case.runs[number].visible if n not in known]
        moved = [replace(event, at=event.at + self.offset) for event in new]
        return replace(self.case, events=moved) if moved else None


def sight(case: Case) -> int:
    """How far the case's monitors look back."""
    said = json.dumps([part.monitor for part in case.parts])
    return max((durations.ms(each) for each in re.findall(r"\{\{period_end\}\}\|\|-(\d+[smhd])", said)), default=0)


def apart(found: Sequence[Case]) -> Iterator[Tried]:
    """The cases one after the other, the last one ending when a bench's tests begin."""
    end, placed = 0, []
    for case in found:
        begin = (end + sight(case)) // DAY * DAY + 2 * DAY
        end = begin + max([case.runs[-1].end, *(event.at for event in case.events)])
        placed.append((case, begin))
    first = (end // DAY + 1) * DAY
    return (Tried(case, begin - first) for case, begin in placed)


def executed(client: Client, monitor: Body, end: int) -> Body:
    """A dry run without an error."""
    answer: Body = client.request("POST", EXECUTE, monitor, {"dryrun": "true", "period_end": f"{end}ms"})
    assert answer["error"] is None, answer["error"]
    assert answer["input_results"]["error"] is None, answer["input_results"]["error"]
    results = list(answer["trigger_results"].values())
    assert [result["error"] for result in results] == [None] * len(results)
    return answer


def fired(client: Client, part: Part, end: int) -> dict[runs.Key, float]:
    """The groups for which a monitor fires, with what it measured."""
    answer = executed(client, part.monitor, end)
    (result,) = answer["trigger_results"].values()
    if "triggered" in result:
        (found,) = answer["input_results"]["results"]
        return {(): float(found["hits"]["total"]["value"])} if result["triggered"] else {}
    contents = [group["agg_alert_content"] for group in result["agg_result_buckets"].values()]
    keys = [tuple(content["bucket_keys"]) if part.group_by else () for content in contents]
    return {key: content["bucket"]["peak"]["value"] for key, content in zip(keys, contents, strict=True)}


def dry_runs(made: Bench, wanted: Sequence[Case]) -> dict[int, list[runs.Alert]]:
    """The alerts of each case by dry runs: the first run of all, then the second, each after its events were stored."""
    tried = list(apart(wanted))
    numbers = itertools.count(1_000_000)
    for number in range(max(len(each.case.runs) for each in tried)):
        arrived = [case for each in tried if (case := each.arrived(number))]
        assert made.store([replace(case, number=next(numbers)) for case in arrived]) == {}
        for each in tried:
            if number < len(each.case.runs):
                each.found.append(_run(made, each.case, made.begin + each.offset + each.case.runs[number].end))
    return {each.case.number: runs.episodes(each.found, each.case.group_by) for each in tried}


def _run(made: Bench, case: Case, end: int) -> dict[runs.Key, float]:
    found = {part.name: fired(made.client, part, end) for part in case.parts}
    if not case.delegates:
        return found[""]
    raised = {f"@{name}" for name, groups in found.items() if groups}  # no dry run of a workflow triggers the chain
    (trigger,) = case.monitor["triggers"]
    condition = trigger["chained_alert_trigger"]["condition"]["script"]["source"]
    return {(): float(len(raised))} if chains.holds(condition, raised) else {}


def matched(made: Bench, wanted: Sequence[Case]) -> dict[int, set[str]]:
    """The events for which each match rule fires: a dry run after every ten of them."""
    found: dict[int, set[str]] = defaultdict(set)
    numbers = itertools.count(2_000_000)
    for case in wanted:
        ids = itertools.count()
        for start in range(0, len(case.events), LAST):
            part = replace(case, number=next(numbers), events=case.events[start : start + LAST])
            assert made.store([part]) == {}
            names = dict(zip(part.ids(), (f"{case.number}-{next(ids)}" for _ in part.events), strict=True))
            answer = executed(made.client, case.monitor, made.begin + DAY)
            result = answer["trigger_results"][f"{made.loaded.settings.owner}:{case.rule.id}"]
            docs = {doc.split("|")[0] for doc in result["triggeredDocs"]}
            found[case.number] |= {names[id_] for id_ in docs if id_ in names}
    return found


def compare(root: pathlib.Path, cluster: Cluster, each: int = 1) -> int:
    """Run every `each`-th test both ways; how many runs were compared."""
    settings = Settings("dry", Target("t", (cluster.url,), vars={"replicas": 0}))
    with bench(root, settings) as made:
        wanted = list(cases(made.loaded.source, made.loaded.resources))[::each]
        said = {result.case.number: result for result in runner.run(made, wanted)}
    assert not [result.error for result in said.values() if result.error]
    with bench(root, settings) as made:
        again = [case for case in cases(made.loaded.source, made.loaded.resources) if case.number in said]
        made.prepare({log_type for case in again for log_type in case.log_types})
        match = [case for case in again if case.monitor.get("monitor_type") == "doc_level_monitor"]
        window = [case for case in again if case not in match]
        alerts = dry_runs(made, window)
        events = matched(made, match)
    differ = {c.title: (alerts[c.number], said[c.number].alerts) for c in window if _other(alerts[c.number], said, c)}
    assert differ == {}
    assert {c.title: len(events[c.number]) for c in match} == {c.title: len(said[c.number].alerts) for c in match}
    return sum(len(case.runs) for case in window) + len(match)


def _other(alerts: Sequence[runs.Alert], said: Mapping[int, runner.Result], case: Case) -> bool:
    def comparable(found: Sequence[runs.Alert]) -> list[Any]:
        return sorted((sorted(alert.fields.items()), alert.count) for alert in found)

    return comparable(alerts) != comparable(said[case.number].alerts)


def test_dry_runs_of_every_rule_type(cluster: Cluster, tmp_path: pathlib.Path, many_templates: None) -> None:
    repository_of_types(tmp_path)
    assert compare(tmp_path, cluster) >= 100


def test_dry_runs_of_shipped_rules(cluster: Cluster, many_templates: None) -> None:
    assert compare(ROOT, cluster, each=5) >= 100


@pytest.mark.long
def test_dry_runs_of_all_shipped_rules(cluster: Cluster, many_templates: None) -> None:
    assert compare(ROOT, cluster) >= 500
