"""Releases: what each apply did, and what the cluster then held, so that it can be planned again. Pure."""

from __future__ import annotations

import socket
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from provisioner import __version__, actor, yamldiff
from provisioner.errors import ProvisionerError
from provisioner.model import Action, Change, Document, Origin, Resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from provisioner.model import Body, Diff, Event, Record, Ref

RUNNING, COMPLETE, STOPPED, INTERRUPTED = "running", "complete", "stopped", "interrupted"
"""How a release ended: not yet, whole, at a step that failed or a signal, or nobody knows: its run was killed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One object of a release: the fingerprints of its body and its document, under which the state keeps them."""

    kind: str
    key: str
    sent: str
    document: str = ""
    depends_on: tuple[Ref, ...] = ()

    @property
    def ref(self) -> Ref:
        """Kind and key."""
        return (self.kind, self.key)


@dataclass(frozen=True, slots=True)
class Mark:
    """What a release says of how it was allowed: the limits that it may pass, and the run that recorded it in an audit
    chain ("": that could not be written; None: nobody asked for it)."""

    forced: tuple[str, ...] = ()
    audit: str | None = None


UNMARKED = Mark()
"""Nothing was forced, and nobody asked for a record."""


@dataclass(frozen=True, slots=True)
class Release:
    """One run of apply. `steps` are `{"action", "kind", "key", "error"}`; while it runs, those that it means to do.

    `at` is when it began (ISO 8601, UTC), `who` and `host` where, `revision` the commit of the repository, `tool` our
    version, `counts` the steps done by action. `manifest` is everything that we owned at its end, None where unknown.
    `intents` is what it, or a run before it, may have created without a record: ours, even where it bears no mark.
    `forced` and `audit` are as in `Mark`.
    """

    number: int
    at: str
    who: str
    host: str
    revision: str | None
    tool: str
    outcome: str
    counts: Mapping[str, int] = field(default_factory=dict)
    steps: tuple[Mapping[str, str], ...] = ()
    manifest: tuple[Entry, ...] | None = None
    intents: frozenset[Ref] = frozenset()
    forced: tuple[str, ...] = ()
    audit: str | None = None

    def packed(self) -> dict[str, Any]:
        """As the state keeps it; the manifest as text, since nothing in it is searched. Open ones are looked for."""
        manifest = None if self.manifest is None else orjson.dumps(self.manifest).decode()
        opened = self.outcome == RUNNING or bool(self.intents) or self.unrecorded
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**fields, "manifest": manifest, "intents": sorted(self.intents), "open": opened}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Release:
        """From the state's document."""
        fields = {name: document[name] for name in cls.__dataclass_fields__ if name in document}
        text = fields.get("manifest")
        steps = tuple(fields.get("steps", ()))
        intents = frozenset((kind, key) for kind, key in fields.get("intents", ()))
        manifest = None if text is None else _manifest(text)
        forced = tuple(fields.get("forced", ()))
        return cls(**{**fields, "steps": steps, "manifest": manifest, "intents": intents, "forced": forced})

    def closed(self, audit: str | None = None) -> Release:
        """The same, its intents being another's now; one that never ended was killed: nobody knows how far it came.

        `audit` is the run that recorded it afterwards, where its own could not.
        """
        outcome = INTERRUPTED if self.outcome == RUNNING else self.outcome
        return replace(self, outcome=outcome, intents=frozenset(), audit=(self.unrecorded and audit) or self.audit)

    @property
    def unrecorded(self) -> bool:
        """Whether it ran although no audit chain could be written, and none has it yet."""
        return self.audit == ""


def _manifest(text: str) -> tuple[Entry, ...]:
    return tuple(
        Entry(e["kind"], e["key"], e["sent"], e["document"], tuple((kind, key) for kind, key in e["depends_on"]))
        for e in orjson.loads(text)
    )


def begin(
    number: int,
    revision: str | None,
    pending: Sequence[Change],
    intents: frozenset[Ref],
    mark: Mark = UNMARKED,
) -> Release:
    """A release that is about to run, with the steps that it means to do, and the intents of earlier ones."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    steps = tuple({"action": c.action.value, "kind": c.kind, "key": c.key, "error": ""} for c in pending)
    creates = {change.ref for change in pending if change.action is Action.CREATE}
    host = socket.gethostname()
    return Release(
        number,
        now,
        actor.user(),
        host,
        revision,
        __version__,
        RUNNING,
        steps=steps,
        intents=intents | creates,
        forced=mark.forced,
        audit=mark.audit,
    )


def end(
    release: Release, events: Iterable[Event], outcome: str, records: Iterable[Record], intents: Iterable[Ref]
) -> Release:
    """The release with what it did, everything that is owned after it, and those intents that remain."""
    happened = list(events)
    steps = tuple(
        {"action": e.change.action.value, "kind": e.change.kind, "key": e.change.key, "error": e.error}
        for e in happened
    )
    counts = Counter(e.change.action.value for e in happened if not e.error)
    manifest = tuple(
        Entry(r.kind, r.key, r.sent, r.document, tuple(sorted(r.depends_on)))
        for r in sorted(records, key=lambda r: r.ref)
    )
    left = frozenset(intents)
    return replace(release, outcome=outcome, counts=dict(counts), steps=steps, manifest=manifest, intents=left)


def resources(release: Release, blobs: Mapping[str, Body]) -> list[Resource]:
    """What the release held, as desired resources. Raises ProvisionerError where that is not known any more."""
    if release.manifest is None:
        raise ProvisionerError(
            f"what release {release.number} left in the cluster is not known: it is {release.outcome}",
            "choose another one: provisioner history",
        )
    missing = [entry for entry in release.manifest if entry.sent not in blobs]
    if missing:
        raise ProvisionerError(
            f"the state lacks {len(missing)} of the bodies of release {release.number}, the first that of "
            f"{missing[0].kind} {missing[0].key}",
            "choose another release: provisioner history",
        )
    place = Origin(f"release {release.number}", 0)
    return [
        Resource(entry.kind, entry.key, blobs[entry.sent], place, frozenset(entry.depends_on), _written(entry, blobs))
        for entry in release.manifest
    ]


def differing(before: Release | None, after: Release) -> set[str]:
    """The addresses of the blobs that `compare` needs."""
    old, new = _entries(before), _entries(after)
    return {
        address
        for ref in old.keys() | new.keys()
        if old.get(ref) != new.get(ref)
        for entry in (old.get(ref), new.get(ref))
        if entry
        for address in (entry.sent, entry.document)
    }


def compare(before: Release | None, after: Release, blobs: Mapping[str, Body]) -> list[Change]:
    """What lies between two releases, as changes with their diffs; `before` None: nothing was owned."""
    old, new = _entries(before), _entries(after)
    found = []
    for ref in sorted(old.keys() | new.keys()):
        was, now = old.get(ref), new.get(ref)
        if was and now and was.sent == now.sent:
            continue
        action = Action.CREATE if was is None else Action.DELETE if now is None else Action.UPDATE
        diffs: tuple[Diff, ...] = ()
        if was and now:
            written = yamldiff.diff("as written", blobs.get(was.document), blobs.get(now.document))
            sent = yamldiff.diff("as sent", blobs.get(was.sent), blobs.get(now.sent))
            diffs = tuple(each for each in (written or sent,) if each)
        found.append(Change(action, *ref, "", diffs=diffs))
    return found


def _entries(release: Release | None) -> dict[Ref, Entry]:
    return {entry.ref: entry for entry in (release.manifest or ())} if release else {}


def _written(entry: Entry, blobs: Mapping[str, Body]) -> Document | None:
    if entry.document not in blobs:
        return None
    return Document(entry.kind, entry.key, blobs[entry.document], {(): Origin(entry.key)})
