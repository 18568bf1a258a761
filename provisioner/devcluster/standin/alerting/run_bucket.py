"""Bucket-level monitors: an alert for each bucket that satisfies a trigger.

The pages of a composite aggregation are walked to the end. A bucket that passes and has no alert yet is NEW, one that
has is DEDUPED, and an alert whose bucket did not come back is COMPLETED. As in the plugin, messages see the last page
of results, which is empty, and a run result shows the first.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from provisioner.devcluster.standin.alerting.actions import Outcome, scope
from provisioner.devcluster.standin.alerting.alerts import (
    ACKNOWLEDGED,
    COMPLETED,
    Alert,
    after_bucket_actions,
    completed,
)
from provisioner.devcluster.standin.alerting.buckets import (
    prints_samples,
    sample_documents,
    selected,
    with_sample_documents,
    with_selectors,
)
from provisioner.devcluster.standin.alerting.context import alert_arg, template_context
from provisioner.devcluster.standin.alerting.inputs import InputError, search
from provisioner.devcluster.standin.alerting.model import Json, Trigger
from provisioner.devcluster.standin.alerting.run_query import Run, Tools

# No index matches, so the answer has no aggregations: the plugin's words.
NO_INDEX = 'Cannot invoke "org.opensearch.search.aggregations.Aggregations.asMap()" because "aggs" is null'
NO_RESULTS = "Empty list doesn't contain element at index 0."


@dataclass
class Found:
    """What the pages brought for one trigger."""

    trigger: Trigger
    current: dict[str, Alert]
    buckets: dict[str, Json] = field(default_factory=dict)
    new: list[Alert] = field(default_factory=list)
    deduped: list[Alert] = field(default_factory=list)
    ended: list[Alert] = field(default_factory=list)
    samples: dict[str, list[Json]] = field(default_factory=dict)
    error: str | None = None

    def categorize(self, run: Run, contents: list[Json], now: int) -> tuple[list[Alert], list[Alert]]:
        """Tell new buckets of one page from known ones; the known leave `current`."""
        new, deduped = [], []
        for content in contents:
            key = "#".join(content["bucket_keys"])
            self.buckets[key] = {"agg_alert_content": content}
            known = self.current.pop(key, None)
            if known is None:
                new.append(run.of.alert(self.trigger, now, agg_alert_content=content))
            else:
                deduped.append(replace(known, agg_alert_content=content))
        return new, deduped

    def of(self, category: str) -> list[Alert]:
        """The alerts of a category; acknowledged ones are silent."""
        return {"NEW": self.new, "DEDUPED": self.deduped, "COMPLETED": self.ended}.get(category, [])


async def run_bucket_monitor(run: Run, tools: Tools) -> Json:
    """Run a bucket-level monitor."""
    current = await tools.alerts.current(run.job.id, run.of.workflow_id) if run.job.id else []
    by_trigger: dict[str, dict[str, Alert]] = {}
    for alert in current:
        by_trigger.setdefault(alert.trigger_id, {})[alert.key] = alert
    found = [Found(trigger, by_trigger.get(trigger.id, {})) for trigger in run.job.triggers]
    first: list[Json] | None = None
    last: list[Json] = []
    failure: InputError | None = None
    after: Json = {}
    try:
        while True:
            last, after = await _page(run, tools, found, after)
            first = last if first is None else first
            if not any(key is not None for key in after.values()):
                break
    except InputError as error:
        failure = error
        last = []
        for item in found:
            item.error = NO_RESULTS
    triggers = {}
    for item in found:
        if item.error is None:
            item.ended = [completed(alert, tools.clock.now()) for alert in item.current.values()]
        actions = await _act(run, tools, item, last, failure)
        triggers[item.trigger.id] = {
            "name": item.trigger.name,
            "agg_result_buckets": item.buckets,
            "action_results": actions,
            "error": item.error,
        }
    shown = {"results": first or [], "error": failure.shown if failure else None}
    return run.result(shown, triggers)


async def _page(run: Run, tools: Tools, found: list[Found], after: Json) -> tuple[list[Json], Json]:
    """One page: its results as the plugin shows them, and the after key of every trigger that has one.

    New and known alerts are saved at once, so that messages name alerts that can be found.

    Raises:
        InputError: the search failed.
    """
    if not run.job.inputs:
        raise InputError("", "")
    [(_kind, body)] = run.job.inputs
    query = with_selectors(body["query"], [item.trigger for item in found], after)
    answer = await search(tools.node, body["indices"], query, run.period)
    if "aggregations" not in answer:
        raise InputError(NO_INDEX)
    if not body["query"].get("size", 10):
        answer = _with_terminated_early(answer)
    keys: Json = {}
    for item in found:
        contents, key = selected(answer, item.trigger)
        keys[item.trigger.id] = key
        new, deduped = item.categorize(run, contents, tools.clock.now())
        if run.keeps:
            await tools.alerts.save(deduped)
            new = await tools.alerts.save(new)
        item.new += new
        item.deduped += [alert for alert in deduped if alert.state != ACKNOWLEDGED]
    return [answer], keys


def _with_terminated_early(answer: Json) -> Json:
    """The plugin's own pipeline aggregation makes the server say so, for a search that wants no hits."""
    ordered = {key: answer[key] for key in ("_shards", "hits", "took")}
    return {**ordered, "terminated_early": True, **{key: value for key, value in answer.items() if key not in ordered}}


async def _act(run: Run, tools: Tools, item: Found, results: list[Json], failure: InputError | None) -> Json:
    """Run the trigger's actions and save its alerts; the action results by bucket key."""
    error = item.error
    outcomes: dict[str, dict[str, Outcome]] = {}
    touched: dict[str, Alert] = {}
    ended = {alert.key: alert for alert in item.ended}
    item.samples = await _samples(run, tools, item)
    count = len(item.new) + len(item.deduped) + len(item.ended)
    each = await tools.actions.for_each(count)
    for action in item.trigger.actions:
        categories = scope(action, run.job)
        if categories is not None and error is None and each:
            for category in categories:
                for alert in item.of(category):
                    ctx = _context(run, item, results, {category: [alert]})
                    done = tools.actions.throttled(action, alert) or await tools.actions.run(
                        action, ctx, dryrun=run.dryrun
                    )
                    outcomes.setdefault(alert.key, {})[action["id"]] = done
                    touched[alert.key] = alert
        elif error is not None or count:
            everything = {category: item.of(category) for category in ("NEW", "DEDUPED", "COMPLETED")}
            ctx = _context(run, item, results, everything)
            done = await tools.actions.run(action, ctx, dryrun=run.dryrun)
            alerts = [*item.deduped, *item.new, *item.ended] if error is None else list(item.current.values())
            for alert in alerts:
                outcomes.setdefault(alert.key, {})[action["id"]] = done
                touched[alert.key] = alert
    shown = {key: {id_: outcome.shown for id_, outcome in done.items()} for key, done in outcomes.items()}
    if run.keeps:
        message = failure.alert_message if failure else None
        updated = [
            after_bucket_actions(
                alert, shown.get(key, {}), message if alert.state != COMPLETED else None, tools.clock.now()
            )
            for key, alert in touched.items()
        ]
        await tools.alerts.save([*updated, *(alert for key, alert in ended.items() if key not in touched)])
    return shown


def _context(run: Run, item: Found, results: list[Json], alerts: dict[str, list[Alert]]) -> Json:
    """`ctx` of a message: the alerts by category, new ones with their documents."""
    samples = item.samples
    more: dict[str, Any] = {
        "dedupedAlerts": [alert_arg(alert) for alert in alerts.get("DEDUPED", [])],
        "newAlerts": [alert_arg(alert, sample_documents=samples.get(alert.key, [])) for alert in alerts.get("NEW", [])],
        "completedAlerts": [alert_arg(alert) for alert in alerts.get("COMPLETED", [])],
    }
    return template_context(run.job, item.trigger, results, run.period, item.error, **more)


async def _samples(run: Run, tools: Tools, item: Found) -> dict[str, list[Json]]:
    """Documents for new alerts, if a message shows them; none when the search for them fails, as in the plugin."""
    if not item.new or not prints_samples(item.trigger):
        return {}
    [(_kind, body)] = run.job.inputs
    query = with_sample_documents(body["query"], item.trigger)
    if query is None:
        return {}
    try:
        return sample_documents(await search(tools.node, body["indices"], query, run.period))
    except InputError:
        return {}
