"""One step of an apply: the request, and what to do when no clear answer comes.

A step never trusts an unclear answer (a timeout, a reset, a broken body, 502 to 504): it looks at the cluster before it
writes again, so that nothing is made twice. A plain 500 is never tried again: OpenSearch answers so to wrong bodies.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from provisioner import backoff, diff, fingerprint, retrying
from provisioner.errors import ApiError, ProvisionerError
from provisioner.model import Action

if TYPE_CHECKING:
    from provisioner.cluster import Cluster
    from provisioner.model import Body, Change, Known, Live

_TAKEN = 409


@dataclass(frozen=True, slots=True)
class Done:
    """The server's id of the object, and how often the step was tried."""

    server_id: str
    attempts: int


class Step:
    """One change, to be made on one cluster; `body` has its secrets resolved."""

    def __init__(self, change: Change, cluster: Cluster, known: Known, body: Body) -> None:
        self.change, self._known, self._body = change, known, body
        self._kind = cluster.kinds[change.kind]
        self._governing = cluster.governing(change.kind)
        self._client = cluster.client
        self._paths = known.secret_paths.get(change.kind, ())
        self._live = change.live
        self._unclear = False

    def run(self) -> Done:
        """Make the change. Raises ProvisionerError; the error says what is to be done."""
        self._refuse_what_moved()
        waits = backoff.waits()
        attempts = 1
        while True:
            try:
                return Done(self._once(), attempts)
            except ProvisionerError as error:
                wait = next(waits, None)
                late = self._unclear and isinstance(error, ApiError) and error.status == _TAKEN
                if wait is None or not (retrying.passing(error) or late):
                    raise
                self._unclear = True
            time.sleep(wait)
            attempts += 1
            self._look_again()

    def _once(self) -> str:
        change, live = self.change, self._live
        if change.action is Action.CREATE and live is None:
            return self._kind.create(self._client, change.key, self._body)
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

    def _refuse_what_moved(self) -> None:
        """Compare before writing, where the API has no optimistic concurrency, or deletes whatever is there."""
        live = self.change.live
        if live is None or self.change.action is Action.CREATE or (live.token and self.change.action is Action.UPDATE):
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
        self._live = replace(found, duplicates=live.duplicates)

    def _look_again(self) -> None:
        """What stands there now, after a try of which nobody knows whether it took effect."""
        change = self.change
        if change.action is Action.CREATE:
            found = next(iter(self._kind.live(self._client, {change.key: None})), None)
            if found is not None and found.owner not in (None, self._known.owner):
                raise ProvisionerError(f"{change.kind} {change.key} was made by {found.owner} meanwhile", "plan again")
        else:
            live = self._live
            found = live and next(iter(self._kind.shown(self._client, {live.key: live.server_id})), None)
            if found and live:
                found = replace(found, duplicates=live.duplicates)
        self._live = found

    def _print(self, live: Live) -> str:
        return fingerprint.shown(live.body, self._paths, self._known.salt)
