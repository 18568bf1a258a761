"""What was compiled before is taken again exactly as long as nothing that it depends on is another."""

from __future__ import annotations

import os
import pathlib
import shutil
from typing import TYPE_CHECKING

import pytest

from provisioner import compilecache, folders, repository, settings, starter
from provisioner.compilecache import SWITCH, Entry
from provisioner.source import FOLDERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from provisioner.repository import Repository

MATCHES = """\
kind: rule
id: {id}
title: Somebody did {id}
severity: high
log_type: audit
type: match
schedule: 1m
query: action:{id}
attack: [T9999]  # there is none: a warning
runbook: docs/runbooks/brute-force-login.md
tests: [{{name: silent, events: [{{set: {{action: other}}}}], expect: []}}]
"""


COUNTS = """\
kind: rule
id: many-{id}
title: Much {id}
severity: high
log_type: audit
type: threshold
threshold: {{count: 5, within: 5m}}
schedule: 1m
query: action:more_{id}
runbook: docs/runbooks/brute-force-login.md
"""
CORRELATED = """\
kind: rule
id: both
title: Much of both at once
severity: high
log_type: audit
type: correlation
correlation: {rules: [many-copies, many-prints], condition: any}
schedule: 5m
runbook: docs/runbooks/brute-force-login.md
"""


@pytest.fixture
def root(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.delenv(SWITCH, raising=False)
    monkeypatch.setenv("PROVISIONER_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "repository"
    starter.write(root, starter.settings_text("team"))
    shutil.rmtree(root / "rules/detections")  # fewer files, the same ways
    (root / "rules/events.yml").unlink()
    (root / "rules/several.yml").write_text("---\n".join(MATCHES.format(id=id_) for id_ in ("copying", "printing")))
    counts = [COUNTS.format(id=id_) for id_ in ("copies", "prints")]
    (root / "rules/correlated.yml").write_text("---\n".join([*counts, CORRELATED]))
    return root


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[pathlib.Path]:
    """The repositories that were really compiled."""
    found: list[pathlib.Path] = []
    compiled = repository._compiled

    def noted(root: pathlib.Path, chosen: settings.Settings, *more: Callable[[], object]) -> compilecache.Compiled:
        found.append(root)
        return compiled(root, chosen, *more)

    monkeypatch.setattr(repository, "_compiled", noted)
    return found


def _alike(one: Repository, other: Repository) -> None:
    assert one.findings == other.findings
    assert list(one.source.documents) == list(other.source.documents)
    for a, b in zip(one.source.documents.values(), other.source.documents.values(), strict=True):
        assert (a.kind, a.id, a.body, a.origin) == (b.kind, b.id, b.body, b.origin)
        assert dict(a.origins) == dict(b.origins)
        assert dict(a.key_origins) == dict(b.key_origins)
    for resource, same in zip(one.resources, other.resources, strict=True):
        assert list(resource.body) == list(same.body)
        assert (resource.ref, resource.body, resource.origin) == (same.ref, same.body, same.origin)
        assert resource.depends_on == same.depends_on
        assert resource.document is not None
        assert same.document is not None
        assert (resource.document.id, resource.document.body) == (same.document.id, same.document.body)
        assert dict(resource.document.origins) == dict(same.document.origins)
        assert dict(resource.document.key_origins) == dict(same.document.key_origins)


def test_the_second_time_gives_the_same_without_compiling(root: pathlib.Path, compilations: list[pathlib.Path]) -> None:
    first = repository.load(root)
    again = repository.load(root)
    assert len(compilations) == 1
    assert first.findings  # warnings are kept too
    _alike(first, again)
    made = {resource.document.id for resource in again.resources if resource.document}
    assert {"both-many-copies", "match-audit-1m-1"} <= made  # a delegate and a pack, made of other documents
    documents = {id(document) for document in again.source.documents.values()}
    assert any(id(resource.document) in documents for resource in again.resources)
    some = next(iter(again.source.documents.values()))
    assert some.at(("no", "such", "key")) == some.origin


def _longer(file: pathlib.Path) -> None:
    file.write_text(file.read_text() + "\n")


CHANGES: dict[str, Callable[[pathlib.Path], object]] = {
    "a rule": lambda root: (root / "rules/several.yml").write_text(MATCHES.format(id="copying")),
    "a new file": lambda root: (root / "rules/one.yml").write_text(MATCHES.format(id="reading")),
    "a file that is gone": lambda root: (root / "rules/several.yml").unlink(),
    "another name": lambda root: (root / "rules/several.yml").rename(root / "rules/some.yml"),
    "a template": lambda root: _longer(root / "templates/monitors/match.yml.j2"),
    "a schema": lambda root: _longer(root / "templates/monitors/match.schema.json"),
    "retention": lambda root: _longer(next((root / "ilm").iterdir())),
    "a runbook that is gone": lambda root: (root / "docs/runbooks/brute-force-login.md").unlink(),
    "a variable": lambda root: (root / "provisioner.yml").write_text(
        (root / "provisioner.yml").read_text().replace("replicas: 0", "replicas: 2")
    ),
    "the owner": lambda root: (root / "provisioner.yml").write_text(starter.settings_text("others")),
    "another target": lambda root: (root / "provisioner.yml").write_text(
        (root / "provisioner.yml").read_text().replace("default_target: dev", "default_target: production")
    ),
    "the program": lambda root: None,
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_is_compiled(
    change: str, root: pathlib.Path, compilations: list[pathlib.Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        repository.load(root)
    assert len(compilations) == 1
    CHANGES[change](root)
    if change == "the program":
        monkeypatch.setattr(compilecache, "_program", lambda: ("another",))
    changed = repository.load(root)
    assert len(compilations) == 2
    monkeypatch.setenv(SWITCH, "1")
    _alike(repository.load(root), changed)
    assert len(compilations) == 3


def test_a_file_that_a_document_names_elsewhere_counts(root: pathlib.Path, compilations: list[pathlib.Path]) -> None:
    script = root / "scripts" / "lower.painless"
    script.parent.mkdir()
    script.write_text("ctx.a = 1")
    pipeline = "kind: ingest_pipeline\nid: scripted\ntitle: Scripted\nprocessors:\n"
    pipeline += "  - script: {lang: painless, source: {file: ../scripts/lower.painless}}\n"
    (root / "templates/scripted.yml").write_text(pipeline)
    repository.load(root).checked()
    repository.load(root)
    assert len(compilations) == 1
    script.write_text("ctx.a = 2")
    changed = repository.load(root)
    assert len(compilations) == 2
    (body,) = (resource.body for resource in changed.resources if resource.key == "team-scripted")
    assert body["processors"][0]["script"]["source"] == "ctx.a = 2"


def test_errors_are_found_each_time(root: pathlib.Path, compilations: list[pathlib.Path]) -> None:
    (root / "rules/several.yml").write_text("kind: rule\nid: nothing\n")
    assert repository.load(root).errors
    assert repository.load(root).errors
    assert len(compilations) == 2
    assert not (folders.cache() / "compiled").exists()


def _entry(root: pathlib.Path) -> pathlib.Path:
    (entry,) = (folders.cache() / "compiled").iterdir()
    return entry


BREAKINGS: dict[str, Callable[[pathlib.Path], object]] = {
    "cut": lambda file: file.write_bytes(file.read_bytes()[:-100]),
    "empty": lambda file: file.write_bytes(b""),
    "no JSON": lambda file: file.write_bytes(file.read_bytes().replace(b'"read"', b"read")),
    "another form": lambda file: file.write_bytes(file.read_bytes().replace(b'"resources"', b'"things"')),
    "others may write it": lambda file: file.chmod(0o666),
    "others may write its folder": lambda file: file.parent.chmod(0o777),
    "a link": lambda file: file.rename(file.with_name("x")) and file.symlink_to(file.with_name("x")),
    "a folder": lambda file: (file.unlink(), file.mkdir()),
}


@pytest.mark.parametrize("breaking", BREAKINGS)
def test_a_broken_entry_is_none(breaking: str, root: pathlib.Path, compilations: list[pathlib.Path]) -> None:
    first = repository.load(root)
    assert (_entry(root).stat().st_mode & 0o777, _entry(root).parent.stat().st_mode & 0o777) == (0o600, 0o700)
    BREAKINGS[breaking](_entry(root))
    again = repository.load(root)
    assert len(compilations) == 2
    _alike(first, again)


def test_what_changes_while_it_is_compiled_is_not_kept(root: pathlib.Path) -> None:
    chosen = settings.load(root, None)
    entry = Entry(root, chosen, FOLDERS)
    key = entry.key()
    compiled = repository._compiled(root, chosen)
    (root / "rules/several.yml").unlink()
    entry.keep(key, compiled)
    assert not any(file.is_file() for file in folders.cache().rglob("*"))


def test_a_folder_that_is_a_link_is_not_kept(root: pathlib.Path, compilations: list[pathlib.Path]) -> None:
    shutil.move(root / "templates/monitors", root.parent / "monitors")
    (root / "templates/monitors").symlink_to(root.parent / "monitors")
    for _ in range(2):
        repository.load(root)
    assert len(compilations) == 2


def test_where_nothing_can_be_written_everything_works(
    root: pathlib.Path, compilations: list[pathlib.Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    (root.parent / "file").touch()
    monkeypatch.setenv("PROVISIONER_CACHE", str(root.parent / "file"))
    for _ in range(2):
        assert repository.load(root).resources
    assert len(compilations) == 2


def test_only_the_latest_entries_stay(tmp_path: pathlib.Path, root: pathlib.Path) -> None:
    folder = folders.cache() / "compiled"
    folder.mkdir(parents=True, mode=0o700)
    for number in range(compilecache.MOST + 5):
        (folder / f"old{number}").touch()
        os.utime(folder / f"old{number}", (number, number))
    repository.load(root)
    assert {file.name for file in folder.iterdir() if file.name.startswith("old")} == {
        f"old{number}" for number in range(6, compilecache.MOST + 5)
    }
