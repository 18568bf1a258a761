"""Lints: what a schema can't say. One module each, named after the mistake; its docstring is its page.

A module has `CODE` and `check(view)`, which gives findings; `EACH = True` where what it says of a rule depends on no
other rule: rules by the thousand are then looked at in shares. `ALL = True` where it looks at all documents, but at no
resource, and takes its time over thousands: it is then done beside the rendering. The scan finds it; nothing is
registered. Modules whose names begin with an underscore hold what several lints look at.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING

from provisioner import shares
from provisioner.lints._view import View
from provisioner.shares import Work, alone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from provisioner.model import Finding

__all__ = ["View", "all_lints", "of_documents", "run"]


@cache
def all_lints() -> tuple[ModuleType, ...]:
    """Every lint's module, by name."""
    names = (module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    return tuple(importlib.import_module(f"{__name__}.{name}") for name in names)


def of_documents(view: View) -> Work[dict[str, list[Finding]]]:
    """What lints say that need no resources, by their names: of all documents, and of each rule in shares of them."""
    whole = [lint for lint in all_lints() if getattr(lint, "ALL", False)]
    each = [lint for lint in all_lints() if getattr(lint, "EACH", False)]
    parts = [view.part(rules) for rules in shares.cut(view.rules)]

    def do(number: int) -> dict[str, list[Finding]]:
        if number < len(whole):
            return {whole[number].__name__: list(whole[number].check(view))}
        return {lint.__name__: list(lint.check(parts[number - len(whole)])) for lint in each}

    return Work(do, len(whole) + len(parts))


def run(view: View, found: Sequence[dict[str, list[Finding]]] | None = None) -> list[Finding]:
    """What all lints say. They see documents that a schema refuses, too: one run shows every mistake.

    `found` is what doing `of_documents` gave; it is done here where it was not done before.
    """
    if found is None:
        work = of_documents(view)
        found = alone(work.do, work.count)
    said: dict[str, list[Finding]] = {}
    for part in found:
        for name, findings in part.items():
            said.setdefault(name, []).extend(findings)
    return [
        finding
        for lint in all_lints()
        for finding in (said[lint.__name__] if lint.__name__ in said else lint.check(view))
    ]
