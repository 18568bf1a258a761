"""Holds: data that is not to be deleted while they last. The values; pure.

A hold is a document of the state index. It names the indices, and what of each was changed, so that a release undoes
exactly that. `provisioner.holding` makes and ends them in the cluster.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True)
class Was:
    """An index before it was held: the ISM policy that managed it ("": none), and whether writing was blocked."""

    policy: str = ""
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold: why, who, on which host, since when (ISO 8601, UTC), what was named, and each index as it was.

    `audit` is the id of the run that made it. `released` is None while it lasts; else when, by whom and why it ended.
    """

    id: str
    reason: str
    by: str
    host: str
    at: str
    names: tuple[str, ...]
    indices: Mapping[str, Was] = field(default_factory=dict)
    audit: str = ""
    released: Mapping[str, str] | None = None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Hold:
        """Read its document."""
        return cls(
            document["id"],
            document["reason"],
            document["by"],
            document["host"],
            document["at"],
            tuple(document["names"]),
            {each["index"]: Was(each["policy"], each["blocked"]) for each in document["indices"]},
            document.get("audit", ""),
            document.get("released"),
        )

    def packed(self) -> dict[str, Any]:
        """Its document; an open one is read by every plan."""
        indices = [{"index": name, **asdict(was)} for name, was in self.indices.items()]
        opened = self.released is None
        return {**asdict(self), "type": "hold", "open": opened, "names": list(self.names), "indices": indices}


def held(holds: Iterable[Hold]) -> dict[str, str]:
    """The indices that these hold, each with the id of its first hold."""
    found: dict[str, str] = {}
    for hold in holds:
        if hold.released is None:
            for name in hold.indices:
                found.setdefault(name, hold.id)
    return found


def as_it_was(name: str, now: Was, holds: Iterable[Hold]) -> Was:
    """An index before any hold that lasts: another hold may have changed it before."""
    return next((hold.indices[name] for hold in holds if hold.released is None and name in hold.indices), now)
