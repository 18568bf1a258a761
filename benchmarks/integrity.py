"""Signing and verifying a log against a bare loop of parse and HMAC over the same bytes.

- bare: each line is read from the same file, parsed by orjson and authenticated by HMAC-SHA256 of the standard library,
  with a prepared key: what nobody could leave out who checks signed JSON lines. It finds out nothing about their order.
- verify: `verify.verify` of that file on one core; then by two processes, against its own time on one core;
- with checkpoints: the same with a Merkle root at every third of the log (no aim: the bare loop hashes no tree);
- sign: parsing the events and `Chain.append_all` without fsync, against the bare loop over what was written;
- memory: peak of `provisioner verify` and of `provisioner sign` on a small log and on a large one.

All in turns (A B B A). `verify_cpu` and `sign_cpu` are ratios of processor time, each step's best round: on a busy
machine the better figures. `--full` measures memory with 10,000,000 records: 8 GB on disk.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import hmac
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from harness import processes, report

from provisioner.integrity import Chain, KeyRing, Options
from provisioner.integrity.checking import Checkpoints
from provisioner.integrity.checkpointing import Checkpointer
from provisioner.integrity.places import FilePlace, from_file
from provisioner.integrity.verify import verify

KEY = bytes(range(32))
KEYS = KeyRing({"k1": KEY})
AIMS = {"verify": 1.5, "verify_two": round(1 / 1.7, 3), "sign": 2.0, "verify_memory": 1.1, "sign_memory": 1.1}


def event(number: int) -> dict[str, object]:
    """The article's event, each with its own time, id and attempt; it has all that a stored event has."""
    second, millisecond = divmod(number, 1_000)
    return {
        "timestamp": f"{time.strftime('2026-05-11T%H:%M:%S', time.gmtime(second))}.{millisecond or 1:03}Z",
        "event_id": f"evt_{number:032x}",
        "category": "authentication",
        "action": "login_failed",
        "severity": "warning",
        "message": "Failed login attempt",
        "source": {"ip": f"203.0.113.{number % 250}", "user_agent": "Mozilla/5.0 ...", "country": "US"},
        "actor": {"user_id": "user_abc123", "username": "john.doe", "session_id": "sess_xyz789"},
        "outcome": {"status": "failure", "reason": "invalid_password", "attempt_number": number % 9},
        "context": {"application": "web-app", "environment": "production", "version": "2.4.1"},
    }


def events(count: int) -> Iterator[bytes]:
    """So many of them, as lines."""
    return (orjson.dumps(event(number)) + b"\n" for number in range(count))


def sign(source: pathlib.Path, log: pathlib.Path, checkpointer: Checkpointer | None = None, every: int = 0) -> None:
    """The library's way: lines parsed, signed, written."""
    options = Options(fsync="never", checkpoint_records=every or None)
    with source.open("rb") as lines, Chain(log, KEYS, options=options, checkpointer=checkpointer) as chain:
        for _ in chain.write(map(orjson.loads, lines), own=True):
            pass


def bare(log: pathlib.Path) -> None:
    """Parse and HMAC, and nothing else."""
    prepared = hmac.new(KEY, b"", hashlib.sha256)
    with log.open("rb") as lines:
        for line in lines:
            orjson.loads(line)
            made = prepared.copy()
            made.update(line)
            made.digest()


def timed(step: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock and of this process's processor."""
    gc.collect()
    clock, processor = time.perf_counter(), time.process_time()
    step()
    return time.perf_counter() - clock, time.process_time() - processor


def speeds(folder: pathlib.Path, count: int, turns: int) -> dict[str, list[tuple[float, float]]]:
    """Each step's times, in turns."""
    source, log, signed = folder / "events", folder / "log" / "a.jsonl", folder / "checked" / "a.jsonl"
    with source.open("wb") as file:
        file.writelines(events(count))
    log.parent.mkdir()
    signed.parent.mkdir()
    key = Ed25519PrivateKey.generate()
    sign(source, log)
    sign(source, signed, Checkpointer(key, [FilePlace(folder / "checkpoints")]), count // 3)
    checkpoints = Checkpoints(from_file(folder / "checkpoints"), [key.public_key()])

    def checked(jobs: int, path: pathlib.Path = log, places: Checkpoints | None = None) -> None:
        result = verify([path], KEYS, places, jobs=jobs)
        if not result.intact or result.records < count:
            raise AssertionError(result.problems[:3])

    steps: dict[str, Callable[[], object]] = {
        "bare": lambda: bare(log),
        "verify": lambda: checked(1),
        "verify_two": lambda: checked(2),
        "checkpoints": lambda: checked(1, signed, checkpoints),
        "sign": lambda: sign(source, folder / "again" / "a.jsonl"),
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in steps}
    for turn in range(turns):
        for name in steps if turn % 2 == 0 else reversed(steps):
            shutil.rmtree(folder / "again", ignore_errors=True)
            found[name].append(timed(steps[name]))
            print(f"    {name}: {found[name][-1][0] / count * 1e6:.2f} us a record", file=sys.stderr)
    return found


def memory(folder: pathlib.Path, count: int) -> dict[str, float]:
    """Peaks in MB of both commands on so many records."""
    log, key = folder / f"memory-{count}" / "a.jsonl", folder / "key"
    key.write_text(KEY.hex(), encoding="ascii")
    maker = subprocess.Popen([sys.executable, __file__, "--events", str(count)], stdout=subprocess.PIPE)
    with maker.stdout:  # type: ignore[union-attr]
        arguments = ("sign", str(log), "--key", f"file:{key}", "--fsync", "never", "--redaction", "none")
        signed = processes.command(*arguments, stdin=maker.stdout.fileno())  # type: ignore[union-attr]
    maker.wait()
    verified = processes.command("verify", str(log), "--key", f"file:{key}", "--jobs", "1")
    for each in log.parent.iterdir():
        each.unlink()
    return {"sign_memory": signed.peak, "verify_memory": verified.peak}


def _show(count: int, found: dict[str, list[tuple[float, float]]], peaks: dict[int, dict[str, float]]) -> None:
    rows = [
        [
            name,
            report.spread(clock / count * 1e6 for clock, _ in times),
            report.spread(cpu / count * 1e6 for _, cpu in times),
        ]
        for name, times in found.items()
    ]
    print(report.table(["step", "us a record, clock", "this process's CPU"], rows))
    print()
    rows = [[f"{size:,}", *(f"{peak:.0f} MB" for peak in each.values())] for size, each in peaks.items()]
    print(report.table(["records", "sign, peak", "verify, peak"], rows))


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true", help="only whether it runs")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--full", action="store_true", help="memory with 10,000,000 records")
    parser.add_argument("--events", type=int, default=0, help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.events:
        sys.stdout.buffer.writelines(events(told.events))
        return
    count, turns = (2_000, 1) if told.check else (50_000, 2) if told.quick else (300_000, 6)
    sizes = (
        (1_000, 3_000) if told.check else (10_000, 100_000) if told.quick else (10_000, 10**7 if told.full else 10**6)
    )
    print(report.machine(), flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        gc.set_threshold(100_000, 20, 20)  # as the command line does
        found = speeds(folder, count, turns)
        peaks = {size: memory(folder, size) for size in sizes}
    _show(count, found, peaks)
    best = {step: report.middle(clock for clock, _ in times) for step, times in found.items()}
    own = {step: min(cpu for _, cpu in times) for step, times in found.items()}
    ratios = {
        "verify": best["verify"] / best["bare"],
        "verify_two": best["verify_two"] / best["verify"],
        "verify_checkpoints": best["checkpoints"] / best["bare"],
        "sign": best["sign"] / best["bare"],
        **{f"{step}_cpu": own[step] / own["bare"] for step in ("verify", "sign")},
        **{name: peaks[sizes[1]][name] / peaks[sizes[0]][name] for name in ("verify_memory", "sign_memory")},
    }
    print(report.last_line("integrity", ratios, AIMS))


if __name__ == "__main__":
    main()
