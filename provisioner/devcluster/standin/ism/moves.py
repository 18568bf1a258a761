"""The two steps that move an index on: rollover, and the transition to the next state."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from provisioner.devcluster.standin.errors import StandInError, reason_of
from provisioner.devcluster.standin.ism.conditions import rollover_due, rollover_report, transition_due
from provisioner.devcluster.standin.ism.managed import COMPLETED, CONDITION_NOT_MET, StepResult
from provisioner.devcluster.standin.ism.steps import STEPS, Run, Step, failed, unsupported

ROLLOVER_ALIAS = "index.plugins.index_state_management.rollover_alias"
ROLLOVER_SKIP = "index.plugins.index_state_management.rollover_skip"


async def rollover(run: Run, settings: dict[str, str]) -> StepResult:
    """Roll the index's data stream or alias over when a condition is met. `settings`: the index's ISM settings."""
    index, indexes = run.index, run.context.indexes
    if settings.get(ROLLOVER_SKIP) == "true":
        return _rolled(run, f"Skipped rollover action for [index={index}]", None, {})
    stream, aliases = await indexes.abstraction(index)
    target = stream or settings.get(ROLLOVER_ALIAS)
    if target is None:
        return failed(f"Missing rollover_alias index setting [index={index}]")
    if target in await indexes.rollovers(index):
        message = "This index has already been rolled over using this alias, treating as a success"
        return _rolled(run, f"{message} [index={index}, alias={target}]", None, {})
    if stream is None and not await _may_roll(run, target, aliases):
        return failed(f"Missing alias or not the write index when rollover [index={index}]")
    try:
        measured = await indexes.measure(index, run.metadata["index_creation_date"])
    except StandInError as error:
        return failed(f"Failed to evaluate conditions for rollover [index={index}]", reason_of(error.body))
    report = rollover_report(run.work.body, measured)
    if run.work.body.get("prevent_empty_rollover") and measured.docs == 0:
        report = {"prevent_empty_rollover": {"condition": "index must have at least 1 document", "current": 0}}
        info = {"message": f"Rollover prevented: index is empty (0 documents) [index={index}]", "conditions": report}
        return StepResult(CONDITION_NOT_MET, info)
    if not rollover_due(run.work.body, measured):
        info = {"message": f"Pending rollover of index [index={index}]", "conditions": report}
        return StepResult(CONDITION_NOT_MET, info)
    reply = await run.ask("POST", f"/{quote(target, safe='')}/_rollover")
    if not reply.ok:
        return failed(f"Failed to rollover index [index={index}]", reply.reason)
    new = reply.body["new_index"]
    message = f"Successfully rolled over index [index={index}]"
    if stream:
        message = f"Successfully rolled over data stream [data_stream={stream} index={index}]"
    elif run.work.body.get("copy_alias"):
        message = await _copy_aliases(run, aliases, target, new)
    return _rolled(run, message, new, {"conditions": report} if report else {})


def _rolled(run: Run, message: str, new: str | None, info: dict[str, Any]) -> StepResult:
    changes = {
        "rolled_over": True,
        "rolled_over_index_name": run.metadata["rolled_over_index_name"] or new,
        "rolled_over_at": run.context.clock.now(),
    }
    return StepResult(COMPLETED, {"message": message, **info}, changes)


async def _may_roll(run: Run, alias: str, aliases: list[str]) -> bool:
    """An index without the alias can't be rolled over, nor one of several that is not the write index."""
    if alias not in aliases:
        return False
    reply = await run.ask("GET", f"/_alias/{quote(alias, safe='')}", expand_wildcards="all")
    holders = reply.checked().body
    mine = holders.get(run.index, {}).get("aliases", {}).get(alias, {})
    return mine.get("is_write_index") is True or len(holders) == 1


async def _copy_aliases(run: Run, aliases: list[str], rolled: str, new: str) -> str:
    others = [alias for alias in aliases if alias != rolled]
    if not others:
        start = f"Successfully rolled over index [index={run.index}]"
        return f"{start} to [index={new}], no additional aliases to copy"
    found = (await run.ask("GET", f"/{run.path}/_alias")).checked().body[run.index]["aliases"]
    actions = [{"add": {"index": new, "alias": alias, **found[alias]}} for alias in others]
    (await run.ask("POST", "/_aliases", {"actions": actions})).checked()
    return f"Successfully rolled over and copied alias from [index={run.index}] to [index={new}]"


async def transition(run: Run) -> StepResult:
    """Go to the first state whose condition is met; without transitions the policy is completed."""
    index, context, metadata = run.index, run.context, run.metadata
    transitions = run.work.body
    if not transitions:
        return StepResult(COMPLETED, metadata["info"], {"policy_completed": True})
    conditions = [transition.get("conditions") or {} for transition in transitions]
    rolled_over = await _rolled_over_at(run)
    if rolled_over is None and any("min_rollover_age" in c for c in conditions):
        why = "Failed to transition index as min_rollover_age condition was used, but the index has never been"
        return failed(f"{why} rolled over [index={index}]")
    try:
        measured = None
        if any("min_doc_count" in c or "min_size" in c for c in conditions):
            measured = await context.indexes.measure(index, metadata["index_creation_date"])
        _, aliases = await context.indexes.abstraction(index)
    except StandInError as error:
        return failed(f"Failed to transition index [index={index}]", reason_of(error.body))
    for wanted, condition in zip(transitions, conditions, strict=True):
        if transition_due(
            condition,
            now=context.clock.now(),
            created=metadata["index_creation_date"],
            step_started=metadata["step"]["start_time"],
            state_started=metadata["state"]["start_time"],
            rolled_over=rolled_over,
            aliases=len(aliases),
            measured=measured,
        ):
            name = wanted["state_name"]
            info = {"message": f"Transitioning to {name} [index={index}]"}
            return StepResult(COMPLETED, info, {"transition_to": name, "policy_completed": False})
    return StepResult(CONDITION_NOT_MET, {"message": f"Evaluating transition conditions [index={index}]"})


async def _rolled_over_at(run: Run) -> int | None:
    """When the index was rolled over: by ISM as it noted it, else by whoever did, as the node noted it."""
    if run.metadata.get("rolled_over_at"):
        return int(run.metadata["rolled_over_at"])
    times = await run.context.indexes.rollovers(run.index)
    return min(times.values(), default=None)


def step_of(name: str) -> Step:
    """The function that runs a step (but rollover, which needs the index's settings)."""
    if name == "attempt_transition_step":
        return transition
    return STEPS.get(name, unsupported)
