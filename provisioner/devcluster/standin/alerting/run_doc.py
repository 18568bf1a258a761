"""Doc-level monitors: a finding for each new document that matches, an alert for each finding that triggers."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from provisioner.devcluster.standin.alerting.actions import scope
from provisioner.devcluster.standin.alerting.alerts import ERROR, Alert, executed
from provisioner.devcluster.standin.alerting.configs import Configs, metadata_id
from provisioner.devcluster.standin.alerting.context import alert_arg, template_context
from provisioner.devcluster.standin.alerting.expressions import ExpressionError, documents
from provisioner.devcluster.standin.alerting.inputs import InputError
from provisioner.devcluster.standin.alerting.model import Job, Json, Period, Trigger
from provisioner.devcluster.standin.alerting.new_documents import (
    Concrete,
    Indices,
    NoIndexError,
    Span,
    highest,
    matches,
    reported,
    resolve,
)
from provisioner.devcluster.standin.alerting.run_query import Run, Tools
from provisioner.devcluster.standin.node import Node

log = logging.getLogger(__name__)

LAST_OF_A_DRY_RUN = 10
ALWAYS, NEVER = "return true", "return false"


@dataclass
class Matches:
    """Documents (`id|index`) and the queries that match them, both ways."""

    by_doc: dict[str, list[str]] = field(default_factory=dict)

    def by_query(self) -> dict[str, list[str]]:
        """Documents by query id."""
        found: dict[str, list[str]] = {}
        for doc, ids in self.by_doc.items():
            for query_id in ids:
                found.setdefault(query_id, []).append(doc)
        return found


async def run_doc_monitor(run: Run, tools: Tools) -> Json:
    """Run a doc-level monitor."""
    if not run.job.inputs or run.job.inputs[0][0] != "doc_level_input":
        return run.result({"results": [], "error": None}, {}, "Unsupported input for a document level monitor")
    body = run.job.inputs[0][1]
    id_ = metadata_id(run.job.id, run.of.workflow_id)
    metadata = await tools.configs.metadata(id_) if run.keeps else {}
    contexts: Json = metadata.get("last_run_context", {})
    found = Matches()
    try:
        updated = await _look(run, tools.node, body, contexts, found)
    except NoIndexError as failure:
        if run.keeps:
            await _error_alert(run, tools, failure.shown)
            await tools.configs.put_metadata(id_, {**_metadata(run.job, contexts), "failed": True})
        return run.result({"results": [], "error": None}, {}, failure.shown)
    except InputError as failure:
        # A query that can't be read raises no alert: the plugin tells only its log.
        log.warning("monitor %s (%s): %s", run.job.name, run.job.id, failure.shown)
        return run.result({"results": [], "error": None}, {}, failure.shown)
    triggers = {
        trigger.id: await _run_trigger(run, tools, trigger, body["queries"], found) for trigger in run.job.triggers
    }
    if run.keeps and not run.job.triggers:
        await tools.findings.save(
            [_finding(run, body["queries"], doc, ids, tools.clock.now()) for doc, ids in found.by_doc.items()]
        )
    if run.keeps:
        await tools.configs.put_metadata(id_, _metadata(run.job, updated))
        if metadata.get("failed"):
            await _end_error_alert(run, tools)
    return run.result({"results": [found.by_query()], "error": None}, triggers)


async def first_metadata(job: Job, node: Node, configs: Configs) -> None:
    """Remember, when a monitor is made, what is there already: only later documents are new to it."""
    contexts: Json = {}
    names = [name for kind, body in job.inputs if kind == "doc_level_input" for name in body["indices"]]
    for name in names:
        try:
            indices = await resolve(node, name)
            for index in indices.concrete:
                if indices.write in (None, index.name):
                    contexts[index.name] = _context(index, await highest(node, index))
        except InputError as failure:
            log.warning("monitor %s (%s): %s; its first run will look again", job.name, job.id, failure.shown)
    await configs.put_metadata(metadata_id(job.id), _metadata(job, contexts))


def _metadata(job: Job, contexts: Json) -> Json:
    return {
        "monitor_id": job.id,
        "last_action_execution_times": [],
        "last_run_context": contexts,
        "source_to_query_index_mapping": {},
    }


def _context(index: Concrete, seen: Mapping[str, int]) -> Json:
    return {"index": index.name, "shards_count": index.shards, **seen}


async def _look(run: Run, node: Node, body: Json, contexts: Json, found: Matches) -> Json:
    """Match the new documents of every index; what to remember for the next run."""
    updated: Json = {}
    for name in body["indices"]:
        indices = await resolve(node, name)
        known = [index for index in indices.concrete if index.name in contexts]
        for index in _watched(indices, known):
            seen = await highest(node, index)
            before = contexts.get(index.name) or _unknown(index, seen, run.period, known)
            matching: dict[str, list[str]] = {}
            for shard in range(index.shards):
                upto = seen[str(shard)]
                above = before.get(str(shard), -1) if run.keeps else max(-1, upto - LAST_OF_A_DRY_RUN)
                if upto > above and body["queries"]:
                    async for doc, ids in matches(node, Span(index.name, shard, above, upto), body["queries"]):
                        matching[f"{doc}|{index.name}"] = ids
            found.by_doc |= reported(matching, body["queries"])
            if indices.write in (None, index.name):
                updated[index.name] = _context(index, seen)
    return updated


def _watched(indices: Indices, known: list[Concrete]) -> list[Concrete]:
    """All indexes, or those of an alias or data stream from the last write index on: older ones get no documents."""
    if indices.write is None:
        return indices.concrete
    return [index for index in indices.concrete if index.created >= known[0].created] if known else indices.concrete


def _unknown(index: Concrete, seen: Mapping[str, int], period: Period, known: list[Concrete]) -> Json:
    """For an index never seen before: everything is new if it was made since the last run, nothing otherwise."""
    if index.created > (known[-1].created if known else period.start):
        return {str(shard): -1 for shard in range(index.shards)}
    return dict(seen)


async def _run_trigger(run: Run, tools: Tools, trigger: Trigger, queries: list[Json], found: Matches) -> Json:
    """The trigger's part of the run result. Every trigger makes findings of its own, as in the plugin."""
    error: str | None = None
    triggered: list[str] = []
    try:
        triggered = _triggered(trigger, queries, found)
    except ExpressionError:
        # The plugin's parser takes anything and finds nothing.
        triggered = []
    now = tools.clock.now()
    findings = {doc: _finding(run, queries, doc, ids, now) for doc, ids in found.by_doc.items()}
    if run.keeps:
        await tools.findings.save(list(findings.values()))
    alerts = [
        run.of.alert(trigger, now, id=str(uuid.uuid4()), finding_ids=[findings[doc]["id"]], related_doc_ids=[doc])
        for doc in triggered
    ]
    results = await _act(run, tools, trigger, alerts, {findings[doc]["id"]: findings[doc] for doc in triggered})
    if run.keeps and alerts:
        done = [_with_results(alert, results.get(alert.id, {})) for alert in alerts]
        await tools.alerts.save(done)
    return {"name": trigger.name, "triggeredDocs": triggered, "action_results": results, "error": error}


def _with_results(alert: Alert, results: Mapping[str, Json]) -> Alert:
    return replace(alert, action_execution_results=executed([], results))


def _triggered(trigger: Trigger, queries: list[Json], found: Matches) -> list[str]:
    """The documents that the trigger's expression picks, in the order of the matches."""
    condition = trigger.script.get("source", "")
    if condition == ALWAYS:
        return list(found.by_doc)
    if condition == NEVER:
        return []
    by_query = found.by_query()

    def operand(text: str) -> set[str]:
        kind, _, value = text.partition("=")
        return {doc for query in queries if _is(query, kind, value) for doc in by_query.get(query["id"], [])}

    picked = documents(condition, operand, set(found.by_doc))
    return [doc for doc in found.by_doc if doc in picked]


def _is(query: Json, kind: str, value: str) -> bool:
    return value in query["tags"] if kind == "tag" else kind in ("id", "name") and query[kind] == value


def _finding(run: Run, queries: list[Json], doc: str, ids: list[str], now: int) -> Json:
    doc_id, _, index = doc.rpartition("|")
    by_id = {query["id"]: query for query in queries}
    return {
        "id": str(uuid.uuid4()),
        "related_doc_ids": [doc_id],
        "correlated_doc_ids": [doc_id],
        "monitor_id": run.job.id,
        "monitor_name": run.job.name,
        "index": index,
        "queries": [by_id[query_id] for query_id in ids],
        "timestamp": now,
        "execution_id": run.of.execution_id,
    }


async def _act(run: Run, tools: Tools, trigger: Trigger, alerts: list[Alert], findings: Mapping[str, Json]) -> Json:
    """Run the actions for each alert, or once; action results by alert id."""
    results: dict[str, dict[str, Json]] = {}
    samples = await _samples(tools.node, trigger, findings)
    args = {alert.id: _arg(alert, findings, samples) for alert in alerts}
    now = tools.clock.now()
    for action in trigger.actions if alerts else []:
        each = scope(action, run.job) is not None and await tools.actions.for_each(len(alerts))
        for group in [[alert] for alert in alerts] if each else [alerts]:
            chosen: list[Any] = [args[alert.id] for alert in group]
            ctx = template_context(run.job, trigger, [], Period(now, now), None, alerts=chosen)
            outcome = await tools.actions.run(action, ctx, dryrun=run.dryrun)
            for alert in group:
                results.setdefault(alert.id, {})[action["id"]] = outcome.shown
    return results


def _arg(alert: Alert, findings: Mapping[str, Json], samples: Mapping[str, Json]) -> Json:
    finding = findings[alert.finding_ids[0]]
    queries = [{key: query[key] for key in ("id", "name", "tags")} for query in finding["queries"]]
    sample = samples.get(finding["id"])
    return alert_arg(alert, associated_queries=queries, sample_documents=[sample] if sample else [])


async def _samples(node: Node, trigger: Trigger, findings: Mapping[str, Json]) -> dict[str, Json]:
    """The documents themselves, if a message shows them."""
    tags = ("{{ctx}}", "{{ctx.alerts}}", "sample_documents")
    shows = any(tag in action["message_template"]["source"] for action in trigger.actions for tag in tags)
    if not shows or not findings:
        return {}
    docs = [{"_index": item["index"], "_id": item["related_doc_ids"][0]} for item in findings.values()]
    found = (await node.request("POST", "/_mget", body={"docs": docs})).checked().body["docs"]
    return {id_: doc for id_, doc in zip(findings, found, strict=True) if doc.get("found")}


async def _error_alert(run: Run, tools: Tools, message: str) -> None:
    """An alert in state ERROR for a run that could not start; one for each monitor."""
    current = await tools.alerts.current(run.job.id, run.of.workflow_id)
    known = next((alert for alert in current if alert.state == ERROR), None)
    now = tools.clock.now()
    trigger = Trigger("noop_trigger", {"id": "", "name": "NoOp trigger", "severity": ""})
    made = run.of.alert(trigger, now, state=ERROR, error_message=message, id=f"error-alert-{run.job.id}-{uuid.uuid4()}")
    await tools.alerts.save([replace(known, last_notification_time=now, error_message=message) if known else made])


async def _end_error_alert(run: Run, tools: Tools) -> None:
    """The run after a failed one ends the failure's alert."""
    current = await tools.alerts.current(run.job.id, run.of.workflow_id)
    failed = [alert for alert in current if alert.id.startswith("error-alert-")]
    await tools.alerts.save([replace(alert, end_time=tools.clock.now()) for alert in failed])
