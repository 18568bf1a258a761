"""Existing objects of a cluster as documents of a repository. Nothing is written to the cluster."""

from __future__ import annotations

import fnmatch
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provisioner import schema
from provisioner.errors import ProvisionerError
from provisioner.rawfile import FOLDERS, RawFile, UnwritableError, Writer
from provisioner.source import FOLDERS as TOPS

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator, Sequence

    from provisioner.cluster import Cluster
    from provisioner.model import Live, Ref
    from provisioner.repository import Repository

_BY_DEFAULT = tuple(kind for kind in FOLDERS if kind not in ("role", "role_mapping"))
"""Roles take an administrator to read."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to pull: kinds (none: all but roles and mappings), patterns of names (none: any), and where to."""

    kinds: Sequence[str] = ()
    names: Sequence[str] = ()
    into: str | None = None

    def matches(self, live: Live) -> bool:
        """Whether one of the patterns (`*`, `?`, `[…]`; upper and lower case are one) takes its name."""
        names = (live.key, str(live.body.get("name", "")))
        return not self.names or any(
            fnmatch.fnmatchcase(name.lower(), pattern.lower()) for name in names for pattern in self.names
        )


@dataclass(frozen=True, slots=True)
class LeftOut:
    """One object that no document is written for, and why. `expected`: it has its owner already."""

    kind: str
    name: str
    reason: str
    expected: bool = False


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull gives: files, not written yet, and what it leaves out."""

    files: tuple[RawFile, ...]
    left_out: tuple[LeftOut, ...]


def read(cluster: Cluster, repository: Repository, wanted: Wanted) -> Pulled:
    """Look at the cluster and make the documents. Raises ProvisionerError, ClusterError."""
    kinds, into = _kinds(wanted.kinds), _into(wanted.into)
    ids = {document.id for document in repository.source.of_kind("raw")}
    writer = Writer(repository.root, repository.settings, into, ids)
    records = cluster.store.read().records.values()
    ours = {resource.ref for resource in repository.resources} | {(r.kind, r.server_id) for r in records}
    files: list[RawFile] = []
    left: list[LeftOut] = []
    for kind in kinds:
        lives = sorted(
            (live for live in cluster.kinds[kind].all(cluster.client) if wanted.matches(live)),
            key=lambda live: (live.key, live.server_id),
        )
        for live, reason in _owned(lives, ours, cluster.owner):
            if reason:
                left.append(LeftOut(kind, live.key, reason, expected=True))
                continue
            try:
                _unambiguous(live, lives)
                files.append(writer.file(live, cluster.kinds[kind].secret_paths))
            except UnwritableError as error:
                left.append(LeftOut(kind, live.key, str(error)))
            except RecursionError:
                left.append(LeftOut(kind, live.key, "nested too deeply"))
    return Pulled(tuple(files), tuple(left))


def write(root: pathlib.Path, files: Sequence[RawFile]) -> None:
    """Write the files; none of them is ever written over. Raises ProvisionerError."""
    for each in files:
        path = root / each.file
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(each.text)
        except OSError as error:
            raise ProvisionerError(f"{path} can't be written: {error.strerror}", "check the folder") from None


def _owned(lives: Sequence[Live], ours: set[Ref], owner: str) -> Iterator[tuple[Live, str]]:
    """Each object, and in words whose it is; empty where it is nobody's."""
    for live in lives:
        if live.ref in ours or (live.kind, live.server_id) in ours:
            yield live, "have a document in this repository"
        elif live.owner == owner:
            yield live, f"bear our mark ({owner}), so that `plan` speaks of them"
        elif live.owner is not None:
            yield live, f"belong to another owner ({live.owner})"
        else:
            yield live, ""


def _unambiguous(live: Live, lives: Sequence[Live]) -> None:
    """Raises UnwritableError where a name does not say which object is meant."""
    if Counter(other.key for other in lives)[live.key] > 1:
        raise UnwritableError(f"several have this name, among them {live.server_id}: rename all but one")


def _kinds(asked: Sequence[str]) -> Sequence[str]:
    for kind in asked:
        if kind not in FOLDERS:
            raise ProvisionerError(f"there is no kind {kind!r} to pull", schema.suggest(kind, FOLDERS, "kinds"))
    return [kind for kind in FOLDERS if kind in (asked or _BY_DEFAULT)]


def _into(folder: str | None) -> str | None:
    """The folder, which must be one that documents are read from."""
    if folder is None:
        return None
    parts = [part for part in folder.replace("\\", "/").split("/") if part not in ("", ".")]
    if not parts or parts[0] not in TOPS or any(part.startswith(".") for part in parts):
        raise ProvisionerError(
            f"no documents are read from {folder!r}", f"name a folder below {', '.join(TOPS)}, for example rules/old"
        )
    return "/".join(parts)
