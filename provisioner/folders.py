"""Where this program keeps files of its own: folders of this user, never the repository."""

from __future__ import annotations

import os
from pathlib import Path


def cache() -> Path:
    """What can be built anew at any time: PROVISIONER_CACHE, else the XDG folder; root's is one that all can read."""
    root = os.geteuid() == 0
    return _folder("PROVISIONER_CACHE", "XDG_CACHE_HOME", Path("/var/cache") if root else Path.home() / ".cache")


def state() -> Path:
    """What must not be lost, such as dev clusters' data: PROVISIONER_STATE, else the XDG folder, as `cache` chooses."""
    root = os.geteuid() == 0
    return _folder("PROVISIONER_STATE", "XDG_STATE_HOME", Path("/var/lib") if root else Path.home() / ".local/state")


def audit() -> Path:
    """Where audit chains lie: PROVISIONER_AUDIT, else a part of the state folder."""
    chosen = os.environ.get("PROVISIONER_AUDIT")
    return Path(chosen).expanduser().absolute() if chosen else state() / "audit"


def _folder(own: str, xdg: str, default: Path) -> Path:
    if chosen := os.environ.get(own):
        return Path(chosen).expanduser().absolute()
    base = os.environ.get(xdg, "")
    # The XDG specification: a relative path in these variables is to be ignored.
    return (Path(base) if Path(base).is_absolute() else default) / "provisioner"
