"""`provisioner drift`: what somebody changed in the cluster since the last apply; for a scheduled job."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, NamedTuple

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
    err,
    print_error,
    show,
    warn,
)
from provisioner.cli._targets import end, print_outcomes, rule, tried
from provisioner.errors import ProvisionerError

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Mapping

    from provisioner.cluster import Cluster
    from provisioner.model import Change
    from provisioner.settings import Settings

NotifyOption = Annotated[
    str | None,
    typer.Option("--notify", metavar="CHANNEL", help="The id of a channel that is told where there is drift."),
]


def run(
    root: RepositoryOption = HERE,
    target: TargetsOption = None,
    all_targets: AllTargetsOption = False,
    notify: NotifyOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Compare what the cluster shows with what it showed after the last apply. The repository's files don't count.

    Exit code 0: no drift; 1: drift; 2: no repository or no cluster, or the channel did not take the message. Nothing
    is written. Of several targets all are looked at, and the highest code counts.
    """
    from provisioner.report import json

    chosen = choose(root, target or [], all_targets)
    ended = {settings.target.name: tried(partial(_look, settings, root)) for settings in chosen}
    if output is Output.JSON:
        print_outcomes(ended, lambda found: json.drift(found.changes))
    else:
        _print(ended)
    told = [_told(root, settings, ended[settings.target.name], notify) for settings in chosen] if notify else []
    drifted = any(found.changes for found in ended.values() if not isinstance(found, ProvisionerError))
    end([*ended.values(), *told], otherwise=drifted)


class Found(NamedTuple):
    """What one target shows: the cluster, how many objects are owned there, which of them drifted."""

    cluster: Cluster
    objects: int
    changes: list[Change]


def _look(settings: Settings, root: pathlib.Path) -> Found:
    from provisioner.audit import Trail, events
    from provisioner.cluster import Cluster
    from provisioner.plan import explain

    with Trail(settings, "drift", root, tell=warn) as trail:
        trail.begin()
        cluster = Cluster(settings)
        known, changes = cluster.drift()
        trail.ended(events.compared(len(changes), len(known.records)))
    return Found(cluster, len(known.records), explain(changes, known))


def _print(ended: Mapping[str, Found | ProvisionerError]) -> None:
    from provisioner.report import text

    for name, found in ended.items():
        rule(name, len(ended))
        if isinstance(found, ProvisionerError):
            print_error(found, f"{name}: " if len(ended) > 1 else "")
        else:
            show(text.drift(found.changes, found.objects))


def _told(
    root: pathlib.Path, settings: Settings, found: Found | ProvisionerError, channel: str
) -> ProvisionerError | None:
    """Tell the channel where there is drift, and standard error what came of it."""
    if isinstance(found, ProvisionerError) or not found.changes:
        return None
    ended = tried(partial(_tell, root, settings, found.cluster, found.changes, channel))
    if isinstance(ended, ProvisionerError):
        print_error(ended)
        return ended
    err.print(Text(f"Told {channel}.", style="dim"))
    return None


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
