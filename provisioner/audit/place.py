"""Where the chain of a target is, and what signs it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from provisioner import folders, secretrefs
from provisioner.errors import ProvisionerError

if TYPE_CHECKING:
    from provisioner.integrity import Chain, KeyRing
    from provisioner.settings import Settings

LOCAL = "local"
"""The id of a key that was made here."""
ROTATE = 64_000_000
"""Bytes of a file before it becomes an archive: some years of plans."""
EVOLVE = 86_400.0
"""Seconds for which one key signs, at most. It costs some writes that must reach the disk: once a day, not each run."""


def file(settings: Settings) -> Path:
    """The chain's file. An owner has no dot: the name tells owner and target apart."""
    said = settings.target.audit.file
    if said:
        return Path(said)
    return folders.audit() / f"{settings.owner}.{quote(settings.target.name, safe='')}.jsonl"


def key_file(path: Path) -> Path:
    """Where a key that was made here lies."""
    return path.with_name(f"{path.name}.key")


def shipped_file(path: Path) -> Path:
    """What is known to be in which cluster."""
    return path.with_name(f"{path.name}.shipped")


def chain(settings: Settings, fsync: Literal["always", "never"]) -> Chain:
    """Open the chain; made at its first use. Raises ProvisionerError, OSError."""
    from provisioner.integrity import Chain, Options

    path = file(settings)
    _prepare(path)
    return Chain(path, _keys(settings, path), options=Options(fsync, rotate_bytes=ROTATE, evolve_seconds=EVOLVE))


def checkpoint(settings: Settings, made: Chain) -> None:
    """Sign the chain as it is now and write that to the places of the settings. Raises ProvisionerError, OSError."""
    said = settings.target.audit.checkpoints
    if said is None:
        return
    from provisioner.client import Client
    from provisioner.integrity import keysource, places
    from provisioner.integrity.checkpointing import Checkpointer

    key = keysource.private_key_of(secretrefs.resolve(said.key).encode())
    found = [places.of(each, lambda: Client(settings.target)) for each in said.to]
    made.checkpoint(Checkpointer(key, [each for each in found if each is not None]))


def _prepare(path: Path) -> None:
    """Nobody else may read it. A folder that is there keeps its rights: it may be meant for several users."""
    if not path.parent.is_dir():
        path.parent.parent.mkdir(parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))


def _keys(settings: Settings, path: Path) -> KeyRing | None:
    """The root key, where it is needed: at the first use, and where another one is to sign. The key state has the rest,
    so that a secret need not be at hand for every run."""
    from provisioner.integrity import KeyRing, keystate

    state = keystate.load(path.with_name(f"{path.name}.state"))
    audit = settings.target.audit
    if audit.key is None:
        return KeyRing({LOCAL: _made_here(key_file(path))}) if state is None else None
    if state is not None and state.key.id == audit.key_id:
        return None
    from provisioner.integrity import keysource  # all that reads keys: too much for every plan

    return KeyRing({audit.key_id: keysource.decoded(secretrefs.resolve(audit.key).encode())})


def _made_here(path: Path) -> bytes:
    """A random key, made at first use. Two first uses at once: the first one's stays."""
    try:
        return bytes.fromhex(path.read_text(encoding="ascii"))
    except FileNotFoundError:
        pass
    except ValueError:
        raise ProvisionerError(f"{path} is no key", "put it back from a backup, or move the chain aside") from None
    made = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, secrets.token_hex(32).encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        path.hardlink_to(made)
    except FileExistsError:
        pass
    finally:
        made.unlink()
    return bytes.fromhex(path.read_text(encoding="ascii"))
