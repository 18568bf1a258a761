"""Records that the chain makes about itself: what happened to its file and keys, signed like any other record.

They are events of the category `system`; what a machine reads of them stands in `labels`.
"""

from __future__ import annotations

from typing import Any

ROTATED = "log_rotated"
"""The last record of a file: `file` is the name that it gets, `next_file` the one that follows."""
CONTINUED = "log_continued"
"""The first record of a file: `file` is its own name, `previous_file` the one before."""
RECOVERED = "log_recovered"
"""Something was not as the writer left it: a torn line (`torn_bytes`, `torn_sha256`), records that are gone
(`missing_from`, `missing_to`)."""
KEY_CHANGED = "log_key_changed"
"""The last record that an old key signs: `next_key` is the id of the key that signs the next one."""
CHECKPOINTED = "log_checkpointed"
"""A checkpoint was made: `count`, `root`, `number`, `checkpoint_sha256`."""
ACTIONS = frozenset({ROTATED, CONTINUED, RECOVERED, KEY_CHANGED, CHECKPOINTED})
PREFIX = b'"action":"log_'
"""What the canonical line of each holds."""


def note(action: str, message: str, severity: str = "info", **labels: str | int) -> dict[str, Any]:
    """Such an event, not yet complete."""
    return {
        "category": "system",
        "action": action,
        "severity": severity,
        "message": message,
        "process": {"name": "provisioner"},
        "labels": {name: str(value) for name, value in labels.items()},
    }


def rotated(file: str, next_file: str) -> dict[str, Any]:
    """The end of a file."""
    return note(
        ROTATED, f"The log goes on in another file; this one is {file} from now on.", file=file, next_file=next_file
    )


def continued(file: str, previous_file: str) -> dict[str, Any]:
    """The begin of a file."""
    return note(CONTINUED, f"The log goes on from {previous_file}.", file=file, previous_file=previous_file)


def torn(file: str, size: int, digest: str) -> dict[str, Any]:
    """A line without end, as a killed writer leaves it."""
    words = f"A writer was killed while it wrote: the line before this record is its first {size} bytes."
    return note(RECOVERED, words, "warning", file=file, torn_bytes=size, torn_sha256=digest)


def missing(file: str, first: int, last: int) -> dict[str, Any]:
    """Records that the writer knows of and that the file does not hold."""
    words = f"The file does not hold the records {first} to {last}, which were written."
    return note(RECOVERED, words, "high", file=file, missing_from=first, missing_to=last)


def key_changed(next_key: str) -> dict[str, Any]:
    """The end of a key."""
    return note(KEY_CHANGED, f"The key {next_key} signs from now on.", next_key=next_key)


def checkpointed(number: int, count: int, root: str, digest: str) -> dict[str, Any]:
    """A checkpoint lies in its second place."""
    words = f"Checkpoint {number} holds the first {count} records."
    return note(CHECKPOINTED, words, number=number, count=count, root=root, checkpoint_sha256=digest)
