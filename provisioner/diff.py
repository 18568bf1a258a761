"""Desired, live and remembered, resource by resource, into changes. A pure function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provisioner import fingerprint, marks, mentions, secretrefs
from provisioner.model import PLAIN, Action, Change, Origin, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from provisioner.known import Known
    from provisioner.model import Live, Options, Ref, Resource

UNOWNED = "exists, but is not ours"
ORPHAN = "no longer in the repository"
MARKED = "ours by its mark, unknown to the state"
SUPERSEDED = "its rules are in other monitors now"
LEFT = "left by a run that did not come to its end"
UNMARKED = "perhaps left by a run that did not come to its end, but nobody's mark is in it: look whose it is"
ADOPTED = "adopted"
CHANGED = "changed"
SECRET = "a secret changed"  # noqa: S105 (words, no secret)
DRIFTED = "drifted: it was changed in the cluster"
REPLACED = "drifted: it was replaced in the cluster"
DELETED = "drifted: it was deleted in the cluster"
TWICE = "drifted: it exists more than once"
_OLDER = "an older copy is held by "


@dataclass(frozen=True, slots=True)
class _Verdict:
    action: Action
    why: str = ""


def diff(desired: Iterable[Resource], known: Known, options: Options = PLAIN) -> list[Change]:
    """One change for each desired resource (a no-op among them), one for each owned one that is desired no longer.

    *Changed* means that what we would send differs from what we sent; *drifted*, that what the server shows differs
    from what it showed then. The server rewrites bodies, so sent and shown are never compared with each other.
    """
    wanted = list(desired)
    changes = [_change(resource, known, options) for resource in wanted]
    refs = {resource.ref for resource in wanted}
    gone = {ref: known.records[ref] for ref in sorted(set(known.records) - refs)}
    left = [known.live[ref] for ref in sorted(known.intents & set(known.live) - set(known.records) - refs)]
    gone |= {
        live.ref: Record(live.kind, live.key, live.server_id, "", "") for live in left if live.owner == known.owner
    }
    going = set(gone) if options.prune else _superseded(gone, wanted, known)
    kept = _kept(gone, wanted, known) if going else {}
    changes += [
        _orphan(record, known, options, kept.get(ref)) if ref in going else _staying(record, known)
        for ref, record in gone.items()
    ]
    return changes + [
        Change(Action.NONE, live.kind, live.key, f"{ORPHAN}; {UNMARKED}", live=live)
        for live in left
        if live.owner is None
    ]


def conflicts(changes: Sequence[Change]) -> list[Change]:
    """Those whose name something else in the cluster has, that is not ours."""
    return [change for change in changes if change.why.startswith(UNOWNED)]


def drifted(known: Known) -> list[Change]:
    """What somebody changed in the cluster since it was last applied, whatever the repository says now."""
    found = []
    for ref, record in sorted(known.records.items()):
        live = known.live.get(ref)
        reasons = [DELETED] if live is None or _anothers(live, record, known) else _drift(live, record, known)
        if reasons:
            found.append(
                Change(Action.NONE, record.kind, record.key, ", ".join(reasons), _origin(record.origin), live=live)
            )
    return found


def needs(changes: Iterable[Change], known: Known) -> Iterator[str]:
    """The addresses of the blobs that tell what those changes replace."""
    for change in changes:
        record = known.records.get(change.ref)
        if record and (change.action is not Action.NONE or DRIFTED in change.why):
            yield from (record.sent, record.document, record.shown)


def rolls_out(change: Change) -> bool:
    """Whether the object is as wanted, and only what it governs holds an older copy of it."""
    return change.action is Action.UPDATE and change.why.startswith(_OLDER)


def _change(resource: Resource, known: Known, options: Options) -> Change:
    live, record = known.live.get(resource.ref), known.records.get(resource.ref)
    verdict = _verdict(resource, live, record, known, options)
    return Change(
        verdict.action,
        resource.kind,
        resource.key,
        verdict.why,
        resource.origin,
        known.blobs.get(record.sent) if record else None,
        resource.body,
        resource,
        live,
        resource.depends_on,
    )


def _verdict(resource: Resource, live: Live | None, record: Record | None, known: Known, options: Options) -> _Verdict:
    if live is None:
        return _Verdict(Action.CREATE, "new" if record is None else DELETED)
    if _anothers(live, record, known):
        if live.owner is not None:
            return _Verdict(Action.NONE, f"{UNOWNED}: it bears the mark of {live.owner}")
        if resource.ref in known.taken:
            return _Verdict(Action.NONE, f"{UNOWNED}: the state of {known.taken[resource.ref]} records it")
        if resource.ref in known.intents:
            return _Verdict(Action.UPDATE, LEFT)
        if live.duplicates:
            return _Verdict(Action.NONE, f"{UNOWNED}: {_ids(live)} are alike, and nothing tells which is meant")
        if not options.adopt:
            return _Verdict(Action.NONE, UNOWNED)
        if not _same(resource, live, known):
            return _Verdict(Action.UPDATE, f"{ADOPTED}, and changed")
        return _Verdict(Action.ADOPT, f"{ADOPTED}, {_older(live)}" if live.stale else ADOPTED)
    if record is None:
        return _Verdict(Action.UPDATE, MARKED)
    sent, secret = known.prints.sent(resource.body)
    reasons = [CHANGED] if sent != record.sent else []
    if secret and _other_secrets(resource, record, known.salt):
        reasons.append(SECRET)
    reasons += _drift(live, record, known)
    if not reasons and live.stale and record.rolled_out != live.token.get("if_seq_no"):
        reasons.append(_older(live))
    return _Verdict(Action.UPDATE, ", ".join(reasons)) if reasons else _Verdict(Action.NONE)


def _ids(live: Live) -> str:
    return ", ".join((live.server_id, *live.duplicates))


def _older(live: Live) -> str:
    return f"{_OLDER}{len(live.stale)} {'index' if len(live.stale) == 1 else 'indices'}"


def _drift(live: Live, record: Record, known: Known) -> list[str]:
    reasons = []
    if known.prints.shown(live.body, known.secret_paths.get(live.kind, ()), known.salt) != record.shown:
        reasons.append(DRIFTED)
    if live.server_id != record.server_id:
        reasons.append(REPLACED)
    if live.duplicates:
        reasons.append(TWICE)
    return reasons


def _anothers(live: Live, record: Record | None, known: Known) -> bool:
    """Whether what stands in the place of ours bears another owner's mark, or none and is not the object that we made.

    An edit in Dashboards may lose our mark: that is drift, as long as the server's id is the one we remember.
    """
    if live.owner is None:
        return record is None or live.server_id != record.server_id
    return live.owner != known.owner


def _same(resource: Resource, live: Live, known: Known) -> bool:
    """Whether the live object is as wanted, secrets included as far as they can be resolved here."""
    paths = known.secret_paths.get(resource.kind, ())
    try:
        wanted = secretrefs.resolve(resource.body)
    except secretrefs.MissingSecretError:
        return bool(fingerprint.masked(resource.body, paths) == fingerprint.masked(live.body, paths))
    return bool(wanted == live.body)


def _other_secrets(resource: Resource, record: Record, salt: str) -> bool:
    """Whether a secret that can be resolved here is not the one that was sent."""
    now = secretrefs.fingerprints(secretrefs.references(resource.body), salt)
    return any(record.secrets.get(ref) != value for ref, value in now.items())


def _superseded(gone: Mapping[Ref, Record], wanted: Sequence[Resource], known: Known) -> set[Ref]:
    """Orphans whose rules stand in other monitors by now: match rules move from one to another as rules come and go,
    and a monitor that is left over would tell everything twice."""
    triggers = {id_ for resource in wanted if resource.kind == "monitor" for id_ in marks.triggers(resource.body)}
    lives = (live for ref in gone if (live := known.live.get(ref)) and live.owner == known.owner)
    packs = (live for live in lives if live.body.get("monitor_type") == "doc_level_monitor")
    return {live.ref for live in packs if triggers & marks.triggers(live.body)}


def _orphan(record: Record, known: Known, options: Options, keeper: str | None) -> Change:
    live = _own(record, known)
    if live is None:
        action, why = Action.DELETE, f"{ORPHAN}, and gone from the cluster"
    elif keeper:
        action, why = Action.NONE, f"{ORPHAN}, but used by {keeper}: it stays"
    else:
        action, why = Action.DELETE, ORPHAN if options.prune else SUPERSEDED
    return _without(record, known, action, why)


def _staying(record: Record, known: Known) -> Change:
    return _without(record, known, Action.NONE, f"{ORPHAN}; apply --prune deletes it")


def _without(record: Record, known: Known, action: Action, why: str) -> Change:
    before, live = known.blobs.get(record.sent), _own(record, known)
    return Change(
        action, record.kind, record.key, why, _origin(record.origin), before, None, None, live, record.depends_on
    )


def _own(record: Record, known: Known) -> Live | None:
    """What is left of it in the cluster; None where somebody else's has its name now."""
    live = known.live.get(record.ref)
    return None if live is not None and _anothers(live, record, known) else live


def _kept(gone: Mapping[Ref, Record], wanted: Sequence[Resource], known: Known) -> dict[Ref, str]:
    """Orphans that something still uses, and by whose name: others' objects, our own, and what these need in turn."""
    kept = {ref: ", ".join(users) for ref, users in known.facts.users.items() if ref in gone and users}
    for resource in wanted:
        for ref in resource.depends_on | mentions.mentions(resource.kind, resource.body):
            if ref in gone:
                kept.setdefault(ref, f"{resource.kind} {resource.key}")
    open_ = list(kept)
    while open_:
        user = open_.pop()
        for ref in gone[user].depends_on:
            if ref in gone and ref not in kept:
                kept[ref] = " ".join(user)
                open_.append(ref)
    return kept


def _origin(text: str) -> Origin | None:
    file, line, column = [*text.rsplit(":", 2), "", ""][:3]
    return Origin(file, int(line), int(column)) if line.isdigit() and column.isdigit() else None
