"""`provisioner drift`: what somebody changed in the cluster since the last apply; for a scheduled job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from provisioner.cli._common import (
    HERE,
    AllTargetsOption,
    Output,
    OutputOption,
    RepositoryOption,
    TargetsOption,
    choose,
    out,
    show,
)

if TYPE_CHECKING:
    import pathlib

    from provisioner.cluster import Cluster
    from provisioner.model import Change
    from provisioner.settings import Settings

NotifyOption = Annotated[
    str | None, typer.Option("--notify", help="The id of a channel that is told where there is drift.")
]


def run(
    root: RepositoryOption = HERE,
    target: TargetsOption = None,
    all_targets: AllTargetsOption = False,
    notify: NotifyOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Compare what the cluster shows with what it showed after the last apply. The repository's files don't count.

    Exit code 0: no drift; 1: drift; 2: no repository or no cluster. Nothing is written.
    """
    from provisioner.cluster import Cluster
    from provisioner.plan import explain
    from provisioner.report import json, text

    chosen = choose(root, target or [], all_targets)
    found: dict[str, list[Change]] = {}
    for settings in chosen:
        cluster = Cluster(settings)
        known, changes = cluster.drift()
        changes = explain(changes, known)
        found[settings.target.name] = changes
        if output is Output.TEXT:
            if len(chosen) > 1:
                out.rule(Text(settings.target.name), align="left")
            show(text.drift(changes, len(known.records)))
        if changes and notify:
            _tell(root, settings, cluster, changes, notify)
    if output is Output.JSON:
        said: dict[str, Any] = {name: json.drift(changes) for name, changes in found.items()}
        print(json.dumps(next(iter(said.values())) if len(said) == 1 else {"targets": said}))
    if any(found.values()):
        raise typer.Exit(1)


def _tell(root: pathlib.Path, settings: Settings, cluster: Cluster, changes: list[Change], channel: str) -> None:
    """Send the list of what drifted, without bodies: they may hold what a channel should not see."""
    from provisioner import notify, repository
    from provisioner.compile import cluster_name

    document = repository.load_for(root, settings).source.documents.get(("channel", channel))
    format_ = notify.format_of(document.body) if document else "text"
    name = cluster_name("channel", channel, settings) if document else channel
    noun = "object differs" if len(changes) == 1 else "objects differ"
    subject = f"{len(changes)} {noun} from what {settings.owner} applied ({settings.target.name})"
    lines = [f"{change.kind} {change.key}: {change.why}" for change in changes]
    notify.send(cluster.client, name, subject, "\n".join(lines), format_)
