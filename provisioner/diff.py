"""Desired, live and remembered, resource by resource, into changes. A pure function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner import fingerprint, secretrefs
from provisioner.model import Action, Change

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from provisioner.model import Known, Live, Record, Resource

UNOWNED = "exists, but is not ours"
ORPHAN = "no longer in the repository"


def diff(desired: Iterable[Resource], known: Known) -> list[Change]:
    """One change for each desired resource (a no-op among them), one for each owned one that is desired no longer.

    *Changed* means that what we would send differs from what we sent; *drifted*, that what the server shows differs
    from what it showed then. The server rewrites bodies, so sent and shown are never compared with each other.
    """
    wanted = list(desired)
    changes = [_change(resource, known) for resource in wanted]
    gone = set(known.records) - {resource.ref for resource in wanted}
    return changes + [_orphan(known.records[ref], known.live.get(ref)) for ref in sorted(gone)]


def conflicts(changes: Sequence[Change]) -> list[Change]:
    """Those whose name something else in the cluster has, that is not ours."""
    return [change for change in changes if change.why == UNOWNED]


def _change(resource: Resource, known: Known) -> Change:
    live, record = known.live.get(resource.ref), known.records.get(resource.ref)
    action, why = _verdict(resource, live, record, known)
    before = record.body if record else None
    return Change(action, resource.kind, resource.key, why, resource.origin, before, resource.body, resource, live)


def _verdict(resource: Resource, live: Live | None, record: Record | None, known: Known) -> tuple[Action, str]:
    if live is None:
        return Action.CREATE, "new" if record is None else "drifted: it was deleted in the cluster"
    if _anothers(live, record, known.owner):
        return Action.NONE, UNOWNED
    if record is None:
        return Action.UPDATE, "ours by its mark, unknown to the state"
    reasons = []
    if fingerprint.of(resource.body) != record.sent:
        reasons.append("changed")
    if _other_secrets(resource, record, known.salt):
        reasons.append("a secret changed")
    if fingerprint.shown(live.body, known.secret_paths.get(resource.kind, ()), known.salt) != record.shown:
        reasons.append("drifted: it was changed in the cluster")
    if live.server_id != record.server_id:
        reasons.append("drifted: it was replaced in the cluster")
    return (Action.UPDATE, ", ".join(reasons)) if reasons else (Action.NONE, "")


def _anothers(live: Live, record: Record | None, owner: str) -> bool:
    """Whether what stands in the place of ours bears another owner's mark, or none and is not the object that we made.

    An edit in Dashboards may lose our mark: that is drift, as long as the server's id is the one we remember.
    """
    if live.owner is None:
        return record is None or live.server_id != record.server_id
    return live.owner != owner


def _other_secrets(resource: Resource, record: Record, salt: str) -> bool:
    """Whether a secret that can be resolved here is not the one that was sent."""
    now = secretrefs.fingerprints(secretrefs.references(resource.body), salt)
    return any(record.secrets.get(ref) != value for ref, value in now.items())


def _orphan(record: Record, live: Live | None) -> Change:
    return Change(Action.NONE, record.kind, record.key, ORPHAN, before=record.body, live=live)
