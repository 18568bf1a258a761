"""One target with all that it takes to look at it: client, kinds, state."""

from __future__ import annotations

import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from provisioner import diff, fingerprint, indices, secretrefs, users
from provisioner.client import Client
from provisioner.kinds import Governing, Overwriting, Queued, all_kinds
from provisioner.known import Known
from provisioner.model import ACCESS_KINDS, PLAIN, Action, Facts
from provisioner.state import StateStore

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from provisioner.model import Change, Live, Options, Plan, Ref, Resource
    from provisioner.settings import Settings
    from provisioner.state import State

_POLL = 1.0
_TOGETHER = 4
"""Kinds that are read at once."""


class Cluster:
    """A target's client, the kinds, and the owner's state there."""

    def __init__(self, settings: Settings) -> None:
        """No request is sent yet. Raises MissingSecretError, ClusterError."""
        self.owner = settings.owner
        self.target = settings.target
        self.parallel = settings.target.parallel
        self.client = Client(settings.target)
        self.kinds = all_kinds()
        # Asked of every step, and slow to ask: a protocol is looked for method by method.
        self._governing = {name: kind for name, kind in self.kinds.items() if isinstance(kind, Governing)}
        self._overwriting = {name for name, kind in self.kinds.items() if isinstance(kind, Overwriting)}
        self._queued = {name for name, kind in self.kinds.items() if isinstance(kind, Queued)}
        self.store = StateStore(self.client, settings.owner)
        self._prints = fingerprint.Prints()
        self._looked: tuple[float, State] | None = None

    def look(self, desired: Iterable[Resource] = (), options: Options = PLAIN) -> Known:
        """Read the state, and of the cluster what is desired or owned. Nothing is written. Raises ClusterError."""
        wanted = list(desired)
        known = self._light(wanted)
        changes = diff.diff(wanted, known, options)
        if options.adopt:
            adopted = [change.ref for change in changes if change.why.startswith(diff.ADOPTED)]
            known = replace(known, taken=self.store.taken(adopted))
            changes = diff.diff(wanted, known, options)
        known = replace(known, facts=self._facts(changes, {r.ref for r in wanted}, known))
        return replace(known, blobs=self.store.blobs(diff.needs(changes, known)))

    def still(self, most: float, *, unmoved: bool = False) -> bool:
        """Whether the last look began `most` seconds ago at most, and the state is as it was then: one request, unless
        it is known to be `unmoved`."""
        if self._looked is None or time.monotonic() - self._looked[0] > most:
            return False
        return unmoved or self.store.read() == replace(self._looked[1], exists=True)

    def drift(self) -> tuple[Known, list[Change]]:
        """What is owned, and which of it somebody changed in the cluster."""
        known = self._light([])
        changes = diff.drifted(known)
        return replace(known, blobs=self.store.blobs(diff.needs(changes, known))), changes

    def _light(self, desired: Sequence[Resource]) -> Known:
        began = time.monotonic()
        uuid = str(self.client.greet().get("cluster_uuid", ""))
        state = self.store.read()
        self._looked = (began, state)
        apart = {ref: record for ref, record in state.records.items() if not self.applies(record.kind)}
        records = {ref: record for ref, record in state.records.items() if ref not in apart}
        wanted: dict[str, dict[str, str | None]] = defaultdict(dict)
        for kind, key in (ref for release in state.open for ref in release.intents):
            if self.applies(kind):
                wanted[kind][key] = None
        for resource in desired:
            wanted[resource.kind][resource.key] = None
        for record in records.values():
            wanted[record.kind][record.key] = record.server_id
        live = self.live(wanted)
        paths = {name: kind.secret_paths for name, kind in self.kinds.items()}
        found = (secret for each in live.values() for secret in fingerprint.secrets(each.body, paths[each.kind]))
        memo = secretrefs.prepare(found, state.salt, state.memo)
        return Known(
            owner=self.owner,
            cluster=uuid,
            salt=state.salt,
            release=state.release,
            records=records,
            live=live,
            secret_paths=paths,
            state_exists=state.exists,
            open=state.open,
            apart=apart,
            memo=memo,
            remembered=state.memo,
            holds=state.holds,
            prints=self._prints,
        )

    def applies(self, kind: str) -> bool:
        """Whether this target applies that kind: roles and users may be for another one of the same cluster, which an
        administrator applies, and the state may know of kinds that only a newer version of ours has."""
        return kind in self.kinds and (self.target.access or kind not in ACCESS_KINDS)

    def live(self, wanted: Mapping[str, Mapping[str, str | None]]) -> dict[Ref, Live]:
        """What exists of the wanted: kind to key to the server id that is remembered, or None."""
        with ThreadPoolExecutor(_TOGETHER, "read") as pool:
            found = pool.map(lambda item: self.kinds[item[0]].live(self.client, item[1]), wanted.items())
            return {live.ref: live for lives in found for live in lives}

    def governing(self, kind: str) -> Governing | None:
        """The kind, if its objects are copied into what they govern."""
        return self._governing.get(kind)

    def overwrites(self, kind: str) -> bool:
        """Whether creating an object of that kind replaces one that has its name by then."""
        return kind in self._overwriting

    def queued(self, kind: str) -> bool:
        """Whether the cluster manager makes changes of that kind one at a time, as those of the cluster's state."""
        return kind in self._queued

    def behind(self, planned: Plan, wait: float) -> dict[str, list[str]]:
        """Which indices still hold an older copy of the policies that were changed, after at most `wait` seconds.

        Asked of ISM itself (explain): it takes a policy over at an index's next run, minutes later by default.
        """
        end = time.monotonic() + wait
        changed: dict[str, list[str]] = defaultdict(list)
        for change in planned.pending:
            if change.action is not Action.DELETE:
                changed[change.kind].append(change.key)
        governing = [(kind, keys) for name, keys in changed.items() if (kind := self.governing(name))]
        while True:
            found = {
                key: names for kind, keys in governing for key, names in kind.behind(self.client, keys).items() if names
            }
            if not found or time.monotonic() > end:
                return found
            time.sleep(_POLL)

    def _facts(self, changes: Sequence[Change], desired: Collection[Ref], known: Known) -> Facts:
        """What the cluster says of those objects that would go, or whose retention would change."""
        deleted = {change.ref for change in changes if change.action is Action.DELETE and change.live is not None}
        retained = {
            change.ref
            for change in changes
            if (change.kind == "ism_policy" and change.action is not Action.NONE)  # indices outlive their policy
            or (change.kind == "data_stream" and change.action is Action.DELETE)
        }
        if not deleted and not retained:
            return Facts()
        ids = {change.live.server_id: change.ref for change in changes if change.live is not None}
        with ThreadPoolExecutor(1, "now") as pool:
            now = pool.submit(indices.now, self.client) if retained else None
            return Facts(
                users.users(self.client, self.kinds, deleted, {*desired, *deleted}, ids) if deleted else {},
                indices.facts(self.client, retained) if retained else {},
                now.result() if now else 0,
            )
