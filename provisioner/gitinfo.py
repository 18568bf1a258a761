"""Which revision of the repository is being applied."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pathlib


def revision(root: pathlib.Path) -> str | None:
    """The commit, with `+changes` where files of the folder are not committed, new ones among them.

    None outside a Git repository or without git.
    """
    git = shutil.which("git")
    if git is None:
        return None
    commit = _said(git, root, "rev-parse", "--short=12", "HEAD")
    if commit is None:
        return None
    changed = _said(git, root, "status", "--porcelain", "--untracked-files=normal", "--", ".")
    return commit + ("+changes" if changed else "")


def _said(git: str, root: pathlib.Path, *arguments: str) -> str | None:
    done = subprocess.run([git, "-C", str(root), *arguments], capture_output=True, text=True, check=False)  # noqa: S603 (fixed arguments)
    return done.stdout.strip() or None if done.returncode == 0 else None
