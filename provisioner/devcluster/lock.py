"""The pinned artifacts: what the distribution is made of, where each file goes, and what its bytes must hash to."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files

_SHA256 = re.compile(r"[0-9a-f]{64}")
_COORDINATE = re.compile(r"[\w.-]+:[\w.-]+:[\w.-]+:(jar|zip)")


@dataclass(frozen=True, order=True)
class Coordinate:
    """One file in a Maven repository."""

    group: str
    artifact: str
    version: str
    packaging: str

    @classmethod
    def parse(cls, text: str) -> Coordinate:
        """Read `group:artifact:version:packaging`. Raises ValueError on any other form."""
        if not _COORDINATE.fullmatch(text):
            raise ValueError(f"not a Maven coordinate (group:artifact:version:jar or :zip): {text!r}")
        return cls(*text.split(":"))

    def __str__(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}:{self.packaging}"

    @property
    def filename(self) -> str:
        """Name of the file in the repository and in the distribution."""
        return f"{self.artifact}-{self.version}.{self.packaging}"

    @property
    def repository_path(self) -> str:
        """Path of the file below the root of any Maven repository, with forward slashes."""
        return f"{self.group.replace('.', '/')}/{self.artifact}/{self.version}/{self.filename}"


@dataclass(frozen=True)
class Artifact:
    """A pinned file: its coordinate, its folder in the distribution, its size in bytes and its checksum."""

    coordinate: Coordinate
    folder: str
    size: int
    sha256: str
    secure_only: bool = False


def parse_lock(text: str) -> tuple[Artifact, ...]:
    """Read the lock file's text. Raises ValueError with the line's number if a line can't be read."""
    return tuple(
        _parse_line(number, line.split())
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.startswith("#")
    )


def _parse_line(number: int, words: Sequence[str]) -> Artifact:
    try:
        coordinate, folder, size, sha256, *rest = words
        if rest not in ([], ["secure"]) or not _SHA256.fullmatch(sha256):
            raise ValueError("expected: coordinate folder bytes sha256 [secure]")
        return Artifact(Coordinate.parse(coordinate), folder, int(size), sha256, bool(rest))
    except ValueError as error:
        raise ValueError(f"artifacts.lock:{number}: {error}") from error


def pinned(*, secure: bool) -> tuple[Artifact, ...]:
    """The artifacts of a plain or of a secured cluster, from the lock file inside the package."""
    text = files(__package__).joinpath("artifacts.lock").read_text(encoding="utf-8")
    return tuple(artifact for artifact in parse_lock(text) if secure or not artifact.secure_only)


def server_version(artifacts: Iterable[Artifact]) -> str:
    """Version of the OpenSearch server among the artifacts, such as `3.4.0`."""
    return next(a.coordinate.version for a in artifacts if a.coordinate.artifact == "opensearch")


def digest(artifacts: Iterable[Artifact], *more: str) -> str:
    """Hex digest of everything that decides what an assembled distribution holds."""
    parts = [f"{a.coordinate} {a.folder} {a.sha256}" for a in artifacts]
    return hashlib.sha256("\n".join([*parts, *more]).encode()).hexdigest()
