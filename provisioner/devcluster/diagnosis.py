"""Why a server did not start: the probable reason, read from the end of its log."""

from __future__ import annotations

import re
from pathlib import Path

# The first that matches wins, so the specific ones come first.
_REASONS: tuple[tuple[str, str], ...] = (
    (
        r"BindException|Address already in use|BindTransportException",
        "another program took its port: choose another with --port.",
    ),
    (r"java\.lang\.OutOfMemoryError|Java heap space", "its heap is too small: give more with --heap 1g."),
    (
        r"Cannot allocate memory|insufficient memory|Could not reserve enough space",
        "the machine has too little memory: stop other programs, or give less with --heap 256m.",
    ),
    (r"No space left on device", "the disk is full: make room, or set PROVISIONER_STATE to another disk."),
    (r"failed to obtain node lock", "another server still uses this data: see `provisioner dev status`."),
    (
        r"cannot (?:down|up)grade|no longer supported|minimum compatible|newer than the current node",
        "its data was written by another version: `provisioner dev down --delete` removes it.",
    ),
    (r"jar hell", "two jars hold the same class: a plugin's zip does not belong to this server version."),
    (
        r"Missing plugin|was built for OpenSearch version|Unknown plugin",
        "a plugin's zip does not fit this server version.",
    ),
    (
        r"AccessDeniedException|Permission denied",
        "it may not read or write a file of its own: see the path in the log.",
    ),
    (
        r"UnsupportedClassVersionError|Unrecognized VM option|Could not create the Java Virtual Machine",
        "this Java can't run it.",
    ),
)

_STACK_FRAME = re.compile(r"\s+(at |\.\.\. \d+ more)")


def tail(log: Path, lines: int) -> list[str]:
    """The last lines of a log file; empty if there is none."""
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - lines * 400))
            return file.read().decode(errors="replace").splitlines()[-lines:]
    except OSError:
        return []


def probable_reason(log_lines: list[str]) -> str | None:
    """One sentence on why the server did not start, or None if the log tells nothing that we know."""
    text = "\n".join(log_lines)
    return next((reason for pattern, reason in _REASONS if re.search(pattern, text, re.IGNORECASE)), None)


def start_failure(what: str, log: Path) -> str:
    """The message for a process that did not come up: the probable reason, then the last lines of its log."""
    reason = probable_reason(tail(log, 200))
    telling = [line for line in tail(log, 200) if not _STACK_FRAME.match(line)]
    last = "\n".join(f"  | {line[:300]}" for line in telling[-15:])
    because = f" Probably {reason}" if reason else ""
    return f"{what}.{because} The last lines of {log}:\n{last}" if last else f"{what}.{because} Its log {log} is empty."
