"""Words of warning for a change: what it does beyond what its diff shows at first sight. Pure functions.

What is compared is the object as the cluster shows it, since that is what changes, with what is wanted; only what the
server gives back as it was sent is looked at. Where the cluster shows nothing, the body last sent stands for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner import terms
from provisioner.model import Action
from provisioner.quantities import data
from provisioner.risks import access, redaction
from provisioner.values import each, mapping, names, some

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provisioner.model import Body, Change, Index

CLOSES = "closes alerts"
DISABLES = "disables detection"
SHORTENS = "shortens retention"
STOPS = "stops retention"
DELETES = "deletes data"
WIDENS = "widens access"
SILENCES = "silences notifications"
WEAKENS = "weakens redaction"
MARKS = (CLOSES, DISABLES, SHORTENS, STOPS, DELETES, WIDENS, SILENCES, WEAKENS)
"""What a warning begins with, before ": "."""

_ACCESS = {"role": access.role, "role_mapping": access.role_mapping, "user": access.user}


def of(change: Change, shown: Body | None = None) -> tuple[str, ...]:
    """The warnings for one change. `shown` is the object as the cluster shows it, where that is not `change.live`."""
    if change.action is Action.NONE or (change.action is Action.ADOPT and not change.doomed):
        return ()
    was = _was(change, shown)
    wanted = None if change.action is Action.DELETE else change.after or {}
    return tuple(f"{mark}: {words}" for mark, words in _warnings(change, was, wanted))


def doomed(change: Change, indices: Sequence[Index], now: int) -> tuple[Index, ...]:
    """Those of the indices that the change deletes, now or soon.

    An index follows its own copy of a policy, which may be older than the policy, and outlives it: so creating and
    adopting are as dangerous as updating. A copy may also wait to be replaced by what stands there now, or by what was
    applied last, so all of them count as the one before.
    """
    if change.kind == "data_stream" and change.action is Action.DELETE:
        return tuple(indices)
    rolls_out = change.action in (Action.CREATE, Action.UPDATE, Action.ADOPT)
    if change.kind != "ism_policy" or not rolls_out or change.after is None:
        return ()
    # An adopted policy is as wanted: only those that are behind it are told anything.
    befores = [] if change.action is Action.ADOPT else _befores(change, _was(change, None))
    return tuple(index for index in indices if _loses(index, befores, change.after, now))


def _loses(index: Index, befores: list[Body], after: Body, now: int) -> bool:
    held = [index.policy] if isinstance(index, terms.Held) else []
    olds: list[Body | None] = [*held, *befores] or [None]
    return any(terms.doomed(before, after, [index], now) for before in olds)


def _was(change: Change, shown: Body | None) -> Body | None:
    """What the change replaces or deletes; None where there is nothing."""
    if change.action is Action.CREATE:
        return None
    if shown is not None:
        return shown
    if change.live is not None:
        return change.live.body
    return change.before if change.action is Action.UPDATE else None  # deleted already, by somebody else


def _befores(change: Change, was: Body | None) -> list[Body]:
    return [body for body in (was, change.before) if body is not None]


def _warnings(change: Change, was: Body | None, wanted: Body | None) -> Iterator[tuple[str, str]]:
    if change.kind in _ACCESS and wanted is not None:
        yield from _said(WIDENS, list(_ACCESS[change.kind](was or {}, wanted)))
    if change.kind == "ism_policy" and any(index.documents for index in change.doomed):
        yield DELETES, f"{data(change.doomed)}, at once or soon"
    if was is None:
        return
    if change.kind in ("monitor", "workflow"):
        yield from _monitor(was, wanted)
    elif change.kind == "ism_policy":
        yield from _policy(was, wanted, _befores(change, was))
    elif change.kind == "data_stream" and wanted is None:
        yield from _data(change.doomed)
    elif change.kind == "channel":
        yield from _channel(was, wanted)
    elif change.kind == "ingest_pipeline":
        yield from _said(WEAKENS, list(redaction.pipeline(was, wanted)))
    elif change.kind in ("index_template", "component_template"):
        yield from _said(WEAKENS, list(redaction.final_pipeline(was, wanted)))


def _said(mark: str, particulars: list[str]) -> Iterator[tuple[str, str]]:
    if particulars:
        yield mark, some(particulars)


def _monitor(was: Body, wanted: Body | None) -> Iterator[tuple[str, str]]:
    """An alert lives as long as its trigger's id: without it Alerting takes the alert for deleted."""
    before, after = _triggers(was), _triggers(wanted or {})
    gone = [f"{id_} ({name})" if name else id_ for id_, name in before.items() if id_ not in after]
    yield from _said(CLOSES, [f"those of {some(gone, ', ')}"] if gone else [])
    if was.get("enabled", True) is True:
        if wanted is None:
            yield DISABLES, "the rule is deleted"
        elif wanted.get("enabled", True) is not True:
            yield DISABLES, "the rule is switched off"
    if wanted is not None and (channels := _channels(was)) and not _channels(wanted):
        yield SILENCES, f"its alerts are no longer sent to {some(channels, ', ')}"


def _inner(monitor: Body) -> list[Body]:
    """The triggers without the word that says their type; very old ones have none."""
    triggers = each(monitor.get("triggers"))
    return [trigger if "id" in trigger else mapping(next(iter(trigger.values()), None)) for trigger in triggers]


def _triggers(monitor: Body) -> dict[str, str]:
    return {str(trigger["id"]): str(trigger.get("name") or "") for trigger in _inner(monitor) if "id" in trigger}


def _channels(monitor: Body) -> list[str]:
    actions = [action for trigger in _inner(monitor) for action in each(trigger.get("actions"))]
    return list(dict.fromkeys(str(action.get("destination_id")) for action in actions))


def _policy(was: Body, wanted: Body | None, befores: list[Body]) -> Iterator[tuple[str, str]]:
    ended = terms.deletes_after(was) is not None
    before, after = _patterns(was), _patterns(wanted or {})
    if wanted is None:
        if ended:
            yield STOPS, f"new indices of {some(before, ', ')} live for ever" if before else "of indices to come"
        return
    if shorter := next(filter(None, (terms.shortened(body, wanted) for body in befores)), ""):
        yield SHORTENS, shorter
    elif ended and terms.deletes_after(wanted) is None:
        yield STOPS, "the policy deletes no index any more"
    elif ended and (gone := [pattern for pattern in before if pattern not in after]):
        yield STOPS, f"new indices of {some(gone, ', ')} are no longer taken up"


def _patterns(policy: Body) -> list[str]:
    """Sent as one mapping or a list of them, shown as a list."""
    return [pattern for item in each(policy.get("ism_template")) for pattern in names(item.get("index_patterns"))]


def _data(doomed: Sequence[Index]) -> Iterator[tuple[str, str]]:
    if not doomed:
        yield DELETES, "whatever the data stream holds"
    elif any(index.documents for index in doomed):
        yield DELETES, data(doomed)


def _channel(was: Body, wanted: Body | None) -> Iterator[tuple[str, str]]:
    if was.get("is_enabled", True) is not True:
        return
    if wanted is None:
        yield SILENCES, "the channel is deleted"
    elif wanted.get("is_enabled", True) is not True:
        yield SILENCES, "the channel is switched off"
