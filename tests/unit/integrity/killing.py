"""As a program, `killing.py FOLDER KILLS SEED`: four processes write one log, and one after the other is killed.

Each writes down what it has been promised to be durable only after `append` returned. At the end the log is opened once
more and must be intact and hold all of that. Prints what happened as JSON.
"""

from __future__ import annotations

import json
import os
import pathlib
import random
import signal
import sys
import time

from provisioner.integrity import Chain, KeyRing, Options
from provisioner.integrity.verify import verify

WRITERS = 4
KEYS = KeyRing({"k1": b"k" * 32})
OPTIONS = Options(fsync="always", rotate_bytes=20_000, evolve_records=15)


def write(folder: pathlib.Path, name: str) -> None:
    """Write until killed."""
    acknowledged = os.open(folder / "acknowledged", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    rng = random.Random(name)
    with Chain(folder / "log" / "a.jsonl", KEYS, stream="web1", options=OPTIONS) as chain:
        number = 0
        while True:
            ids = [f"{name}-{number + each}" for each in range(rng.choice((1, 1, 1, 5)))]
            chain.append_all([{"event_id": each, "message": "x" * rng.randrange(500)} for each in ids])
            os.write(acknowledged, "".join(f"{each}\n" for each in ids).encode())
            number += len(ids)


def start(folder: pathlib.Path, name: str) -> int:
    """A writer's process id."""
    child = os.fork()
    if child == 0:
        try:
            write(folder, name)
        finally:
            os._exit(1)
    return child


def size(folder: pathlib.Path) -> int:
    """How much has been acknowledged, in bytes."""
    file = folder / "acknowledged"
    return file.stat().st_size if file.exists() else 0


def wait(folder: pathlib.Path, before: int) -> None:
    """Until something more has been: a machine may be slow."""
    for _ in range(5_000):
        if size(folder) > before:
            return
        time.sleep(0.001)


def main() -> None:
    """Kill them."""
    folder, kills, seed = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    rng = random.Random(seed)
    running = [start(folder, f"w{number}") for number in range(WRITERS)]
    before = 0
    for number in range(kills):
        wait(folder, before)
        time.sleep(rng.random() * 0.05)
        before = size(folder)
        place = rng.randrange(WRITERS)
        os.kill(running[place], signal.SIGKILL)
        _, status = os.waitpid(running[place], 0)
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, f"a writer ended by itself: {status}"
        running[place] = start(folder, f"w{WRITERS + number}")
    for child in running:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    with Chain(folder / "log" / "a.jsonl", KEYS, options=OPTIONS) as chain:
        chain.append({"message": "the end"})
    result = verify([folder / "log"], KEYS)
    lines = [
        line
        for file in (folder / "log").glob("a.jsonl*")
        if file.suffix not in (".lock", ".state")
        for line in file.read_bytes().split(b"\n")
    ]
    stored = {said.get("event_id") for line in lines if (said := _json(line))}
    acknowledged = (folder / "acknowledged").read_text(encoding="ascii").split()
    print(
        json.dumps(
            {
                "intact": result.intact,
                "problems": [str(each) for each in result.problems][:5],
                "records": result.records,
                "files": len(result.streams[0].files),
                "torn": result.streams[0].torn,
                "epochs": result.streams[0].keys["k1"][1] + 1,
                "acknowledged": len(acknowledged),
                "lost": sorted(set(acknowledged) - stored)[:5],
            }
        )
    )


def _json(line: bytes) -> dict:
    try:
        return json.loads(line)
    except ValueError:
        return {}


if __name__ == "__main__":
    main()
