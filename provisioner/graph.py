"""The order of changes: what is depended on comes first, and is deleted last."""

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

    Deletions come last, in reverse: what uses something goes before it. Raises ProvisionerError, naming the circle,
    where resources depend on each other.
    """
    by_ref = {change.ref: change for change in changes}
    ordered: list[Change] = []
    for part in edges(by_ref.values()):
        if found := circle(part):
            raise ProvisionerError(f"these depend on each other: {words(found)}", "take one of the references out")
        sorter: TopologicalSorter[Ref] = TopologicalSorter(part)
        sorter.prepare()
        while sorter.is_active():
            ready = sorted(sorter.get_ready())
            ordered += [by_ref[ref] for ref in ready]
            sorter.done(*ready)
    return tuple(ordered)


def edges(changes: Iterable[Change]) -> tuple[dict[Ref, set[Ref]], dict[Ref, set[Ref]]]:
    """Which change waits for which others: first those that make or keep, then those that delete.

    No-ops are among the first, so that what lies behind one of them still waits for what lies before it.
    """
    kept: dict[Ref, set[Ref]] = {}
    deleted: dict[Ref, set[Ref]] = {}
    depends = {}
    for change in changes:
        (deleted if change.action is Action.DELETE else kept)[change.ref] = set()
        depends[change.ref] = change.depends_on
    for ref, others in depends.items():
        for other in others:
            if ref in kept and other in kept:
                kept[ref].add(other)
            elif ref in deleted and other in deleted:
                deleted[other].add(ref)
    return kept, deleted


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
