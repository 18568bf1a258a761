"""`provisioner test`: run the tests of rules on a real engine."""

from __future__ import annotations

import pathlib
import time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from provisioner.cli._common import HERE, RepositoryOption, TargetOption, TestOutput, err, out, print_json, show

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provisioner.repository import Repository
    from provisioner.ruletest.bench import Bench
    from provisioner.ruletest.cases import Case
    from provisioner.ruletest.runner import Result

KeywordOption = Annotated[
    str, typer.Option("-k", metavar="WORDS", help="Only tests whose rule and name hold all these words.")
]


def run(
    paths: Annotated[
        list[pathlib.Path] | None,
        typer.Argument(metavar="[PATH]...", help="Rule files or folders; default: all rules."),
    ] = None,
    root: RepositoryOption = HERE,
    target: TargetOption = None,
    keyword: KeywordOption = "",
    fail_fast: Annotated[bool, typer.Option("--fail-fast", "-x", help="End at the first test that fails.")] = False,
    output: Annotated[TestOutput, typer.Option("-o", "--output", help="What to print.")] = TestOutput.TEXT,
) -> None:
    """Run rules' tests: their events through the rendered templates and pipelines, and the rendered monitors on them.

    Everything stands in a namespace of its own on the target's cluster and is removed again; `provisioner dev up`
    starts a cluster for it. Exit code 0: all passed; 1: some failed, or the repository has findings.
    """
    from provisioner import settings
    from provisioner.errors import FindingsError
    from provisioner.report import github, junit
    from provisioner.report import tests as report
    from provisioner.ruletest.bench import bench

    started = time.monotonic()
    try:
        with bench(root, settings.load(root, target)) as made:
            cases = _chosen(made.loaded, paths or [], keyword)
            results = _run(made, cases, fail_fast, output)
    except FindingsError as error:
        _refused(error, output)
    seconds = time.monotonic() - started
    if output is TestOutput.TEXT:
        show(report.summary(results, len(cases), seconds))
    elif output is TestOutput.JSON:
        print_json(report.json(results, seconds))
    elif output is TestOutput.JUNIT:
        print(junit.outcomes(report.outcomes(results), "provisioner test"), end="")
    else:
        print("\n".join(github.outcomes(report.outcomes(results))))
    if any(not result.passed for result in results):
        raise typer.Exit(1)


def _run(made: Bench, cases: Sequence[Case], fail_fast: bool, output: TestOutput) -> list[Result]:
    from provisioner.report import progress
    from provisioner.report import tests as report
    from provisioner.ruletest import runner

    def all_() -> Iterator[Result]:
        with progress.tests(out if output is TestOutput.TEXT else err, len(cases)) as advance:
            for result in runner.run(made, cases):
                if output is TestOutput.TEXT and not result.passed:
                    show(report.failure(result))
                advance(result)
                yield result

    results: list[Result] = []
    for result in all_():
        results.append(result)
        if fail_fast and not result.passed:
            break
    return results


def _chosen(loaded: Repository, paths: Sequence[pathlib.Path], keyword: str) -> list[Case]:
    from provisioner.errors import ProvisionerError
    from provisioner.ruletest.cases import cases

    root = loaded.root.resolve()
    if outside := [path for path in paths if not path.resolve().is_relative_to(root)]:
        raise ProvisionerError(f"{outside[0]} is not in the repository {root}", "name a rule of it, or it by -C")
    files = [path.resolve().relative_to(root).as_posix() for path in paths]
    words = keyword.lower().split()
    found = [
        case
        for case in cases(loaded.source, loaded.resources)
        if (not files or any(_below(case.origin.file, file) for file in files))
        and all(word in case.title.lower() for word in words)
    ]
    if not found:
        raise ProvisionerError("there is no such test", "tests stand in rules, under `tests:`")
    return found


def _below(file: str, place: str) -> bool:
    return place in (".", file) or file.startswith(f"{place}/")


def _refused(error: Exception, output: TestOutput) -> None:
    from provisioner.cli._common import Output, print_findings
    from provisioner.errors import FindingsError

    assert isinstance(error, FindingsError)  # noqa: S101 (for the type)
    print_findings(error.findings, Output.JSON if output is TestOutput.JSON else Output.TEXT)
    err.print(Text("No test was run.", style="bold"))
    raise typer.Exit(1)
