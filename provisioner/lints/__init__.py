"""Lints: what a schema can't say. One module each, named after the mistake; its docstring is its page.

A module has `CODE` and `check(view)`, which gives findings. The scan finds it; nothing is registered. Modules whose
names begin with an underscore hold what several lints look at.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING

from provisioner.lints._view import View

if TYPE_CHECKING:
    from types import ModuleType

    from provisioner.model import Finding

__all__ = ["View", "all_lints", "run"]


@cache
def all_lints() -> tuple[ModuleType, ...]:
    """Every lint's module, by name."""
    names = (module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    return tuple(importlib.import_module(f"{__name__}.{name}") for name in names)


def run(view: View) -> list[Finding]:
    """What all lints say. They see documents that a schema refuses, too: one run shows every mistake."""
    return [finding for lint in all_lints() for finding in lint.check(view)]
