"""Keys from where they are kept:

a file, an environment variable, a command's output. Never from a command line itself.
"""

from __future__ import annotations

import base64
import binascii
import os
import pathlib
import re
import shlex
import subprocess
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from provisioner.errors import ProvisionerError
from provisioner.integrity.keys import SIZE, KeyRing

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_ID = "k1"
_SECONDS = 60
_FORMS = "write file:/path, env:NAME or command:PROGRAM ARGUMENTS"
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}){32,}")


def ring(said: Sequence[str]) -> KeyRing:
    """Keys as the command line names them, `k1=file:/etc/audit.key`; without an id it is k1. The last one signs.

    Raises ProvisionerError, which never holds a key.
    """
    roots: dict[str, bytes] = {}
    for each in said:
        id_, equals, source = each.partition("=")
        if not equals or ":" in id_:
            id_, source = DEFAULT_ID, each
        if id_ in roots:
            raise ProvisionerError(f"the key {id_} is given twice", "give each key its own id: --key k2=file:/path")
        roots[id_] = decoded(fetch(source))
    return KeyRing(roots)


def fetch(source: str) -> bytes:
    """What a source holds. Raises ProvisionerError."""
    kind, colon, where = source.partition(":")
    if not colon or not where:
        raise ProvisionerError("a key's source has another form", _FORMS)  # it may be a key: not shown
    if kind == "file":
        return read_file(pathlib.Path(where))
    if kind == "env":
        if where not in os.environ:
            raise ProvisionerError(f"the environment variable {where} is not set", "set it to the key")
        return os.environb[where.encode()]
    if kind == "command":
        return _run(where)
    raise ProvisionerError("a key's source has another form", _FORMS)


def read_file(path: pathlib.Path) -> bytes:
    """A file's bytes. Raises ProvisionerError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ProvisionerError(
            f"{path} can't be read: {error.strerror}", "name a key file that this user may read"
        ) from None


def _run(command: str) -> bytes:
    arguments = shlex.split(command)
    name = arguments[0] if arguments else command
    try:
        done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        words = getattr(error, "strerror", None) or f"it took longer than {_SECONDS} s"
        raise ProvisionerError(f"the key's command {name} can't be run: {words}", "check --key") from None
    if done.returncode:
        raise ProvisionerError(f"the key's command {name} ended with {done.returncode}", "run it by hand to see why")
    return done.stdout


def decoded(said: bytes) -> bytes:
    """Hexadecimal, base64, or the bytes themselves."""
    text = said.strip()
    if _HEX.fullmatch(text):
        return bytes.fromhex(text.decode())
    try:
        decoded = base64.b64decode(text, validate=True)
    except binascii.Error:
        decoded = b""
    return decoded if len(decoded) >= SIZE else text if len(text) >= SIZE else said


def private_key(source: str) -> Ed25519PrivateKey:
    """The key that signs checkpoints, PEM (PKCS #8). Raises ProvisionerError."""
    return private_key_of(fetch(source))


def private_key_of(pem: bytes) -> Ed25519PrivateKey:
    """The same from its bytes. Raises ProvisionerError."""
    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise ProvisionerError(
            "the checkpoint key is no Ed25519 private key in PEM", "make one by: openssl genpkey -algorithm ed25519"
        )
    return key


def public_key(path: pathlib.Path) -> Ed25519PublicKey:
    """The key that checks checkpoints, PEM. Raises ProvisionerError."""
    try:
        key = load_pem_public_key(read_file(path))
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise ProvisionerError(f"{path} is no Ed25519 public key in PEM", "make it by: openssl pkey -in KEY -pubout")
    return key
