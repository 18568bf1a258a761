"""All that planning knows of a cluster: what one look at it gave. A frozen value; nothing here does I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from provisioner.fingerprint import Prints
from provisioner.model import Facts
from provisioner.secretrefs import NO_MEMO, Memo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provisioner.holds import Hold
    from provisioner.model import Body, Live, Record, Ref, SecretPaths
    from provisioner.releases import Release


@dataclass(frozen=True, slots=True)
class Known:
    """All that planning knows of a cluster.

    `cluster` is its UUID. `records` and `release` (number of the last one, 0: none) come from the state, `live` from
    the cluster itself. `apart` are records of kinds that only another target applies. `secret_paths` says for each kind
    where secrets stand, `salt` keys their fingerprints. `blobs` holds those bodies of the state that the plan needs, by
    fingerprint. `open` are releases that left something open. `taken` names the other owners whose states record an
    object that we want: an adopted one bears no mark. `prints` are fingerprints worked out already. `memo` is of the
    secrets in `live`, `remembered` the state's one. `holds` are those that last.
    """

    owner: str
    salt: str
    release: int
    records: Mapping[Ref, Record]
    live: Mapping[Ref, Live]
    secret_paths: Mapping[str, SecretPaths]
    state_exists: bool = True
    cluster: str = ""
    blobs: Mapping[str, Body] = field(default_factory=dict)
    open: tuple[Release, ...] = ()
    taken: Mapping[Ref, str] = field(default_factory=dict)
    facts: Facts = field(default_factory=Facts)
    apart: Mapping[Ref, Record] = field(default_factory=dict)
    memo: Memo = NO_MEMO
    remembered: Memo = NO_MEMO
    holds: tuple[Hold, ...] = ()
    prints: Prints = field(default_factory=Prints, compare=False, repr=False)

    @property
    def next_release(self) -> int:
        """The number that the next release gets."""
        return max([self.release, *(release.number for release in self.open)]) + 1

    @property
    def intents(self) -> frozenset[Ref]:
        """What earlier runs may have created without a record: it is ours even where it bears no mark."""
        return frozenset(ref for release in self.open for ref in release.intents)
