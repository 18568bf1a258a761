"""Child processes that are measured: wall and processor time as the system counts them, and what they tell."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

BENCHMARKS = pathlib.Path(__file__).parents[1]
AUDIT = tempfile.mkdtemp(prefix="provisioner-bench-")
"""Audit chains of plans and applies that are measured: as on a user's disk, and gone with the benchmark."""
atexit.register(shutil.rmtree, AUDIT, ignore_errors=True)


@contextlib.contextmanager
def one_core() -> Iterator[None]:
    """Only one processor, for child processes as well, where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclass(frozen=True)
class Run:
    """One run: seconds on the clock, seconds of the processor, peak memory in MB, and the parts that it told."""

    wall: float
    cpu: float
    peak: float = 0.0
    seconds: Mapping[str, float] = field(default_factory=dict)


def run(
    arguments: Sequence[str],
    environment: Mapping[str, str] | None = None,
    codes: Collection[int] = (0,),
    stdin: int = subprocess.DEVNULL,
) -> Run:
    """Run a program whose output nobody reads, and measure it. Raises RuntimeError where it ends with another code."""
    paths = [str(BENCHMARKS), *filter(None, [os.environ.get("PYTHONPATH")])]
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        process = subprocess.Popen(
            arguments,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(paths),
                "PROVISIONER_AUDIT": AUDIT,
                "PYTHONDONTWRITEBYTECODE": "",  # else each start compiles what was edited since: no user waits for that
                **(environment or {}),
            },
            stdin=stdin,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = code = os.waitstatus_to_exitcode(status)
        if code not in codes:
            said.seek(0)
            raise RuntimeError(
                f"{' '.join(arguments)} ended with {code}:\n{said.read().decode(errors='replace')[-4000:]}"
            )
    return Run(wall, usage.ru_utime + usage.ru_stime)


def telling(
    script: str,
    arguments: Sequence[str],
    environment: Mapping[str, str] | None = None,
    codes: Collection[int] = (0,),
    stdin: int = subprocess.DEVNULL,
) -> Run:
    """Run a module of this folder, which writes what it has to tell into a file."""
    with tempfile.TemporaryDirectory() as folder:
        result = pathlib.Path(folder, "result.json")
        done = run([sys.executable, "-m", f"harness.{script}", str(result), *arguments], environment, codes, stdin)
        told = json.loads(result.read_text(encoding="utf-8"))
    return Run(done.wall, done.cpu, told["peak"], told["seconds"])


def command(
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    codes: Collection[int] = (0,),
    stdin: int = subprocess.DEVNULL,
) -> Run:
    """The real `provisioner` with these arguments."""
    return telling("command", arguments, environment, codes, stdin)


def help_cpu() -> Run:
    """`provisioner --help`, as it is installed."""
    installed = pathlib.Path(sys.executable).with_name("provisioner")
    program = [str(installed)] if installed.exists() else [sys.executable, "-m", "provisioner"]
    return run([*program, "--help"])
