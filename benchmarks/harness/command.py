"""The real command line, as a child process of a benchmark: `harness.command RESULT ARGUMENT...`.

Into the file RESULT it writes how long the parts took that are of interest, in seconds, and the peak memory.
"""

from __future__ import annotations

import atexit
import json
import pathlib
import sys
import time
from typing import TYPE_CHECKING, Any

from harness.memory import peak

if TYPE_CHECKING:
    from collections.abc import Callable


def _timed(module: Any, name: str, seconds: dict[str, float]) -> None:
    inner: Callable[..., Any] = getattr(module, name)

    def outer(*arguments: Any, **options: Any) -> Any:
        started = time.perf_counter()
        try:
            return inner(*arguments, **options)
        finally:
            seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - started

    setattr(module, name, outer)


def main() -> None:
    """Run the command; the parts are wrapped where the commands look them up when they run."""
    from provisioner import cli, deploy, repository

    result = pathlib.Path(sys.argv[1])
    seconds: dict[str, float] = {}
    for module, name in ((repository, "load_for"), (deploy, "look"), (deploy, "deploy")):
        _timed(module, name, seconds)
    atexit.register(lambda: result.write_text(json.dumps({"seconds": seconds, "peak": peak()}), encoding="utf-8"))
    sys.argv = ["provisioner", *sys.argv[2:]]
    cli.main()


if __name__ == "__main__":
    main()
