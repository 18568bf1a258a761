"""The techniques of MITRE ATT&CK (Enterprise), as shipped in data/attack-techniques.json. Pure."""

from __future__ import annotations

import functools
import json
import pathlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILE = pathlib.Path(__file__).parent / "data" / "attack-techniques.json"


@dataclass(frozen=True, slots=True)
class Technique:
    """One technique or sub-technique (`T1110.001`). `tactics` are names as layers write them: `credential-access`."""

    id: str
    name: str
    tactics: tuple[str, ...]

    @property
    def parent(self) -> str:
        """The technique that a sub-technique belongs to; of a technique its own id."""
        return self.id.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Attack:
    """One version of ATT&CK. `tactics` stand in the order of the matrix, `replaced` maps a revoked id to its heir.

    `deprecated` maps ids that have no heir to the names that they had.
    """

    version: str
    tactics: tuple[str, ...]
    techniques: Mapping[str, Technique]
    replaced: Mapping[str, str]
    deprecated: Mapping[str, str]

    def find(self, id_: str) -> Technique | None:
        """The technique with this id, or the one that took its place."""
        return self.techniques.get(id_) or self.techniques.get(self.replaced.get(id_, ""))


@functools.cache
def load() -> Attack:
    """The version that is shipped; read when it is first asked for."""
    data = json.loads(_FILE.read_text(encoding="utf-8"))
    techniques = {id_: Technique(id_, t["name"], tuple(t["tactics"])) for id_, t in data["techniques"].items()}
    return Attack(data["version"], tuple(data["tactics"].values()), techniques, data["replaced"], data["deprecated"])
