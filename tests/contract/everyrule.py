"""Every shipped rule and an example of every rule type, as the bodies that apply would send."""

from __future__ import annotations

import pathlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from provisioner import schema, source
from provisioner.compile import Compiler
from provisioner.model import Document
from provisioner.settings import Settings, Target

ROOT = pathlib.Path(__file__).parents[2]
TYPES = ROOT / "tests/e2e/rule_types"
TARGET = Target("t", ("http://127.0.0.1:9",), vars={"replicas": 0})
Bodies = dict[str, dict[str, Any]]


def shipped() -> Bodies:
    """The monitors and workflows of the starter pack by name."""
    return _bodies(_compiler(ROOT))


def every_type(folder: pathlib.Path) -> Bodies:
    """Those of the examples in tests/e2e/rule_types, of every severity and with every option that their types have."""
    for name in ("templates", "ilm", "docs/runbooks"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copytree(TYPES, folder / "rules" / "types")
    for name in ("severities.yml", "channels.yml"):
        shutil.copy(ROOT / "rules" / name, folder / "rules")
    made = _compiler(folder)
    for document in [variant for rule in made.source.of_kind("rule") for variant in _variants(made, rule)]:
        made.source.documents[document.kind, document.id] = document
    return _bodies(made)


def types() -> set[str]:
    """The rule types that there are."""
    return set(schema.rule_types([ROOT / "templates"]))


def _compiler(root: pathlib.Path) -> Compiler:
    read = source.load(root, TARGET.vars)
    assert not read.findings
    return Compiler(root, Settings("acme", TARGET), read)


def _bodies(made: Compiler) -> Bodies:
    desired = made.run()
    assert not desired.findings, desired.findings
    return {each.key: each.body for each in desired.resources if each.kind in ("monitor", "workflow")}


def _variants(made: Compiler, rule: Document) -> Iterator[Document]:
    """The rule with each severity, and with each option that its type has, one at a time."""
    options: Sequence[dict[str, Any]] = [
        *({"severity": severity.id} for severity in made.source.of_kind("severity")),
        *({key: "20m"} for key in ("throttle", "remind", "delay")),
        {"enabled": False},
        {"group_by": None},
    ]
    for number, option in enumerate(options):
        body = {key: value for key, value in {**rule.body, **option}.items() if value is not None}
        variant = replace(rule, id=f"{rule.id}-{number}", body=body)
        if not list(made.check(variant)):
            yield variant
