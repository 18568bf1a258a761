"""Who runs this program, and where."""

from __future__ import annotations

import getpass
import os


def user() -> str:
    """The user's name; the number where there is no name, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
