"""One repository, read, checked and compiled for one target: what every command begins with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from provisioner import settings
from provisioner.compilecache import Compiled, Entry
from provisioner.errors import FindingsError
from provisioner.model import Severity
from provisioner.shares import Besides
from provisioner.source import FOLDERS, Source

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable

    from provisioner.model import Finding, Resource
    from provisioner.settings import Settings


@dataclass(frozen=True, slots=True)
class Repository:
    """Settings, documents, desired resources, and all findings in the order of their places."""

    root: pathlib.Path
    settings: Settings
    source: Source
    resources: tuple[Resource, ...]
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that stop plan and apply."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)

    def checked(self) -> Repository:
        """The same, raising FindingsError where there are errors."""
        if self.errors:
            raise FindingsError(self.findings)
        return self


def load(root: pathlib.Path, target: str | None = None) -> Repository:
    """Read, check and compile. Raises ProvisionerError, FindingsError for a wrong `provisioner.yml`."""
    return load_for(root, settings.load(root, target))


def load_for(
    root: pathlib.Path, chosen: Settings, *, kept: bool = True, meanwhile: Callable[[], object] = lambda: None
) -> Repository:
    """Read, check and compile for a target that is chosen already; what an earlier command compiled is not compiled
    again. `kept`: whether a later command may take it, which none can for settings that are made for one command.
    `meanwhile` is called once where there is something to compile, after other processes have begun with it."""
    entry = Entry(root, chosen, FOLDERS)
    key = entry.key() if kept else ""
    found = entry.find(key)
    if found is None:
        found = _compiled(root, chosen, meanwhile)
        if not any(finding.severity is Severity.ERROR for finding in found.findings):
            entry.keep(key, found)
    return Repository(root, chosen, Source(found.documents, ()), found.resources, found.findings)


def _compiled(root: pathlib.Path, chosen: Settings, meanwhile: Callable[[], object] = lambda: None) -> Compiled:
    # Imported here: what was compiled by an earlier command needs neither templates nor lints.
    from provisioner import forking, source

    def prepare() -> None:
        _prepare()
        meanwhile()

    read = source.load(root, chosen.target.vars, partial(forking.together, meanwhile=prepare))
    from provisioner import lints, plainsecrets, secretplaces
    from provisioner.compile import Compiler

    compiler = Compiler(root, chosen, read)
    view = lints.View(read, (), chosen, _runbooks(root), _messages(root))
    share = Besides(forking.together, lints.of_documents(view))
    desired = compiler.run(share)
    secrets = (
        *secretplaces.misplaced(desired.resources),
        *plainsecrets.plain(desired.resources, read.documents.values()),
    )
    said = lints.run(replace(view, resources=desired.resources), share.found)
    found = dict.fromkeys((*read.findings, *desired.findings, *said, *secrets))
    findings = sorted(found, key=lambda finding: (finding.origin, finding.code))
    return Compiled(read.documents, desired.resources, tuple(findings), tuple(sorted(compiler.files)))


def _prepare() -> None:
    """Import what is needed next."""
    from provisioner import compile, lints, plainsecrets  # noqa: A004, F401

    lints.all_lints()


def _runbooks(root: pathlib.Path) -> frozenset[str]:
    """The files that rules may name as their runbooks, by their paths in the repository."""
    return frozenset(file.relative_to(root).as_posix() for file in (root / "docs" / "runbooks").glob("*.md"))


def _messages(root: pathlib.Path) -> dict[str, str]:
    """The repository's own message templates by path; one that can't be read is told where a rule takes it."""
    files = sorted((root / "templates" / "messages").glob("*.mustache"))
    return {file.relative_to(root).as_posix(): file.read_bytes().decode("utf-8", "replace") for file in files}
