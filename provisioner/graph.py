"""The order of changes: what is depended on comes first."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from provisioner.errors import ProvisionerError
from provisioner.model import Action

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provisioner.model import Change, Ref


def order(changes: Iterable[Change]) -> tuple[Change, ...]:
    """The changes, each behind all that it depends on; among equals by kind and key: a plan reads the same each time.

    Deletions come last. Raises ProvisionerError, naming the circle, where resources depend on each other.
    """
    by_ref = {change.ref: change for change in changes}
    kept = [change for change in by_ref.values() if change.action is not Action.DELETE]
    sorter: TopologicalSorter[Ref] = TopologicalSorter(
        {change.ref: [ref for ref in _dependencies(change) if ref in by_ref] for change in kept}
    )
    try:
        sorter.prepare()
    except CycleError as error:
        circle = " → ".join(":".join(ref) for ref in error.args[1])
        raise ProvisionerError(f"these depend on each other: {circle}", "take one of the references out") from None
    ordered: list[Change] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        ordered += [by_ref[ref] for ref in ready]
        sorter.done(*ready)
    return (*ordered, *(change for change in by_ref.values() if change.action is Action.DELETE))


def _dependencies(change: Change) -> frozenset[Ref]:
    return change.resource.depends_on if change.resource else frozenset()
