"""RULE009: ATT&CK has no such technique.

The id goes into alerts and into coverage, where a wrong one counts for nothing. The list is that of ATT&CK's enterprise
matrix as shipped with provisioner; ids that were replaced by others are named with their heirs.

Bad:

    attack: [T1086, T1110.9]

Good:

    attack: [T1059.001, T1110.003]

To mend it, look the technique up at https://attack.mitre.org/techniques/enterprise/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner import attack
from provisioner.model import Finding, Severity
from provisioner.schema import suggest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.lints import View

CODE = "RULE009"
EACH = True


def check(view: View) -> Iterator[Finding]:
    """A finding for each technique that is not in the list."""
    for rule in view.rules:
        ids = rule.body.get("attack")
        for index, id_ in enumerate(ids if isinstance(ids, list) else ()):
            known = attack.load()
            if not isinstance(id_, str) or id_ in known.techniques:
                continue
            if heir := known.replaced.get(id_):
                hint = f"{heir}, {known.techniques[heir].name}, took its place"
                message = f"ATT&CK has no technique {id_!r} any more"
            elif name := known.deprecated.get(id_):
                hint = "take it out, or name the technique that is meant: nothing took its place"
                message = f"ATT&CK has withdrawn the technique {id_!r} ({name})"
            else:
                hint = suggest(id_, known.techniques, "techniques")
                message = f"ATT&CK {known.version} has no technique {id_!r}"
            yield Finding(CODE, message, rule.at(("attack", index)), hint, Severity.WARNING)
