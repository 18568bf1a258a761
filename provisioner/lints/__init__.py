"""Lints: what a schema can't say. One module each, named after the mistake; its docstring is its page.

A module has `CODE` and `check(view)`, which gives findings; `EACH = True` where what it says of a rule depends on no
other rule: rules by the thousand are then looked at in shares. The scan finds it; nothing is registered. Modules whose
names begin with an underscore hold what several lints look at.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING

from provisioner import shares
from provisioner.lints._view import View
from provisioner.shares import Work, alone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from provisioner.model import Finding

__all__ = ["View", "all_lints", "of_each", "run"]


@cache
def all_lints() -> tuple[ModuleType, ...]:
    """Every lint's module, by name."""
    names = (module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    return tuple(importlib.import_module(f"{__name__}.{name}") for name in names)


def of_each(view: View) -> Work[list[list[Finding]]]:
    """What lints say of each rule for itself, in shares of the rules; the resources need not be there."""
    each = _of_each()
    parts = [view.part(rules) for rules in shares.cut(view.rules)]
    return Work(lambda number: [list(lint.check(parts[number])) for lint in each], len(parts))


def run(view: View, found: Sequence[list[list[Finding]]] | None = None) -> list[Finding]:
    """What all lints say. They see documents that a schema refuses, too: one run shows every mistake.

    `found` is what doing `of_each` gave; it is done here where it was not done before.
    """
    if found is None:
        work = of_each(view)
        found = alone(work.do, work.count)
    said = dict(zip(_of_each(), zip(*found, strict=True), strict=True))
    return [
        finding
        for lint in all_lints()
        for finding in (chain.from_iterable(said[lint]) if lint in said else lint.check(view))
    ]


def _of_each() -> list[ModuleType]:
    return [lint for lint in all_lints() if getattr(lint, "EACH", False)]
