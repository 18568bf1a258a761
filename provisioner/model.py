"""The few types that carry everything through the program. All are frozen values; nothing here does I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Body = dict[str, Any]
"""What JSON can hold, as OpenSearch takes and gives it."""

Path = tuple[str | int, ...]
"""The way from a body's top to one of its values: keys and list positions."""

SecretPaths = tuple[tuple[str, ...], ...]
"""Ways to the secrets in a body; "*" is any key."""

Ref = tuple[str, str]
"""Kind and key of a resource: its identity in a plan, in the state and in dependencies."""


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """A place in a file; `line` and `column` count from 1, as editors do."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Severity(StrEnum):
    """How bad a finding is: an error stops plan and apply, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check has to say: what is wrong, where, and how to mend it."""

    code: str
    message: str
    origin: Origin
    hint: str = ""
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document of a repository.

    `body` holds everything but `kind` and `id`, with the target's variables filled in. `origins` maps the path of every
    value to where it stands; `key_origins` the same for the keys themselves. `file` is relative to the repository.
    """

    kind: str
    id: str
    body: Body
    origins: Mapping[Path, Origin]
    key_origins: Mapping[Path, Origin] = field(default_factory=dict)

    @property
    def origin(self) -> Origin:
        """Where the document begins."""
        return self.origins[()]

    def at(self, path: Path) -> Origin:
        """Where the value at `path` stands, or else the nearest value around it."""
        while path not in self.origins:
            path = path[:-1]
        return self.origins[path]


@dataclass(frozen=True, slots=True)
class Resource:
    """What should exist in the cluster.

    `key` is its name there. `body` is what OpenSearch takes, secrets still being references (`${env:NAME}`).
    """

    kind: str
    key: str
    body: Body
    origin: Origin
    depends_on: frozenset[Ref] = frozenset()

    @property
    def ref(self) -> Ref:
        """Kind and key."""
        return (self.kind, self.key)


@dataclass(frozen=True, slots=True)
class Live:
    """What exists in the cluster.

    `body` is normalised by its kind: what the server adds by itself is gone. `token` is for optimistic concurrency
    (`if_seq_no`, `if_primary_term`), empty where the API has none. `owner` is the owner's mark inside the object, None
    where it bears none.
    """

    kind: str
    key: str
    body: Body
    server_id: str
    token: Mapping[str, int] = field(default_factory=dict)
    owner: str | None = None

    @property
    def ref(self) -> Ref:
        """Kind and key."""
        return (self.kind, self.key)


@dataclass(frozen=True, slots=True)
class Record:
    """What the state remembers of one owned resource.

    `sent` and `shown` are fingerprints of the body that was sent and of the one that the server then showed (see
    `provisioner.state`). `body` is the one sent, secrets being references. `secrets` maps each reference to its keyed
    fingerprint.
    """

    kind: str
    key: str
    server_id: str
    sent: str
    shown: str
    body: Body
    secrets: Mapping[str, str] = field(default_factory=dict)

    @property
    def ref(self) -> Ref:
        """Kind and key."""
        return (self.kind, self.key)


@dataclass(frozen=True, slots=True)
class Known:
    """All that planning knows of a cluster.

    `records` and `release` (number of the last one, 0: none) come from the state, `live` from the cluster itself.
    `secret_paths` says for each kind where secrets stand, `salt` keys their fingerprints.
    """

    owner: str
    salt: str
    release: int
    records: Mapping[Ref, Record]
    live: Mapping[Ref, Live]
    secret_paths: Mapping[str, SecretPaths]
    state_exists: bool = True


class Action(StrEnum):
    """What a change does."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    NONE = "no-op"


@dataclass(frozen=True, slots=True)
class Change:
    """One step of a plan. `before` is the body last applied (None: none known), `after` the one wanted; `why` says in
    words what made it necessary ("new", "changed", "drifted", ...). `risks` are words of warning, empty for most."""

    action: Action
    kind: str
    key: str
    why: str
    origin: Origin | None = None
    before: Body | None = None
    after: Body | None = None
    resource: Resource | None = None
    live: Live | None = None
    risks: tuple[str, ...] = ()

    @property
    def ref(self) -> Ref:
        """Kind and key."""
        return (self.kind, self.key)


@dataclass(frozen=True, slots=True)
class Plan:
    """All changes, in the order in which they are to be made; no-ops are among them."""

    changes: tuple[Change, ...]

    @property
    def pending(self) -> tuple[Change, ...]:
        """The changes that do something."""
        return tuple(change for change in self.changes if change.action is not Action.NONE)

    def count(self, action: Action) -> int:
        """How many changes have this action."""
        return sum(change.action is action for change in self.changes)


@dataclass(frozen=True, slots=True)
class Event:
    """What apply did in one step; `error` is empty where it worked. `seconds` is how long the step took."""

    change: Change
    seconds: float
    error: str = ""
