"""The lock of a state: one apply at a time for one owner on one cluster.

A document of the state index, made by `_create` and renewed with `if_seq_no`, so that the cluster decides who has it.
A holder that was killed is known to be dead at once where it ran on this machine; elsewhere, when the lock has run out
by a wide margin, or when nobody renewed it while we looked on for its whole time (clocks of two machines may differ).
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import random
import socket
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from provisioner import actor, retrying
from provisioner.client import path
from provisioner.errors import ApiError, ClusterError, LockedError, ProvisionerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from provisioner.client import Client

TTL = 30.0
"""Seconds for which a lock holds unless it is renewed."""
_RENEW = TTL / 3
_CLOCKS = 120.0
"""Seconds by which the clocks of two machines may differ."""
_POLL = 0.5
_ZOMBIE = "zombie"


def _place() -> str:
    """This machine, as far as process ids mean the same: host, boot, and the namespace of process ids."""
    boot = pathlib.Path("/proc/sys/kernel/random/boot_id")
    pids = pathlib.Path("/proc/self/ns/pid")
    try:
        return f"{socket.gethostname()}/{boot.read_text().strip()}/{pids.readlink()}"
    except OSError:
        return f"{socket.gethostname()}/{uuid.getnode():x}"


def _born(pid: int) -> str:
    """When a process began, in the kernel's own count: process ids are used again. Empty where that is not told.

    One that ended and is not yet waited for counts as another one.
    """
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return _ZOMBIE if fields[0] == "Z" else fields[19]


def _dead(found: dict[str, Any]) -> bool:
    """Whether the holder surely runs no more: it ran here, and its process is gone, or is another one by now."""
    if found.get("place") != _place():
        return False
    try:
        os.kill(found["pid"], 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # another user's process: it runs
        pass
    born = _born(found["pid"])  # untold where /proc hides other users' processes
    return bool(born) and born != found.get("born")


def free(client: Client, index: str) -> bool:
    """Whether surely nobody is applying: there is no lock, or its holder ran here and is gone. Raises ClusterError."""
    found = client.get(path(index, "_doc", "lock"))
    return found is None or _dead(found["_source"])


class Lock:
    """A context manager that holds the lock and renews it in the background.

    `wait` is how many seconds to wait for another holder, `force` takes the lock from whoever has it; `tell` is told
    once whom we wait for. Raises LockedError.
    """

    def __init__(
        self, client: Client, index: str, wait: float, force: bool, tell: Callable[[str], None] = lambda _: None
    ) -> None:
        self._client = client
        self._path = path(index, "_doc", "lock")
        self._create = path(index, "_create", "lock")
        self._wait, self._force, self._tell = wait, force, tell
        self._id = uuid.uuid4().hex
        self._token: dict[str, int] = {}
        self._renewed = 0.0
        self._lost = False
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lock", daemon=True)

    def __enter__(self) -> Self:
        self._acquire()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        if self._lost:
            return
        # Not to be had: it runs out by itself, and on this machine its holder is seen to be gone.
        with contextlib.suppress(ProvisionerError):
            self._client.request("DELETE", self._path, params=self._token)

    @property
    def held(self) -> bool:
        """Whether it is surely still ours: nobody took it, and it was renewed in time."""
        return not self._lost and time.monotonic() - self._renewed < TTL

    @property
    def earlier(self) -> int:
        """How many writes the index saw before the lock was taken, or last renewed."""
        return self._token["if_seq_no"]

    def _document(self) -> dict[str, Any]:
        now = time.time()
        return {
            "type": "lock",
            "holder": self._id,
            "who": actor.user(),
            "host": socket.gethostname(),
            "place": _place(),
            "pid": os.getpid(),
            "born": _born(os.getpid()),
            "at": datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds"),
            "expires": now + TTL,
        }

    def _acquire(self) -> None:
        give_up = time.monotonic() + self._wait
        seen: tuple[Any, float] = (None, 0.0)
        told = False
        while True:
            found = self._try_to_create()
            if found is None:
                return
            holder, version = found["_source"], (found["_seq_no"], found["_primary_term"])
            now = time.monotonic()
            if seen[0] != version:
                seen = (version, now)
            over = time.time() > holder["expires"] + _CLOCKS or now - seen[1] > TTL + 1
            if self._force or over or _dead(holder) or holder["holder"] == self._id:
                token = dict(zip(("if_seq_no", "if_primary_term"), version, strict=True))
                if retrying.write(lambda: self._write(token)):  # noqa: B023 (called before the next turn)
                    return
                continue
            if now > give_up:
                raise LockedError(
                    f"{holder['who']} on {holder['host']} (process {holder['pid']}) is applying, since {holder['at']}",
                    "wait for it and run the command again; if it is surely dead: --force lock",
                )
            if not told:
                self._tell(f"waiting for {holder['who']} on {holder['host']}, who is applying since {holder['at']}")
                told = True
            time.sleep(_POLL * random.uniform(0.5, 1.0))  # noqa: S311 (only so that two do not ask in step)

    def _try_to_create(self) -> dict[str, Any] | None:
        """None where the lock is ours now, else the one that is there."""
        while True:
            try:
                retrying.write(self._put_new)
            except ApiError as error:
                if error.status != 409:
                    raise
            else:
                return None
            found: dict[str, Any] | None = self._client.get(self._path)
            if found is not None:
                return found

    def _put_new(self) -> None:
        sent = time.monotonic()
        self._took(self._client.request("PUT", self._create, self._document()), sent)

    def _write(self, token: dict[str, int]) -> bool:
        """Replace the lock that is there, unless it changed meanwhile. An unclear answer is cleared up by the caller:
        the lock then bears our id."""
        sent = time.monotonic()
        try:
            answer = self._client.request("PUT", self._path, self._document(), token)
        except ApiError as error:
            if error.status in (404, 409):
                return False
            raise
        self._took(answer, sent)
        return True

    def _took(self, answer: dict[str, Any], sent: float) -> None:
        """It is ours from when the request was sent: others count its time from when they first saw it, later."""
        self._token = {"if_seq_no": answer["_seq_no"], "if_primary_term": answer["_primary_term"]}
        self._renewed = sent

    def _keep(self) -> None:
        while not self._end.wait(_RENEW) and not self._lost:
            self._keep_once()

    def _keep_once(self) -> None:
        """Renew it, or note that it is lost."""
        try:
            self._lost = not self._write(self._token) and not (self._still_ours() and self._write(self._token))
        except ProvisionerError as error:
            # The cluster may be back, or less busy, before the lock runs out: `held` looks at the time.
            self._lost = not (isinstance(error, ClusterError) or retrying.passing(error))

    def _still_ours(self) -> bool:
        """After a conflict: a renewal whose answer got lost has taken effect, and the lock bears our id."""
        found = self._client.get(self._path)
        if found is None or found["_source"].get("holder") != self._id:
            return False
        self._took(found, self._renewed)  # when that renewal took effect is not known, so it counts for nothing
        return True
