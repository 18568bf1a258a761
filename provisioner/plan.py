"""The plan: every change in order, or the reason why there can't be one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner import diff, graph
from provisioner.errors import ConflictError
from provisioner.model import Plan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provisioner.model import Known, Resource


def build(desired: Iterable[Resource], known: Known) -> Plan:
    """A plan from values alone. Raises ConflictError where an object that isn't ours has a name that we want."""
    changes = diff.diff(desired, known)
    taken = diff.conflicts(changes)
    if taken:
        names = "\n".join(f"  {change.kind} {change.key}  ({change.origin})" for change in taken)
        raise ConflictError(
            f"these exist in the cluster and are not ours ({known.owner}):\n{names}",
            "rename ours, or remove or rename those in the cluster; nothing was changed",
        )
    return Plan(graph.order(changes))
