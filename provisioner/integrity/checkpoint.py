"""Checkpoints: signed heads of a stream. Pure.

A checkpoint says: the first `count` records of this stream end with this MAC and have this Merkle root (RFC 9162 over
the records' canonical bytes). Ed25519 signs it, so that whoever has the public key can check it, and nobody who has the
stream's key alone can make one. Checkpoints are numbered, and each holds the hash of the one before.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from provisioner.integrity.canonical import encode
from provisioner.integrity.format import STREAM, frame, label

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

VERSION = 1
_HEX64, _HEX128 = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{128}")
_KEY = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`head`: MAC of record `count - 1`. `time`: ISO 8601. `previous`: SHA-256 of the checkpoint before, 64 zeros for
    number 0. `key`: the public key's fingerprint. Hashes, MACs and signatures are hexadecimal."""

    stream: str
    number: int
    count: int
    head: str
    root: str
    time: str
    previous: str
    key: str
    signature: str = ""

    def json(self) -> dict[str, Any]:
        """As it is written."""
        return {"v": VERSION, "seq": self.count - 1, **asdict(self)}

    def signed(self) -> bytes:
        """What the signature signs."""
        said = {name: value for name, value in self.json().items() if name != "signature"}
        return frame(label(b"checkpoint"), encode(said))

    def line(self) -> bytes:
        """One canonical line, without its end."""
        return encode(self.json())

    def sha256(self) -> str:
        """The hash by which the next one names it."""
        return hashlib.sha256(self.line()).hexdigest()


def fingerprint(key: Ed25519PublicKey) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the public key's 32 bytes."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def sign(made: Checkpoint, key: Ed25519PrivateKey) -> Checkpoint:
    """The same with its signature."""
    named = replace(made, key=fingerprint(key.public_key()))
    return replace(named, signature=key.sign(named.signed()).hex())


def genuine(made: Checkpoint, key: Ed25519PublicKey) -> bool:
    """Whether this key signed it."""
    try:
        key.verify(bytes.fromhex(made.signature), made.signed())
    except (InvalidSignature, ValueError):
        return False
    return made.key == fingerprint(key)


def read(said: Any) -> Checkpoint:
    """A checkpoint from its JSON. Raises ValueError that says what is wrong."""
    if not isinstance(said, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 (what was read is wrong, not the caller)
    names = Checkpoint.__dataclass_fields__
    if said.keys() != {*names, "v", "seq"}:
        raise ValueError(f"its members must be v, seq, {', '.join(names)}")
    if said["v"] != VERSION:
        raise ValueError(f"it is of version {said['v']}")
    numbers = ("number", "count", "seq")
    if not all(type(said[each]) is int and said[each] >= 0 for each in numbers) or said["seq"] != said["count"] - 1:
        raise ValueError("number, count and seq don't fit")
    forms = {"stream": STREAM, "head": _HEX64, "root": _HEX64, "previous": _HEX64, "key": _KEY, "signature": _HEX128}
    for name, form in forms.items():
        if not isinstance(said[name], str) or not form.fullmatch(said[name]):
            raise ValueError(f"{name} has another form")
    return Checkpoint(**{name: said[name] for name in names})
