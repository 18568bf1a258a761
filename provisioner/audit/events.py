"""The events of our own audit, in the form of the event schema. Pure.

They hold names, numbers, digests and outcomes: never a body, never what an error of the cluster says.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provisioner.errors import (
    AuditError,
    ClusterError,
    ConflictError,
    FindingsError,
    LimitError,
    LockedError,
    MovedError,
)
from provisioner.model import Action
from provisioner.quantities import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from provisioner.deploy import Outcome
    from provisioner.model import Change, Plan
    from provisioner.releases import Release

SEVERITIES = {
    "plan": "info",
    "pull": "info",
    "drift": "info",
    "apply": "low",
    "rollback": "low",
    "bootstrap": "low",
    "ack": "low",
    "hold": "medium",
}
"""The commands that are recorded; rules/events.yml has an event for the begin and the end of each."""
INTERRUPTED, UNRECORDED = "provisioner_apply_interrupted", "provisioner_apply_unrecorded"
_REASONS = (
    (LimitError, "limit_exceeded"),
    (ConflictError, "conflict"),
    (LockedError, "locked"),
    (MovedError, "moved"),
    (AuditError, "audit_not_written"),
    (FindingsError, "findings"),
    (ClusterError, "cluster_refused_or_unreachable"),
    (KeyboardInterrupt, "interrupted"),
)
_DONE = {Action.CREATE: "created", Action.UPDATE: "updated", Action.ADOPT: "adopted", Action.DELETE: "deleted"}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended: `status` is success or failure, `reason` one word for it, `words` the same for people."""

    status: str
    reason: str = ""
    words: str = ""
    labels: Mapping[str, str] | None = None
    results: int | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """Who runs which command for which target: what all events of one run share. `id` joins them."""

    id: str
    command: str
    owner: str
    target: str
    user: str
    uid: int
    host: str
    pid: int
    version: str
    forced: tuple[str, ...] = ()
    sudo: str = ""

    def started(self, revision: str | None, planned: Plan | None = None, meant: Ended | None = None) -> dict[str, Any]:
        """What the run means to do: of a deployment the plan that it is about to make, of others what is `meant`."""
        words = f"{self.user} on {self.host} began {self.command} of {self.owner} for {self.target}"
        if planned is not None:
            words += f": {changes(planned.pending)} of {count(len(planned.changes), 'object')}"
        if meant is not None:
            words += f": {meant.words}"
        if self.forced:
            words += f"; forced: {', '.join(self.forced)}"
        labels = {"revision": revision, **_plan(planned), **((meant and meant.labels) or {})}
        made = self._event(f"provisioner_{self.command}_started", f"{words}.", labels)
        made["outcome"] = {"status": "unknown", "reason": "started"}
        if self.forced:
            made["details"]["policy"] = list(self.forced)
        if planned is not None:
            made["details"]["result_count"] = len(planned.pending)
        elif meant is not None and meant.results is not None:
            made["details"]["result_count"] = meant.results
        return made

    def ended(self, how: Ended, revision: str | None) -> dict[str, Any]:
        """How it ended."""
        by = f"{self.command} of {self.owner} for {self.target} by {self.user} on {self.host}"
        words = f"{by}: {how.words or how.status}."
        labels = {"revision": revision, **(how.labels or {})}
        made = self._event(f"provisioner_{self.command}_ended", words, labels)
        made["outcome"] = {"status": how.status, **({"reason": how.reason} if how.reason else {})}
        if how.results is not None:
            made["details"]["result_count"] = how.results
        return made

    def left(self, release: Release) -> dict[str, Any]:
        """A release that no run recorded to its end: killed, or made while the chain could not be written."""
        unrecorded = release.unrecorded
        how = "was made without a record" if unrecorded else "was killed: nobody knows how far it came"
        by = f"by {release.who} on {release.host}"
        words = f"Release {release.number} of {self.owner} for {self.target}, {by}, {how}."
        labels = {
            "release": str(release.number),
            "release_at": release.at,
            "release_by": release.who,
            "release_host": release.host,
            "revision": release.revision,
        }
        made = self._event(UNRECORDED if unrecorded else INTERRUPTED, words, labels)
        made["severity"] = "high" if unrecorded else "medium"
        made["outcome"] = {"status": "unknown", "reason": "unrecorded" if unrecorded else "interrupted"}
        if release.audit:  # the id of the run that wrote its intent
            made["context"]["request_id"] = release.audit
        if release.forced:
            made["details"]["policy"] = list(release.forced)
        return made

    def _event(self, action: str, message: str, labels: Mapping[str, str | None]) -> dict[str, Any]:
        said = {**labels, "owner": self.owner, "target": self.target, "sudo_user": self.sudo}
        return {
            "category": "system",
            "action": action,
            "severity": SEVERITIES[self.command],
            "message": message,
            "actor": {"username": self.user, "user_id": str(self.uid)},
            "details": {
                "component": "provisioner",
                "resource": f"{self.owner}/{self.target}",
                "command": f"provisioner {self.command}",
            },
            "context": {"application": "provisioner", "version": self.version, "request_id": self.id},
            "labels": {name: value for name, value in said.items() if value},
            "host": {"name": self.host},
            "process": {"name": "provisioner", "pid": self.pid},
        }


def _plan(planned: Plan | None) -> dict[str, str]:
    if planned is None:
        return {}
    counts = Counter(change.action for change in planned.pending)
    numbers = {action.value: str(number) for action, number in counts.items()}
    return {"plan": planned.digest, "cluster": planned.cluster, "last_release": str(planned.release), **numbers}


def changes(pending: Sequence[Change]) -> str:
    """`3 to create, 1 to update`."""
    return _listed(Counter(f"to {change.action.value}" for change in pending)) or "no changes"


def looked(planned: Plan) -> Ended:
    """A plan that was made: what it shows."""
    exceeded = [limit.name for limit in planned.limits]
    labels = {**_plan(planned), **({"limits": " ".join(exceeded)} if exceeded else {})}
    return Ended("success", "", changes(planned.pending), labels, len(planned.pending))


def compared(drifted: int, owned: int) -> Ended:
    """A look for drift."""
    return Ended("success", "", f"{drifted} of {count(owned, 'object')} drifted", {"drifted": str(drifted)}, drifted)


def pulled(files: int, *, written: bool) -> Ended:
    """Objects as documents."""
    words = f"{count(files, 'file')} {'written' if written else 'would be written'}"
    return Ended("success", "", words, {"written": str(written).lower()}, files)


def acknowledging(rules: Sequence[str], reason: str) -> Ended:
    """Alerts of these rules, one for each alert, that are about to be acknowledged."""
    counts = Counter(rules)
    labels = {"rules": " ".join(sorted(counts)), **({"reason": reason} if reason else {})}
    return Ended("unknown", "started", f"to acknowledge {_alerts(counts)}", labels, len(rules))


def acknowledged(meant: Ended, done: int) -> Ended:
    """What became of them."""
    whole = meant.results or 0
    words = f"{done} of {count(whole, 'alert')} acknowledged"
    return Ended("success" if done == whole else "failure", "" if done == whole else "left", words, meant.labels, done)


def _alerts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} of {rule}" for rule, number in sorted(counts.items()))


def holding(what: str, hold: str, names: Sequence[str], reason: str) -> Ended:
    """A hold that is about to be made (`add`) or ended (`release`)."""
    labels = {"hold": hold, "hold_action": what, "names": " ".join(names), "reason": reason}
    return Ended("unknown", "started", f"to {what} the hold {hold} on {', '.join(names)}", labels)


def held(meant: Ended, indices: int, wrong: int) -> Ended:
    """What became of it; `wrong`: indices that are not as they should be."""
    words = f"{count(indices, 'index', 'indices')}, {wrong} of them not as they should be"
    return Ended("failure" if wrong else "success", "left" if wrong else "", words, meant.labels, indices - wrong)


def declined(labels: Mapping[str, str] | None = None) -> Ended:
    """A person said no."""
    return Ended("failure", "declined", "a person said no; nothing was changed", labels, 0)


def deployed(outcome: Outcome) -> Ended:
    """A deployment that came to an end of its own."""
    labels = _plan(outcome.plan)
    if outcome.declined:
        return declined(labels)
    made = [event.change for event in outcome.events if not event.error]
    failed = [event.change for event in outcome.events if event.error]
    words = _listed(Counter(_DONE[change.action] for change in made)) or "nothing to do"
    if outcome.release:
        labels |= {"release": str(outcome.release)}
        words += f"; release {outcome.release}"
    if failed:
        labels |= {"failed": str(len(failed)), "failed_first": f"{failed[0].kind} {failed[0].key}"}
        return Ended("failure", "step_failed", f"{words}; {count(len(failed), 'step')} failed", labels, len(made))
    if outcome.failed:
        return Ended("failure", "changes_left", f"{words}; a new plan is not empty", labels, len(made))
    return Ended("success", "" if made else "nothing_to_do", words, labels, len(made))


def failed(error: BaseException) -> Ended:
    """What ended otherwise: the kind of error, and not its words, which may be the cluster's."""
    reason = next((word for type_, word in _REASONS if isinstance(error, type_)), "error")
    labels = {}
    if isinstance(error, LimitError):
        labels["limits"] = " ".join(line.partition(":")[0] for line in error.message.splitlines())
    return Ended("failure", reason, reason.replace("_", " "), labels)


def _listed(counts: Mapping[str, int] | Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{number} {what}" for what, number in dict(counts).items())
