"""Which revision of the repository is being applied."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pathlib


def revision(root: pathlib.Path) -> str | None:
    """The commit, with `+changes` where files are not committed; None outside a Git repository or without git."""
    git = shutil.which("git")
    if git is None:
        return None
    command = [git, "-C", str(root), "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+changes"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (fixed arguments)
    return done.stdout.strip() or None if done.returncode == 0 else None
