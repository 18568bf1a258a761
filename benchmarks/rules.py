"""Rules by the thousand: `validate` against `sigma check`, and `test` against the clock.

- validate: 3,000 Sigma rules, made up after SigmaHQ's (log sources, shapes, size), are imported by `provisioner import
  sigma`. The whole `provisioner validate` of what it wrote, all lints and every body rendered, against the whole `sigma
  check` of the Sigma rules with all its validators; in turns (A B B A), in seconds per rule. Each `validate` begins
  with an empty cache; how long a second one takes, when nothing changed, is told beside it. Neither asks the web:
  pySigma finds ATT&CK in its cache.
- growth from 300 to 3,000 rules: on the clock, what one of 3,000 costs against one of 300, start included; by counted
  calls (a profiler's, in one process, so that it comes out the same each time), what one rule more takes at the upper
  end against the lower end. The same by the processor's time is told, without an aim: runs of it lie between 0.6 and
  1.4, since the start runs beside the reading of the first rules, and more rules fill more of the processor's caches;
- test: 500 rules of every type that has tests, 1,000 tests, by the whole `provisioner test` on a warm dev cluster.

`sigma check` is in the extra `bench`: pip install -e '.[bench]'.
"""

from __future__ import annotations

import argparse
import contextlib
import pathlib
import pstats
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field

from harness import processes, report, repositories, sigmarules, testedrules
from harness.processes import Run

from provisioner import repository
from provisioner.ruletest import cases

CLUSTER, PORT = "bench-rules", 19940
TURNS = {300: 8, 1000: 6, 3000: 3}
"""How often A B B A is run: a small size differs little from the next one, so that it takes more runs to tell."""
RULES, TESTS, MINUTE = 500, 1000, 60.0
UNTESTED = "RULE011"
"""What `validate` says of imported rules: they have no tests."""
AIMS = {"validate_3000": 0.2, "validate_growth": 1.0, "validate_calls_growth": 1.2, "test_minute": 1.0}


@dataclass
class Figures:
    """What was measured at one size, run by run: `validate`, the same once more, and `sigma check`."""

    ours: list[Run] = field(default_factory=list)
    again: list[Run] = field(default_factory=list)
    sigma: list[Run] = field(default_factory=list)
    calls: int = 0

    def ratios(self) -> list[float]:
        """Pair by pair, on the clock."""
        return [ours.wall / sigma.wall for ours, sigma in zip(self.ours, self.sigma, strict=True)]

    def cpu_ratios(self) -> list[float]:
        """Pair by pair, by the processor: on a busy machine the better ones."""
        return [ours.cpu / sigma.cpu for ours, sigma in zip(self.ours, self.sigma, strict=True)]


def _sigma_program() -> str:
    program = pathlib.Path(sys.executable).with_name("sigma")
    if not program.exists():
        raise SystemExit("sigma-cli is missing: pip install -e '.[bench]'")
    return str(program)


def _imported(folder: pathlib.Path, rules: int) -> tuple[pathlib.Path, pathlib.Path]:
    """Sigma's rules, and a repository of ours with the same ones."""
    sigma = folder / "sigma"
    sigmarules.write(sigma, rules)
    more = ("rules/severities", "rules/channels")
    made = repositories.begin(folder, f"http://127.0.0.1:{PORT}", more=more)
    processes.command("import", "sigma", str(sigma), "--strict", "-C", str(made.root))
    loaded = repository.load(made.root)
    if found := {finding.message for finding in loaded.findings if finding.code != UNTESTED}:
        raise AssertionError(f"findings: {found}")
    if (count := len(loaded.source.of_kind("rule"))) != rules:
        raise AssertionError(f"{count} rules instead of {rules}")
    return sigma, made.root


def _validate(rules: int, turns: int) -> Figures:
    """Both commands in turns."""
    figures = Figures()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        sigma, root = _imported(folder, rules)
        home = {"HOME": str(folder / "home")}
        sigmarules.write_attack(folder / "attack.json")
        processes.run([sys.executable, "-m", "harness.attackcache", str(folder / "attack.json")], home)

        def ours() -> None:
            with tempfile.TemporaryDirectory() as cache:
                for step, runs in (("validate", figures.ours), ("once more", figures.again)):
                    own = {"PROVISIONER_CACHE": cache, "PROVISIONER_NO_CACHE": ""}
                    runs.append(
                        _told(step, processes.command("validate", "-C", str(root), environment=own, codes=(1,)))
                    )

        def theirs() -> None:
            run = processes.run([_sigma_program(), "check", "--fail-on-issues", str(sigma)], home)
            figures.sigma.append(_told("sigma check", run))

        figures.calls = _calls(root, folder / "profile")
        for turn in range(turns * 2):
            for step in (ours, theirs) if turn % 2 == 0 else (theirs, ours):
                step()
    return figures


def _calls(root: pathlib.Path, file: pathlib.Path) -> int:
    """How many calls a `validate` makes, by Python's profiler; on one processor it does all in one process."""
    arguments = ["-m", "cProfile", "-o", str(file), "-m", "provisioner", "validate", "-C", str(root)]
    with processes.one_core():
        processes.run([sys.executable, *arguments], {"PROVISIONER_NO_CACHE": "1"}, codes=(0, 1))
    return int(pstats.Stats(str(file)).total_calls)  # type: ignore[attr-defined]


def _tested(folder: pathlib.Path, url: str, rules: int) -> pathlib.Path:
    """A repository of rules with two tests each, without findings."""
    made = repositories.begin(folder, url, more=("rules/severities", "rules/channels"))
    testedrules.write(made.root / "rules" / "detections", rules)
    loaded = repository.load(made.root)
    if loaded.findings:
        raise AssertionError(f"findings: {loaded.findings}")
    if (count := len(list(cases.cases(loaded.source, loaded.resources)))) != 2 * rules:
        raise AssertionError(f"{count} tests of {rules} rules")
    return made.root


def _tests(port: int) -> list[Run]:
    """`provisioner test` on a dev cluster that nobody else uses; the first run only warms it."""
    with _cluster(port) as url, tempfile.TemporaryDirectory() as folder:
        root = _tested(pathlib.Path(folder), url, RULES)
        found = [_told("test", processes.command("test", "-C", str(root))) for _ in range(4)]
    return found[1:]


def _told(name: str, run: Run) -> Run:
    """The run, told at once: a benchmark that is stopped has told something."""
    print(f"    {name}: {run.wall:.2f} s, {run.cpu:.2f} s of CPU", file=sys.stderr)
    return run


@contextlib.contextmanager
def _cluster(port: int) -> Iterator[str]:
    """A dev cluster of this benchmark's own; it is removed at the end, and so is what a killed run left behind."""
    from provisioner.devcluster import cluster

    with contextlib.suppress(cluster.DevClusterError):
        cluster.down(CLUSTER, delete=True)
    started = cluster.up(CLUSTER, port)
    try:
        print(f"server: OpenSearch {started.version}\n", flush=True)
        yield started.url
    finally:
        cluster.down(CLUSTER, delete=True)


def _ratios(found: dict[int, Figures], tests: list[Run]) -> dict[str, float]:
    """What the last line tells."""
    ratios = {}
    for size, figures in found.items():
        ratios[f"validate_{size}"] = report.middle(figures.ratios())
        ratios[f"validate_cpu_{size}"] = report.middle(figures.cpu_ratios())
        ratios[f"again_{size}"] = report.middle(run.wall for run in figures.again) / report.middle(
            run.wall for run in figures.sigma
        )
    if len(found) == 3:
        each = {size: report.middle(run.wall for run in f.ours) / size for size, f in found.items()}
        ratios["validate_growth"] = each[max(each)] / each[min(each)]
        ratios["validate_cpu_growth"] = report.growth(
            {s: report.middle(r.cpu for r in f.ours) for s, f in found.items()}
        )
        ratios["validate_calls_growth"] = report.growth({size: f.calls for size, f in found.items()})
        ratios["sigma_growth"] = report.growth({s: report.middle(r.wall for r in f.sigma) for s, f in found.items()})
    ratios["test_minute"] = report.middle(run.wall for run in tests) / MINUTE
    return ratios


def _tables(found: dict[int, Figures], tests: list[Run]) -> Iterator[str]:
    spread = report.spread
    head = ["rules", "validate, ms per rule", "sigma check, ms per rule", "ratio", "ratio of CPU"]
    yield report.table(
        [*head, "validate, s", "its CPU, s", "MB", "once more, s"],
        [
            [
                f"{size:,}",
                spread(1000 * run.wall / size for run in f.ours),
                spread(1000 * run.wall / size for run in f.sigma),
                spread(f.ratios()),
                spread(f.cpu_ratios()),
                spread(run.wall for run in f.ours),
                spread(run.cpu for run in f.ours),
                spread((run.peak for run in f.ours), ".0f"),
                spread(run.wall for run in f.again),
            ]
            for size, f in found.items()
        ],
    )
    cells = [spread(run.wall for run in tests), spread(run.cpu for run in tests)]
    head = ["rules", "tests", "provisioner test, s", "its CPU, s", "MB"]
    yield report.table(head, [[f"{RULES:,}", f"{TESTS:,}", *cells, spread((r.peak for r in tests), ".0f")]])


def _check() -> float:
    """Everything that needs neither a cluster nor sigma-cli, once."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        _, root = _imported(folder, 30)
        _tested(folder, f"http://127.0.0.1:{PORT}", 20)
        return processes.command("validate", "-C", str(root), codes=(1,)).wall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="300 rules only, and the tests")
    parser.add_argument("--check", action="store_true", help="no cluster, no aims: whether the benchmark itself works")
    parser.add_argument("--port", type=int, default=PORT, help=f"of the cluster (default {PORT})")
    chosen = parser.parse_args()
    print(report.machine(), flush=True)
    if chosen.check:
        print(report.last_line("rules", {"validate_seconds": _check()}, {}))
        return
    _sigma_program()
    found = {size: _validate(size, turns) for size, turns in TURNS.items() if size == 300 or not chosen.quick}
    tests = _tests(chosen.port)
    print(*_tables(found, tests), sep="\n\n")
    print(f"\nat the end: {report.machine()}\n")
    ratios = _ratios(found, tests)
    print(report.last_line("rules", ratios, {name: aim for name, aim in AIMS.items() if name in ratios}))


if __name__ == "__main__":
    main()
