"""Keys: a root key for each id, one chain of keys for each stream, one key for each epoch.

Whoever holds the root key can work out every epoch's key. A writer holds only the chain key of the current epoch: from
it the next ones follow, and none before it (HKDF-SHA256, RFC 5869).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from provisioner.errors import ProvisionerError
from provisioner.integrity.format import KEY_ID, frame, label

if TYPE_CHECKING:
    from collections.abc import Mapping

SIZE = 32
_KEPT = 64


@dataclass(frozen=True, slots=True)
class EpochKey:
    """The chain key of one epoch; never shown."""

    id: str
    epoch: int
    chain: bytes

    def __repr__(self) -> str:
        return f"EpochKey({self.name})"

    @property
    def name(self) -> str:
        """As it stands in a record."""
        return f"{self.id}.{self.epoch}"

    def mac_key(self) -> bytes:
        """What signs the records of this epoch. No chain key follows from it."""
        return HKDFExpand(SHA256(), SIZE, frame(label(b"mac-key"))).derive(self.chain)

    def next(self) -> EpochKey:
        """The next epoch's."""
        chain = HKDFExpand(SHA256(), SIZE, frame(label(b"next-epoch"))).derive(self.chain)
        return EpochKey(self.id, self.epoch + 1, chain)


def first_key(id_: str, root: bytes, stream: str) -> EpochKey:
    """A stream's key of epoch 0: no stream's keys say anything about another one's."""
    info = frame(label(b"stream"), id_.encode(), stream.encode())
    return EpochKey(id_, 0, HKDF(SHA256(), SIZE, None, info).derive(root))


class KeyRing:
    """Root keys by their ids. The last one is the one to sign with."""

    def __init__(self, roots: Mapping[str, bytes]) -> None:
        """Raises ProvisionerError for an id of another form or a key of less than 32 bytes."""
        for id_, root in roots.items():
            if not KEY_ID.fullmatch(id_):
                raise ProvisionerError(f"{id_!r} is no key id", "use lower-case letters, digits, - and _")
            if len(root) < SIZE:
                raise ProvisionerError(
                    f"the key {id_} has {len(root)} bytes, {SIZE} are needed", "make one by: openssl rand -hex 32"
                )
        self._roots = dict(roots)
        self._known: dict[tuple[str, str], dict[int, EpochKey]] = {}

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self._roots)})"

    def __contains__(self, id_: str) -> bool:
        return id_ in self._roots

    def __bool__(self) -> bool:
        return bool(self._roots)

    @property
    def current(self) -> str:
        """The id of the key to sign with."""
        return next(reversed(self._roots))

    def root(self, id_: str) -> bytes:
        """A root key. Raises KeyError."""
        return self._roots[id_]

    @property
    def ids(self) -> tuple[str, ...]:
        """All ids."""
        return tuple(self._roots)

    def key(self, id_: str, epoch: int, stream: str) -> EpochKey:
        """The key of an epoch. Raises KeyError for an unknown id."""
        known = self._known.setdefault((id_, stream), {0: first_key(id_, self._roots[id_], stream)})
        start = max(each for each in known if each <= epoch)
        found = known[start]
        while found.epoch < epoch:
            found = found.next()
        if len(known) >= _KEPT:
            known.pop(sorted(known)[1])  # not epoch 0
        known[epoch] = found
        return found
