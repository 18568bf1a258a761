"""Who runs this program."""

from __future__ import annotations

import os
import pwd


def user() -> str:
    """The name of the user whom the kernel knows us as, whatever the environment says; the number where there is no
    name, as in some containers."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
