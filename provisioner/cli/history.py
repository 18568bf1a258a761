"""`provisioner history`: every release, or what one of them changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from provisioner.cli._common import HERE, Output, OutputOption, RepositoryOption, TargetOption, out, print_json, show
from provisioner.errors import ProvisionerError

if TYPE_CHECKING:
    from provisioner.model import Change
    from provisioner.releases import Release
    from provisioner.state import StateStore

Number = Annotated[int | None, typer.Argument(metavar="RELEASE", help="The number of one release: what it changed.")]


def run(
    number: Number = None,
    root: RepositoryOption = HERE,
    target: TargetOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """List the releases, the last one first: when, who, which revision, how it ended. Reads the state alone."""
    from provisioner import settings
    from provisioner.cluster import Cluster
    from provisioner.report import json, text

    store = Cluster(settings.load(root, target)).store
    if number is None:
        found = store.releases()
        if output is Output.JSON:
            print_json(json.releases(found))
        elif found:
            show(text.releases(found))
        else:
            out.print(Text("Nothing was applied to this target yet."))
        return
    release = find(store, number)
    changes = compare(store, release)
    if output is Output.JSON:
        print_json(json.release(release, changes))
    else:
        show(text.release(release, changes))


def find(store: StateStore, number: int) -> Release:
    """One release. Raises ProvisionerError where there is none."""
    found = store.release(number)
    if found is None:
        raise ProvisionerError(f"there is no release {number}", "see them all: provisioner history")
    return found


def compare(store: StateStore, release: Release) -> list[Change]:
    """What lies between a release and the last one before it whose content is known."""
    from provisioner import releases

    if release.manifest is None:
        return []
    earlier = (store.release(number) for number in range(release.number - 1, 0, -1))
    before = next((found for found in earlier if found is not None and found.manifest is not None), None)
    return releases.compare(before, release, store.blobs(releases.differing(before, release)))
