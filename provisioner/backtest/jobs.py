"""From a repository to what is run: the rules chosen, each with the monitor that the target would have."""

from __future__ import annotations

import fnmatch
from dataclasses import replace
from typing import TYPE_CHECKING

from provisioner import compile as compiling
from provisioner import repository, schema, settings
from provisioner.backtest.engine import Job
from provisioner.errors import ProvisionerError
from provisioner.ruletest import cases
from provisioner.ruletest.events import field_types
from provisioner.source import Source

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Sequence

    from provisioner.model import Document
    from provisioner.repository import Repository

_TELLING = ("actor.username", "source.ip", "target.username", "host.name")
"""Fields whose most frequent values tell about a match rule's events: it has no keys of its own."""


def load(root: pathlib.Path, target: str | None, step: str | None = None) -> Repository:
    """The repository for a target, with rules' own schedules, or with `step` for all of them.

    A target's `schedule` is for development: what is asked is how a rule would do in production.
    """
    chosen = settings.load(root, target)
    return repository.load_for(root, replace(chosen, target=replace(chosen.target, schedule=step)))


def jobs(loaded: Repository, wanted: Sequence[str], begin: int, end: int) -> list[Job]:
    """A job for each rule named; `*` stands for any characters. Rules that are off are run as if they were on.

    Raises ProvisionerError where there is no such rule, or where it has no monitor of its own.
    """
    rules = _chosen(loaded.source.of_kind("rule"), wanted)
    on = {("rule", rule.id): replace(rule, body={**rule.body, "enabled": True}) for rule in rules}
    source = Source({**loaded.source.documents, **on}, ())
    compiler = compiling.Compiler(loaded.root, loaded.settings, source)
    monitors = cases.by_rule(compiler.run().resources)
    fields = tuple(name for name in _TELLING if name in field_types(source))
    found = []
    for rule in rules:
        monitor = monitors.get(rule.id, {})
        if "triggers" not in monitor or "monitor_type" not in monitor:
            raise ProvisionerError(
                f"rule {rule.id!r} has no monitor of its own", "backtest the rules that it is made of instead"
            )
        about = compiler.rule_schemas.get(str(rule.body["type"]), {})
        found.append(Job(rule, monitor, begin, end, fields, bool(about.get("x-monotone"))))
    return found


def _chosen(rules: Sequence[Document], wanted: Sequence[str]) -> list[Document]:
    found: dict[str, Document] = {}
    for pattern in wanted:
        matching = [rule for rule in rules if fnmatch.fnmatchcase(rule.id, pattern)]
        if not matching:
            ids = [rule.id for rule in rules]
            raise ProvisionerError(f"there is no rule {pattern!r}", schema.suggest(pattern, ids, "rules"))
        found |= {rule.id: rule for rule in matching}
    return list(found.values())
