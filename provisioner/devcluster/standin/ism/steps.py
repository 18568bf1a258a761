"""The steps of every action but rollover and transition, run on the node."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from provisioner.devcluster.standin.errors import StandInError, reason_of
from provisioner.devcluster.standin.ism.clock import Clock
from provisioner.devcluster.standin.ism.indexes import Indexes
from provisioner.devcluster.standin.ism.managed import (
    COMPLETED,
    CONDITION_NOT_MET,
    FAILED,
    Metadata,
    StepResult,
    Work,
)
from provisioner.devcluster.standin.mustache import render
from provisioner.devcluster.standin.node import Node, Reply
from provisioner.devcluster.standin.plugin import Notifier, SettingsReader

TITLE = "Index Management-ISM-Notification Action"
ERROR_TITLE = "Index Management-ISM-Error Notification"
# The plugin looks at a force merge's result five seconds after it started it, not earlier.
_FORCE_MERGE_WAITS = 5000


@dataclass(frozen=True)
class Context:
    """What a step works with."""

    node: Node
    indexes: Indexes
    notifier: Notifier
    settings: SettingsReader
    clock: Clock


@dataclass(frozen=True)
class Run:
    """One execution of a step."""

    context: Context
    work: Work
    metadata: Metadata

    @property
    def index(self) -> str:
        """The index's name."""
        name: str = self.metadata["index"]
        return name

    @property
    def path(self) -> str:
        """The index's name for a path."""
        return quote(self.index, safe="")

    async def ask(self, method: str, path: str, body: Any = None, **params: Any) -> Reply:
        """Ask the node."""
        return await self.context.node.request(method, path, body=body, params=params)


Step = Callable[[Run], Awaitable[StepResult]]


def completed(message: str, **info: Any) -> StepResult:
    """The step is done."""
    return StepResult(COMPLETED, {"message": message, **info})


def failed(message: str, cause: str | None = None, **info: Any) -> StepResult:
    """The step failed."""
    return StepResult(FAILED, {**({"cause": cause} if cause else {}), "message": message, **info})


def _outcome(reply: Reply, success: str, failure: str) -> StepResult:
    return completed(success) if reply.ok else failed(failure, reply.reason)


async def _settings_step(run: Run, settings: Mapping[str, Any], success: str, failure: str) -> StepResult:
    reply = await run.context.indexes.put_settings(run.index, dict(settings))
    return _outcome(reply, f"{success} [index={run.index}]", f"{failure} [index={run.index}]")


async def _read_only(run: Run) -> StepResult:
    blocked = {"index.blocks.write": True}
    return await _settings_step(run, blocked, "Successfully set index to read-only", "Failed to set index to read-only")


async def _read_write(run: Run) -> StepResult:
    free = {"index.blocks.write": False}
    return await _settings_step(run, free, "Successfully set index to read-write", "Failed to set index to read-write")


async def _replica_count(run: Run) -> StepResult:
    count = run.work.body["number_of_replicas"]
    what = f"set number_of_replicas to {count}"
    return await _settings_step(run, {"index.number_of_replicas": count}, f"Successfully {what}", f"Failed to {what}")


async def _index_priority(run: Run) -> StepResult:
    priority = run.work.body["priority"]
    what = f"set index priority to {priority}"
    return await _settings_step(run, {"index.priority": priority}, f"Successfully {what}", f"Failed to {what}")


async def _allocation(run: Run) -> StepResult:
    settings = {
        f"index.routing.allocation.{kind}.{attribute}": value
        for kind in ("require", "include", "exclude")
        for attribute, value in run.work.body[kind].items()
    }
    success, failure = "Successfully updated allocation setting", "Failed to update allocation setting"
    return await _settings_step(run, settings, success, failure)


async def _open(run: Run) -> StepResult:
    reply = await run.ask("POST", f"/{run.path}/_open")
    return _outcome(
        reply, f"Successfully opened index [index={run.index}]", f"Failed to open index [index={run.index}]"
    )


async def _close(run: Run) -> StepResult:
    reply = await run.ask("POST", f"/{run.path}/_close")
    if "snapshot_in_progress" in str(reply.body):
        return StepResult(
            CONDITION_NOT_MET, {"message": f"Index had snapshot in progress, retrying closing [index={run.index}]"}
        )
    return _outcome(
        reply, f"Successfully closed index [index={run.index}]", f"Failed to close index [index={run.index}]"
    )


async def _delete(run: Run) -> StepResult:
    reply = await run.ask("DELETE", f"/{run.path}")
    if "snapshot_in_progress" in str(reply.body):
        return StepResult(
            CONDITION_NOT_MET, {"message": f"Index had snapshot in progress, retrying deletion [index={run.index}]"}
        )
    return _outcome(
        reply, f"Successfully deleted index [index={run.index}]", f"Failed to delete index [index={run.index}]"
    )


async def _alias(run: Run) -> StepResult:
    actions = [
        {kind: {**body, "index": run.index}} for entry in run.work.body["actions"] for kind, body in entry.items()
    ]
    reply = await run.ask("POST", "/_aliases", {"actions": actions})
    success = f"Successfully updated alias [index={run.index}]"
    return _outcome(reply, success, f"Failed to update alias [index={run.index}] for actions: [actions={actions}]")


async def _call_force_merge(run: Run) -> StepResult:
    segments = run.work.body["max_num_segments"]
    reply = await run.ask("POST", f"/{run.path}/_forcemerge", max_num_segments=segments)
    kept = {"action_properties": {"max_num_segments": segments}}
    if reply.ok and not reply.body["_shards"]["failed"]:
        info = {"message": f"Successfully completed force merge [index={run.index}]"}
        return StepResult(COMPLETED, info, kept, settles_in=_FORCE_MERGE_WAITS)
    return failed(f"Failed to start force merge [index={run.index}]", reply.reason)


async def _wait_for_force_merge(run: Run) -> StepResult:
    reply = await run.ask("GET", f"/{run.path}/_segments")
    if not reply.ok:
        cause = f"Failed to check segments when waiting for force merge to complete [index={run.index}]"
        return failed(cause, reply.reason)
    wanted = run.metadata["action"].get("action_properties", {}).get("max_num_segments", 1)
    shards = [s for entry in reply.body["indices"].values() for copies in entry["shards"].values() for s in copies]
    if all(shard["num_committed_segments"] <= wanted for shard in shards):
        return completed(f"Successfully confirmed segments force merged [index={run.index}]")
    return StepResult(CONDITION_NOT_MET, {"message": f"Waiting for force merge to complete [index={run.index}]"})


async def _snapshot(run: Run) -> StepResult:
    repository, pattern = run.work.body["repository"], run.work.body["snapshot"]
    try:
        name = await render(run.context.node, pattern, template_model(run.metadata))
    except StandInError as broken:
        return failed(f"Failed to create snapshot [index={run.index}]", reason_of(broken.body))
    stamp = datetime.fromtimestamp(run.context.clock.now() / 1000, UTC).strftime("%Y.%m.%d-%H:%M:%S.%f")[:-3]
    name = f"{name if name.strip() or not pattern.strip() else run.index}-{stamp}"
    body = {
        "indices": run.index,
        "include_global_state": False,
        "metadata": {"snapshot_created": "Open Distro for Elasticsearch Index Management"},
    }
    path = f"/_snapshot/{quote(repository, safe='')}/{quote(name, safe='')}"
    reply = await run.ask("PUT", path, body, wait_for_completion=False)
    kept = {"action_properties": {"snapshot_name": name}}
    if reply.ok:
        return StepResult(COMPLETED, {"message": f"Successfully started snapshot [index={run.index}]"}, kept)
    if "concurrent_snapshot" in str(reply.body):
        waits = f"Concurrent snapshot in progress, retrying next execution [index={run.index}]"
        return StepResult(CONDITION_NOT_MET, {"message": waits}, kept)
    info = {"cause": reply.reason, "message": f"Failed to create snapshot [index={run.index}]"}
    return StepResult(FAILED, info, kept)


async def _wait_for_snapshot(run: Run) -> StepResult:
    name = run.metadata["action"].get("action_properties", {}).get("snapshot_name", "")
    repository = quote(run.work.body["repository"], safe="")
    reply = await run.ask("GET", f"/_snapshot/{repository}/{quote(name, safe='')}/_status")
    if not reply.ok:
        return failed(f"Failed to get status of snapshot [index={run.index}]", reply.reason)
    [snapshot] = reply.body["snapshots"]
    state = snapshot["state"]
    if state in ("INIT", "STARTED", "IN_PROGRESS"):
        going = f"Snapshot currently in progress [index={run.index}]"
        return StepResult(CONDITION_NOT_MET, {"message": going, "state": state})
    if state == "SUCCESS":
        return completed(f"Successfully created snapshot [index={run.index}]", state=state)
    return failed(f"Snapshot doesn't exist [index={run.index}]", state=state)


async def _notification(run: Run) -> StepResult:
    cause = await notify(run.context, run.work.body, run.metadata, TITLE)
    if cause is not None:
        return failed(f"Failed to send notification [index={run.index}]", cause)
    return completed(f"Successfully sent notification [index={run.index}]")


async def notify(context: Context, body: Mapping[str, Any], metadata: Metadata, title: str) -> str | None:
    """Send a notification's message. What went wrong, or None."""
    if "channel" not in body:
        return "legacy destinations are not supported by the development stand-in: use a channel"
    try:
        message = await render(context.node, body["message_template"]["source"], template_model(metadata))
    except StandInError as broken:
        return reason_of(broken.body)
    result = await context.notifier.send(body["channel"]["id"], title, message)
    return None if result.error is None else reason_of(result.error)


def template_model(metadata: Metadata) -> dict[str, Any]:
    """`ctx` of ISM's templates: the metadata, without what is unset."""
    return {"ctx": {name: value for name, value in metadata.items() if value is not None}}


async def unsupported(run: Run) -> StepResult:
    """An action that needs more than this stand-in has: its step fails, and says so."""
    return failed(
        f"The development stand-in does not run the action {run.work.action} [index={run.index}]",
        "see docs/stand-in.md; a cluster with the Index Management plugin runs it",
    )


STEPS: dict[str, Step] = {
    "attempt_alias": _alias,
    "attempt_allocation": _allocation,
    "attempt_call_force_merge": _call_force_merge,
    "attempt_close": _close,
    "attempt_delete": _delete,
    "attempt_notification": _notification,
    "attempt_open": _open,
    "attempt_set_index_priority": _index_priority,
    "attempt_set_read_only": _read_only,
    "attempt_set_replica_count": _replica_count,
    "attempt_snapshot": _snapshot,
    "set_read_only": _read_only,
    "set_read_write": _read_write,
    "wait_for_force_merge": _wait_for_force_merge,
    "wait_for_snapshot": _wait_for_snapshot,
}
