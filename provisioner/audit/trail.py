"""The trail of one run: its events go into the chain, before and after what it does."""

from __future__ import annotations

import contextlib
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Self

from provisioner import __version__, actor, gitinfo, limits
from provisioner.audit import events, place
from provisioner.errors import AuditError, ProvisionerError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future
    from pathlib import Path
    from types import TracebackType

    from provisioner.audit.events import Ended
    from provisioner.client import Client
    from provisioner.integrity import Chain
    from provisioner.model import Plan
    from provisioner.releases import Release
    from provisioner.settings import Settings


class Trail:
    """A context manager around one run. What ends it is recorded, whatever that is.

    `changes`: the run may change a cluster, so it does not begin unless it can be recorded; `forced` may hold `audit`,
    which lets it. Without `changes` a chain that can't be written is a word to `tell` and nothing more.
    The chain is opened, and Git asked, beside what the run itself waits for.
    """

    def __init__(
        self,
        settings: Settings,
        command: str,
        root: Path,
        *,
        tell: Callable[[str], None],
        changes: bool = False,
        forced: Sequence[str] = (),
    ) -> None:
        self._settings, self._tell, self._changes = settings, tell, changes
        self._forced = limits.AUDIT in forced
        self._file = place.file(settings)
        self.run = events.Run(
            os.urandom(16).hex(),
            command,
            settings.owner,
            settings.target.name,
            actor.user(),
            os.getuid(),
            socket.gethostname(),
            os.getpid(),
            __version__,
            tuple(sorted(forced)),
            os.environ.get("SUDO_USER", ""),
        )
        self._beside = ThreadPoolExecutor(1, "audit")
        self._chain: Future[Chain] = self._beside.submit(self._open)
        self._revision = self._beside.submit(gitinfo.revision, root)
        self._begun: Future[None] | None = None
        self._how: Ended | None = None
        self._told = False
        self._acted = False
        self._meant = False

    def _open(self) -> Chain:
        return place.chain(self._settings, "always" if self._changes else "never")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        try:
            self._settle(over=error is not None)
            self._write(lambda: self.run.ended(self._ending(error), self._revision.result()), over=error is not None)
            self._checkpoint()
        finally:
            self._beside.shutdown(wait=True)
            with contextlib.suppress(ProvisionerError, OSError):
                self._chain.result().close()

    def _checkpoint(self) -> None:
        """Of a run that was about to change something; one that fails is told, and the next one covers it as well."""
        if self._meant and not self._told:
            try:
                place.checkpoint(self._settings, self._chain.result())
            except (ProvisionerError, OSError) as error:
                self._tell(f"No checkpoint of the audit chain was made: {_words(error)}")

    def ended(self, how: Ended, *, acted: bool = False) -> None:
        """How it will have ended, unless an error comes. `acted`: it changed something, so it is too late to refuse."""
        self._how, self._acted = how, acted

    def _ending(self, error: BaseException | None) -> Ended:
        if self._how is None or isinstance(error, ProvisionerError | KeyboardInterrupt):
            return events.Ended("success") if error is None else events.failed(error)
        return self._how  # what ends a command with an exit code is no error

    def begin(self, meant: Ended | None = None) -> None:
        """Record that the run begins, where no plan is made first; `meant` says what it will do. Raises AuditError.

        Of a run that changes nothing it is written beside its first requests.
        """
        self._meant = self._changes
        self._begun = self._beside.submit(self._append, lambda: self.run.started(self._revision.result(), meant=meant))
        if self._changes:
            self._settle()

    def _settle(self, *, over: bool = False) -> None:
        """Whether the begin was recorded is known from here on."""
        begun, self._begun = self._begun, None
        if begun is not None:
            try:
                begun.result()
            except (ProvisionerError, OSError) as error:
                self._failed(error, over=over)

    def ready(self) -> None:
        """Refuse at once, before anything is shown or asked, where there can be no record. Raises AuditError."""
        try:
            self._chain.result()
        except (ProvisionerError, OSError) as error:
            self._failed(error)

    def intend(self, planned: Plan) -> str:
        """Record a plan before its first write; what the release says of that: the run's id, "" where there is no
        record, which was forced then. Raises AuditError."""
        self._meant = True
        return self.run.id if self._write(lambda: self.run.started(self._revision.result(), planned)) else ""

    def left(self, releases: Sequence[Release]) -> None:
        """Record releases that are over and that no run recorded to its end; each once, as far as we know."""
        from provisioner.audit import shipping

        for release in releases:
            if not (release.unrecorded or release.outcome == "running"):
                continue
            mark = f"{release.number} {release.at}"
            if mark not in shipping.told(self._file) and self._write(lambda: self.run.left(release)):  # noqa: B023
                with contextlib.suppress(OSError):
                    shipping.tell(self._file, mark)

    def ship(self, client: Client) -> None:
        """Send what is not in the cluster yet to its audit data stream, where there is one; what fails is told."""
        from provisioner.audit import shipping

        try:
            shipping.ship(client, shipping.stream(self._settings), self._file)
        except (ProvisionerError, OSError) as error:
            self._tell(f"The audit events were not shipped; they go with the next apply: {_words(error)}")

    def _write(self, event: Callable[[], dict[str, Any]], *, over: bool = False) -> bool:
        """Whether it is in the chain. `over`: an error is on its way already, which matters more than this one."""
        try:
            self._append(event)
        except (ProvisionerError, OSError) as error:
            self._failed(error, over=over)
            return False
        return True

    def _append(self, event: Callable[[], dict[str, Any]]) -> None:
        self._chain.result().append(event())

    def _failed(self, error: ProvisionerError | OSError, *, over: bool = False) -> None:
        said = f"the audit chain {self._file} can't be written: {_words(error)}"
        if self._changes and not self._forced and not self._acted and not over:
            hint = "nothing was changed; mend that, name another file (`audit:` in provisioner.yml), or --force audit"
            self._told = True
            raise AuditError(said, hint) from None
        if not self._told:
            self._tell(f"Not recorded: {said}")
        self._told = True


def _words(error: ProvisionerError | OSError) -> str:
    if isinstance(error, ProvisionerError):
        return error.message
    return f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error)
