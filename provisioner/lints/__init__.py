"""Lints: what a schema can't say. One module each, named after the mistake; its docstring is its explanation.

A module has `CODE` and `check(source)`, which gives findings. The scan finds it; nothing is registered.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from provisioner.model import Finding
    from provisioner.source import Source


@cache
def all_lints() -> tuple[ModuleType, ...]:
    """Every lint's module, by name."""
    return tuple(importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))


def run(source: Source) -> list[Finding]:
    """What all lints say. They see documents that a schema refuses, too: one run shows every mistake."""
    return [finding for lint in all_lints() for finding in lint.check(source)]
