"""The few types that carry everything through the program. All are frozen values; nothing here does I/O."""

from __future__ import annotations

import marshal
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

ACCESS_KINDS = frozenset({"role", "role_mapping", "user"})
"""What only a target with `access: true` gets: the security plugin's objects, which take an administrator to write."""


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """A place in a file; `line` and `column` count from 1, as editors do. Line 0: no file, `file` says what else."""

    file: str
    line: int = 1
    column: int = 1

    def __reduce__(self) -> tuple[Any, ...]:
        return Origin, (self.file, self.line, self.column)  # thousands go from process to process: this is faster

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


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


def _sent(of: Document | Resource, id_: str, *more: Any) -> tuple[Any, ...]:
    """How one goes from process to process: for its body pickle takes ten times as long as marshal."""
    try:
        return _came, (type(of), of.kind, id_, marshal.dumps(of.body), *more)
    except ValueError:  # other types than JSON's
        return _came, (type(of), of.kind, id_, of.body, *more)


def _came(type_: Any, kind: str, id_: str, body: Body | bytes, *more: Any) -> Any:
    return type_(kind, id_, marshal.loads(body) if isinstance(body, bytes) else body, *more)  # noqa: S302 (it is ours)


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

    def __reduce__(self) -> tuple[Any, ...]:
        return _sent(self, self.id, self.origins, self.key_origins)

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
    document: Document | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _sent(self, self.key, self.origin, self.depends_on, self.document)

    @property
    def ref(self) -> Ref:
        """Kind and key."""
        return (self.kind, self.key)


@dataclass(frozen=True, slots=True)
class Live:
    """What exists in the cluster.

    `body` is normalised by its kind: what the server adds by itself is gone. `token` is for optimistic concurrency
    (`if_seq_no`, `if_primary_term`), empty where the API has none. `owner` is the owner's mark inside the object, None
    where it bears none. `stale` names the indices that hold an older copy of an ISM policy. `duplicates` are the server
    ids of further objects with the same mark: a request that took effect late made a second one.
    """

    kind: str
    key: str
    body: Body
    server_id: str
    token: Mapping[str, int] = field(default_factory=dict)
    owner: str | None = None
    stale: tuple[str, ...] = ()
    duplicates: tuple[str, ...] = ()

    @property
    def ref(self) -> Ref:
        """Kind and key."""
        return (self.kind, self.key)


@dataclass(frozen=True, slots=True)
class Record:
    """What the state remembers of one owned resource.

    `sent` and `shown` are fingerprints of the body that was sent and of the one that the server then showed,
    `document` one of the document as written ("": none). Each is the address of what it stands for among the state's
    blobs. `secrets` maps each reference to its keyed fingerprint. `origin` is where the document stood. `rolled_out` is
    the version (`_seq_no`) of an ISM policy that its indices were last told to take over, -1 where none was.
    """

    kind: str
    key: str
    server_id: str
    sent: str
    shown: str
    document: str = ""
    origin: str = ""
    depends_on: frozenset[Ref] = frozenset()
    secrets: Mapping[str, str] = field(default_factory=dict)
    rolled_out: int = -1

    @property
    def ref(self) -> Ref:
        """Kind and key."""
        return (self.kind, self.key)


@dataclass(frozen=True, slots=True)
class Index:
    """One index as the retention guard sees it. Times in milliseconds since 1970; `rolled_over` None: not yet."""

    name: str
    documents: int
    bytes: int
    created: int
    rolled_over: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the cluster says beyond the objects themselves, asked only for those that a plan would change.

    `users` names what else in the cluster uses an object that would be deleted ("monitor other-team-logins").
    `indices` are those that an ISM policy manages, or of which a data stream consists. `now` is the cluster's time in
    milliseconds since 1970.
    """

    users: Mapping[Ref, tuple[str, ...]] = field(default_factory=dict)
    indices: Mapping[Ref, tuple[Index, ...]] = field(default_factory=dict)
    now: int = 0


@dataclass(frozen=True, slots=True)
class Options:
    """What a plan may do beyond creating and updating: delete owned objects that left the repository, take over
    existing ones by name, and pass the limits named in `force`."""

    prune: bool = False
    adopt: bool = False
    force: frozenset[str] = frozenset()


PLAIN = Options()
"""Create and update only."""


class Action(StrEnum):
    """What a change does. Adopting takes over an object that is as wanted already: only the state is written."""

    CREATE = "create"
    UPDATE = "update"
    ADOPT = "adopt"
    DELETE = "delete"
    NONE = "no-op"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a YAML diff: `sign` is "+", "-" or " ". `origin` is where the value stands in the repository."""

    sign: str
    text: str
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Diff:
    """The lines that differ, with some around them, and in words what is compared ("as written", "in the cluster")."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One step of a plan.

    `before` is the body last sent (None: none known), `after` the one wanted; `why` says in words what made it
    necessary ("new", "changed", "drifted", ...). `depends_on` orders it: what is wanted, or what was remembered.
    `risks` are words of warning that begin with a mark ("closes alerts: ..."), `doomed` the indices that it would
    delete now or soon.
    """

    action: Action
    kind: str
    key: str
    why: str
    origin: Origin | None = None
    before: Body | None = None
    after: Body | None = None
    resource: Resource | None = None
    live: Live | None = None
    depends_on: frozenset[Ref] = frozenset()
    diffs: tuple[Diff, ...] = ()
    risks: tuple[str, ...] = ()
    doomed: tuple[Index, ...] = ()

    @property
    def ref(self) -> Ref:
        """Kind and key."""
        return (self.kind, self.key)


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit that a plan exceeds, by the name that `--force` takes, and in words by how much."""

    name: str
    message: str


@dataclass(frozen=True, slots=True)
class Plan:
    """All changes, in the order in which they are to be made; no-ops are among them.

    `limits` are those that it exceeds and that nobody forced: such a plan is shown but not applied. `digest` is the
    same as long as the repository, the options, the state and the objects concerned are the same.
    """

    changes: tuple[Change, ...]
    limits: tuple[Limit, ...] = ()
    owner: str = ""
    cluster: str = ""
    release: int = 0
    digest: str = ""

    @property
    def pending(self) -> tuple[Change, ...]:
        """The changes that do something."""
        return tuple(change for change in self.changes if change.action is not Action.NONE)

    def count(self, action: Action) -> int:
        """How many changes have this action."""
        return sum(change.action is action for change in self.changes)


@dataclass(frozen=True, slots=True)
class Event:
    """What apply did in one step: `seconds` is how long it took, `attempts` how often it was tried, `error` is empty
    where it worked. `unclear`: it failed, and nobody knows whether the last request took effect."""

    change: Change
    seconds: float
    error: str = ""
    attempts: int = 1
    unclear: bool = False
