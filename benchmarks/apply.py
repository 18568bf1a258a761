"""Plan and apply against bare loops of the same requests, at 100, 300 and 1,000 objects.

Everything runs on a dev cluster of its own, in turns (A B B A), each round with an owner and a namespace of its own, on
a cluster that holds nothing else. Server and client have processors of their own (Linux, two at least), as a cluster is
another machine: what a client works out must not cost the server its time. `--together` lets them share. What is
compared:

- apply: `deploy` inside the real command, from resources to a verified cluster (look, plan, lock, look again, write,
  read back, record, look once more), against a loop over the very same write requests, their bodies rendered and their
  secrets resolved beforehand, sent by opensearch-py with the same concurrency and the same order by dependencies;
- plan without change: the whole command on the clock, less half a second for its start, against the same read
  requests, sent one after the other and decoded; the files were compiled by the apply before, whose result is taken
  from the cache. What it takes to compile them anew is told besides;
- growth from 100 to 1,000 objects: what one object more costs at the upper end, for a plan against what one costs in
  all at 300, for memory against what one more costs at the lower end;
- memory: the most that the process took, and its growth;
- `provisioner --help`: seconds of the processor.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pathlib
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from harness import processes, report, repositories, traffic
from harness.processes import Run

from provisioner.cluster import Cluster
from provisioner.compilecache import SWITCH
from provisioner.kinds import all_kinds

CLUSTER, PORT = "bench-apply", 19930
PARALLEL = 4
WARM, TURNS = 3, {100: 10, 300: 2, 1000: 1}
"""How often A B B A is run: what takes long runs less often, and first some with 100 objects that don't count."""
PLANS = 6
ANEW = 3
START = 0.5
"""Seconds for which a command may start."""
AIMS = {
    "apply": 1.15,
    "plan": 1.5,
    "plan_growth": 1.2,  # linear is 1; the rest is for noise
    "plan_memory_growth": 1.2,
    "apply_memory_growth": 1.2,
    "help_cpu_seconds": 0.25,
}


@dataclass
class Figures:
    """What was measured at one size: apply and plan by the command, and their bare peers, run by run. `anew` are plans
    that compile everything."""

    apply: list[Run] = field(default_factory=list)
    write: list[Run] = field(default_factory=list)
    plan: list[Run] = field(default_factory=list)
    anew: list[Run] = field(default_factory=list)
    read: list[Run] = field(default_factory=list)

    def apply_ratios(self) -> list[float]:
        """Pair by pair."""
        return [a.seconds["deploy"] / b.seconds["requests"] for a, b in zip(self.apply, self.write, strict=True)]

    def plan_ratios(self) -> list[float]:
        """Pair by pair."""
        return [(a.wall - START) / b.seconds["requests"] for a, b in zip(self.plan, self.read, strict=True)]


class Bench:
    """A folder for repositories, and the cluster."""

    def __init__(self, folder: pathlib.Path, url: str) -> None:
        self._folder, self._url = folder, url

    def size(self, objects: int, turns: int) -> Figures:
        """All figures at one size."""
        os.environ.update(repositories.environment(objects))
        figures = Figures()
        for turn in range(turns * 2):
            steps = [self._apply, self._write] if turn % 2 == 0 else [self._write, self._apply]
            for step in steps:
                made = repositories.make(self._folder, self._url, objects, PARALLEL)
                step(made, figures)
                if step == self._apply and turn == 0:
                    self._plans(made, figures)
                self._remove(made)
            ratio = figures.apply_ratios()[-1]
            print(f"  {objects} objects, round {turn + 1}: apply {ratio:.2f} of bare", file=sys.stderr)
        return figures

    def _apply(self, made: repositories.Made, figures: Figures) -> None:
        figures.apply.append(_told("apply", processes.command("apply", "--yes", "-C", str(made.root))))

    def _write(self, made: repositories.Made, figures: Figures) -> None:
        levels = traffic.creating(made.load().resources, all_kinds())
        figures.write.append(_told("bare writes", self._bare(levels, PARALLEL)))

    def _plans(self, made: repositories.Made, figures: Figures) -> None:
        loaded = made.load()
        requests = traffic.reading(loaded.settings, loaded.resources)
        for turn in range(PLANS):
            if turn % 2:
                figures.read.append(_told("bare reads", self._bare([requests], 1)))
            figures.plan.append(_told("plan", processes.command("plan", "--exit-code", "-C", str(made.root))))
            if turn < ANEW:
                nothing = {SWITCH: "1"}
                again = processes.command("plan", "--exit-code", "-C", str(made.root), environment=nothing)
                figures.anew.append(_told("plan anew", again))
            if not turn % 2:
                figures.read.append(_told("bare reads", self._bare([requests], 1)))

    def _bare(self, levels: list[list[traffic.Request]], parallel: int) -> Run:
        file = self._folder / "requests.json"
        wanted = {"host": self._url, "parallel": parallel, "levels": levels}
        file.write_text(json.dumps(wanted), encoding="utf-8")
        return processes.telling("bare", [str(file)])

    def _remove(self, made: repositories.Made) -> None:
        """Take everything away again, what is used behind what uses it."""
        loaded = made.load()
        cluster = Cluster(loaded.settings)
        with ThreadPoolExecutor(PARALLEL) as pool:
            for level in reversed(traffic.levels(loaded.resources)):
                wanted: dict[str, dict[str, str | None]] = {}
                for resource in level:
                    wanted.setdefault(resource.kind, {})[resource.key] = None
                lives = [
                    live for kind, keys in wanted.items() for live in cluster.kinds[kind].live(cluster.client, keys)
                ]
                list(pool.map(lambda live: cluster.kinds[live.kind].delete(cluster.client, live), lives))
        if cluster.store.read().exists:
            cluster.client.request("DELETE", f"/{cluster.store.index}")


def _told(name: str, run: Run) -> Run:
    """The run, told at once: a benchmark that is stopped has told something."""
    parts = ", ".join(f"{part} {seconds:.2f}" for part, seconds in run.seconds.items())
    print(f"    {name}: {run.wall:.2f} s, {run.cpu:.2f} s of CPU, {run.peak:.0f} MB ({parts})", file=sys.stderr)
    return run


def _halves() -> tuple[set[int], set[int]] | None:
    """Processors for the server, and for the client; None where they can't be told apart."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    every = sorted(os.sched_getaffinity(0))
    half = len(every) // 2
    return (set(every[:half]), set(every[half:])) if half else None


@contextlib.contextmanager
def _cluster(port: int, together: bool = False) -> Iterator[str]:
    """A dev cluster that nobody else uses; it is removed at the end, and so is what a killed run left behind."""
    from provisioner.devcluster import cluster

    with contextlib.suppress(cluster.DevClusterError):
        cluster.down(CLUSTER, delete=True)
    halves = None if together else _halves()
    if halves:
        os.sched_setaffinity(0, halves[0])
    started = cluster.up(CLUSTER, port)
    if halves:
        os.sched_setaffinity(0, halves[1])
    try:
        print(f"server: OpenSearch {started.version}; a stand-in answers for {', '.join(started.stands_in_for)}")
        print(f"processors of server and client: {halves or 'all for both'}\n")
        yield started.url
    finally:
        cluster.down(CLUSTER, delete=True)


def _steepness(by_size: dict[int, float]) -> float:
    """What one object more costs in the upper half of the sizes, over the whole cost of one at the middle size.

    Linear growth gives 1, the start of a command less. Between the small sizes a plan's time hardly differs by more
    than noise, so that nothing can be divided by that difference.
    """
    _, middle, large = sorted(by_size)
    return (by_size[large] - by_size[middle]) / (large - middle) / (by_size[middle] / middle)


def _ratios(found: dict[int, Figures], help_: float) -> dict[str, float]:
    """What the last line tells."""
    ratios: dict[str, float] = {"help_cpu_seconds": help_}
    for size, figures in found.items():
        ratios[f"apply_{size}"] = report.middle(figures.apply_ratios())
        ratios[f"plan_{size}"] = report.middle(figures.plan_ratios())
    if len(found) == 3:
        plan = {size: report.middle(run.wall for run in each.plan) for size, each in found.items()}
        ratios["plan_growth"] = _steepness(plan)
        ratios["plan_memory_growth"] = report.growth(
            {s: report.middle(r.peak for r in f.plan) for s, f in found.items()}
        )
        ratios["apply_memory_growth"] = report.growth(
            {s: report.middle(r.peak for r in f.apply) for s, f in found.items()}
        )
    return ratios


def _aims(ratios: dict[str, float]) -> dict[str, float]:
    """The aim of each ratio that has one."""
    return {name: aim for name in ratios if (aim := AIMS.get(name) or AIMS.get(name.rsplit("_", 1)[0]))}


def _tables(found: dict[int, Figures]) -> Iterator[str]:
    spread = report.spread
    head = ["objects", "bare writes, s", "deploy, s", "ratio", "whole command, s", "its CPU, s", "peak, MB (bare)"]
    yield report.table(
        head,
        [
            [
                f"{size:,}",
                spread(run.seconds["requests"] for run in f.write),
                spread(run.seconds["deploy"] for run in f.apply),
                spread(f.apply_ratios()),
                spread(run.wall for run in f.apply),
                spread(run.cpu for run in f.apply),
                f"{spread((r.peak for r in f.apply), '.0f')}; {spread((r.peak for r in f.write), '.0f')}",
            ]
            for size, f in found.items()
        ],
    )
    head = ["objects", "bare reads, s", "plan, s", "its CPU, s", "of that compiling", "of that looking"]
    yield report.table(
        [*head, "(plan - 0.5 s) / bare", "peak, MB (bare)", "plan anew, s"],
        [
            [
                f"{size:,}",
                spread(run.seconds["requests"] for run in f.read),
                spread(run.wall for run in f.plan),
                spread(run.cpu for run in f.plan),
                spread(run.seconds["load_for"] for run in f.plan),
                spread(run.seconds["look"] for run in f.plan),
                spread(f.plan_ratios()),
                f"{spread((r.peak for r in f.plan), '.0f')}; {spread((r.peak for r in f.read), '.0f')}",
                spread(run.wall for run in f.anew),
            ]
            for size, f in found.items()
        ],
    )


def _check() -> float:
    """Everything that needs no cluster, once: a repository, its requests, and `--help`."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(repositories.environment(100))
        made = repositories.make(pathlib.Path(folder), f"http://127.0.0.1:{PORT}", 100, PARALLEL)
        levels = traffic.creating(made.load().resources, all_kinds())
    if (count := sum(map(len, levels))) != 100:
        raise AssertionError(f"{count} requests for 100 objects")
    return processes.help_cpu().cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="100 objects only")
    parser.add_argument("--check", action="store_true", help="no cluster, no aims: whether the benchmark itself works")
    parser.add_argument("--port", type=int, default=PORT, help=f"of the cluster (default {PORT})")
    parser.add_argument("--together", action="store_true", help="server and client share all processors")
    chosen = parser.parse_args()
    print(report.machine(), flush=True)
    if chosen.check:
        print(report.last_line("apply", {"help_cpu_seconds": _check()}, {}))
        return
    help_ = [processes.help_cpu() for _ in range(9)]
    found: dict[int, Figures] = {}
    with _cluster(chosen.port, chosen.together) as url, tempfile.TemporaryDirectory() as folder:
        bench = Bench(pathlib.Path(folder), url)
        bench.size(100, WARM)  # a new server compiles its own code, and more of it for an apply, which asks more of it
        for size, turns in TURNS.items():
            if size == 100 or not chosen.quick:
                found[size] = bench.size(size, turns)
                print(f"{size} objects\n", *_tables({size: found[size]}), sep="\n", file=sys.stderr)
    print(*_tables(found), sep="\n\n")
    print(f"\nat the end: {report.machine()}")
    print(f"\nprovisioner --help: {report.spread(run.cpu for run in help_)} s of CPU\n")
    ratios = _ratios(found, report.middle(run.cpu for run in help_))
    print(report.last_line("apply", ratios, _aims(ratios)))


if __name__ == "__main__":
    main()
