"""RULE008: the rule's runbook does not exist.

Each alert carries the runbook's name to whoever is called at night. A name that leads nowhere is found out then.

Bad:

    runbook: docs/runbooks/brute-froce-login.md

Good:

    runbook: docs/runbooks/brute-force-login.md

To mend it, correct the name or write the file; an https address is not looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.model import Finding
from provisioner.schema import show, suggest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.lints import View

CODE = "RULE008"


def check(view: View) -> Iterator[Finding]:
    """A finding for each rule whose runbook is a file that is not there."""
    if view.files is None:
        return
    for rule in view.rules:
        runbook = rule.body.get("runbook")
        if isinstance(runbook, str) and not runbook.startswith("https://") and runbook not in view.files:
            hint = suggest(runbook, view.files, "there are") if view.files else "write it; docs/runbooks/ is empty"
            yield Finding(CODE, f"there is no file {show(runbook)}", rule.at(("runbook",)), hint)
