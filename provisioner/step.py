"""One step of an apply: the request, and what to do when no clear answer comes.

A step never trusts an unclear answer (a timeout, a reset, a broken body, 502 to 504): it looks at the cluster before it
writes again, so that nothing is made twice. A plain 500 is never tried again: OpenSearch answers so to wrong bodies.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from provisioner import backoff, diff, fingerprint, retrying
from provisioner.errors import ApiError, ProvisionerError, UnclearError
from provisioner.marks import bears_mark
from provisioner.model import Action

if TYPE_CHECKING:
    from collections.abc import Callable

    from provisioner.cluster import Cluster
    from provisioner.known import Known
    from provisioner.model import Body, Change, Live

_EXISTS = (400, 409)
"""What a create is answered whose name is taken: 400 by templates and data streams, 409 by channels and policies."""


@dataclass(frozen=True, slots=True)
class Done:
    """The server's id of the object, and how often the step was tried."""

    server_id: str
    attempts: int


class Step:
    """One change, to be made on one cluster; `body` has its secrets resolved. `held`: is the lock still ours?

    `unclear` says after a failure that a request may have taken effect, as after a plain 500 it may too.
    """

    def __init__(self, change: Change, cluster: Cluster, known: Known, body: Body, held: Callable[[], bool]) -> None:
        self.change, self._known, self._body, self._held = change, known, body, held
        self._kind = cluster.kinds[change.kind]
        self._governing = cluster.governing(change.kind)
        self._overwrites = cluster.overwrites(change.kind)
        self._client = cluster.client
        self._paths = known.secret_paths.get(change.kind, ())
        self._live = change.live
        self.unclear = False

    def run(self) -> Done:
        """Make the change. Raises ProvisionerError; the error says what is to be done."""
        self._refuse_without_lock()
        self._refuse_what_moved()
        waits = backoff.waits()
        attempts = 1
        while True:
            try:
                return Done(self._once(), attempts)
            except ProvisionerError as error:
                wait = next(waits, None)
                late = self.unclear and isinstance(error, ApiError) and error.status in _EXISTS
                self.unclear |= isinstance(error, UnclearError) or (isinstance(error, ApiError) and error.status >= 500)
                if wait is None or not (retrying.passing(error) or late):
                    raise
                wait = backoff.at_least(wait, getattr(error, "retry_after", 0))
            time.sleep(wait)
            attempts += 1
            self._look_again()
            self._refuse_without_lock()

    def _once(self) -> str:
        change, live = self.change, self._live
        if change.action is Action.CREATE and live is None:
            made = self._kind.create(self._client, change.key, self._body)
            if self._governing and self._known.facts.indices.get(change.ref):  # copies of one that had this name
                self._governing.roll_out(self._client, change.key)
            return made
        if live is None:
            if change.action is Action.DELETE:
                return ""  # gone already: only the state still knows of it
            raise ProvisionerError(f"{change.kind} {change.key} is gone", "plan again")
        if change.action is Action.DELETE:
            self._kind.delete(self._client, live)
        elif change.action is not Action.ADOPT:
            self._update(live)
        elif self._governing and live.stale:
            self._governing.roll_out(self._client, live.key)
        return live.server_id

    def _update(self, live: Live) -> None:
        if self._governing and diff.rolls_out(self.change):
            self._governing.roll_out(self._client, live.key)
        else:
            self._kind.update(self._client, live, self._body)

    def _refuse_without_lock(self) -> None:
        if not self._held():
            raise ProvisionerError("the lock was lost: someone else may be applying", "run the command again")

    def _refuse_what_moved(self) -> None:
        """Compare before writing, where the API has no optimistic concurrency, or deletes whatever is there."""
        live = self.change.live
        if self.change.action is Action.CREATE:
            self._refuse_to_overwrite()
            return
        if live is None or (live.token and self.change.action is Action.UPDATE):
            return
        found = next(iter(self._kind.shown(self._client, {live.key: live.server_id})), None)
        if found is None:
            if self.change.action is Action.DELETE:
                self._live = None
                return
            raise ProvisionerError(f"{live.kind} {live.key} is gone", "plan again")
        if self._print(found) != self._print(live):
            raise ProvisionerError(
                f"{live.kind} {live.key} was changed by someone since it was planned", "plan again and look at it"
            )
        self._live = replace(found, duplicates=live.duplicates, stale=live.stale)

    def _refuse_to_overwrite(self) -> None:
        key = self.change.key
        if self._overwrites and self._kind.shown(self._client, {key: key}):
            raise ProvisionerError(f"{self.change.kind} {key} was made by someone since it was planned", "plan again")

    def _look_again(self) -> None:
        """What stands there now, after a try of which nobody knows whether it took effect."""
        change = self.change
        if change.action is Action.CREATE:
            found = next(iter(self._kind.live(self._client, {change.key: None})), None)
            if found is not None and not self._made(found):
                who = found.owner or "someone"
                raise ProvisionerError(f"{change.kind} {change.key} was made by {who} meanwhile", "plan again")
        else:
            live = self._live
            found = live and next(iter(self._kind.shown(self._client, {live.key: live.server_id})), None)
            if found and live:
                found = replace(found, duplicates=live.duplicates, stale=live.stale)
        self._live = found

    def _made(self, found: Live) -> bool:
        """Whether that is what an earlier try of ours made: it bears our mark, or what we sent bears none either."""
        if found.owner is None:
            return self.unclear and not bears_mark(self._body)
        return found.owner == self._known.owner

    def _print(self, live: Live) -> str:
        return fingerprint.shown(live.body, self._paths, self._known.salt)
