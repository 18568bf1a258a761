"""Secrets as references: `${env:NAME}` and `${file:/path}`, anywhere in a text.

A secret's value never leaves memory but in the request that needs it; while the program runs, it stays there. What the
state remembers of it is a keyed fingerprint: scrypt with the state's own salt, so that a reader of the state can't try
out short passwords at speed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import re
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from provisioner.errors import ProvisionerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_SURROGATE = re.compile("[\ud800-\udfff]")
REFERENCE = re.compile(r"\$\{(env|file):([^}]+)\}")
MARK = b"${"
"""What JSON with a reference in it has somewhere."""
_MOST_AT_ONCE = 8
"""Fingerprints worked out at once: each takes 16 MB."""
_BEHIND = 10
"""The niceness of what may wait."""
_REMEMBERED = 4_096
"""More secrets than one cluster has: a run works each out once, and a long-lived program keeps no more than these."""


class MissingSecretError(ProvisionerError):
    """A reference points at nothing: an environment variable that is not set, a file that can't be read."""


def references(value: Any) -> Iterator[str]:
    """All references in a value, at any depth, in order."""
    return _found(value) if _mentions(value) else iter(())


def _found(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for child in value.values():
            yield from _found(child)
    elif isinstance(value, list):
        for child in value:
            yield from _found(child)
    elif isinstance(value, str):
        yield from (match[0] for match in REFERENCE.finditer(value))


def resolve(value: Any) -> Any:
    """The value with every reference replaced by its secret. Raises MissingSecretError, which names the reference.

    A value without any is given back itself, no copy.
    """
    return value if isinstance(value, dict | list) and not _mentions(value) else _resolved(value)


def _mentions(value: Any) -> bool:
    """Whether a reference may stand anywhere in it: asked of its JSON, which is much quicker than a walk."""
    try:
        return MARK in orjson.dumps(value)
    except orjson.JSONEncodeError:  # integers beyond 64 bits, say
        return True


def _resolved(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _resolved(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_resolved(child) for child in value]
    if isinstance(value, str):
        return REFERENCE.sub(lambda match: _secret(match[1], match[2]), value)
    return value


def _secret(scheme: str, name: str) -> str:
    if scheme == "env":
        if name not in os.environ:
            raise MissingSecretError(
                f"the environment variable {name} is not set", f"set {name}, which the repository refers to"
            )
        secret = os.environ[name]
        if _SURROGATE.search(secret):  # bytes that are no UTF-8, as os.environ shows them
            raise MissingSecretError(f"the environment variable {name} is not UTF-8", f"set {name} to text")
        return secret
    try:
        return pathlib.Path(name).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no usable name, or not UTF-8"
        raise MissingSecretError(
            f"the secret's file {name} can't be read: {reason}", "check that it exists and that you may read it"
        ) from None


def hide(text: str, refs: Iterable[str]) -> str:
    """The text with every secret that these references stand for taken out: what a server says may repeat it."""
    for ref in refs:
        try:
            secret = resolve(ref)
        except MissingSecretError:
            continue
        for form in {secret, json.dumps(secret)[1:-1]} - {""}:
            text = text.replace(form, ref)
    return text


@dataclass(frozen=True, slots=True)
class Memo:
    """Fingerprints of all secrets that a look finds.

    `joint` is one of them all together, `each` those of the single ones in the order of the secrets. Where the joint
    one is the same, so are the others: one piece of work instead of many.
    """

    joint: str = ""
    each: tuple[str, ...] = ()


NO_MEMO = Memo()
_known: dict[tuple[str, str], str] = {}
_one_at_a_time = threading.Lock()
_turns: dict[tuple[str, str], threading.Lock] = {}
"""Of those that are worked out just now: who wants the same one waits for it."""


def keyed(secret: str, salt: str) -> str:
    """The keyed fingerprint of a secret: 32 hexadecimal digits; about 50 ms of work, unless it is remembered."""
    with _one_at_a_time:
        found = _known.get((secret, salt))
        turn = _turns.setdefault((secret, salt), threading.Lock()) if found is None else None
    if turn is not None:
        with turn:
            found = _known.get((secret, salt)) or _scrypt(secret, salt)
            remember({secret: found}, salt)
        _turns.pop((secret, salt), None)
    return str(found)


def remember(found: Mapping[str, str], salt: str) -> None:
    """Keep fingerprints of secrets for the run of this program; of very many the latest."""
    with _one_at_a_time:
        for secret, fingerprint in found.items():
            if len(_known) >= _REMEMBERED:
                del _known[next(iter(_known))]
            _known[secret, salt] = fingerprint


def _scrypt(text: str, salt: str) -> str:
    return hashlib.scrypt(text.encode(), salt=bytes.fromhex(salt), n=2**14, r=8, p=1, dklen=16).hex()


def ahead(kept: Iterable[str], others: Iterable[str], salt: str) -> Future[Memo]:
    """Begin to work these out beside what goes on; the memo of the first ones, which a cluster will hold, at the end.

    One at a time and behind all else: the processors have other work, where a server runs on this machine as well. The
    program's end does not wait for it.
    """
    wanted = sorted(set(kept))
    memo: Future[Memo] = Future()

    def work() -> None:
        if sys.platform == "linux":  # there a thread has a priority of its own
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _BEHIND)
        try:
            for secret in (*others, *wanted):
                keyed(secret, salt)
            memo.set_result(prepare(wanted, salt))
        except Exception:  # noqa: BLE001 (who needs one of them meets with it; the memo only spares work)
            memo.set_result(NO_MEMO)

    threading.Thread(target=work, name="secret", daemon=True).start()
    return memo


def prepare(secrets: Iterable[str], salt: str, memo: Memo | None = None) -> Memo:
    """Work these out, by the memo of an earlier run if they are the same as then; else on several processors at once
    (scrypt lets other threads run). `keyed` then remembers them. The memo of now."""
    wanted = sorted(set(secrets))
    if len(wanted) < 2:  # one is as much work as all together
        return NO_MEMO
    joint = keyed(json.dumps(wanted), salt)  # an apply looks three times
    if memo and memo.joint == joint and len(memo.each) == len(wanted):
        remember(dict(zip(wanted, memo.each, strict=True)), salt)
        return memo
    with ThreadPoolExecutor(min(os.cpu_count() or 1, _MOST_AT_ONCE), "secret") as pool:
        return Memo(joint, tuple(pool.map(lambda secret: keyed(secret, salt), wanted)))


def fingerprints(refs: Iterable[str], salt: str) -> dict[str, str]:
    """Keyed fingerprints of those references that can be resolved here; the others are left out."""
    found = {}
    for ref in set(refs):
        try:
            found[ref] = keyed(resolve(ref), salt)
        except MissingSecretError:
            continue
    return found
