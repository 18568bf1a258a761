"""The starter pack, compiled without a cluster."""

from __future__ import annotations

import pathlib
from functools import cache
from typing import Any

from provisioner import rulepacks, source
from provisioner.compile import Compiler
from provisioner.model import Document
from provisioner.settings import Settings, Target

ROOT = pathlib.Path(__file__).parents[3]
CATCH = {"http": "http://127.0.0.1:9281", "smtp": "127.0.0.1:9282"}


@cache
def _read() -> source.Source:
    return source.load(ROOT, {"replicas": 1})


def compiler(**target: Any) -> Compiler:
    """A compiler of the repository's own documents for a target."""
    chosen = Settings("acme", Target("tests", ("http://127.0.0.1:9",), vars={"replicas": 1}, **target))
    return Compiler(ROOT, chosen, _read())


def documents(kind: str) -> dict[str, Document]:
    """The documents of a kind by id."""
    return {document.id: document for document in compiler().source.of_kind(kind)}


def body(kind: str, id_: str, **target: Any) -> dict[str, Any]:
    """The compiled body of a document."""
    made = compiler(**target)
    document = made.source.documents[kind, id_]
    assert not list(made.check(document))
    (wanted,) = rulepacks.packed([document], made.rule_schemas)
    return made.resource(wanted).body
