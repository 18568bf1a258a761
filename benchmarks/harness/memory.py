"""Peak memory of this process."""

from __future__ import annotations

import pathlib
import resource
import sys


def peak() -> float:
    """In MB. Linux's own count of this program where there is one: `getrusage` starts from the parent's size."""
    status = pathlib.Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / (1024 * 1024) if sys.platform == "darwin" else size / 1024
