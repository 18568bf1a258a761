"""The plan: every change in order, with what it means, or the reason why there can't be one."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from provisioner import diff, fingerprint, graph, limits, risks, yamldiff
from provisioner.errors import ConflictError
from provisioner.holds import held
from provisioner.model import PLAIN, Action, Plan
from provisioner.quantities import Shares

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from provisioner.known import Known
    from provisioner.model import Body, Change, Diff, Options, Resource


def build(desired: Iterable[Resource], known: Known, options: Options = PLAIN, shares: Shares | None = None) -> Plan:
    """A plan from values alone. Raises ConflictError where an object that isn't ours has a name that we want."""
    wanted = list(desired)
    changes = diff.diff(wanted, known, options)
    _refuse_conflicts(diff.conflicts(changes), known, options)
    changes = [_explained(change, known) for change in changes]
    owned = sum(ref in known.live for ref in known.records)
    exceeded = limits.exceeded(changes, owned, len(wanted), shares or Shares(), options.force, held(known.holds))
    return Plan(
        graph.order(changes),
        exceeded,
        known.owner,
        known.cluster,
        known.release,
        _digest(changes, known, options),
    )


def explain(changes: Iterable[Change], known: Known) -> list[Change]:
    """Drift, with what differs: for those that `diff.drifted` finds."""
    return [replace(change, diffs=tuple(_drift(change, known))) for change in changes]


def _refuse_conflicts(taken: Sequence[Change], known: Known, options: Options) -> None:
    if not taken:
        return
    names = "\n".join(f"  {change.kind} {change.key}  ({change.origin}): {change.why}" for change in taken)
    others = all(change.live and change.live.owner for change in taken)
    ways = "rename ours, or remove or rename those in the cluster"
    if not others and not options.adopt:
        ways = "take them over with --adopt, or " + ways
    raise ConflictError(
        f"these exist in the cluster and are not ours ({known.owner}):\n{names}", f"{ways}; nothing was changed"
    )


def _explained(change: Change, known: Known) -> Change:
    if change.action is Action.NONE:
        return change
    indices = known.facts.indices.get(change.ref, ())
    found = replace(change, doomed=risks.doomed(change, indices, known.facts.now))
    diffs = tuple(_diffs(found, known)) if change.action is Action.UPDATE else ()
    return replace(found, diffs=diffs, risks=risks.of(found))


def _diffs(change: Change, known: Known) -> Iterable[Diff]:
    """What a person wrote, where that is what differs; else what is sent; and what somebody did in the cluster."""
    record = known.records.get(change.ref)
    if change.why.startswith(diff.ADOPTED) and change.live is not None:
        paths = known.secret_paths.get(change.kind, ())
        shown = fingerprint.masked(change.live.body, paths)
        wanted = fingerprint.masked(change.after, paths)
        yield from _some(yamldiff.diff("in the cluster, and as it will be", shown, wanted))
        return
    document = change.resource.document if change.resource else None
    if record and diff.CHANGED in change.why.split(", "):
        written = known.blobs.get(record.document)
        found = yamldiff.diff("as written", written, document.body, document) if written and document else None
        if found is None and change.before is not None:
            found = yamldiff.diff("as sent, the document being the same", change.before, change.after)
        yield from _some(found)
    yield from _drift(change, known)


def _drift(change: Change, known: Known) -> Iterable[Diff]:
    record = known.records.get(change.ref)
    if record and change.live is not None and diff.DRIFTED in change.why:
        shown = fingerprint.masked(change.live.body, known.secret_paths.get(change.kind, ()), known.salt)
        if record.shown in known.blobs:
            yield from _some(yamldiff.diff("in the cluster, since it was applied", known.blobs[record.shown], shown))


def _some(found: Diff | None) -> Iterable[Diff]:
    return () if found is None else (found,)


def _digest(changes: Sequence[Change], known: Known, options: Options) -> str:
    """SHA-256 over all that decides what an apply would do: equal digests, equal applies."""
    facts: list[Any] = [known.owner, known.cluster, options.prune, options.adopt]
    facts += [_moves(change, known) for change in sorted(changes, key=lambda change: change.ref)]
    return hashlib.sha256(orjson.dumps(facts)).hexdigest()


def _moves(change: Change, known: Known) -> list[Any]:
    record, live, paths = known.records.get(change.ref), change.live, known.secret_paths.get(change.kind, ())
    if change.action is Action.NONE and not change.why and record:  # what was sent and what is shown are the record's
        return [change.action.value, *change.ref, record.sent, record.shown]
    salt = known.salt if known.state_exists else None  # without a state each look has a salt of its own
    return [
        change.action.value,
        *change.ref,
        change.why,
        sorted(change.depends_on),
        fingerprint.of(_written(change)),
        fingerprint.of(change.after) if change.after is not None else "",
        record.sent if record else "",
        live.server_id if live else "",
        fingerprint.of(fingerprint.masked(live.body, paths, salt)) if live else "",
        [index.name for index in change.doomed],
    ]


def _written(change: Change) -> Body | None:
    return change.resource.document.body if change.resource and change.resource.document else None
