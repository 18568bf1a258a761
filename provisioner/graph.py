"""The order of changes: what is depended on comes first."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from provisioner.errors import ProvisionerError
from provisioner.model import Action

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from provisioner.model import Change, Ref


def order(changes: Iterable[Change]) -> tuple[Change, ...]:
    """The changes, each behind all that it depends on; among equals by kind and key: a plan reads the same each time.

    Deletions come last. Raises ProvisionerError, naming the circle, where resources depend on each other.
    """
    by_ref = {change.ref: change for change in changes}
    kept = {ref: change for ref, change in by_ref.items() if change.action is not Action.DELETE}
    dependencies = {ref: [other for other in _dependencies(change) if other in kept] for ref, change in kept.items()}
    if found := circle(dependencies):
        raise ProvisionerError(f"these depend on each other: {words(found)}", "take one of the references out")
    sorter: TopologicalSorter[Ref] = TopologicalSorter(dependencies)
    sorter.prepare()
    ordered: list[Change] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        ordered += [by_ref[ref] for ref in ready]
        sorter.done(*ready)
    return (*ordered, *(change for change in by_ref.values() if change.action is Action.DELETE))


def circle(dependencies: Mapping[Ref, Iterable[Ref]]) -> list[Ref]:
    """A circle among these, first and last the same; empty where there is none."""
    try:
        TopologicalSorter(dependencies).prepare()
    except CycleError as error:
        found: list[Ref] = error.args[1]
        return found
    return []


def words(refs: Iterable[Ref]) -> str:
    """`monitor acme-x → channel acme-y`."""
    return " → ".join(" ".join(ref) for ref in refs)


def _dependencies(change: Change) -> frozenset[Ref]:
    return change.resource.depends_on if change.resource else frozenset()
