"""A managed index's way through its policy: which step comes next, and what is remembered of it.

Pure: nothing here asks the node. Metadata is a dictionary with the keys of the plugin's own
(`state`, `action`, `step`, `retry_info`, `info`, `transition_to`, `rolled_over`, …), times in milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from provisioner.devcluster.standin.ism.actions import type_of
from provisioner.devcluster.standin.ism.units import milliseconds

Metadata = dict[str, Any]

TRANSITION = "transition"
STARTING, COMPLETED, FAILED = "starting", "completed", "failed"
CONDITION_NOT_MET, TIMED_OUT = "condition_not_met", "timed_out"

STEPS: dict[str, tuple[str, ...]] = {
    "alias": ("attempt_alias",),
    "allocation": ("attempt_allocation",),
    "close": ("attempt_close",),
    "convert_index_to_remote": ("attempt_restore",),
    "delete": ("attempt_delete",),
    "force_merge": ("attempt_set_read_only", "attempt_call_force_merge", "wait_for_force_merge"),
    "index_priority": ("attempt_set_index_priority",),
    "notification": ("attempt_notification",),
    "open": ("attempt_open",),
    "read_only": ("set_read_only",),
    "read_write": ("set_read_write",),
    "replica_count": ("attempt_set_replica_count",),
    "rollover": ("attempt_rollover",),
    "rollup": ("attempt_create_rollup",),
    "shrink": ("attempt_move_shards_step",),
    "snapshot": ("attempt_snapshot", "wait_for_snapshot"),
    "stop_replication": ("attempt_stop_replication",),
    "transform": ("attempt_create_transform",),
    TRANSITION: ("attempt_transition_step",),
}
# Steps that must not be tried again when nobody knows whether they were done.
NOT_IDEMPOTENT = ("attempt_notification", "attempt_call_force_merge", "attempt_snapshot")


@dataclass(frozen=True)
class Work:
    """The step that is due, in which state and of which action (`body`: normalized; for a transition the list)."""

    state: Mapping[str, Any]
    action: str
    index: int
    body: Any
    step: str
    retry: Mapping[str, Any] | None
    timeout: str | None


@dataclass(frozen=True)
class StepResult:
    """How a step ended. `changes` go into the metadata, `settles_in` milliseconds later than the step was started."""

    status: str
    info: dict[str, Any] | None
    changes: dict[str, Any] = field(default_factory=dict)
    settles_in: int = 0


def initial(index: Mapping[str, Any], policy: Mapping[str, Any] | None, policy_id: str, *, now: int) -> Metadata:
    """The first metadata. `index`: name, uuid, created, the policy's seq_no and primary_term, and a wanted state."""
    made: Metadata = {
        "index": index["index"],
        "index_uuid": index["index_uuid"],
        "policy_id": policy_id,
        "policy_seq_no": index["policy_seq_no"] if policy else None,
        "policy_primary_term": index["policy_primary_term"] if policy else None,
        "policy_completed": False,
        "rolled_over": False,
        "rolled_over_index_name": None,
        "index_creation_date": index["created"],
        "transition_to": None,
        "state": None,
        "action": None,
        "step": None,
        "retry_info": {"failed": policy is None, "consumed_retries": 0},
        "info": {
            "message": f"Successfully initialized policy: {policy_id}"
            if policy
            else f"Fail to load policy: {policy_id}"
        },
    }
    if policy:
        made["state"] = {"name": index.get("state") or policy["default_state"], "start_time": now}
    return made


def is_failed(metadata: Metadata) -> bool:
    """Whether ISM has given up on this index until somebody calls retry."""
    action = metadata["action"]
    return bool(metadata["retry_info"]["failed"] or (action and action["failed"]))


def state_due(policy: Mapping[str, Any], metadata: Metadata) -> Mapping[str, Any] | None:
    """The state to work in; None when the policy has no state of that name."""
    current = metadata["state"]
    wanted = metadata["transition_to"] or (current and current["name"])
    return next((state for state in policy["states"] if state["name"] == wanted), None)


def work_due(state: Mapping[str, Any], metadata: Metadata) -> Work | None:
    """The step that is due in this state; None when the metadata's action is not in it."""
    actions, at = state["actions"], metadata["action"]
    if metadata["transition_to"] is not None or at is None:
        number = 0
    elif at["name"] == TRANSITION:
        number = len(actions)
    else:
        number = at["index"]
        if not (0 <= number < len(actions) and type_of(actions[number]) == at["name"]):
            return None
        step = metadata["step"]
        if step and step["step_status"] == COMPLETED and step["name"] == STEPS[at["name"]][-1]:
            number += 1
    if number >= len(actions):
        return Work(state, TRANSITION, -1, state["transitions"], STEPS[TRANSITION][0], None, None)
    action = actions[number]
    kind = type_of(action)
    return Work(
        state, kind, number, action[kind], _step_due(kind, number, metadata), action["retry"], action.get("timeout")
    )


def _step_due(kind: str, number: int, metadata: Metadata) -> str:
    steps, at, step = STEPS[kind], metadata["action"], metadata["step"]
    same = metadata["transition_to"] is None and at is not None and at["index"] == number
    if not same or step is None or step["name"] not in steps:
        return steps[0]
    place = steps.index(step["name"])
    if step["step_status"] == COMPLETED:
        return steps[min(place + 1, len(steps) - 1)]
    return steps[place]


def action_at(work: Work, metadata: Metadata, now: int) -> dict[str, Any]:
    """The metadata's `action` for this work: a new one, or the one that goes on."""
    at, state = metadata["action"], metadata["state"]
    if not state or state["name"] != work.state["name"] or at is None or at["index"] != work.index:
        return {
            "name": work.action,
            "start_time": now,
            "index": work.index,
            "failed": False,
            "consumed_retries": 0,
            "last_retry_time": 0,
        }
    return {**at, "start_time": at["start_time"] or now}


def started(work: Work, metadata: Metadata, now: int) -> Metadata:
    """The metadata while the step runs."""
    state, action = metadata["state"], action_at(work, metadata, now)
    entered = not state or state["name"] != work.state["name"]
    return {
        **metadata,
        "state": {"name": work.state["name"], "start_time": now} if entered else state,
        "action": action,
        "step": {"name": work.step, "start_time": _step_start(work, metadata, now), "step_status": STARTING},
        "info": {"message": f"Starting action {work.action} and working on {work.step}"},
    }


def _step_start(work: Work, metadata: Metadata, now: int) -> int:
    step = metadata["step"]
    if not step or step["name"] != work.step or step["step_status"] == COMPLETED:
        return now
    return int(step["start_time"])


def finished(work: Work, metadata: Metadata, result: StepResult, now: int) -> Metadata:
    """The metadata after the step, from that while it ran. A failed step consumes a retry, or fails the action."""
    properties = result.changes.get("action_properties")
    action = {**metadata["action"], **({"action_properties": properties} if properties else {})}
    if result.status == FAILED:
        if work.retry is None or action["consumed_retries"] >= work.retry["count"]:
            action["failed"] = True
        else:
            action |= {"consumed_retries": action["consumed_retries"] + 1, "last_retry_time": now, "failed": False}
    changes = {name: value for name, value in result.changes.items() if name != "action_properties"}
    return {
        **metadata,
        "transition_to": None,
        **changes,
        "action": action,
        "step": {**metadata["step"], "step_status": result.status},
        "info": result.info,
    }


def timed_out(work: Work, metadata: Metadata, now: int) -> Metadata | None:
    """The failed metadata when the action has taken longer than its timeout, else None."""
    action = action_at(work, metadata, now)
    if work.timeout is None or now - action["start_time"] <= milliseconds(work.timeout):
        return None
    step = {"name": work.step, "start_time": now, "step_status": TIMED_OUT}
    return {**metadata, "action": {**action, "failed": True}, "step": step, "info": {"message": "Action timed out"}}


def backs_off(work: Work, metadata: Metadata, now: int) -> bool:
    """Whether the next try must still wait."""
    action = action_at(work, metadata, now)
    retries, last = action["consumed_retries"], action["last_retry_time"]
    if work.retry is None or retries == 0 or not last:
        return False
    factor = {"constant": 1, "linear": retries}.get(work.retry["backoff"], 2 ** (retries - 1))
    return bool(milliseconds(work.retry["delay"]) * factor > now - last)


def broken(metadata: Metadata, message: str) -> Metadata:
    """The metadata of an index whose policy can't go on."""
    return {**metadata, "retry_info": {"failed": True, "consumed_retries": 0}, "info": {"message": message}}


def retried(metadata: Metadata, state: str | None) -> Metadata:
    """The metadata after the retry API was called."""
    action = metadata["action"]
    if action:
        action = {**action, "failed": False, "consumed_retries": 0, "last_retry_time": 0, "start_time": None}
    return {
        **metadata,
        "step": None,
        "retry_info": {"failed": False, "consumed_retries": 0},
        "action": action,
        "transition_to": state,
        "info": {"message": "Pending retry of failed managed index"},
    }


def safe_to_change(
    old: Mapping[str, Any], new: Mapping[str, Any], metadata: Metadata | None, wanted: str | None
) -> bool:
    """Whether the policy may be changed in the middle of the state: both have it, with the same types of actions."""
    state = metadata and metadata["state"]
    if not state:
        return True
    if wanted is not None:
        return False
    found = [next((s for s in policy["states"] if s["name"] == state["name"]), None) for policy in (old, new)]
    if found[0] is None or found[1] is None:
        return False
    kinds = [[type_of(action) for action in s["actions"]] for s in found if s]
    return kinds[0] == kinds[1]


def changed(
    metadata: Metadata,
    policy: Mapping[str, Any],
    tokens: tuple[int, int],
    wanted: str | None,
    *,
    at_transition: bool,
    now: int,
) -> Metadata:
    """The metadata at the moment when another policy takes over. `tokens`: its seq_no and primary_term."""
    action = metadata["action"]
    if at_transition:
        action = {
            "name": TRANSITION,
            "start_time": now,
            "index": -1,
            "failed": False,
            "consumed_retries": 0,
            "last_retry_time": 0,
        }
    return {
        **metadata,
        "info": {"message": f"Attempting to change policy to {policy['policy_id']}"},
        "transition_to": wanted,
        "action": action,
        "step": None,
        "policy_completed": False,
        "policy_seq_no": tokens[0],
        "policy_primary_term": tokens[1],
        "policy_id": policy["policy_id"],
    }
