"""`provisioner dev`: a real OpenSearch on this machine, for development, without Docker."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TaskID, TransferSpeedColumn
from rich.progress import Progress as Bar

from provisioner.cli import Command, Group
from provisioner.cli._common import dev_extra

if TYPE_CHECKING:
    from provisioner.devcluster.record import Cluster

app = typer.Typer(
    cls=Group, help="A development cluster: the real OpenSearch server on this machine.", no_args_is_help=True
)

Name = Annotated[str, typer.Option(help="Which cluster, if you keep several.")]


class _Shown:
    """Progress on standard error: a line for each step, and on a terminal a bar while something is fetched."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._bar: Bar | None = None
        self._task = TaskID(0)

    def step(self, text: str) -> None:
        self._console.print(text, style="dim", soft_wrap=True, markup=False)

    def downloaded(self, done: int, total: int) -> None:
        if not self._console.is_terminal:
            return
        if self._bar is None:
            self._bar = Bar(
                "fetching", BarColumn(), DownloadColumn(), TransferSpeedColumn(), console=self._console, transient=True
            )
            self._task = self._bar.add_task("fetching", total=total)
            self._bar.start()
        self._bar.update(self._task, completed=done, total=total)
        if done >= total:
            self.close()

    def close(self) -> None:
        if self._bar:
            self._bar.stop()
            self._bar = None


@contextmanager
def _reported() -> Iterator[_Shown]:
    """Show progress; its bar is gone before an error is told."""
    with dev_extra():
        import provisioner.devcluster.cluster  # noqa: F401  needs all that the extra brings
    shown = _Shown()
    try:
        yield shown
    finally:
        shown.close()


@app.command(cls=Command)
def up(
    *,
    name: Name = "dev",
    port: Annotated[int | None, typer.Option(help="Port for clients (default: the cluster's last, or 9200).")] = None,
    heap: Annotated[str, typer.Option(help="The server's heap, such as 512m or 1g.")] = "512m",
    secure: Annotated[bool, typer.Option("--secure", help="With the security plugin: https and a password.")] = False,
    stand_in: Annotated[bool, typer.Option(help="Answer for the plugins that can't be had as published zips.")] = True,
    job_interval: Annotated[
        float | None, typer.Option(help="Seconds between two looks of the stand-in at each managed index.")
    ] = None,
    optimize: Annotated[
        bool, typer.Option("--optimize", help="Let Java compile fully: a slower start, the speed of production.")
    ] = False,
) -> None:
    """Start the cluster and wait until it answers. The first time fetches about 75 MB."""
    with _reported() as progress:
        from provisioner.devcluster import cluster as dev

        began = time.monotonic()
        cluster = dev.up(
            name,
            port,
            heap=heap,
            secure=secure,
            stand_in=stand_in,
            job_interval=job_interval,
            optimize=optimize,
            progress=progress,
        )
        typer.echo(f"OpenSearch {cluster.version} answers at {cluster.url} (after {time.monotonic() - began:.1f} s)")
        for line in _facts(cluster):
            typer.echo(line)


def _facts(cluster: Cluster) -> Iterator[str]:
    """What someone who has just started a cluster needs to know of it, in lines that fit into 80 columns."""
    yield "This is a development cluster, not for production: one node, on this machine."
    if cluster.stands_in_for:
        yield f"A stand-in answers for {', '.join(cluster.stands_in_for)}."
        yield f"The server itself, past the stand-in: {cluster.node_url}"
    if cluster.secure:
        yield f"User: {cluster.username}"
        yield f"Password file: {cluster.password_file}"
        yield f"CA certificate: {cluster.ca_file}"
    option = "" if cluster.name == "dev" else f" --name {cluster.name}"
    yield f"Stop it with `provisioner dev down{option}`: its data stays."


@app.command(cls=Command)
def down(
    name: Name = "dev",
    delete: Annotated[bool, typer.Option("--delete", help="Remove the cluster's data too, for good.")] = False,
) -> None:
    """Stop the cluster; its data stays, unless --delete."""
    with _reported() as progress:
        from provisioner.devcluster import cluster as dev

        dev.down(name, delete=delete, progress=progress)
        typer.echo(f"The cluster {name} is removed." if delete else f"The cluster {name} is down; its data stays.")


@app.command(cls=Command)
def status(
    name: Annotated[str | None, typer.Option(help="One cluster only (default: all).")] = None,
    output: Annotated[Literal["text", "json"], typer.Option(help="How to print it.")] = "text",
) -> None:
    """Tell which clusters there are. With --name, exit code 1 if that one does not run."""
    with _reported():
        from provisioner.devcluster import cluster as dev

        found = [dev.status(name)] if name else dev.clusters()
        if output == "json":
            summaries = [cluster.summary() for cluster in found]
            typer.echo(json.dumps(summaries[0] if name else summaries, indent=2))
        else:
            width = max((len(cluster.name) for cluster in found), default=0)
            for cluster in found:
                typer.echo(f"{cluster.name:{width}}  {cluster.state:7}  {cluster.url:22}  OpenSearch {cluster.version}")
            if not found:
                typer.echo("There is no dev cluster: `provisioner dev up` starts one.")
        if name and found[0].state != "running":
            raise typer.Exit(1)


@app.command(cls=Command)
def logs(
    name: Name = "dev",
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on printing, until interrupted.")] = False,
    lines: Annotated[int, typer.Option("-n", "--lines", min=0, help="How many of the last lines.")] = 50,
    stand_in: Annotated[bool, typer.Option("--stand-in", help="The stand-in's log instead of the server's.")] = False,
) -> None:
    """Print the last lines of the server's log."""
    with _reported():
        from provisioner.devcluster import cluster as dev
        from provisioner.devcluster.diagnosis import tail

        cluster = dev.status(name)
        log = cluster.stand_in_log if stand_in else cluster.node_log
        for line in tail(log, lines):
            typer.echo(line)
        if follow:
            _follow(log)


def _follow(log: Path) -> None:
    """Print what is appended to the log until interrupted; a log begun anew is followed from its beginning."""
    position = log.stat().st_size if log.exists() else 0
    try:
        while True:
            size = log.stat().st_size if log.exists() else 0
            if size < position:
                position = 0
            if size > position:
                with log.open("rb") as file:
                    file.seek(position)
                    text = file.read()
                position += len(text)
                sys.stdout.write(text.decode(errors="replace"))
                sys.stdout.flush()
            time.sleep(0.3)
    except KeyboardInterrupt:
        return
