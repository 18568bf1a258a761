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
from provisioner.shares import alone

if TYPE_CHECKING:
    from types import ModuleType

    from provisioner.model import Finding
    from provisioner.shares import Doer

__all__ = ["View", "all_lints", "run"]


@cache
def all_lints() -> tuple[ModuleType, ...]:
    """Every lint's module, by name."""
    names = (module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    return tuple(importlib.import_module(f"{__name__}.{name}") for name in names)


def run(view: View, share: Doer = alone) -> list[Finding]:
    """What all lints say. They see documents that a schema refuses, too: one run shows every mistake.

    `share` says who looks at the rules, where they are many.
    """
    each = [lint for lint in all_lints() if getattr(lint, "EACH", False)]
    parts = [view.part(rules) for rules in shares.cut(view.rules)]
    found = share(lambda number: [list(lint.check(parts[number])) for lint in each], len(parts))
    of_each = dict(zip(each, zip(*found, strict=True), strict=True))
    return [
        finding
        for lint in all_lints()
        for finding in (chain.from_iterable(of_each[lint]) if lint in of_each else lint.check(view))
    ]
